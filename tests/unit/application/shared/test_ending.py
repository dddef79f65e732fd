"""A background task that did not hear its cancellation is told again."""

from __future__ import annotations

import asyncio

import pytest

from app.application.shared import ending
from app.application.shared.ending import end


async def forever(begun: asyncio.Event, deaf: int = 0) -> None:
    """Go on after the first `deaf` cancellations, as a wait does that had just ended."""
    while True:
        begun.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            if not deaf:
                raise
            deaf -= 1


@pytest.mark.parametrize("deaf", [0, 1, 3])
async def test_a_task_is_over_however_many_cancellations_it_did_not_hear(
    monkeypatch: pytest.MonkeyPatch, deaf: int
) -> None:
    monkeypatch.setattr(ending, "_AGAIN_S", 0.001)
    begun = asyncio.Event()
    task = asyncio.create_task(forever(begun, deaf))
    await begun.wait()
    await end(task)
    assert task.cancelled()


@pytest.mark.parametrize("deaf", [1, 3])
async def test_who_is_ended_again_while_it_ends_another_goes_on_until_that_is_over_and_then_hears_of_it(
    monkeypatch: pytest.MonkeyPatch, deaf: int
) -> None:
    monkeypatch.setattr(ending, "_AGAIN_S", 0.001)
    begun, closed = asyncio.Event(), asyncio.Event()
    inner = asyncio.create_task(forever(begun, deaf))

    async def holds() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            try:
                await end(inner)
            finally:
                closed.set()

    outer = asyncio.create_task(holds())
    await begun.wait()
    await end(outer)
    assert inner.cancelled()
    assert closed.is_set()
    assert outer.cancelled()


async def test_what_a_task_raised_is_not_raised_where_it_is_ended() -> None:
    async def fails() -> None:
        raise RuntimeError("its own")

    task = asyncio.create_task(fails())
    await asyncio.wait([task])
    await end(task)
    assert isinstance(task.exception(), RuntimeError)


async def test_nothing_to_end_ends_at_once() -> None:
    await end()
    done = asyncio.create_task(asyncio.sleep(0))
    await done
    await end(done)


async def test_a_task_may_close_what_it_holds() -> None:
    closed = asyncio.Event()

    async def holds() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await asyncio.sleep(0)
            closed.set()

    task = asyncio.create_task(holds())
    await asyncio.sleep(0)
    await end(task)
    assert closed.is_set()
