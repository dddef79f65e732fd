"""The public side of spot: what is listed with its filters, and prices.

GET /api/v3/exchangeInfo, /api/v3/ticker/price and /api/v3/time, and the stream `!miniTicker@arr`. A spot market has no
mark price: its last price stands for it. Only markets quoted in USDT are ours, for all orders are paid from one wallet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from app.domain.shared.errors import InvalidValue
from app.domain.shared.market import Instrument, MarketKind, Symbol, Venue, symbol
from app.domain.shared.money import NO_MONEY, Money, Price, Quantity
from app.infrastructure.exchanges.binance.wire.market import Filter, lots_of, marks_of
from app.infrastructure.exchanges.binance.wire.spot_accounts import QUOTE
from app.infrastructure.exchanges.listing import Listing
from app.infrastructure.exchanges.reading import Names, Unreadable, amount, read

PRICES_STREAM: Final = "/ws/!miniTicker@arr"


class _Market(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    status: str
    base_asset: str
    quote_asset: str
    filters: list[Filter]
    is_spot_trading_allowed: bool = False


class _Info(msgspec.Struct, frozen=True, rename="camel"):
    symbols: list[_Market]


class _Price(msgspec.Struct, frozen=True):
    symbol: str
    price: str


class _Ticker(msgspec.Struct, frozen=True):
    s: str
    c: str


_INFO: Final = msgspec.json.Decoder(_Info)
_PRICES: Final = msgspec.json.Decoder(list[_Price])
_TICKERS: Final = msgspec.json.Decoder(list[_Ticker])


def read_listing(body: bytes) -> Listing:
    """Read the markets: names of all quoted in USDT, instruments of those that trade.

    A market that cannot be read (a base in another script, a filter missing) is left out, never guessed.
    """
    names: dict[str, Symbol] = {}
    instruments: list[Instrument] = []
    for row in read(_INFO, body).symbols:
        if row.quote_asset != QUOTE:
            continue
        try:
            instrument = _instrument(row, symbol(f"{row.base_asset}-{row.quote_asset}"))
        except (InvalidValue, Unreadable):
            continue
        names[row.symbol] = instrument.symbol
        if row.status == "TRADING" and row.is_spot_trading_allowed:
            instruments.append(instrument)
    if not instruments:
        raise Unreadable("no market at all")
    return Listing(tuple(instruments), names)


def _instrument(row: _Market, ours: Symbol) -> Instrument:
    lots = lots_of(row.symbol, row.filters)
    return Instrument(
        venue=Venue.BINANCE_SPOT,
        symbol=ours,
        venue_symbol=row.symbol,
        tick=lots.tick,
        step=lots.step,
        quantity_min=Quantity(lots.least),
        quantity_max=Quantity(lots.most),
        notional_min=_least_notional(row.filters),
        leverage_max=1,
        kind=MarketKind.SPOT,
        settle=row.quote_asset,
    )


def _least_notional(rows: Sequence[Filter]) -> Money:
    """Return the larger of the two filters that a market may have, zero when it has none."""
    told = [
        row.min_notional
        for row in rows
        if row.filter_type in {"NOTIONAL", "MIN_NOTIONAL"} and row.min_notional
    ]
    return Money(max((amount(text, "least notional") for text in told), default=NO_MONEY))


def read_prices(body: bytes, names: Names) -> dict[Symbol, Price]:
    """Read the last price of every market that we know."""
    return marks_of([(row.symbol, row.price) for row in read(_PRICES, body)], names)


def read_price_updates(body: bytes, names: Names) -> dict[Symbol, Price]:
    """Read one message of the stream of all tickers; markets that did not change are absent."""
    return marks_of([(row.s, row.c) for row in read(_TICKERS, body)], names)
