"""Looking again: a fill that the venue shows late, or whose event is lost, is found by the leader's position."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from app.domain.shared.execution import Fill, VenuePosition
from app.domain.shared.market import Side
from app.domain.shared.money import Money
from tests.unit.application.whales.watched import CONNECTED, LeapingClock, Watch, at, update
from tests.unit.domain.builders import BTC, D, fill


@pytest.mark.parametrize("answers", [1, 3])
async def test_a_fill_that_the_venue_shows_late_or_the_stream_loses_is_found_by_its_position(
    answers: int,
) -> None:
    """The close is no event, and the fills show it only from the given look on."""
    one = Watch(LeapingClock())
    opened = at(fill("1", quantity="2", final=True), 1)
    closed = at(fill("2", Side.SELL, "2", order_id="8", final=True), 3)
    asked = 0

    async def shown_late(*_: object, **__: object) -> Sequence[Fill]:
        nonlocal asked
        asked += 1
        return [opened, closed] if asked >= answers else [opened]

    one.gateway.fills = shown_late  # type: ignore[method-assign]  # the venue answers late
    await one.watched_before(D(0))
    never = asyncio.Event()
    task = asyncio.create_task(one.run(CONNECTED, update(opened), never))
    async with asyncio.timeout(10):
        while len(one.taken) < 2:
            await asyncio.sleep(0)
    never.set()
    await task
    assert one.orders() == [("7", ["1"]), ("8", ["2"])]
    assert await one.position() == 0


async def test_while_positions_agree_no_fills_are_asked_for() -> None:
    one = Watch(LeapingClock())
    one.gateway.held = [VenuePosition(BTC, D(2), D(100), Money(D(0)), 5)]
    asked: list[str] = []
    read = one.gateway.positions

    async def positions() -> Sequence[VenuePosition]:
        asked.append("positions")
        return await read()

    async def fills(*_: object, **__: object) -> Sequence[Fill]:
        asked.append("fills")
        return ()

    one.gateway.positions, one.gateway.fills = positions, fills  # type: ignore[method-assign]  # counted here
    await one.watched_before(D(2))
    never = asyncio.Event()
    task = asyncio.create_task(one.run(CONNECTED, never))
    async with asyncio.timeout(10):
        while asked.count("positions") < 6:
            await asyncio.sleep(0)
    never.set()
    await task
    assert asked.count("fills") == 1, "once, when it connected"
    assert one.taken == []
