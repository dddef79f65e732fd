"""The crowd of a rehearsal: what a child did not tell of is asked again, and what people were promised is remembered."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from tools.chaos.counts import Leaving
from tools.chaos.crowd import Crowd
from tools.chaos.errands import settling
from tools.chaos.nursery import Child
from tools.chaos.plan import Round

if TYPE_CHECKING:
    from tools.chaos.stage import Stage

PEOPLE = 8
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Dead(Child):
    """A child that is dead already: nobody sends it a signal."""

    def signal(self, number: int) -> None:
        assert self.dead.is_set()


class Births:
    """Bears children that have done so much of their work and are dead; `late` waits for `go` before it does."""

    def __init__(self, each: int) -> None:
        self.each = each
        self.go = asyncio.Event()
        self.go.set()

    async def born(self, role: str, trap: str, work: Sequence[Any]) -> Child:
        await self.go.wait()
        child = Dead(1, role, trap)
        child.done += [{"answer": "done"}] * min(self.each, len(work) - 1)
        child.dead.set()
        return child


def crowd_of(each: int = 3) -> tuple[Crowd, Births]:
    births = Births(each)
    return Crowd(cast("Stage", SimpleNamespace(followers=range(PEOPLE), nursery=births)), Round(1, 1)), births


def told(*results: dict[str, Any]) -> Child:
    child = Child(1, "people", "")
    child.done += [{"answer": "done", **result} for result in results]
    return child


def test_what_a_killed_child_did_not_tell_of_is_asked_again_and_promises_are_remembered() -> None:
    crowd, _ = crowd_of()
    crowd._waiting = deque([{"do": "stop", "close": True}, {"do": "halt"}, {"do": "start"}])
    crowd.heard(told({"stopped": 5}, {"left_at": NOON.isoformat(), "user": None}))
    assert list(crowd._waiting) == [{"do": "start"}]
    assert crowd.leavings == [Leaving(follow=5), Leaving(at=NOON)]
    assert crowd.answers == {"stop: done": 1, "halt: done": 1}


def test_who_asks_to_leave_a_follow_that_was_stopped_before_is_promised_nothing() -> None:
    crowd, _ = crowd_of()
    crowd._waiting = deque([{"do": "stop", "close": False}, {"do": "stop", "close": True}])
    crowd.heard(told({"stopped": 5}, {"stopped": 5}))
    assert crowd.leavings == []


async def test_all_that_is_left_is_done_in_the_end() -> None:
    crowd, _ = crowd_of()
    await crowd.settle()
    assert crowd.answers.total() == len(settling(PEOPLE))


async def test_children_who_end_before_they_have_asked_are_not_born_without_end() -> None:
    crowd, _ = crowd_of(each=0)
    with pytest.raises(AssertionError, match="end before they have asked"):
        await crowd.settle()


async def test_a_child_that_was_born_when_nobody_waited_for_it_any_more_is_heard() -> None:
    crowd, births = crowd_of()
    crowd._waiting = deque([{"do": "token"}])
    births.go.clear()
    asked = asyncio.create_task(crowd._born("x"))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    births.go.set()
    await crowd.settle()
    assert crowd.answers["token: done"] == 1
