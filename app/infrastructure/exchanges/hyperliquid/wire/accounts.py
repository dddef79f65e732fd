"""What an account holds and may do: positions, wallet, funding, leverage, fees, and whom it lets sign.

POST /info clearinghouseState, userFunding, activeAssetData, userFees and userRole. All of it may be asked by anybody who
knows the address.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import msgspec

from app.domain.exchanges.ports import KeyFacts
from app.domain.exchanges.requests import MarginMode
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import FeeRates, FundingPayment, VenueBalance, VenuePosition
from app.domain.shared.market import Instrument
from app.domain.shared.money import NO_MONEY, Money
from app.infrastructure.exchanges.hyperliquid.wire.answer import ROWS_MAX, question
from app.infrastructure.exchanges.hyperliquid.wire.coins import coin_of
from app.infrastructure.exchanges.hyperliquid.wire.fills import SETTLE
from app.infrastructure.exchanges.reading import (
    ZERO,
    Milliseconds,
    Names,
    Unreadable,
    amount,
    number,
    read,
)

_LEVERAGE_MAX: Final = 10_000
_MODES: Final = {"cross": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}


class _Leverage(msgspec.Struct, frozen=True):
    type: str
    value: Annotated[int, msgspec.Meta(ge=0, lt=_LEVERAGE_MAX)]


class PositionRow(msgspec.Struct, frozen=True, rename="camel"):
    """A position; `szi` is signed."""

    coin: str
    szi: str
    leverage: _Leverage
    unrealized_pnl: str
    entry_px: str | None = None


class _Held(msgspec.Struct, frozen=True):
    position: PositionRow


class _Margin(msgspec.Struct, frozen=True, rename="camel"):
    account_value: str


class StateRow(msgspec.Struct, frozen=True, rename="camel"):
    """All of an account's perpetual side; `marginSummary` holds isolated positions too."""

    asset_positions: Annotated[list[_Held], msgspec.Meta(max_length=ROWS_MAX)]
    cross_margin_summary: _Margin
    withdrawable: str
    time: Milliseconds
    margin_summary: _Margin | None = None


class _Paid(msgspec.Struct, frozen=True):
    type: str
    coin: str = ""
    usdc: str = "0"


class _Payment(msgspec.Struct, frozen=True):
    time: Milliseconds
    delta: _Paid


class _Active(msgspec.Struct, frozen=True):
    coin: str
    leverage: _Leverage


class _Fees(msgspec.Struct, frozen=True, rename="camel"):
    user_cross_rate: str
    user_add_rate: str


class _Master(msgspec.Struct, frozen=True):
    user: str = ""


class _Role(msgspec.Struct, frozen=True):
    role: str
    data: _Master | None = None


_STATE: Final = msgspec.json.Decoder(StateRow)
_FUNDING: Final = msgspec.json.Decoder(Annotated[list[_Payment], msgspec.Meta(max_length=ROWS_MAX)])
_ACTIVE: Final = msgspec.json.Decoder(_Active)
_FEES: Final = msgspec.json.Decoder(_Fees)
_ROLE: Final = msgspec.json.Decoder(_Role)


def read_state(body: bytes) -> StateRow:
    """Read the answer to clearinghouseState."""
    return read(_STATE, body)


def positions_of(state: StateRow, names: Names) -> tuple[list[VenuePosition], list[str]]:
    """Return positions that are not flat, and the venue's names of those that `names` lacks."""
    found: list[VenuePosition] = []
    strangers: list[str] = []
    for held in state.asset_positions:
        row = held.position
        signed = number(row.szi, "size")
        if signed == ZERO:
            continue
        symbol = names.get(row.coin)
        if symbol is None:
            strangers.append(row.coin)
            continue
        found.append(
            VenuePosition(
                symbol=symbol,
                quantity=signed,
                entry_price=number(row.entry_px or "0", "entry price"),
                unrealised_pnl=amount(row.unrealized_pnl, "unrealised profit"),
                leverage=row.leverage.value,
            )
        )
    return found, strangers


def balance_of(state: StateRow) -> VenueBalance:
    """Return the wallet: what the account is worth without the unrealised profit of its positions. What may be spent is
    what may be withdrawn, which never says too much.
    """
    worth = state.margin_summary or state.cross_margin_summary
    open_profit = sum(
        (number(held.position.unrealized_pnl, "unrealised profit") for held in state.asset_positions), ZERO
    )
    held = Money(amount(worth.account_value, "account value") - open_profit)
    return VenueBalance(
        asset=SETTLE, wallet=held, available=amount(state.withdrawable, "what may be withdrawn")
    )


def no_balance(asset: str) -> VenueBalance:
    """Return the wallet of an asset that margins nothing here."""
    return VenueBalance(asset=asset, wallet=NO_MONEY, available=NO_MONEY)


def funding_question(user: str, first_ms: int) -> bytes:
    """Return the question for funding payments from a time on, oldest first, 500 at most in one answer."""
    return question("userFunding", user=user, startTime=first_ms)


def read_funding(body: bytes, names: Names) -> list[FundingPayment]:
    """Read one answer. The venue numbers no payment: there is one for a market and an instant."""
    return [
        FundingPayment(
            f"{row.time}:{row.delta.coin}",
            names.get(row.delta.coin),
            amount(row.delta.usdc, "funding"),
            from_epoch_ms(row.time),
        )
        for row in read(_FUNDING, body)
        if row.delta.type == "funding"
    ]


def active_question(user: str, instrument: Instrument) -> bytes:
    """Return the question for an account's leverage and margin mode on a market."""
    return question("activeAssetData", user=user, coin=coin_of(instrument))


def read_active(body: bytes, instrument: Instrument) -> tuple[int, MarginMode]:
    """Return leverage and margin mode."""
    found = read(_ACTIVE, body)
    mode = _MODES.get(found.leverage.type)
    if found.coin != coin_of(instrument) or mode is None:
        raise Unreadable("the answer is about another market, or of an unknown mode")
    return found.leverage.value, mode


def read_fee_rates(body: bytes) -> FeeRates:
    """Return what the account pays on every perpetual market."""
    found = read(_FEES, body)
    return FeeRates(number(found.user_add_rate, "maker rate"), number(found.user_cross_rate, "taker rate"))


def read_key_facts(body: bytes, *, agent: str, master: str) -> KeyFacts:
    """Return what a private key may do, given what userRole says of its address.

    An agent that the account approved trades and can withdraw nothing; the account's own key can do everything.
    """
    found = read(_ROLE, body)
    own = agent == master
    approved = found.role == "agent" and found.data is not None and found.data.user.lower() == master
    return KeyFacts(can_trade=own or approved, can_withdraw=own, ip_restricted=False)


def wallet_facts(state: StateRow, names: Names) -> tuple[VenueBalance, Sequence[VenuePosition], datetime]:
    """Return wallet, positions on markets that we trade, and the venue's time of both."""
    return balance_of(state), positions_of(state, names)[0], from_epoch_ms(state.time)
