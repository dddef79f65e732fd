"""An exit reaches a stopped follow whose entry has executed and is not booked yet: nothing of it is in a position then."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.shared.execution import Action
from app.infrastructure.postgres.uow import PostgresUnitOfWork
from tests.fakes.clock import START, FakeClock
from tests.integration.postgres.hot_scene import MARKETS, HotScene


@pytest.mark.parametrize("scoped", [True, False], ids=["its own exit", "the leader's exit"])
async def test_an_exit_finds_a_stopped_follow_whose_executed_entry_is_not_booked(
    engine: AsyncEngine, clock: FakeClock, scoped: bool
) -> None:
    scene = HotScene(engine, clock)
    await scene.followers(1)
    follow, _ = scene.ids[0]
    await scene.copy(await scene.signal())
    await scene.run("UPDATE trades SET state = 'FILLED', executed = quantity")
    async with PostgresUnitOfWork(engine, clock) as work:
        ended = await work.follows.get(follow)
        ended.stop(START, close_positions=True)
        await work.follows.save(ended)
        await work.commit()
    way_out = await scene.signal(Action.CLOSE, scope=follow if scoped else None)
    found = await scene.copies.snapshot(way_out, START, MARKETS)
    assert [candidate.follower.follow_id for candidate in found] == [follow]
