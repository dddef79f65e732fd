"""A doubt that lasts for a week is still written: the count of looks stops where its column does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.trading.evidence import Evidence
from app.domain.trading.order import OrderEvent
from app.domain.trading.protection import ProtectionState
from tests.fakes.clock import FakeClock
from tests.integration.postgres.hot_scene import HotScene
from tests.integration.postgres.test_hot_recovery import book
from tests.integration.postgres.test_protections import Guarding

LOOKS = (32_766, 32_767, 32_768, 100_000)


async def test_a_doubt_that_was_looked_up_too_often_to_count_is_still_written(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    scene = HotScene(engine, clock)
    await scene.followers(1)
    await scene.copy(await scene.signal())
    [cid] = await scene.cids()
    for looks in LOOKS:
        await book(scene, Evidence(cid, event=OrderEvent.LOST, looks=looks, look_at=clock.now()))
    assert await scene.rows("SELECT state, looks FROM orders") == [("UNKNOWN", 32_767)]


@pytest.mark.parametrize("looks", LOOKS)
async def test_so_is_a_protection(engine: AsyncEngine, clock: FakeClock, looks: int) -> None:
    guarding = Guarding(engine, clock)
    await guarding.hold()
    row = await guarding.row()
    assert await guarding.protections.begin([row])
    doubted = replace(row, state=ProtectionState.UNKNOWN, looks=looks)
    assert await guarding.protections.change(doubted, ProtectionState.PLACING)
    assert await guarding.rows("SELECT state, looks FROM protections") == [("UNKNOWN", min(looks, 32_767))]
