"""What an account holds and may do: positions, wallets, funding, leverage, fees, its configuration.

GET /api/v5/account/positions, /balance, /bills, /bills-archive, /config, /trade-fee, POST /account/set-leverage and
/set-position-mode.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from app.domain.exchanges.ports import KeyFacts
from app.domain.exchanges.requests import MarginMode, PositionMode
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import FeeRates, FundingPayment, VenueBalance, VenuePosition
from app.domain.shared.market import Instrument
from app.domain.shared.money import NO_MONEY
from app.infrastructure.exchanges.okx.wire.answer import Answer, milliseconds, name_of, only_row, rows_of
from app.infrastructure.exchanges.okx.wire.orders import PAGE
from app.infrastructure.exchanges.okx.wire.terms import MARGIN_WORDS, QUOTE, Listed, Terms
from app.infrastructure.exchanges.reading import ZERO, Names, Unreadable, amount, number

POSITIONS: Final = "/api/v5/account/positions"
CONFIG: Final = "/api/v5/account/config"
BILLS: Final = "/api/v5/account/bills"
BILLS_ARCHIVE: Final = "/api/v5/account/bills-archive"
_FUNDING: Final = "8"
_MODE_WORDS: Final[Mapping[PositionMode, str]] = MappingProxyType(
    {PositionMode.ONE_WAY: "net_mode", PositionMode.HEDGE: "long_short_mode"}
)
_MODES: Final[Mapping[str, PositionMode]] = MappingProxyType(
    {word: mode for mode, word in _MODE_WORDS.items()}
)


class PositionRow(msgspec.Struct, frozen=True, rename="camel"):
    """A position, in contracts: signed in net mode, above zero on either side in long/short mode."""

    inst_id: str
    pos: str
    pos_side: str
    avg_px: str = ""
    upl: str = ""
    lever: str = ""


class _Detail(msgspec.Struct, frozen=True, rename="camel"):
    ccy: str
    cash_bal: str
    avail_bal: str = ""
    avail_eq: str = ""


class _Wallets(msgspec.Struct, frozen=True):
    details: list[_Detail]


class _Bill(msgspec.Struct, frozen=True, rename="camel"):
    bill_id: str
    ts: str
    type: str
    bal_chg: str = ""
    pnl: str = ""
    ccy: str = ""
    inst_id: str = ""


class _Config(msgspec.Struct, frozen=True, rename="camel"):
    pos_mode: str
    perm: str
    ip: str = ""


class _Leverage(msgspec.Struct, frozen=True, rename="camel"):
    lever: str
    inst_id: str


class _FeeGroup(msgspec.Struct, frozen=True):
    maker: str
    taker: str


class _Fees(msgspec.Struct, frozen=True):
    groups: list[_FeeGroup] = msgspec.field(name="feeGroup", default=[])
    maker: str = ""
    taker: str = ""
    maker_u: str = msgspec.field(name="makerU", default="")
    taker_u: str = msgspec.field(name="takerU", default="")


_POSITIONS: Final = msgspec.json.Decoder(Answer[PositionRow])
_WALLETS: Final = msgspec.json.Decoder(Answer[_Wallets])
_BILLS: Final = msgspec.json.Decoder(Answer[_Bill])
_CONFIG: Final = msgspec.json.Decoder(Answer[_Config])
_LEVERAGE: Final = msgspec.json.Decoder(Answer[_Leverage])
_FEES: Final = msgspec.json.Decoder(Answer[_Fees])


def read_positions(listed: Listed, body: bytes) -> tuple[list[VenuePosition], list[str]]:
    """Read positions that are not flat, and the venue's names of those that are not listed."""
    found: list[VenuePosition] = []
    strangers: list[str] = []
    for row in rows_of(_POSITIONS, body):
        if number(row.pos or "0", "position") == ZERO:
            continue
        if row.inst_id not in listed.names:
            strangers.append(row.inst_id)
        else:
            found.append(position_of(row, listed))
    return found, strangers


def position_of(row: PositionRow, listed: Listed) -> VenuePosition:
    """Build a position; a leverage that the venue does not say is 0."""
    signed = number(row.pos or "0", "position")
    if row.pos_side not in {"net", "long", "short"} or (row.pos_side == "long" and signed < ZERO):
        raise Unreadable("a position without a side")
    coins = listed.coins(row.inst_id, row.pos.removeprefix("-"), "position")
    is_short = row.pos_side == "short" or signed < ZERO
    leverage = number(row.lever or "0", "leverage")
    if not ZERO <= leverage < 10_000:
        raise Unreadable("a senseless leverage")
    return VenuePosition(
        symbol=listed.symbol(row.inst_id),
        quantity=coins.copy_negate() if is_short else coins,
        entry_price=number(row.avg_px or "0", "entry price"),
        unrealised_pnl=amount(row.upl or "0", "unrealised profit"),
        leverage=int(leverage),
    )


