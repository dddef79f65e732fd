"""An order as queries and the stream show it. A waiting protection is such a row too, until its trigger is reached."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.execution import OrderReport, OrderStatus
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import Price
from app.infrastructure.exchanges.bybit.wire.answer import milliseconds, name_of
from app.infrastructure.exchanges.bybit.wire.category import CATEGORIES
from app.infrastructure.exchanges.reading import ZERO, Unreadable, number, size

SIDES: Final[Mapping[str, Side]] = MappingProxyType({"Buy": Side.BUY, "Sell": Side.SELL})
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
_NO_STOP: Final = frozenset({"", "UNKNOWN"})
_TRIGGERED: Final = frozenset({"Triggered", "New", "PartiallyFilled", "Filled", "PartiallyFilledCanceled"})


class OrderRow(msgspec.Struct, frozen=True, rename="camel"):
    """One row. The fields of conditional orders are empty elsewhere; `base_price` (spot, in queries) and
    `last_price_on_created` are the price of the moment when it was placed.
    """

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
    close_on_trigger: bool = False
    category: str = ""
    stop_order_type: str | None = ""
    trigger_price: str | None = ""
    trigger_direction: int | None = 0
    base_price: str | None = ""
    last_price_on_created: str | None = ""
    cancel_type: str | None = ""


def is_conditional(row: OrderRow) -> bool:
    """Return whether the row is of an order that waits, or waited, for a trigger."""
    return (row.stop_order_type or "") not in _NO_STOP and number(row.trigger_price or "0", "trigger") > ZERO


def was_triggered(row: OrderRow) -> bool:
    """Return whether a conditional order became one in the book."""
    return row.order_status in _TRIGGERED or size(row.cum_exec_qty or "0", "executed quantity") > ZERO


def has_become_order(row: OrderRow) -> bool:
    """Return whether the row is that of an order: one that never waited, or one whose trigger was reached."""
    return not is_conditional(row) or was_triggered(row)


def report_of(row: OrderRow, symbol: Symbol, venue: Venue) -> OrderReport:
    """Build a report, or raise Unreadable when the row contradicts itself. A sale at spot can only reduce a holding."""
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
        venue=venue,
        symbol=symbol,
        order_id=name_of(row.order_id, "the order id"),
        client_order_id=row.order_link_id,
        side=side,
        status=status,
        quantity=whole,
        executed=done,
        average_price=Price(mean) if done and mean > ZERO else None,
        reduce_only=side is Side.SELL if CATEGORIES[venue].is_spot else row.reduce_only,
        at=from_epoch_ms(milliseconds(row.updated_time, "the time of the order")),
    )
