from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.shared.errors import IllegalTransition
from app.domain.shared.ids import AccountId, FollowId, UserId, WhaleId
from app.domain.users.events import FollowPaused, FollowResumed, FollowStopped
from app.domain.users.follow import FOLLOW_LIFECYCLE, Follow, FollowChange, FollowState
from tests.unit.domain.builders import NOW, TERMS, check_step, every_pair

A, P, S = FollowState.ACTIVE, FollowState.PAUSED, FollowState.STOPPED
ROWS = [
    (A, FollowChange.PAUSE, P),
    (P, FollowChange.RESUME, A),
    (A, FollowChange.STOP, S),
    (P, FollowChange.STOP, S),
]


def follow(state: FollowState = FollowState.ACTIVE) -> Follow:
    return Follow(FollowId(1), UserId(2), WhaleId(3), AccountId(4), TERMS, state)


@pytest.mark.parametrize(("state", "change", "after"), every_pair(FOLLOW_LIFECYCLE, ROWS))
def test_each_change_of_a_follow(state: FollowState, change: FollowChange, after: FollowState | None) -> None:
    check_step(FOLLOW_LIFECYCLE, state, change, after)


def test_a_stop_is_for_good() -> None:
    assert [state for state in FollowState if FOLLOW_LIFECYCLE.is_terminal(state)] == [S]


@pytest.mark.parametrize("close", [True, False])
def test_each_change_is_told_in_order_and_a_stop_says_whether_to_close(*, close: bool) -> None:
    one = follow()
    one.pause(NOW)
    one.resume(NOW)
    one.stop(NOW, close_positions=close)
    assert one.state is S
    assert one.events.take() == (
        FollowPaused(at=NOW, follow_id=one.id),
        FollowResumed(at=NOW, follow_id=one.id),
        FollowStopped(at=NOW, follow_id=one.id, close_positions=close),
    )


@pytest.mark.parametrize("state", [A, P])
def test_terms_of_a_living_follow_can_change(state: FollowState) -> None:
    one = follow(state)
    one.change_terms(replace(TERMS, leverage_max=3))
    assert one.terms.leverage_max == 3


def test_terms_of_a_stopped_follow_cannot_change() -> None:
    one = follow(S)
    with pytest.raises(IllegalTransition):
        one.change_terms(replace(TERMS, leverage_max=3))
    assert one.terms is TERMS
