"""The public side: contracts with their filters, mark prices, the venue's clock.

GET /v5/market/instruments-info, /v5/market/tickers, /v5/market/time, and the stream's `tickers` topics. Only perpetual
contracts settled in USDT are ours; those that do not trade at the moment keep their name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from app.domain.shared.errors import InvalidValue
from app.domain.shared.market import Instrument, Symbol, symbol
from app.domain.shared.money import Price
from app.infrastructure.exchanges.bybit.wire.answer import Answer, Page, cursor_of, result_of
from app.infrastructure.exchanges.bybit.wire.orders import CATEGORY, VENUE
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

PUBLIC_PATH: Final = "/v5/public/linear"
TIME_PATH: Final = "/v5/market/time"
TICKERS_PATH: Final = f"/v5/market/tickers?category={CATEGORY}"
_TOPIC: Final = "tickers."
_TOPIC_CHARACTERS_MAX: Final = 20_000
"""The venue takes topics of 21,000 characters on one public connection."""


class _Leverage(msgspec.Struct, frozen=True, rename="camel"):
    max_leverage: str


class _Prices(msgspec.Struct, frozen=True, rename="camel"):
    tick_size: str


class _Lots(msgspec.Struct, frozen=True, rename="camel"):
    qty_step: str
    min_order_qty: str
    max_order_qty: str
    max_mkt_order_qty: str = ""
    min_notional_value: str = ""


class _Contract(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    contract_type: str
    status: str
    base_coin: str
    quote_coin: str
    settle_coin: str
    leverage_filter: _Leverage
    price_filter: _Prices
    lot_size_filter: _Lots


class _Ticker(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    mark_price: str = ""


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


def contracts_path(cursor: str) -> str:
    """Return path and query of GET /v5/market/instruments-info."""
    path = f"/v5/market/instruments-info?category={CATEGORY}&limit=1000"
    return f"{path}&cursor={cursor}" if cursor else path


def read_contracts(body: bytes) -> tuple[list[Instrument], dict[str, Symbol], str]:
    """Read one page: instruments that trade, names of all perpetual contracts settled in USDT, and the cursor.

    A contract that cannot be read (a base in another script, a filter missing) is left out, never guessed.
    """
    page, _ = result_of(_CONTRACTS, body)
    instruments: list[Instrument] = []
    names: dict[str, Symbol] = {}
    for raw in page.rows:
        try:
            row = read(_CONTRACT, bytes(raw))
            if row.contract_type != "LinearPerpetual" or row.settle_coin != "USDT":
                continue
            ours = symbol(f"{row.base_coin}-{row.quote_coin}")
            instrument = _instrument(row, ours)
        except (InvalidValue, Unreadable):
            continue
        names[row.symbol] = ours
        if row.status == "Trading":
            instruments.append(instrument)
    return instruments, names, cursor_of(page)


def _instrument(row: _Contract, ours: Symbol) -> Instrument:
    if not row.symbol.isascii() or not row.symbol.isalnum():
        raise Unreadable("a senseless contract name")
    lots = row.lot_size_filter
    most = size(lots.max_order_qty, "maximum")
    leverage = number(row.leverage_filter.max_leverage, "greatest leverage")
    if not 1 <= leverage < 10_000:
        raise Unreadable("a senseless leverage")
    return Instrument(
        venue=VENUE,
        symbol=ours,
        venue_symbol=row.symbol,
        tick=number(row.price_filter.tick_size, "tick"),
        step=number(lots.qty_step, "step"),
        quantity_min=size(lots.min_order_qty, "minimum"),
        quantity_max=min(most, size(lots.max_mkt_order_qty or lots.max_order_qty, "market maximum")),
        notional_min=amount(lots.min_notional_value or "0", "least notional"),
        leverage_max=int(leverage),
    )


def read_tickers(body: bytes, names: Names) -> dict[Symbol, Price]:
    """Read the mark of every contract that we know."""
    result, _ = result_of(_TICKERS, body)
    return _marks(result.rows, names)


def read_ticker_message(body: bytes, names: Names) -> dict[Symbol, Price]:
    """Read one message of the stream: a change without a mark means that it did not change."""
    message = read(_MESSAGE, body)
    if message.data is None or not message.topic.startswith(_TOPIC):
        return {}
    return _marks((message.data,), names)


def _marks(rows: Iterable[_Ticker], names: Names) -> dict[Symbol, Price]:
    found: dict[Symbol, Price] = {}
    for row in rows:
        ours = names.get(row.symbol)
        mark = number(row.mark_price, "mark price") if ours is not None and row.mark_price else ZERO
        if ours is not None and mark > ZERO:
            found[ours] = Price(mark)
    return found


def ticker_subscriptions(contracts: Iterable[str]) -> tuple[str, ...]:
    """Return the messages that ask for the tickers of these contracts, as many as one connection may hear.

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
    return tuple(subscription(topics[start : start + 100]) for start in range(0, len(topics), 100))


def read_server_time(body: bytes) -> int:
    """Return the venue's clock in epoch milliseconds."""
    _, at_ms = result_of(_TIME, body)
    return checked_time(at_ms)


def checked_time(at_ms: Milliseconds) -> int:
    """Return a time that was said: an answer without one tells nothing."""
    if not at_ms:
        raise Unreadable("an answer without the venue's time")
    return at_ms
