from __future__ import annotations

import pytest

from app.domain.shared.execution import Action
from app.domain.signals.priority import Lane, Priority, lane_of, priority_of
from tests.unit.domain.builders import D

HIGH, MEDIUM, LOW = Priority.HIGH, Priority.MEDIUM, Priority.LOW


@pytest.mark.parametrize("action", [Action.OPEN, Action.ADD])
@pytest.mark.parametrize(
    ("rank", "share", "priority"),
    [
        (0, None, HIGH),
        (1, None, MEDIUM),
        (2, None, LOW),
        (0, "0.19", HIGH),
        (1, "0.199999", MEDIUM),
        (2, "0.199999", LOW),
        (0, "0.20", HIGH),
        (1, "0.20", HIGH),
        (2, "0.20", MEDIUM),
        (2, "5", MEDIUM),
        (7, None, LOW),
    ],
)
def test_an_entry_ranks_by_tier_and_a_large_share_lifts_it_by_one(
    action: Action, rank: int, share: str | None, priority: Priority
) -> None:
    assert priority_of(action, rank, None if share is None else D(share)) is priority


@pytest.mark.parametrize("action", [Action.REDUCE, Action.CLOSE])
@pytest.mark.parametrize("rank", [0, 1, 2])
def test_an_exit_is_high_whoever_leads(action: Action, rank: int) -> None:
    assert priority_of(action, rank, D(0)) is HIGH


def test_a_lower_number_is_served_first() -> None:
    assert sorted([LOW, HIGH, MEDIUM]) == [HIGH, MEDIUM, LOW]


@pytest.mark.parametrize("priority", Priority)
@pytest.mark.parametrize("action", Action)
def test_exits_have_a_lane_of_their_own(action: Action, priority: Priority) -> None:
    lane = lane_of(action, priority)
    assert (lane is Lane.EXITS) is action.is_exit
    if not action.is_exit:
        assert lane.name == priority.name
