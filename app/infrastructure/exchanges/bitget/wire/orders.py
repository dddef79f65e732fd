"""Orders: their requests as text, their answers as reports and outcomes, alike for spot and futures.

In hedge mode the venue's `side` names the position (buy: the long one) and `tradeSide` says whether it is opened or
closed, so that closing a long position is `buy` and `close`. The answer to a placed order holds ids alone, for orders are
matched afterwards: the first report says OPEN with nothing executed.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

import msgspec

from app.domain.exchanges.outcomes import Accepted, DefiniteNo, Duplicate, Unknown
from app.domain.exchanges.requests import MarginMode, OrderType, PlaceOrder, PositionMode, TimeInForce
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import OrderReport, OrderStatus
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, Side
from app.domain.shared.money import NO_QUANTITY, Price, ceil_to, plain
from app.infrastructure.exchanges.bitget.wire.answer import Answer, data_of, name_of
from app.infrastructure.exchanges.bitget.wire.products import SIDE_WORDS, Product
from app.infrastructure.exchanges.bitget.wire.refusals import refused_order
from app.infrastructure.exchanges.reading import Unreadable

MARGIN_WORDS: Final[Mapping[MarginMode, str]] = MappingProxyType(
    {MarginMode.CROSS: "crossed", MarginMode.ISOLATED: "isolated"}
)
_TIME_WORDS: Final[Mapping[TimeInForce, str]] = MappingProxyType(
    {TimeInForce.GTC: "gtc", TimeInForce.IOC: "ioc"}
)
MARKET_BUY_BOUND: Final = Decimal("1.02")
"""How far above the mark a market purchase at spot may pay, as a factor: within the venue's own band of 5 %."""

_WINDOW_MAX_MS: Final = 60_000
"""The venue refuses a longer `receiveWindow`; its own thirty seconds end before that anyway."""


class _Ids(msgspec.Struct, frozen=True, rename="camel"):
    order_id: str | None = None
    client_oid: str | None = None


ACKNOWLEDGED: Final = msgspec.json.Decoder(Answer[_Ids])


class Acknowledged(msgspec.Struct, frozen=True):
    """The venue took the order; it does not always say under which id (a reduce-only one that displaces others)."""

    order_id: str | None
    at_ms: int


def encoded(fields: Mapping[str, object]) -> str:
    """Write a request's body."""
    return msgspec.json.encode(dict(fields)).decode()


def place_text(product: Product, order: PlaceOrder, mark: Price | None = None) -> str:
    """Return the JSON of a new order; Unreadable when it cannot be written.

    At spot the size of a market purchase would be an amount of quote currency, which buys no exact quantity: there it is
    written as an immediate limit order bounded above the `mark`. `receiveWindow` is the spot line's own expiry: the
    venue refuses the order when it arrives later than that after `requestTime`. Futures have none.
    """
    fields: dict[str, object] = {"symbol": order.instrument.venue_symbol, **product.fields}
    fields |= {"side": SIDE_WORDS[order.side], "orderType": "market", "force": "gtc"}
    fields |= {"size": plain(order.quantity), "clientOid": order.client_order_id}
    if order.type is OrderType.LIMIT:
        if order.price is None:
            raise Unreadable("a limit order without a price")
        fields |= {
            "orderType": "limit",
            "price": plain(order.price),
            "force": _TIME_WORDS[order.time_in_force],
        }
    elif product.is_spot and order.side is Side.BUY:
        if mark is None:
            raise Unreadable("a market purchase without a mark to bound it by")
        bound = ceil_to(mark * MARKET_BUY_BOUND, order.instrument.tick)
        fields |= {"orderType": "limit", "price": plain(bound), "force": "ioc"}
    if product.is_spot:
        window = min(order.valid_ms, _WINDOW_MAX_MS)
        fields |= {"requestTime": str(order.signed_ms), "receiveWindow": str(window)}
        return encoded(fields)
    fields["marginMode"] = MARGIN_WORDS[order.margin_mode]
    if order.reduce_only:
        # In hedge mode it is said besides: an account that was switched to one-way mode ignores `tradeSide`, and would
        # take the side of a closing order, which names the position, for more of the same.
        fields["reduceOnly"] = "YES"
    if order.position_mode is PositionMode.HEDGE:
        fields["tradeSide"] = "close" if order.reduce_only else "open"
        if order.reduce_only:
            fields["side"] = SIDE_WORDS[order.side.opposite]
    return encoded(fields)


def cancel_text(product: Product, instrument: Instrument, client_order_id: ClientOrderId) -> str:
    """Return the JSON of a cancellation."""
    return encoded({"symbol": instrument.venue_symbol, **product.fields, "clientOid": client_order_id})


def look_up_text(product: Product, instrument: Instrument, field: str, value: str) -> str:
    """Return the query for one order, named by `clientOid` or `orderId`."""
    if product.is_spot:
        return f"{field}={quote(value, safe='')}"
    return f"symbol={instrument.venue_symbol}{product.scope}&{field}={quote(value, safe='')}"


def page_text(product: Product, instrument: Instrument | None, before: str, more: str = "") -> str:
    """Return the query of a page of orders or plans that are older than the id `before`, of one market or all."""
    where = f"&symbol={instrument.venue_symbol}" if instrument is not None else ""
    older = f"&idLessThan={before}" if before else ""
    return f"limit=100{where}{product.scope}{more}{older}"


def acknowledged(
    client_order_id: ClientOrderId, status: int, body: bytes, headers: Mapping[str, str]
) -> Acknowledged | DefiniteNo | Duplicate | Unknown:
    """Classify the answer to a POST of an order or a protection; never raises."""
    refusal = refused_order(status, body, headers)
    if refusal is not None:
        return refusal
    try:
        found, at_ms = data_of(ACKNOWLEDGED, body)
        if found.client_oid != client_order_id:
            return Unknown("the answer is about another client order id")
        order_id = name_of(found.order_id, "the order id") if found.order_id else None
    except Unreadable as error:
        return Unknown(f"HTTP {status} with an unreadable acknowledgement: {error}")
    return Acknowledged(order_id, at_ms)


def accepted(product: Product, order: PlaceOrder, order_id: str, at_ms: int) -> Accepted:
    """Return the outcome of an order that was acknowledged under an id."""
    return Accepted(
        OrderReport(
            venue=product.venue,
            symbol=order.instrument.symbol,
            order_id=order_id,
            client_order_id=order.client_order_id,
            side=order.side,
            status=OrderStatus.OPEN,
            quantity=order.quantity,
            executed=NO_QUANTITY,
            average_price=None,
            reduce_only=order.side is Side.SELL if product.is_spot else order.reduce_only,
            at=from_epoch_ms(at_ms or order.signed_ms),
        )
    )
