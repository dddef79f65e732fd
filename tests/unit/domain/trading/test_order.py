from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.shared.errors import InvariantBroken
from app.domain.shared.execution import OrderReport, OrderStatus
from app.domain.shared.market import Side, Venue
from app.domain.shared.money import Quantity
from app.domain.trading.order import (
    EVENT_OF_STATUS,
    ORDER_LIFECYCLE,
    OUTCOME_IS_KNOWN,
    Order,
    OrderEvent,
    OrderState,
    check_same_order,
    event_of,
)
from tests.unit.domain.builders import BTC, NOW, D, check_step, every_pair

SUBMITTING, UNKNOWN, ABSENT = OrderState.SUBMITTING, OrderState.UNKNOWN, OrderState.ABSENT
OPEN, PARTIAL = OrderState.OPEN, OrderState.PARTIAL
MAY_APPEAR = (SUBMITTING, UNKNOWN, ABSENT, OPEN)
ROWS = [
    (SUBMITTING, OrderEvent.NEVER_LEFT, OrderState.NOT_SENT),
    # A venue may acknowledge first and refuse then, and a lost order may turn up refused.
    *((state, OrderEvent.REFUSED, OrderState.REJECTED) for state in MAY_APPEAR),
    (SUBMITTING, OrderEvent.LOST, UNKNOWN),
    (UNKNOWN, OrderEvent.LOST, UNKNOWN),
    (UNKNOWN, OrderEvent.PROVEN_ABSENT, ABSENT),
    *((state, OrderEvent.SEEN_OPEN, OPEN) for state in MAY_APPEAR),
    *((state, OrderEvent.SEEN_PARTIAL, PARTIAL) for state in (*MAY_APPEAR, PARTIAL)),
    *((state, OrderEvent.SEEN_FILLED, OrderState.FILLED) for state in (*MAY_APPEAR, PARTIAL)),
    *((state, OrderEvent.SEEN_CANCELED, OrderState.CANCELED) for state in (*MAY_APPEAR, PARTIAL)),
]

ORDER = Order("c1", Side.BUY, Quantity(D(5)), reduce_only=False, state=SUBMITTING, signed_ms=1, valid_ms=5000)
REPORT = OrderReport(
    venue=Venue.BINANCE_USDM,
    symbol=BTC,
    order_id="9",
    client_order_id="c1",
    side=Side.BUY,
    status=OrderStatus.PARTIAL,
    quantity=Quantity(D(5)),
    executed=Quantity(D(2)),
    average_price=None,
    reduce_only=False,
    at=NOW,
)


@pytest.mark.parametrize(("state", "event", "after"), every_pair(ORDER_LIFECYCLE, ROWS))
def test_each_step_of_an_attempt(state: OrderState, event: OrderEvent, after: OrderState | None) -> None:
    check_step(ORDER_LIFECYCLE, state, event, after)


def test_every_state_can_be_reached_from_the_first() -> None:
    reached, grown = {SUBMITTING}, True
    while grown:
        more = {after for (state, _), after in ORDER_LIFECYCLE.table.items() if state in reached}
        grown = not more <= reached
        reached |= more
    assert reached == set(OrderState)


def test_doubt_is_left_by_evidence_and_not_by_time() -> None:
    ways_out = {
        event for (state, event), after in ORDER_LIFECYCLE.table.items() if state is UNKNOWN is not after
    }
    assert ways_out == set(EVENT_OF_STATUS.values()) | {OrderEvent.PROVEN_ABSENT}


def test_an_attempt_never_goes_back_to_an_earlier_status() -> None:
    rank = {SUBMITTING: 0, UNKNOWN: 1, ABSENT: 2, OPEN: 3, PARTIAL: 4}
    for (state, _), after in ORDER_LIFECYCLE.table.items():
        assert rank.get(after, 9) >= rank.get(state, 9)


def test_what_is_known_is_terminal_but_for_an_absence_that_evidence_may_undo() -> None:
    terminal = {state for state in OrderState if ORDER_LIFECYCLE.is_terminal(state)}
    assert terminal | {ABSENT} == OUTCOME_IS_KNOWN
    assert ABSENT not in terminal


def test_every_word_of_a_venue_means_an_event() -> None:
    assert set(EVENT_OF_STATUS) == set(OrderStatus)
    for status in OrderStatus:
        known = (
            ORDER_LIFECYCLE.after(SUBMITTING, event_of(replace(REPORT, status=status))) in OUTCOME_IS_KNOWN
        )
        assert known is status.is_final


@pytest.mark.parametrize("state", MAY_APPEAR)
@pytest.mark.parametrize("status", OrderStatus)
def test_every_word_of_a_venue_can_be_heard_while_an_attempt_lives(
    state: OrderState, status: OrderStatus
) -> None:
    assert ORDER_LIFECYCLE.allows(state, EVENT_OF_STATUS[status])


@pytest.mark.parametrize(
    "same",
    [
        REPORT,
        replace(REPORT, executed=Quantity(D(5)), status=OrderStatus.FILLED),
        replace(REPORT, executed=Quantity(D(0)), status=OrderStatus.OPEN),
    ],
)
def test_a_report_of_the_same_order_is_taken(same: OrderReport) -> None:
    check_same_order(ORDER, same)


@pytest.mark.parametrize(
    "other",
    [
        replace(REPORT, side=Side.SELL),
        replace(REPORT, reduce_only=True),
        replace(REPORT, executed=Quantity(D("5.001"))),
    ],
)
def test_a_report_of_another_order_under_our_id_is_never_booked(other: OrderReport) -> None:
    with pytest.raises(InvariantBroken) as broken:
        check_same_order(ORDER, other)
    assert broken.value.context == {"client_order_id": "c1"}


def test_a_report_of_another_size_is_another_order() -> None:
    with pytest.raises(InvariantBroken):
        check_same_order(ORDER, replace(REPORT, quantity=Quantity(D(50))))
