from __future__ import annotations

import pytest

from app.domain.trading.order import ORDER_LIFECYCLE, OUTCOME_IS_KNOWN, OrderState
from app.domain.trading.trade import (
    HOLD_IS_OVER,
    TRADE_AFTER_ORDER,
    TRADE_LIFECYCLE,
    TradeEvent,
    TradeState,
)
from tests.unit.domain.builders import check_step, every_pair

WAITING, WORKING, ABSENT = TradeState.WAITING, TradeState.WORKING, TradeState.ABSENT
ROWS = [
    (WAITING, TradeEvent.SUBMIT, WORKING),
    (WAITING, TradeEvent.ABANDON, TradeState.ABANDONED),
    (WAITING, TradeEvent.REVIVE, WORKING),
    (WAITING, TradeEvent.FILL, TradeState.FILLED),
    (WAITING, TradeEvent.END, TradeState.ENDED),
    (WORKING, TradeEvent.RETURN, WAITING),
    (WORKING, TradeEvent.GIVE_UP, ABSENT),
    (ABSENT, TradeEvent.REVIVE, WORKING),
    (ABSENT, TradeEvent.RETURN, WAITING),
    (ABSENT, TradeEvent.ABANDON, TradeState.ABANDONED),
    *((state, TradeEvent.FILL, TradeState.FILLED) for state in (WORKING, ABSENT)),
    *((state, TradeEvent.END, TradeState.ENDED) for state in (WORKING, ABSENT)),
    # A lost order may turn up refused: then the intent ends so, wherever it stood.
    *((state, TradeEvent.REJECT, TradeState.REJECTED) for state in (WORKING, ABSENT)),
]


@pytest.mark.parametrize(("state", "event", "after"), every_pair(TRADE_LIFECYCLE, ROWS))
def test_each_step_of_an_intent(state: TradeState, event: TradeEvent, after: TradeState | None) -> None:
    check_step(TRADE_LIFECYCLE, state, event, after)


def test_every_state_of_an_attempt_says_where_its_intent_stands() -> None:
    assert set(TRADE_AFTER_ORDER) == set(OrderState)


@pytest.mark.parametrize(("step", "order_after"), list(ORDER_LIFECYCLE.table.items()))
def test_whatever_an_attempt_does_its_intent_can_follow(
    step: tuple[OrderState, object], order_after: OrderState
) -> None:
    before, after = TRADE_AFTER_ORDER[step[0]], TRADE_AFTER_ORDER[order_after]
    ways = {(state, reached) for (state, _), reached in TRADE_LIFECYCLE.table.items()}
    assert before is after or (before, after) in ways


def test_an_intent_works_as_long_as_the_outcome_of_its_attempt_is_open() -> None:
    for order, trade in TRADE_AFTER_ORDER.items():
        assert (trade is WORKING) is (order not in OUTCOME_IS_KNOWN)


def test_a_hold_is_over_exactly_when_nothing_leads_on() -> None:
    terminal = {state for state in TradeState if TRADE_LIFECYCLE.is_terminal(state)}
    assert terminal == HOLD_IS_OVER


@pytest.mark.parametrize("state", [WAITING, WORKING, ABSENT])
def test_a_hold_is_kept_while_the_outcome_is_in_doubt(state: TradeState) -> None:
    assert state not in HOLD_IS_OVER


def test_an_intent_is_submitted_anew_only_after_its_attempt_was_not_sent() -> None:
    assert TRADE_LIFECYCLE.sources(TradeEvent.SUBMIT) == {WAITING}
    assert [order for order, trade in TRADE_AFTER_ORDER.items() if trade is WAITING] == [OrderState.NOT_SENT]
