"""The public side: markets with their rules, mark prices, the venue's clock.

POST /info metaAndAssetCtxs and exchangeStatus, and the stream's activeAssetCtx topics. A market's number is its place in
the listing; delisted ones keep theirs, and their name. Quantities have szDecimals decimals; the finest price has
6 - szDecimals decimals, and only five of its figures may be significant. The venue lists no least quantity but an order's
least worth, ten dollars, and no greatest one.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Final

import msgspec

from app.domain.shared.errors import InvalidValue
from app.domain.shared.market import Instrument, Symbol
from app.domain.shared.money import Money, Price, Quantity
from app.infrastructure.exchanges.hyperliquid.wire.answer import ROWS_MAX, question
from app.infrastructure.exchanges.hyperliquid.wire.coins import symbol_of, venue_symbol
from app.infrastructure.exchanges.hyperliquid.wire.fills import SETTLE
from app.infrastructure.exchanges.hyperliquid.wire.orders import VENUE
from app.infrastructure.exchanges.hyperliquid.wire.socket import subscription
from app.infrastructure.exchanges.reading import ZERO, Milliseconds, Names, Unreadable, number, read

LISTING: Final = question("metaAndAssetCtxs")
TIME: Final = question("exchangeStatus")
_DECIMALS: Final = 6
_NOTIONAL_MIN: Final = Money(Decimal(10))
_QUANTITY_MAX: Final = Quantity(Decimal(1_000_000_000))
_CHANNEL: Final = "activeAssetCtx"
_SUBSCRIPTIONS_MAX: Final = 900
"""The venue takes 1000 subscriptions from one address; what does not fit is polled with the quiet markets."""


class _Market(msgspec.Struct, frozen=True, rename="camel"):
    name: str
    sz_decimals: Annotated[int, msgspec.Meta(ge=0, le=_DECIMALS)]
    max_leverage: Annotated[int, msgspec.Meta(ge=1, lt=10_000)]
    is_delisted: bool | None = None


class _Universe(msgspec.Struct, frozen=True):
    universe: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=ROWS_MAX)]


class _Context(msgspec.Struct, frozen=True, rename="camel"):
    mark_px: str | None = None


class _Named(msgspec.Struct, frozen=True):
    name: str = ""


class _Heard(msgspec.Struct, frozen=True):
    coin: str
    ctx: _Context


class _Message(msgspec.Struct, frozen=True):
    channel: str = ""
    data: msgspec.Raw = msgspec.Raw()


class _Time(msgspec.Struct, frozen=True):
    time: Milliseconds


_PAIR: Final = msgspec.json.Decoder(tuple[_Universe, list[_Context]])
_META: Final = msgspec.json.Decoder(_Universe)
_MARKET: Final = msgspec.json.Decoder(_Market)
_NAMED: Final = msgspec.json.Decoder(_Named)
_MESSAGE: Final = msgspec.json.Decoder(_Message)
_HEARD: Final = msgspec.json.Decoder(_Heard)
_TIME: Final = msgspec.json.Decoder(_Time)


def read_listing(body: bytes) -> tuple[list[Instrument], dict[str, Symbol]]:
    """Read the listing with its prices: instruments that trade, and our names of all markets.

    A market that cannot be read is left out, never guessed; its number stays taken.
    """
    return _listed(read(_PAIR, body)[0])


def read_meta(body: bytes) -> tuple[list[Instrument], dict[str, Symbol]]:
    """Read a listing without prices."""
    return _listed(read(_META, body))


def _listed(found: _Universe) -> tuple[list[Instrument], dict[str, Symbol]]:
    instruments: list[Instrument] = []
    names: dict[str, Symbol] = {}
    for place, raw in enumerate(found.universe):
        try:
            row = read(_MARKET, bytes(raw))
            ours = symbol_of(row.name)
        except (InvalidValue, Unreadable):
            continue
        if ours in names.values():
            continue
        names[row.name] = ours
        if not row.is_delisted:
            instruments.append(_instrument(row, ours, place))
    return instruments, names


def _instrument(row: _Market, ours: Symbol, place: int) -> Instrument:
    step = Decimal(1).scaleb(-row.sz_decimals)
    return Instrument(
        venue=VENUE,
        symbol=ours,
        venue_symbol=venue_symbol(row.name, place),
        tick=Decimal(1).scaleb(row.sz_decimals - _DECIMALS),
        step=step,
        quantity_min=Quantity(step),
        quantity_max=_QUANTITY_MAX,
        notional_min=_NOTIONAL_MIN,
        leverage_max=row.max_leverage,
        settle=SETTLE,
    )


def read_marks(body: bytes, names: Names) -> dict[Symbol, Price]:
    """Read the mark of every market that we know."""
    listed, contexts = read(_PAIR, body)
    if len(listed.universe) != len(contexts):
        raise Unreadable("as many prices as markets were expected")
    found: dict[Symbol, Price] = {}
    for raw, context in zip(listed.universe, contexts, strict=True):
        ours = names.get(read(_NAMED, bytes(raw)).name)
        if ours is not None:
            found |= _mark(ours, context)
    return found


def read_mark_message(body: bytes, names: Names) -> dict[Symbol, Price]:
    """Read one message of the stream; nothing from one of another kind."""
    message = read(_MESSAGE, body)
    if message.channel != _CHANNEL:
        return {}
    heard = read(_HEARD, bytes(message.data))
    ours = names.get(heard.coin)
    return {} if ours is None else _mark(ours, heard.ctx)


def _mark(ours: Symbol, context: _Context) -> dict[Symbol, Price]:
    mark = number(context.mark_px, "mark price") if context.mark_px is not None else ZERO
    return {ours: Price(mark)} if mark > ZERO else {}


def mark_subscriptions(coins: Iterable[str]) -> tuple[str, ...]:
    """Return the messages that ask for the prices of these markets, as many as one address may hear."""
    topics = [subscription(_CHANNEL, coin=coin) for coin in coins]
    return tuple(topics[:_SUBSCRIPTIONS_MAX])


def read_server_time(body: bytes) -> int:
    """Return the venue's clock in epoch milliseconds."""
    found = read(_TIME, body).time
    if not found:
        raise Unreadable("an answer without the venue's time")
    return found
