from __future__ import annotations

import pytest

from app.domain.shared.errors import IllegalTransition, InvalidValue
from app.domain.shared.ids import UserId
from app.domain.users.events import UserSuspended
from app.domain.users.user import USER_LIFECYCLE, Role, User, UserChange, UserState, user_name
from tests.unit.domain.builders import NOW, check_step, every_pair

ROWS = [
    (UserState.ACTIVE, UserChange.SUSPEND, UserState.SUSPENDED),
    (UserState.SUSPENDED, UserChange.RESTORE, UserState.ACTIVE),
]


@pytest.mark.parametrize(("state", "change", "after"), every_pair(USER_LIFECYCLE, ROWS))
def test_each_change_of_a_user(state: UserState, change: UserChange, after: UserState | None) -> None:
    check_step(USER_LIFECYCLE, state, change, after)


@pytest.mark.parametrize(("text", "name"), [("Ada", "Ada"), ("  Ada L. ", "Ada L."), ("é" * 80, "é" * 80)])
def test_a_name_is_trimmed_and_kept(text: str, name: str) -> None:
    assert user_name(text) == name


@pytest.mark.parametrize("text", ["", "   ", "a" * 81, "a\nb", "a\x00b", "a\u202eb", "\ud800"])
def test_a_name_that_cannot_be_shown_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        user_name(text)


def test_a_suspension_is_told_with_its_reason_and_can_be_lifted() -> None:
    user = User(UserId(1), "Ada", Role.FOLLOWER)
    states = [user.state]
    user.suspend("unpaid", NOW)
    states.append(user.state)
    assert user.events.take() == (UserSuspended(at=NOW, user_id=UserId(1), reason="unpaid"),)
    user.restore()
    states.append(user.state)
    assert states == [UserState.ACTIVE, UserState.SUSPENDED, UserState.ACTIVE]


def test_a_second_suspension_is_refused_and_tells_nothing() -> None:
    user = User(UserId(1), "Ada", Role.FOLLOWER, UserState.SUSPENDED)
    with pytest.raises(IllegalTransition):
        user.suspend("again", NOW)
    assert user.events.take() == ()
