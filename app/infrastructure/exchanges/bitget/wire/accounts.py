"""What a futures account holds and is set to: positions, wallet, funding, leverage, modes.

GET /api/v2/mix/position/all-position, /mix/account/{accounts,account,bill} and POST /mix/account/set-*.
"""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec

from app.domain.exchanges.requests import MarginMode, PositionMode
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import FundingPayment, VenueBalance, VenuePosition
from app.domain.shared.market import Instrument, Symbol
from app.domain.shared.money import NO_MONEY, Money
from app.infrastructure.exchanges.bitget.wire.answer import PAGE_ROWS, Answer, data_of, milliseconds, name_of
from app.infrastructure.exchanges.bitget.wire.orders import MARGIN_WORDS, encoded
from app.infrastructure.exchanges.bitget.wire.products import (
    FUTURES,
    HEDGE_WORD,
    MARGIN_ASSET,
    ONE_WAY_WORD,
)
from app.infrastructure.exchanges.reading import ZERO, Names, Unreadable, amount, number, size

POSITIONS: Final = "/api/v2/mix/position/all-position"
ACCOUNTS: Final = "/api/v2/mix/account/accounts"
ACCOUNT: Final = "/api/v2/mix/account/account"
BILLS: Final = "/api/v2/mix/account/bill"
LEVERAGE: Final = "/api/v2/mix/account/set-leverage"
MARGIN_MODE: Final = "/api/v2/mix/account/set-margin-mode"
POSITION_MODE: Final = "/api/v2/mix/account/set-position-mode"
FUNDING: Final = "contract_settle_fee"
_SIGNS: Final = MappingProxyType({"long": 1, "short": -1})
_MODES: Final = MappingProxyType({ONE_WAY_WORD: PositionMode.ONE_WAY, HEDGE_WORD: PositionMode.HEDGE})
MODE_WORDS: Final = MappingProxyType({mode: word for word, mode in _MODES.items()})


class PositionRow(msgspec.Struct, frozen=True, rename="camel"):
    """A position; queries say `symbol`, the stream `instId` and its leverage as a number."""

    hold_side: str
    total: str
    symbol: str = ""
    inst_id: str = ""
    open_price_avg: str | None = "0"
    profit: str | None = msgspec.field(name="unrealizedPL", default="0")
    leverage: str | int = 0

    @property
    def market(self) -> str:
        """The venue's name of the market."""
        return (self.symbol or self.inst_id).upper()


class _Wallet(msgspec.Struct, frozen=True, rename="camel"):
    margin_coin: str
    account_equity: str
    crossed_max_available: str
    profit: str | None = msgspec.field(name="unrealizedPL", default="0")


class _Settings(msgspec.Struct, frozen=True, rename="camel"):
    pos_mode: str
    margin_mode: str = ""


class _Bill(msgspec.Struct, frozen=True, rename="camel"):
    bill_id: str
    amount: str
    business_type: str
    coin: str
    c_time: str
    symbol: str | None = ""


class _Bills(msgspec.Struct, frozen=True):
    bills: list[_Bill] | None = None


class Leverages(msgspec.Struct, frozen=True, rename="camel"):
    """What a market's leverage is set to, by margin mode and side."""

    margin_mode: str = ""
    cross_margin_leverage: str | None = ""
    long_leverage: str | None = ""
    short_leverage: str | None = ""


_POSITIONS: Final = msgspec.json.Decoder(Answer[list[PositionRow] | None])
_WALLETS: Final = msgspec.json.Decoder(Answer[list[_Wallet] | None])
_SETTINGS: Final = msgspec.json.Decoder(Answer[_Settings])
_BILLS: Final = msgspec.json.Decoder(Answer[_Bills | None])
_LEVERAGES: Final = msgspec.json.Decoder(Answer[Leverages])


def positions_text() -> str:
    """Return the query of GET /api/v2/mix/position/all-position."""
    return f"productType={FUTURES.name}&marginCoin={MARGIN_ASSET}"


def read_positions(body: bytes, names: Names) -> tuple[list[VenuePosition], list[str]]:
    """Read positions that are not flat, and the venue's names of those that `names` lacks."""
    rows, _ = data_of(_POSITIONS, body)
    found: list[VenuePosition] = []
    strangers: list[str] = []
    for row in rows or []:
        if size(row.total or "0", "size") == ZERO:
            continue
        symbol = names.get(row.market)
        if symbol is None:
            strangers.append(row.market[:40])
        else:
            found.append(position_of(row, symbol))
    return found, strangers


