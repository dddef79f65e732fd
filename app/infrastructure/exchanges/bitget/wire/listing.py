"""The public side: markets with their filters, prices, the venue's clock.

GET /api/v2/mix/market/{contracts,tickers}, /api/v2/spot/public/symbols, /api/v2/spot/market/tickers, /api/v2/public/time,
and the stream's `ticker` channel. Spot knows no mark price: its latest price stands for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from app.domain.shared.errors import InvalidValue
from app.domain.shared.market import Instrument, MarketKind, Symbol, symbol
from app.domain.shared.money import Money, Price, Quantity
from app.infrastructure.exchanges.bitget.wire.answer import Answer, data_of, milliseconds
from app.infrastructure.exchanges.bitget.wire.products import FUTURES, MARGIN_ASSET, SPOT, Product
from app.infrastructure.exchanges.bitget.wire.socket import PONG
from app.infrastructure.exchanges.listing import Listing
from app.infrastructure.exchanges.reading import ZERO, Names, Unreadable, amount, number, read, size

TIME_PATH: Final = "/api/v2/public/time"
_UNLIMITED: Final = Quantity(Decimal(10) ** 15)
"""What stands for the greatest quantity where the venue states none."""


class _Contract(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    base_coin: str
    quote_coin: str
    min_trade_num: str
    price_end_step: str
    price_place: str
    size_multiplier: str
    symbol_status: str
    symbol_type: str = "perpetual"
    support_margin_coins: list[str] = []
    least_notional: str | None = msgspec.field(name="minTradeUSDT", default="0")
    max_lever: str = "125"
    max_market_order_qty: str | None = ""
    max_order_qty: str | None = ""


class _Pair(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    base_coin: str
    quote_coin: str
    price_precision: str
    quantity_precision: str
    status: str
    min_trade_amount: str | None = "0"
    max_trade_amount: str | None = ""
    least_notional: str | None = msgspec.field(name="minTradeUSDT", default="0")


class _Ticker(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str = ""
    inst_id: str = ""
    mark_price: str | None = ""
    last_pr: str | None = ""


class _Channel(msgspec.Struct, frozen=True, rename="camel"):
    inst_type: str = ""
    channel: str = ""


class _TickerMessage(msgspec.Struct, frozen=True):
    arg: _Channel = _Channel()
    data: list[_Ticker] = []


class _Time(msgspec.Struct, frozen=True, rename="camel"):
    server_time: str


_LISTING: Final = msgspec.json.Decoder(Answer[list[msgspec.Raw]])
_CONTRACT: Final = msgspec.json.Decoder(_Contract)
_PAIR: Final = msgspec.json.Decoder(_Pair)
_TICKERS: Final = msgspec.json.Decoder(Answer[list[_Ticker]])
_MESSAGE: Final = msgspec.json.Decoder(_TickerMessage)
_TIME: Final = msgspec.json.Decoder(Answer[_Time])


def listing_path(product: Product) -> str:
    """Return path and query of the listing."""
    if product.is_spot:
        return "/api/v2/spot/public/symbols"
    return f"/api/v2/mix/market/contracts?productType={product.name}"


def tickers_path(product: Product) -> str:
    """Return path and query of all prices."""
    if product.is_spot:
        return "/api/v2/spot/market/tickers"
    return f"/api/v2/mix/market/tickers?productType={product.name}"


def read_listing(product: Product, body: bytes) -> Listing:
    """Read what is listed against USDT; a market that cannot be read is left out, never guessed."""
    rows, _ = data_of(_LISTING, body)
    instruments: list[Instrument] = []
    names: dict[str, Symbol] = {}
    for raw in rows:
        try:
            found = _pair(bytes(raw)) if product is SPOT else _contract(bytes(raw))
        except (InvalidValue, Unreadable):
            continue
        if found is None:
            continue
        instrument, trades = found
        names[instrument.venue_symbol] = instrument.symbol
        if trades:
            instruments.append(instrument)
    return Listing(tuple(instruments), names)


def _places(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 2 or int(text) > 18:
        raise Unreadable("a senseless precision")
    return int(text)


def _most(*limits: str | None) -> Quantity:
    stated = [size(text, "maximum") for text in limits if text]
    return min((limit for limit in stated if limit > ZERO), default=_UNLIMITED)


def _contract(raw: bytes) -> tuple[Instrument, bool] | None:
    row = read(_CONTRACT, raw)
    if row.symbol_type != "perpetual" or row.quote_coin != MARGIN_ASSET:
        return None
    leverage = number(row.max_lever, "greatest leverage")
    if not 1 <= leverage < 10_000:
        raise Unreadable("a senseless leverage")
    instrument = Instrument(
        venue=FUTURES.venue,
        symbol=symbol(f"{row.base_coin}-{row.quote_coin}"),
        venue_symbol=_market(row.symbol),
        tick=number(row.price_end_step, "price step").scaleb(-_places(row.price_place)),
        step=number(row.size_multiplier, "step"),
        quantity_min=size(row.min_trade_num, "minimum"),
        quantity_max=_most(row.max_market_order_qty, row.max_order_qty),
        notional_min=amount(row.least_notional or "0", "least notional"),
        leverage_max=int(leverage),
        kind=MarketKind.LINEAR,
        settle=MARGIN_ASSET,
    )
    return instrument, row.symbol_status == "normal"


def _pair(raw: bytes) -> tuple[Instrument, bool] | None:
    row = read(_PAIR, raw)
    if row.quote_coin != MARGIN_ASSET:
        return None
    step = Decimal(1).scaleb(-_places(row.quantity_precision))
    instrument = Instrument(
        venue=SPOT.venue,
        symbol=symbol(f"{row.base_coin}-{row.quote_coin}"),
        venue_symbol=_market(row.symbol),
        tick=Decimal(1).scaleb(-_places(row.price_precision)),
        step=step,
        quantity_min=Quantity(max(step, size(row.min_trade_amount or "0", "minimum"))),
        quantity_max=_most(row.max_trade_amount),
        notional_min=Money(amount(row.least_notional or "0", "least notional")),
        leverage_max=1,
        kind=MarketKind.SPOT,
        settle=MARGIN_ASSET,
    )
    return instrument, row.status == "online"


def _market(text: str) -> str:
    if not text.isascii() or not text.isalnum() or text != text.upper():
        raise Unreadable("a senseless market name")
    return text


def read_tickers(product: Product, body: bytes, names: Names) -> dict[Symbol, Price]:
    """Read the mark of every market that we know."""
    rows, _ = data_of(_TICKERS, body)
    return _marks(product, rows, names)


def read_ticker_message(product: Product, body: bytes, names: Names) -> dict[Symbol, Price]:
    """Read one message of the stream; nothing from one of another kind."""
    if body == PONG:
        return {}
    message = read(_MESSAGE, body)
    if message.arg.channel != "ticker" or message.arg.inst_type != product.name:
        return {}
    return _marks(product, message.data, names)


def _marks(product: Product, rows: Iterable[_Ticker], names: Names) -> dict[Symbol, Price]:
    found: dict[Symbol, Price] = {}
    for row in rows:
        ours = names.get(row.symbol or row.inst_id)
        stated = row.last_pr if product.is_spot else row.mark_price
        mark = number(stated, "mark price") if ours is not None and stated else ZERO
        if ours is not None and mark > ZERO:
            found[ours] = Price(mark)
    return found


def read_server_time(body: bytes) -> int:
    """Return the venue's clock in epoch milliseconds."""
    found, _ = data_of(_TIME, body)
    return milliseconds(found.server_time, "the venue's time")
