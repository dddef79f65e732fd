"""The public side of contracts: what is listed with its filters, mark prices, the venue's clock.

GET exchangeInfo, premiumIndex and time of /fapi/v1 and /dapi/v1, the stream `!markPrice@arr@1s` of USD-M and the streams
`<symbol>@markPrice@1s` of COIN-M, which has none for all. Only perpetual contracts are ours; those that do not trade at
the moment keep their name, so that what is held in them is still seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from app.domain.shared.errors import InvalidValue
from app.domain.shared.market import Instrument, MarketKind, Symbol, Venue, symbol
from app.domain.shared.money import NO_MONEY, Price, Quantity
from app.infrastructure.exchanges.binance.wire.contracts import ONE, Contracts
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
SINGLE_MARKS_PATH: Final = "/ws/btcusd_perp@markPrice@1s"
"""Where COIN-M is asked for the marks of named contracts: a connection opens with one of them, the rest are asked for."""

_STREAMS_MAX: Final = 200
"""The most streams that one connection to COIN-M may listen to."""


class Filter(msgspec.Struct, frozen=True, rename="camel"):
    """One filter of a market, of any type."""

    filter_type: str
    tick_size: str = ""
    step_size: str = ""
    min_qty: str = ""
    max_qty: str = ""
    notional: str = ""
    min_notional: str = ""


class _Contract(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    contract_type: str
    base_asset: str
    quote_asset: str
    filters: list[Filter]
    status: str = ""
    contract_status: str = ""
    margin_asset: str = ""
    contract_size: int = 1


class _Info(msgspec.Struct, frozen=True, rename="camel"):
    symbols: list[_Contract]


class _Premium(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    mark_price: str


class _MarkUpdate(msgspec.Struct, frozen=True, rename="camel"):
    s: str = ""
    p: str = "0"


class _Time(msgspec.Struct, frozen=True, rename="camel"):
    server_time: Milliseconds


_INFO: Final = msgspec.json.Decoder(_Info)
_PREMIUMS: Final = msgspec.json.Decoder(list[_Premium])
_MARKS: Final = msgspec.json.Decoder(list[_MarkUpdate] | _MarkUpdate)
_TIME: Final = msgspec.json.Decoder(_Time)


def marks_path(*, routed: bool) -> str:
    """Return the path of the stream of all USD-M marks, which belongs to the venue's category "market"."""
    return f"/market/ws/{_MARKS_STREAM}" if routed else f"/ws/{_MARKS_STREAM}"


def mark_subscriptions(names: Iterable[str]) -> Sequence[str]:
    """Return the message that asks for the marks of these COIN-M contracts."""
    streams = sorted(f"{name.lower()}@markPrice@1s" for name in names)[:_STREAMS_MAX]
    return [json.dumps({"method": "SUBSCRIBE", "params": streams, "id": 1})] if streams else []


def read_listing(body: bytes, venue: Venue) -> Listing:
    """Read the contracts: names of all perpetual ones, instruments of those that trade.

    A contract that cannot be read (a base in another script, a filter missing) is left out, never guessed.
    """
    names: dict[str, Symbol] = {}
    sizes: dict[str, Decimal] = {}
    instruments: list[Instrument] = []
    for row in read(_INFO, body).symbols:
        if row.contract_type != "PERPETUAL":
            continue
        try:
            instrument = _instrument(row, symbol(f"{row.base_asset}-{row.quote_asset}"), venue)
        except (InvalidValue, Unreadable):
            continue
        names[row.symbol] = instrument.symbol
        if instrument.contract_size != ONE:
            sizes[row.symbol] = instrument.contract_size
        if "TRADING" in (row.status, row.contract_status):
            instruments.append(instrument)
    if not instruments:
        raise Unreadable("no contract at all")
    return Listing(tuple(instruments), Contracts(names, sizes))


def _instrument(row: _Contract, ours: Symbol, venue: Venue) -> Instrument:
    inverse = venue is Venue.BINANCE_COINM
    unit = Decimal(row.contract_size) if inverse else ONE
    if unit <= ZERO or (inverse and row.margin_asset != row.base_asset):
        raise Unreadable("a contract without a size, or that settles in another coin")
    lots = lots_of(row.symbol, row.filters)
    least = next((entry for entry in row.filters if entry.filter_type == "MIN_NOTIONAL"), None)
    if least is None and not inverse:  # COIN-M has none: one contract is the least
        raise Unreadable("a filter is missing")
    return Instrument(
        venue=venue,
        symbol=ours,
        venue_symbol=row.symbol,
        tick=lots.tick,
        step=lots.step * unit,
        quantity_min=Quantity(lots.least * unit),
        quantity_max=Quantity(lots.most * unit),
        notional_min=NO_MONEY if least is None else amount(least.notional, "least notional"),
        kind=MarketKind.INVERSE if inverse else MarketKind.LINEAR,
        contract_size=unit,
        settle=row.base_asset if inverse else row.margin_asset or row.quote_asset,
    )


class Lots(msgspec.Struct, frozen=True):
    """The increments and bounds that every order of a market passes, in the venue's unit."""

    tick: Decimal
    step: Decimal
    least: Decimal
    most: Decimal


def lots_of(name: str, rows: Sequence[Filter]) -> Lots:
    """Read the price and lot filters of a market. Market orders have a lot of their own (zero where it adds nothing):
    what passes both passes either way.
    """
    if not name.isascii() or not name.replace("_", "").isalnum():
        raise Unreadable("a senseless name of a market")
    filters = {entry.filter_type: entry for entry in rows}
    try:
        tick, lot = filters["PRICE_FILTER"], filters["LOT_SIZE"]
    except KeyError:
        raise Unreadable("a filter is missing") from None
    market = filters.get("MARKET_LOT_SIZE", lot)
    most = size(lot.max_qty, "maximum")
    found = Lots(
        tick=number(tick.tick_size, "tick"),
        step=max(number(lot.step_size, "step"), number(market.step_size, "market step")),
        least=max(size(lot.min_qty, "minimum"), size(market.min_qty, "market minimum")),
        most=min(most, size(market.max_qty, "market maximum") or most),
    )
    if found.tick <= ZERO or found.step <= ZERO:
        raise Unreadable("a market without increments")
    return found


def read_marks(body: bytes, names: Names) -> dict[Symbol, Price]:
    """Read the mark of every contract that we know."""
    return marks_of([(row.symbol, row.mark_price) for row in read(_PREMIUMS, body)], names)


def read_mark_updates(body: bytes, names: Names) -> dict[Symbol, Price]:
    """Read one message of a mark stream, of all contracts or of one; marks that did not change may be absent. The yes to
    a subscription tells none.
    """
    found = read(_MARKS, body)
    return marks_of([(row.s, row.p) for row in (found if isinstance(found, list) else [found])], names)


def marks_of(rows: Sequence[tuple[str, str]], names: Names) -> dict[Symbol, Price]:
    """Return the prices of the markets that we know, by (the venue's name, the price)."""
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
