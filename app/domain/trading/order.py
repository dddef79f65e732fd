"""The order: one attempt to carry out a trade at the venue, with its own client order id.

The table is the life cycle of one attempt. Invariants: a status never goes back; UNKNOWN is left by evidence only;
a terminal state is left only by late evidence that the order exists after all (adoption).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Final

from app.domain.shared.errors import InvariantBroken
from app.domain.shared.execution import OrderReport, OrderStatus
from app.domain.shared.lifecycle import Lifecycle
from app.domain.shared.market import Side
from app.domain.shared.money import NO_QUANTITY, Quantity


class OrderState(StrEnum):
    """What we know of one attempt. ABSENT: looked for beyond the fence and not there."""

    SUBMITTING = "SUBMITTING"
    NOT_SENT = "NOT_SENT"
    OPEN = "OPEN"
    PARTIAL = "PARTIAL"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"
    ABSENT = "ABSENT"


class OrderEvent(Enum):
    """What can happen to one attempt."""

    NEVER_LEFT = "never_left"
    REFUSED = "refused"
    LOST = "lost"
    SEEN_OPEN = "seen_open"
    SEEN_PARTIAL = "seen_partial"
    SEEN_FILLED = "seen_filled"
    SEEN_CANCELED = "seen_canceled"
    PROVEN_ABSENT = "proven_absent"


_UNSETTLED: Final = (OrderState.SUBMITTING, OrderState.UNKNOWN, OrderState.ABSENT, OrderState.OPEN)

ORDER_LIFECYCLE: Final = Lifecycle[OrderState, OrderEvent](
    "order",
    {
        (OrderState.SUBMITTING, OrderEvent.NEVER_LEFT): OrderState.NOT_SENT,
        (OrderState.SUBMITTING, OrderEvent.REFUSED): OrderState.REJECTED,
        (OrderState.UNKNOWN, OrderEvent.REFUSED): OrderState.REJECTED,
        (
            OrderState.OPEN,
            OrderEvent.REFUSED,
        ): OrderState.REJECTED,  # acknowledged first, refused by the engine
        (OrderState.ABSENT, OrderEvent.REFUSED): OrderState.REJECTED,
        (OrderState.SUBMITTING, OrderEvent.LOST): OrderState.UNKNOWN,
        (OrderState.UNKNOWN, OrderEvent.LOST): OrderState.UNKNOWN,
        (OrderState.UNKNOWN, OrderEvent.PROVEN_ABSENT): OrderState.ABSENT,
        **{(state, OrderEvent.SEEN_OPEN): OrderState.OPEN for state in _UNSETTLED},
        **{
            (state, OrderEvent.SEEN_PARTIAL): OrderState.PARTIAL
            for state in (*_UNSETTLED, OrderState.PARTIAL)
        },
        **{(state, OrderEvent.SEEN_FILLED): OrderState.FILLED for state in (*_UNSETTLED, OrderState.PARTIAL)},
        **{
            (state, OrderEvent.SEEN_CANCELED): OrderState.CANCELED
            for state in (*_UNSETTLED, OrderState.PARTIAL)
        },
    },
)

EVENT_OF_STATUS: Final[Mapping[OrderStatus, OrderEvent]] = MappingProxyType(
    {
        OrderStatus.OPEN: OrderEvent.SEEN_OPEN,
        OrderStatus.PARTIAL: OrderEvent.SEEN_PARTIAL,
        OrderStatus.FILLED: OrderEvent.SEEN_FILLED,
        OrderStatus.CANCELED: OrderEvent.SEEN_CANCELED,
        OrderStatus.EXPIRED: OrderEvent.SEEN_CANCELED,
        OrderStatus.REJECTED: OrderEvent.REFUSED,
    }
)

OUTCOME_IS_KNOWN: Final = frozenset(
    {OrderState.FILLED, OrderState.CANCELED, OrderState.REJECTED, OrderState.NOT_SENT, OrderState.ABSENT}
)
"""States in which nothing more is expected of the attempt."""


@dataclass(frozen=True, slots=True)
class Order:
    """One attempt as stored. Quantities in base units; `executed` is the venue's cumulative figure, `booked` the sum of
    the fills that we booked by the venue's trade ids. Times are milliseconds of the venue's clock.
    """

    client_order_id: str
    side: Side
    quantity: Quantity
    reduce_only: bool
    state: OrderState
    signed_ms: int
    valid_ms: int
    venue_order_id: str | None = None
    executed: Quantity = NO_QUANTITY
    booked: Quantity = NO_QUANTITY


def event_of(report: OrderReport) -> OrderEvent:
    """Return what a venue's report means for the attempt."""
    return EVENT_OF_STATUS[report.status]


def check_same_order(order: Order, report: OrderReport) -> None:
    """Raise InvariantBroken when a report with our id speaks of another order: never book it, quarantine it."""
    # A venue may trim a reduce-only order to what is left of the position; nothing else changes a quantity.
    other_size = report.quantity > order.quantity if order.reduce_only else report.quantity != order.quantity
    other_order = report.side is not order.side or report.reduce_only != order.reduce_only
    if other_order or other_size or report.executed > order.quantity:
        raise InvariantBroken(
            "The venue reports an order with our client id but with other content.",
            client_order_id=order.client_order_id,
        )
