"""Whether an exit from here closed what it could, on a real database: only then may a stop ask for another."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.shared.execution import Action
from app.domain.signals.signal import Signal
from app.infrastructure.postgres.protection_book import PostgresProtectionBook
from app.infrastructure.postgres.uow import PostgresUnitOfWork
from tests.fakes.clock import FakeClock
from tests.integration.postgres.hot_scene import HotScene
from tests.integration.postgres.test_deferred_exits import absent_then_left, decided, filled


@pytest.fixture
async def scene(engine: AsyncEngine, clock: FakeClock) -> HotScene:
    made = HotScene(engine, clock)
    await made.followers(1)
    return made


async def is_spent(scene: HotScene, signal: Signal) -> bool:
    book = PostgresProtectionBook(scene.engine, lambda: PostgresUnitOfWork(scene.engine, scene.clock))
    signal.scope = scene.ids[0][0]
    return await book.spent(signal) is not None


async def test_an_exit_is_spent_once_it_is_booked_and_not_while_it_waits_or_works(scene: HotScene) -> None:
    entry = await scene.signal()
    await scene.copy(entry)
    way_out = await scene.signal(Action.CLOSE)
    assert not await is_spent(scene, way_out)
    await scene.copy(way_out)
    assert await decided(scene, way_out) == ("DEFERRED", "ENTRY_STILL_OPEN")
    assert not await is_spent(scene, way_out)
    await filled(scene, entry, "1")
    await scene.copy(way_out)
    assert await decided(scene, way_out) == ("COPIED", "AS_ASKED")
    assert not await is_spent(scene, way_out)
    await filled(scene, way_out, "2")
    assert await is_spent(scene, way_out)


async def test_an_exit_whose_lot_was_all_opened_later_is_spent(scene: HotScene) -> None:
    lost, way_out = await absent_then_left(scene)
    newer = await scene.signal()
    await scene.copy(newer)
    await filled(scene, newer, "1")
    await scene.run("UPDATE trades SET state = 'ABANDONED', settled = true WHERE signal_id = :id", id=lost.id)
    await scene.copy(way_out)
    assert await decided(scene, way_out) == ("SKIPPED", "OPENED_LATER")
    assert await is_spent(scene, way_out)


@pytest.mark.parametrize("code", ["BELOW_MINIMUM", "NOTHING_TO_CLOSE"])
async def test_what_no_exit_can_close_is_asked_for_once(scene: HotScene, code: str) -> None:
    way_out = await scene.signal(Action.CLOSE)
    await scene.run(
        "INSERT INTO decisions (follow_id, signal_id, outcome, code, reason, inputs)"
        " VALUES (:follow, :signal, 'SKIPPED', :code, '', '{}')",
        follow=scene.ids[0][0],
        signal=way_out.id,
        code=code,
    )
    assert not await is_spent(scene, way_out)
