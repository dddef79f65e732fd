"""The public side: markets with their filters, mark prices, the venue's clock.

GET /v5/market/instruments-info, /v5/market/tickers, /v5/market/time, and the stream's `tickers` topics. Ours are perpetual
contracts settled in USDT, inverse ones against the dollar, and spot markets paid in USDT; those that do not trade at the
moment keep their name. A spot market has no mark price: its last traded price stands for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from app.domain.shared.errors import InvalidValue
from app.domain.shared.market import Instrument, Symbol, symbol
from app.domain.shared.money import Price, Quantity
from app.infrastructure.exchanges.bybit.wire.answer import Answer, Page, cursor_of, result_of
from app.infrastructure.exchanges.bybit.wire.category import Category
from app.infrastructure.exchanges.bybit.wire.socket import subscription
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

TIME_PATH: Final = "/v5/market/time"
_TOPIC: Final = "tickers."
_TOPIC_CHARACTERS_MAX: Final = 20_000
"""The venue takes topics of 21,000 characters on one public connection."""


class _Leverage(msgspec.Struct, frozen=True, rename="camel"):
    max_leverage: str


class _Prices(msgspec.Struct, frozen=True, rename="camel"):
    tick_size: str


class _Lots(msgspec.Struct, frozen=True, rename="camel"):
    """Contracts tell a step and two maxima, spot markets a precision and, newly, maxima of other names."""

    min_order_qty: str
    max_order_qty: str = ""
    qty_step: str = ""
    max_mkt_order_qty: str = ""
    min_notional_value: str = ""
    base_precision: str = ""
    min_order_amt: str = ""
    max_limit_order_qty: str = ""
    max_market_order_qty: str = ""


class _Contract(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    status: str
    base_coin: str
    quote_coin: str
    price_filter: _Prices
    lot_size_filter: _Lots
    contract_type: str = ""
    settle_coin: str = ""
    leverage_filter: _Leverage | None = None


class _Ticker(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    mark_price: str = ""
    last_price: str = ""


class _TickerMessage(msgspec.Struct, frozen=True):
    topic: str = ""
    data: _Ticker | None = None


class _Time(msgspec.Struct, frozen=True, rename="camel"):
    time_second: str


class _Tickers(msgspec.Struct, frozen=True):
    rows: list[_Ticker] = msgspec.field(name="list")


_CONTRACTS: Final = msgspec.json.Decoder(Answer[Page[msgspec.Raw]])
_CONTRACT: Final = msgspec.json.Decoder(_Contract)
_TICKERS: Final = msgspec.json.Decoder(Answer[_Tickers])
_MESSAGE: Final = msgspec.json.Decoder(_TickerMessage)
_TIME: Final = msgspec.json.Decoder(Answer[_Time])


def contracts_path(category: Category, cursor: str) -> str:
    """Return path and query of GET /v5/market/instruments-info."""
    path = f"/v5/market/instruments-info?category={category.word}&limit=1000"
    return f"{path}&cursor={cursor}" if cursor else path


def tickers_path(category: Category) -> str:
    """Return path and query of GET /v5/market/tickers."""
    return f"/v5/market/tickers?category={category.word}"


def read_contracts(body: bytes, category: Category) -> tuple[list[Instrument], dict[str, Symbol], str]:
    """Read one page: instruments that trade, names of all markets of ours, and the cursor.

    A market that cannot be read (a base in another script, a filter missing) is left out, never guessed.
    """
    page, _ = result_of(_CONTRACTS, body)
    instruments: list[Instrument] = []
    names: dict[str, Symbol] = {}
    for raw in page.rows:
        try:
            row = read(_CONTRACT, bytes(raw))
            settle = row.quote_coin if category.is_spot else row.settle_coin
            if row.contract_type != category.contract or not category.owns(
                row.base_coin, row.quote_coin, settle
            ):
                continue
            ours = symbol(f"{row.base_coin}-{row.quote_coin}")
            instrument = _instrument(row, ours, settle, category)
        except (InvalidValue, Unreadable):
            continue
        names[row.symbol] = ours
        if row.status == "Trading":
            instruments.append(instrument)
    return instruments, names, cursor_of(page)


def _instrument(row: _Contract, ours: Symbol, settle: str, category: Category) -> Instrument:
    if not row.symbol.isascii() or not row.symbol.isalnum():
        raise Unreadable("a senseless contract name")
    lots = row.lot_size_filter
    step = number(lots.base_precision if category.is_spot else lots.qty_step, "step")
    leverage = number("1" if row.leverage_filter is None else row.leverage_filter.max_leverage, "leverage")
    if not 1 <= leverage < 10_000 or (row.leverage_filter is None) != category.is_spot:
        raise Unreadable("a senseless leverage")
    return Instrument(
        venue=category.venue,
        symbol=ours,
        venue_symbol=row.symbol,
        tick=number(row.price_filter.tick_size, "tick"),
        step=step,
        quantity_min=Quantity(max(step, size(lots.min_order_qty, "minimum"))),
        quantity_max=_largest(lots, category),
        notional_min=amount(lots.min_order_amt or lots.min_notional_value or "0", "least notional"),
        leverage_max=int(leverage),
        kind=category.kind,
        settle=settle,
    )


def _largest(lots: _Lots, category: Category) -> Quantity:
    """Return what both a limit and a market order may be."""
    told = (
        (lots.max_limit_order_qty or lots.max_order_qty, lots.max_market_order_qty)
        if category.is_spot
        else (lots.max_order_qty, lots.max_mkt_order_qty)
    )
    return min(size(text or told[0], "maximum") for text in told)


def read_tickers(body: bytes, category: Category, names: Names) -> dict[Symbol, Price]:
    """Read the mark of every market that we know."""
    result, _ = result_of(_TICKERS, body)
    return _marks(result.rows, category, names)


def read_ticker_message(body: bytes, category: Category, names: Names) -> dict[Symbol, Price]:
    """Read one message of the stream: a change without a mark means that it did not change."""
    message = read(_MESSAGE, body)
    if message.data is None or not message.topic.startswith(_TOPIC):
        return {}
    return _marks((message.data,), category, names)


def _marks(rows: Iterable[_Ticker], category: Category, names: Names) -> dict[Symbol, Price]:
    found: dict[Symbol, Price] = {}
    for row in rows:
        ours = names.get(row.symbol)
        text = row.last_price if category.is_spot else row.mark_price
        mark = number(text, "mark price") if ours is not None and text else ZERO
        if ours is not None and mark > ZERO:
            found[ours] = Price(mark)
    return found


def ticker_subscriptions(contracts: Iterable[str], at_once: int) -> tuple[str, ...]:
    """Return the messages that ask for the tickers of these contracts, as many as one connection may hear,
    `at_once` in each.

    What does not fit is polled with the quiet markets.
    """
    topics: list[str] = []
    room = _TOPIC_CHARACTERS_MAX
    for contract in contracts:
        topic = f"{_TOPIC}{contract}"
        room -= len(topic)
        if room < 0:
            break
        topics.append(topic)
    return tuple(subscription(topics[start : start + at_once]) for start in range(0, len(topics), at_once))


def read_server_time(body: bytes) -> int:
    """Return the venue's clock in epoch milliseconds."""
    _, at_ms = result_of(_TIME, body)
    return checked_time(at_ms)


def checked_time(at_ms: Milliseconds) -> int:
    """Return a time that was said: an answer without one tells nothing."""
    if not at_ms:
        raise Unreadable("an answer without the venue's time")
    return at_ms
