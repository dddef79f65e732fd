from __future__ import annotations

from enum import Enum

import pytest

from app.domain.shared.errors import IllegalTransition
from app.domain.shared.lifecycle import Lifecycle


class Door(Enum):
    OPEN = "open"
    SHUT = "shut"
    BRICKED_UP = "bricked up"


class Push(Enum):
    CLOSE = "close"
    UNLATCH = "unlatch"
    BRICK_UP = "brick up"


ROWS = {
    (Door.OPEN, Push.CLOSE): Door.SHUT,
    (Door.SHUT, Push.UNLATCH): Door.OPEN,
    (Door.SHUT, Push.BRICK_UP): Door.BRICKED_UP,
    (Door.OPEN, Push.BRICK_UP): Door.BRICKED_UP,
}
DOOR = Lifecycle[Door, Push]("door", ROWS)


@pytest.mark.parametrize("state", Door)
@pytest.mark.parametrize("event", Push)
def test_a_step_is_legal_if_and_only_if_the_table_holds_it(state: Door, event: Push) -> None:
    if (state, event) in ROWS:
        assert DOOR.allows(state, event)
        assert DOOR.after(state, event) is ROWS[state, event]
    else:
        assert not DOOR.allows(state, event)
        with pytest.raises(IllegalTransition):
            DOOR.after(state, event)


def test_a_refused_step_says_what_it_was_about() -> None:
    with pytest.raises(IllegalTransition) as refused:
        DOOR.after(Door.BRICKED_UP, Push.UNLATCH)
    assert refused.value.code == "illegal_transition"
    assert refused.value.context == {"aggregate": "door", "state": "bricked up", "event": "unlatch"}
    assert str(refused.value) == "A door that is bricked up cannot take unlatch."


def test_sources_are_the_states_in_which_an_event_is_legal() -> None:
    assert DOOR.sources(Push.BRICK_UP) == {Door.OPEN, Door.SHUT}
    assert DOOR.sources(Push.UNLATCH) == {Door.SHUT}


def test_a_state_without_a_way_out_is_terminal() -> None:
    assert [state for state in Door if DOOR.is_terminal(state)] == [Door.BRICKED_UP]


def test_the_table_is_a_copy_that_nobody_can_change() -> None:
    rows = dict(ROWS)
    door = Lifecycle[Door, Push]("door", rows)
    rows.clear()
    assert door.table == ROWS
    with pytest.raises(TypeError):
        door.table[Door.BRICKED_UP, Push.UNLATCH] = Door.OPEN  # type: ignore[index]  # the refusal is what is tested
