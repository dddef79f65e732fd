from __future__ import annotations

import pytest

from app.domain.shared.execution import Action, OrderStatus


@pytest.mark.parametrize(
    ("action", "is_exit"),
    [
        (Action.OPEN, False),
        (Action.ADD, False),
        (Action.FLIP, False),
        (Action.REDUCE, True),
        (Action.CLOSE, True),
    ],
)
def test_only_reduce_and_close_are_exits(action: Action, *, is_exit: bool) -> None:
    assert action.is_exit is is_exit


def test_a_status_is_final_unless_the_order_can_still_execute() -> None:
    assert {status for status in OrderStatus if not status.is_final} == {
        OrderStatus.OPEN,
        OrderStatus.PARTIAL,
    }