def balance_path(asset: str) -> str:
    """Return the path of GET /account/balance for one asset, or for all when none is named."""
    return "/api/v5/account/balance" + (f"?ccy={asset}" if asset else "")


def read_balance(terms: Terms, asset: str, body: bytes) -> VenueBalance:
    """Return the wallet of an asset, zero when it holds none; for contracts what is available includes profits."""
    for row in only_row(_WALLETS, body).details:
        if row.ccy == asset:
            free = row.avail_bal if terms.is_spot else row.avail_eq or row.avail_bal
            held = amount(row.cash_bal or "0", "balance")
            return VenueBalance(asset, held, amount(free or "0", "available balance"))
    return VenueBalance(asset, NO_MONEY, NO_MONEY)


def read_holdings(names: Names, body: bytes) -> list[VenuePosition]:
    """Read the coins held that have a spot market of ours, as positions."""
    found: list[VenuePosition] = []
    for row in only_row(_WALLETS, body).details:
        symbol = names.get(f"{row.ccy}-{QUOTE}")
        held = number(row.cash_bal or "0", "balance")
        if symbol is not None and held > ZERO:
            found.append(VenuePosition(symbol, held, ZERO, NO_MONEY, 1))
    return found


def funding_path(path: str, terms: Terms, since_ms: int, after: str) -> str:
    """Return a page's path of funding since a time, newest first, older than the bill named."""
    text = f"{path}?instType={terms.inst_type}&type={_FUNDING}&begin={since_ms}&limit={PAGE}"
    return text + (f"&after={after}" if after else "")


def read_funding(names: Names, body: bytes) -> tuple[list[FundingPayment], str]:
    """Read one page of funding in the quote currency, and the bill to page on from. An isolated position pays from its
    own margin: then the wallet did not change, and the profit tells the amount.
    """
    rows = rows_of(_BILLS, body)
    payments: list[FundingPayment] = []
    for row in rows:
        if row.type != _FUNDING or row.ccy != QUOTE:
            continue
        changed = amount(row.bal_chg or "0", "change")
        payments.append(
            FundingPayment(
                name_of(row.bill_id, "the id of a payment"),
                names.get(row.inst_id),
                changed or amount(row.pnl or "0", "funding"),
                from_epoch_ms(milliseconds(row.ts, "the time of a payment")),
            )
        )
    return payments, name_of(rows[-1].bill_id, "the bill") if len(rows) >= PAGE else ""


def leverage_text(instrument: Instrument, leverage: int, mode: MarginMode, side: str) -> str:
    """Return the JSON of POST /account/set-leverage; `side` is needed for isolated margin in hedge mode only."""
    fields = {"instId": instrument.venue_symbol, "lever": str(leverage), "mgnMode": MARGIN_WORDS[mode]}
    return msgspec.json.encode(fields | ({"posSide": side} if side else {})).decode()


def read_leverage(instrument: Instrument, body: bytes) -> int:
    """Return the least leverage that the venue confirmed."""
    rows = rows_of(_LEVERAGE, body)
    told = [number(row.lever, "leverage") for row in rows if row.inst_id == instrument.venue_symbol]
    if not told or not 1 <= min(told) < 10_000:
        raise Unreadable("an answer without the leverage")
    return int(min(told))


def mode_text(mode: PositionMode) -> str:
    """Return the JSON of POST /account/set-position-mode."""
    return msgspec.json.encode({"posMode": _MODE_WORDS[mode]}).decode()


def read_position_mode(body: bytes) -> PositionMode:
    """Return whether positions net."""
    found = _MODES.get(only_row(_CONFIG, body).pos_mode)
    if found is None:
        raise Unreadable("an unknown position mode")
    return found


def read_key_facts(body: bytes) -> KeyFacts:
    """Return what the key may do."""
    found = only_row(_CONFIG, body)
    rights = {word.strip() for word in found.perm.split(",")}
    return KeyFacts("trade" in rights, "withdraw" in rights, bool(found.ip.strip()))


def fees_path(terms: Terms, instrument: Instrument) -> str:
    """Return the path of GET /account/trade-fee: a spot pair is named itself, a swap by its family."""
    what = "instId" if terms.is_spot else "instFamily"
    return f"/api/v5/account/trade-fee?instType={terms.inst_type}&{what}={instrument.symbol}"


def read_fees(terms: Terms, body: bytes) -> FeeRates:
    """Return the account's fees on the market that was asked about; the venue writes what is paid below zero. Its fee
    group rules where there is one; older answers have fields for USDT contracts.
    """
    row = only_row(_FEES, body)
    if len(row.groups) == 1:
        maker, taker = row.groups[0].maker, row.groups[0].taker
    elif terms.is_spot:
        maker, taker = row.maker, row.taker
    else:
        maker, taker = row.maker_u, row.taker_u
    if not maker or not taker:
        raise Unreadable("an answer without the fees")
    return FeeRates(
        maker=number(maker, "maker fee").copy_negate(), taker=number(taker, "taker fee").copy_negate()
    )
