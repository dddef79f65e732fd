"""Orders: their requests as text, their answers as reports and outcomes.

POST /v5/order/create and /v5/order/cancel, GET /v5/order/realtime and /v5/order/history. The venue acknowledges an
order before it matches it: the answer to create holds ids alone, so the first report says OPEN with nothing executed.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

import msgspec

from app.domain.exchanges.outcomes import Accepted, Outcome, Unknown
from app.domain.exchanges.requests import OrderType, PlaceOrder
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import OrderReport, OrderStatus
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, Side, Symbol, Venue
from app.domain.shared.money import NO_QUANTITY, Price, plain
from app.infrastructure.exchanges.bybit.wire.answer import (
    Answer,
    Page,
    cursor_of,
    milliseconds,
    name_of,
    result_of,
)
from app.infrastructure.exchanges.bybit.wire.refusals import refused_order
from app.infrastructure.exchanges.reading import ZERO, Names, Unreadable, number, size

VENUE: Final = Venue.BYBIT_LINEAR
CATEGORY: Final = "linear"
_SIDE_WORDS: Final[Mapping[Side, str]] = MappingProxyType({Side.BUY: "Buy", Side.SELL: "Sell"})
_TYPE_WORDS: Final[Mapping[OrderType, str]] = MappingProxyType(
    {OrderType.MARKET: "Market", OrderType.LIMIT: "Limit"}
)
SIDES: Final[Mapping[str, Side]] = MappingProxyType({word: side for side, word in _SIDE_WORDS.items()})
STATUSES: Final[Mapping[str, OrderStatus]] = MappingProxyType(
    {
        "New": OrderStatus.OPEN,
        "Untriggered": OrderStatus.OPEN,
        "Triggered": OrderStatus.OPEN,
        "PartiallyFilled": OrderStatus.PARTIAL,
        "Filled": OrderStatus.FILLED,
        "Cancelled": OrderStatus.CANCELED,  # with executions too: there is no other word for that here
        "PartiallyFilledCanceled": OrderStatus.CANCELED,
        "Deactivated": OrderStatus.CANCELED,
        "Rejected": OrderStatus.REJECTED,
    }
)


class OrderRow(msgspec.Struct, frozen=True, rename="camel"):
    """An order as queries and the stream show it."""

    symbol: str
    order_id: str
    order_link_id: str
    side: str
    order_status: str
    qty: str
    cum_exec_qty: str
    updated_time: str
    avg_price: str | None = None
    reduce_only: bool = False
    category: str = CATEGORY


class _Ids(msgspec.Struct, frozen=True, rename="camel"):
    order_id: str
    order_link_id: str


_ACKNOWLEDGED: Final = msgspec.json.Decoder(Answer[_Ids])
_ORDERS: Final = msgspec.json.Decoder(Answer[Page[OrderRow]])


def place_text(order: PlaceOrder) -> str:
    """Return the JSON of POST /v5/order/create; the timestamp and the window travel in the headers."""
    fields: dict[str, object] = {
        "category": CATEGORY,
        "symbol": order.instrument.venue_symbol,
        "side": _SIDE_WORDS[order.side],
        "orderType": _TYPE_WORDS[order.type],
        "qty": plain(order.quantity),
        "orderLinkId": order.client_order_id,
    }
    if order.type is OrderType.LIMIT:
        if order.price is None:
            raise Unreadable("a limit order without a price")
        fields |= {"price": plain(order.price), "timeInForce": order.time_in_force.value}
    if order.reduce_only:
        fields["reduceOnly"] = True
    return msgspec.json.encode(fields).decode()


def cancel_text(instrument: Instrument, client_order_id: ClientOrderId) -> str:
    """Return the JSON of POST /v5/order/cancel."""
    return msgspec.json.encode(
        {"category": CATEGORY, "symbol": instrument.venue_symbol, "orderLinkId": client_order_id}
    ).decode()


def order_text(instrument: Instrument, client_order_id: ClientOrderId) -> str:
    """Return the query that names one order, for /v5/order/realtime and /v5/order/history alike."""
    link = quote(client_order_id, safe="")
    return f"category={CATEGORY}&symbol={instrument.venue_symbol}&orderLinkId={link}"


def open_orders_text(instrument: Instrument | None, cursor: str) -> str:
    """Return the query of GET /v5/order/realtime for resting orders; without a contract for all settled in USDT."""
    what = f"symbol={instrument.venue_symbol}" if instrument is not None else "settleCoin=USDT"
    text = f"category={CATEGORY}&{what}&openOnly=0&limit=50"
    return f"{text}&cursor={cursor}" if cursor else text


def outcome(order: PlaceOrder, status: int, body: bytes, headers: Mapping[str, str]) -> Outcome:
    """Classify the answer to a POST of `order`; never raises."""
    refusal = refused_order(status, body, headers, reduce_only=order.reduce_only)
    if refusal is not None:
        return refusal
    try:
        found, at_ms = result_of(_ACKNOWLEDGED, body)
        if found.order_link_id != order.client_order_id:
            return Unknown("the answer is about another client order id")
        order_id = name_of(found.order_id, "the order id")
    except Unreadable as error:
        return Unknown(f"HTTP {status} with an unreadable acknowledgement: {error}")
    return Accepted(
        OrderReport(
            venue=VENUE,
            symbol=order.instrument.symbol,
            order_id=order_id,
            client_order_id=order.client_order_id,
            side=order.side,
            status=OrderStatus.OPEN,
            quantity=order.quantity,
            executed=NO_QUANTITY,
            average_price=None,
            reduce_only=order.reduce_only,
            at=from_epoch_ms(at_ms or order.signed_ms),
        )
    )


def read_acknowledged(client_order_id: ClientOrderId, body: bytes) -> None:
    """Check that the acknowledgement of a cancellation is about our order; the report must be asked for."""
    found, _ = result_of(_ACKNOWLEDGED, body)
    if found.order_link_id != client_order_id:
        raise Unreadable("the answer is about another client order id")


def read_order(instrument: Instrument, client_order_id: ClientOrderId, body: bytes) -> OrderReport | None:
    """Read the answer about one order: None for an empty list, Unreadable when it is about another one."""
    page, _ = result_of(_ORDERS, body)
    if not page.rows:
        return None
    for row in page.rows:
        if row.order_link_id == client_order_id and row.symbol == instrument.venue_symbol:
            return report_of(row, instrument.symbol)
    raise Unreadable("the answer is about another order")


def read_open_orders(body: bytes, names: Names) -> tuple[list[OrderReport], str]:
    """Read one page of resting orders and the next one's cursor; contracts that we do not trade are left out."""
    page, _ = result_of(_ORDERS, body)
    reports = [report_of(row, names[row.symbol]) for row in page.rows if row.symbol in names]
    return [report for report in reports if not report.status.is_final], cursor_of(page)


def report_of(row: OrderRow, symbol: Symbol) -> OrderReport:
    """Build a report, or raise Unreadable when the row contradicts itself."""
    side, status = SIDES.get(row.side), STATUSES.get(row.order_status)
    if side is None or status is None:
        raise Unreadable("an order of unknown side or status")
    whole, done = size(row.qty, "quantity"), size(row.cum_exec_qty or "0", "executed quantity")
    if done > whole:
        raise Unreadable("an order executed beyond its quantity")
    if done == ZERO and status in {OrderStatus.PARTIAL, OrderStatus.FILLED}:
        raise Unreadable("an execution without a quantity")
    mean = number(row.avg_price or "0", "average price")
    return OrderReport(
        venue=VENUE,
        symbol=symbol,
        order_id=name_of(row.order_id, "the order id"),
        client_order_id=row.order_link_id,
        side=side,
        status=status,
        quantity=whole,
        executed=done,
        average_price=Price(mean) if done and mean > ZERO else None,
        reduce_only=row.reduce_only,
        at=from_epoch_ms(milliseconds(row.updated_time, "the time of the order")),
    )
