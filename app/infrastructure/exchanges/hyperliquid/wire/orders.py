"""Orders: what /exchange says of a new one, and the reports that /info and the stream give of those that exist.

POST /info orderStatus and frontendOpenOrders; the stream's orderUpdates and openOrders. A report does not tell at which
prices an order was executed: fills do. Triggers are orders too, told apart by their type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Final

import msgspec

from app.domain.exchanges.outcomes import Accepted, Outcome, Unknown
from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import OrderReport, OrderStatus
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import NO_QUANTITY, Price, Quantity
from app.infrastructure.exchanges.hyperliquid.wire.answer import ROWS_MAX, Status, answered
from app.infrastructure.exchanges.hyperliquid.wire.ids import cloid_of, id_of
from app.infrastructure.exchanges.hyperliquid.wire.refusals import refused_order
from app.infrastructure.exchanges.reading import (
    ZERO,
    Milliseconds,
    Names,
    Number,
    Unreadable,
    positive_price,
    read,
    size,
)

VENUE: Final = Venue.HYPERLIQUID
SIDES: Final[Mapping[str, Side]] = MappingProxyType({"B": Side.BUY, "A": Side.SELL})
_STATUSES: Final[Mapping[str, OrderStatus]] = MappingProxyType(
    {
        "open": OrderStatus.OPEN,
        "triggered": OrderStatus.OPEN,
        "filled": OrderStatus.FILLED,
        "canceled": OrderStatus.CANCELED,
        "scheduledCancel": OrderStatus.CANCELED,
        "internalCancel": OrderStatus.CANCELED,
        "iocCancelRejected": OrderStatus.EXPIRED,
        "rejected": OrderStatus.REJECTED,
    }
)
_ENDINGS: Final = (("Canceled", OrderStatus.CANCELED), ("Rejected", OrderStatus.REJECTED))
"""All other words for an end say why in front: marginCanceled, perpMarginRejected, and so on."""


class OrderRow(msgspec.Struct, frozen=True, rename="camel"):
    """An order; the stream's updates lack what makes it a trigger. `sz` is what is left of `origSz`."""

    coin: str
    side: str
    sz: str
    orig_sz: str
    oid: Number
    timestamp: Milliseconds
    cloid: str | None = None
    reduce_only: bool = False
    is_trigger: bool = False
    trigger_px: str = "0"
    order_type: str = ""


class UpdatedRow(msgspec.Struct, frozen=True, rename="camel"):
    """An order and how it stands."""

    order: OrderRow
    status: str
    status_timestamp: Milliseconds


class _Found(msgspec.Struct, frozen=True):
    status: str
    order: UpdatedRow | None = None


@dataclass(frozen=True, slots=True)
class FoundOrder:
    """An answer about one order: the row as read, and when it was placed and last changed."""

    row: UpdatedRow
    placed_at: datetime
    at: datetime


_FOUND: Final = msgspec.json.Decoder(_Found)
_OPEN: Final = msgspec.json.Decoder(Annotated[list[OrderRow], msgspec.Meta(max_length=ROWS_MAX)])


def outcome(order: PlaceOrder, status: int, body: bytes, headers: Mapping[str, str]) -> Outcome:
    """Classify the answer to the POST of `order`; never raises."""
    refusal = refused_order(status, body, headers)
    if refusal is not None:
        return refusal
    try:
        found = answered(body)
        if not isinstance(found, Status):
            return Unknown("an acknowledgement without an order id")
        return Accepted(_acknowledged(order, found))
    except Unreadable as error:
        return Unknown(f"HTTP {status} with an unreadable acknowledgement: {error}")


def _acknowledged(order: PlaceOrder, found: Status) -> OrderReport:
    if found.filled is not None:
        oid, cloid = found.filled.oid, found.filled.cloid
        done = size(found.filled.total_sz, "executed quantity")
        if not ZERO < done <= order.quantity:
            raise Unreadable("an execution of another quantity")
        state = OrderStatus.FILLED if done == order.quantity else OrderStatus.EXPIRED
        mean = positive_price(found.filled.avg_px, "average price")
        return _report(order, str(oid), _checked(order, cloid), state, done, mean)
    if found.resting is not None:
        oid, cloid = found.resting.oid, found.resting.cloid
        return _report(order, str(oid), _checked(order, cloid), OrderStatus.OPEN, NO_QUANTITY, None)
    raise Unreadable("an acknowledgement without an order")


def _checked(order: PlaceOrder, cloid: str | None) -> str:
    if cloid is not None and cloid.lower() != cloid_of(order.client_order_id):
        raise Unreadable("the answer is about another client order id")
    return order.client_order_id


def _report(
    order: PlaceOrder, oid: str, client_id: str, status: OrderStatus, done: Quantity, mean: Price | None
) -> OrderReport:
    return OrderReport(
        venue=VENUE,
        symbol=order.instrument.symbol,
        order_id=oid,
        client_order_id=client_id,
        side=order.side,
        status=status,
        quantity=order.quantity,
        executed=done,
        average_price=mean,
        reduce_only=order.reduce_only,
        # The answer holds no time; the venue had the order no earlier than this.
        at=from_epoch_ms(order.signed_ms),
    )


def read_found(body: bytes, coin: str) -> FoundOrder | None:
    """Read the answer to orderStatus: None when the venue knows no such order, Unreadable when it is on another market."""
    found = read(_FOUND, body)
    if found.status == "unknownOid":
        return None
    if found.status != "order" or found.order is None:
        raise Unreadable("an answer of unknown status")
    row = found.order
    if row.order.coin != coin:
        raise Unreadable("the answer is about another market")
    return FoundOrder(row, from_epoch_ms(row.order.timestamp), from_epoch_ms(row.status_timestamp))


def read_open(body: bytes, names: Names) -> list[OrderRow]:
    """Read all that rests, triggers included; markets that we do not trade are left out."""
    return [row for row in read(_OPEN, body) if row.coin in names]


def report_of(row: OrderRow, symbol: Symbol, status: str, at: datetime, client_id: str = "") -> OrderReport:
    """Build a report, or raise Unreadable when the row contradicts itself; `client_id` is who it was asked for by."""
    side, state = SIDES.get(row.side), status_of(status)
    whole, left = size(row.orig_sz, "quantity"), size(row.sz, "the rest")
    if side is None or left > whole:
        raise Unreadable("an order without a side, or with more left than there was")
    done = NO_QUANTITY if state is OrderStatus.REJECTED else Quantity(whole - left)
    if state is OrderStatus.FILLED and done == ZERO:
        raise Unreadable("an execution without a quantity")
    if state is OrderStatus.FILLED and done < whole:
        state = OrderStatus.EXPIRED
    if state is OrderStatus.OPEN and done > ZERO:
        state = OrderStatus.PARTIAL
    return OrderReport(
        venue=VENUE,
        symbol=symbol,
        order_id=str(row.oid),
        client_order_id=client_id or id_of(row.cloid),
        side=side,
        status=state,
        quantity=whole,
        executed=done,
        average_price=None,
        reduce_only=row.reduce_only,
        at=at,
    )


def status_of(word: str) -> OrderStatus:
    """Return what a status word means; Unreadable for one that says nothing."""
    found = _STATUSES.get(word)
    if found is None:
        found = next((status for ending, status in _ENDINGS if word.endswith(ending)), None)
    if found is None:
        raise Unreadable("an order of unknown status")
    return found


def resting_report(row: OrderRow, symbol: Symbol) -> OrderReport:
    """Build the report of an order that rests."""
    return report_of(row, symbol, "open", from_epoch_ms(row.timestamp))
