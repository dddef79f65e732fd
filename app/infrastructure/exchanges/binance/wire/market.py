"""The public side: contracts with their filters, mark prices, the venue's clock.

GET /fapi/v1/exchangeInfo, /fapi/v1/premiumIndex, /fapi/v1/time, and the stream `!markPrice@arr@1s`. Only perpetual
contracts are ours; those that do not trade at the moment keep their name, so that what is held in them is still seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from app.domain.shared.errors import InvalidValue
from app.domain.shared.market import Instrument, Symbol, Venue, symbol
from app.domain.shared.money import Price
from app.infrastructure.exchanges.listing import Listing
from app.infrastructure.exchanges.reading import (
    ZERO,
    Milliseconds,
    Names,
    Unreadable,
    amount,
    number,
    read,
    size,
)

_MARKS_STREAM: Final = "!markPrice@arr@1s"


class _Filter(msgspec.Struct, frozen=True, rename="camel"):
    filter_type: str
    tick_size: str = ""
    step_size: str = ""
    min_qty: str = ""
    max_qty: str = ""
    notional: str = ""


class _Contract(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    contract_type: str
    status: str
    base_asset: str
    quote_asset: str
    filters: list[_Filter]


class _Info(msgspec.Struct, frozen=True, rename="camel"):
    symbols: list[_Contract]


class _Premium(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    mark_price: str


class _MarkUpdate(msgspec.Struct, frozen=True, rename="camel"):
    s: str
    p: str


class _Time(msgspec.Struct, frozen=True, rename="camel"):
    server_time: Milliseconds


_INFO: Final = msgspec.json.Decoder(_Info)
_PREMIUMS: Final = msgspec.json.Decoder(list[_Premium])
_MARKS: Final = msgspec.json.Decoder(list[_MarkUpdate])
_TIME: Final = msgspec.json.Decoder(_Time)


def marks_path(*, routed: bool) -> str:
    """Return the path of the stream of all marks, which belongs to the venue's category "market"."""
    return f"/market/ws/{_MARKS_STREAM}" if routed else f"/ws/{_MARKS_STREAM}"


def read_listing(body: bytes) -> Listing:
    """Read the contracts: names of all perpetual ones, instruments of those that trade.

    A contract that cannot be read (a base in another script, a filter missing) is left out, never guessed.
    """
    names: dict[str, Symbol] = {}
    instruments: list[Instrument] = []
    for row in read(_INFO, body).symbols:
        if row.contract_type != "PERPETUAL":
            continue
        try:
            ours = symbol(f"{row.base_asset}-{row.quote_asset}")
            instrument = _instrument(row, ours)
        except (InvalidValue, Unreadable):
            continue
        names[row.symbol] = ours
        if row.status == "TRADING":
            instruments.append(instrument)
    if not instruments:
        raise Unreadable("no contract at all")
    return Listing(tuple(instruments), names)


def _instrument(row: _Contract, ours: Symbol) -> Instrument:
    if not row.symbol.isascii() or not row.symbol.isalnum():
        raise Unreadable("a senseless contract name")
    filters = {entry.filter_type: entry for entry in row.filters}
    try:
        tick, lot, least = filters["PRICE_FILTER"], filters["LOT_SIZE"], filters["MIN_NOTIONAL"]
    except KeyError:
        raise Unreadable("a filter is missing") from None
    # Market orders have a lot of their own: what passes both passes either way.
    market = filters.get("MARKET_LOT_SIZE", lot)
    return Instrument(
        venue=Venue.BINANCE_USDM,
        symbol=ours,
        venue_symbol=row.symbol,
        tick=number(tick.tick_size, "tick"),
        step=max(number(lot.step_size, "step"), number(market.step_size, "market step")),
        quantity_min=max(size(lot.min_qty, "minimum"), size(market.min_qty, "market minimum")),
        quantity_max=min(size(lot.max_qty, "maximum"), size(market.max_qty, "market maximum")),
        notional_min=amount(least.notional, "least notional"),
    )


def read_marks(body: bytes, names: Names) -> dict[Symbol, Price]:
    """Read the mark of every contract that we know."""
    return _marks([(row.symbol, row.mark_price) for row in read(_PREMIUMS, body)], names)


def read_mark_updates(body: bytes, names: Names) -> dict[Symbol, Price]:
    """Read one message of the mark stream; marks that did not change may be absent."""
    return _marks([(row.s, row.p) for row in read(_MARKS, body)], names)


def _marks(rows: Sequence[tuple[str, str]], names: Names) -> dict[Symbol, Price]:
    found: dict[Symbol, Price] = {}
    for name, text in rows:
        ours = names.get(name)
        mark = number(text, "mark price") if ours is not None else ZERO
        if ours is not None and mark > ZERO:  # a contract in settlement is marked 0
            found[ours] = Price(mark)
    return found


def read_server_time(body: bytes) -> int:
    """Return the venue's clock in epoch milliseconds."""
    return read(_TIME, body).server_time