def position_of(row: PositionRow, symbol: Symbol) -> VenuePosition:
    """Build a position."""
    sign = _SIGNS.get(row.hold_side)
    if sign is None:
        raise Unreadable("a position without a side")
    leverage = number(str(row.leverage) or "0", "leverage")
    if not ZERO <= leverage < 10_000:
        raise Unreadable("a senseless leverage")
    return VenuePosition(
        symbol=symbol,
        quantity=size(row.total or "0", "size") * sign,
        entry_price=number(row.open_price_avg or "0", "entry price"),
        unrealised_pnl=amount(row.profit or "0", "unrealised profit"),
        leverage=int(leverage),
    )


def accounts_text() -> str:
    """Return the query of GET /api/v2/mix/account/accounts."""
    return f"productType={FUTURES.name}"


def read_balance(body: bytes, asset: str) -> VenueBalance:
    """Return the wallet of an asset, zero when it is not among the account's; Unreadable when none is told at all.

    Equity holds the unrealised profit, the wallet does not; `crossedMaxAvailable` is what new orders may use.
    """
    rows, _ = data_of(_WALLETS, body)
    if not rows:
        raise Unreadable("an account without any wallet")
    for row in rows:
        if row.margin_coin.upper() == asset:
            equity = amount(row.account_equity, "equity")
            return VenueBalance(
                asset=asset,
                wallet=Money(equity - amount(row.profit or "0", "unrealised profit")),
                available=amount(row.crossed_max_available, "available balance"),
            )
    return VenueBalance(asset, NO_MONEY, NO_MONEY)


def settings_text(market: str) -> str:
    """Return the query of GET /api/v2/mix/account/account; the mode of positions is told with any market."""
    return f"symbol={market}&productType={FUTURES.name}&marginCoin={MARGIN_ASSET}"


def read_modes(body: bytes) -> tuple[PositionMode, MarginMode]:
    """Return whether positions net, and the margin mode of the market that was asked about."""
    found, _ = data_of(_SETTINGS, body)
    mode = _MODES.get(found.pos_mode)
    margin = next((kind for kind, word in MARGIN_WORDS.items() if word == found.margin_mode), None)
    if mode is None or margin is None:
        raise Unreadable("an unknown position or margin mode")
    return mode, margin


def funding_text(window: tuple[int, int], before: str) -> str:
    """Return the query of GET /api/v2/mix/account/bill for funding within (first, last) ms, at most thirty days."""
    text = (
        f"productType={FUTURES.name}&businessType={FUNDING}&coin={MARGIN_ASSET}"
        f"&startTime={window[0]}&endTime={window[1]}&limit=100"
    )
    return f"{text}&idLessThan={before}" if before else text


def read_funding(body: bytes, names: Names) -> tuple[list[FundingPayment], str]:
    """Read one page of funding, and the bill before which the next one begins; what was paid is negative."""
    page, _ = data_of(_BILLS, body)
    rows = (page.bills if page is not None else None) or []
    payments = [
        FundingPayment(
            name_of(row.bill_id, "the id of a payment"),
            names.get((row.symbol or "").upper()),
            amount(row.amount or "0", "funding"),
            from_epoch_ms(milliseconds(row.c_time, "the time of a payment")),
        )
        for row in rows
        if row.business_type == FUNDING and row.coin.upper() == MARGIN_ASSET
    ]
    return payments, name_of(rows[-1].bill_id, "the bill's id") if len(rows) >= PAGE_ROWS else ""


def leverage_text(instrument: Instrument, leverage: int, hold_side: str = "") -> str:
    """Return the JSON of POST /api/v2/mix/account/set-leverage; a side is named in isolated hedge mode only."""
    fields: dict[str, object] = {
        "symbol": instrument.venue_symbol,
        **FUTURES.fields,
        "leverage": str(leverage),
    }
    return encoded(fields | {"holdSide": hold_side} if hold_side else fields)


def read_leverages(body: bytes) -> Leverages:
    """Return what the venue confirmed."""
    return data_of(_LEVERAGES, body)[0]


def confirmed(found: Leverages) -> int:
    """Return the leverage that is in force, the smaller one where the sides differ."""
    texts = (
        (found.long_leverage, found.short_leverage)
        if found.margin_mode == MARGIN_WORDS[MarginMode.ISOLATED]
        else (found.cross_margin_leverage or found.long_leverage,)
    )
    stated = [number(text, "leverage") for text in texts if text]
    if not stated or not Decimal(1) <= min(stated) < 10_000:
        raise Unreadable("no leverage was confirmed")
    return int(min(stated))


def margin_mode_text(instrument: Instrument, mode: MarginMode) -> str:
    """Return the JSON of POST /api/v2/mix/account/set-margin-mode."""
    return encoded({"symbol": instrument.venue_symbol, **FUTURES.fields, "marginMode": MARGIN_WORDS[mode]})


def position_mode_text(mode: PositionMode) -> str:
    """Return the JSON of POST /api/v2/mix/account/set-position-mode."""
    return encoded({"productType": FUTURES.name, "posMode": MODE_WORDS[mode]})
