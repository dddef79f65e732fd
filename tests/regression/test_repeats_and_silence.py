"""What bots elsewhere did twice, took for new, or stopped doing without a word; told to our own code."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.shared.execution import Action, VenuePosition
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Side
from app.domain.shared.money import Money
from app.infrastructure.postgres.engine import make_engine
from app.infrastructure.postgres.uow import PostgresUnitOfWork
from app.presentation.workers import feed
from app.presentation.workers.feed import Watches
from tests.fakes.clock import FakeClock
from tests.fakes.venue import Counts
from tests.integration.postgres.drift_scene import DriftScene
from tests.integration.postgres.test_protections import Guarding
from tests.unit.application.trading.guard import Guardhouse
from tests.unit.application.whales.watched import CONNECTED, LeapingClock, Watch, at, update
from tests.unit.domain.builders import BTC, D, fill

DAYS = timedelta(days=1)


async def test_kuegibot_2_an_overloaded_venue_gets_one_stop_however_often_it_does_not_answer() -> None:
    """Each answer that was lost was followed by another stop; the first trigger then left a position the other way."""
    house = Guardhouse()
    house.venue.fate = "lost"
    for _ in range(5):
        await house.keep()
        await house.worker_sender().look()
    await house.beat(5)
    assert len(house.venue.protected) == 1
    assert len(house.resting) == 1


@pytest.fixture
async def guarding(database_dsn: str) -> Guarding:
    engine: AsyncEngine = make_engine(database_dsn, pool_size=4, application_name="copytrade tests")
    return Guarding(engine, FakeClock())


async def test_kuegibot_2_a_stop_is_stored_under_one_key_whatever_id_it_would_be_sent_with(
    guarding: Guarding,
) -> None:
    await guarding.hold()
    row = await guarding.row()
    rivals = [replace(row, client_order_id=ClientOrderId(f"p{number}")) for number in range(4)]
    won = [await guarding.protections.begin([rival]) for rival in rivals]
    assert [len(ids) for ids in won] == [1, 0, 0, 0]
    assert await guarding.value("SELECT count(*) FROM protections") == 1
    await guarding.engine.dispose()


async def test_soranoo_4_an_alert_that_is_told_again_days_later_is_no_new_signal(scene: DriftScene) -> None:
    """A web hook delivered alerts of three days ago once more, and they were traded as if they were new."""
    await scene.followers(1, wallet="10000")
    signal = await scene.signal(Action.OPEN)
    await scene.copy(signal)
    scene.clock.advance(3 * DAYS)
    async with PostgresUnitOfWork(scene.engine, scene.clock) as unit:
        assert not await unit.signals.add(signal)
        await unit.commit()
    await scene.copy(signal)
    assert signal.is_expired(scene.clock.now())
    assert await scene.value("SELECT count(*) FROM trades") == 1


async def test_soranoo_4_executions_that_a_stream_tells_again_days_later_are_not_traded() -> None:
    one = Watch()
    opened = at(fill("1", quantity="2", final=True), 60)
    closed = at(fill("2", Side.SELL, "2", order_id="8", final=True), 90)
    await one.run(CONNECTED, update(opened), update(closed))
    one.clock.advance(3 * DAYS)
    one.gateway.executions = [opened, closed]
    await one.run(CONNECTED, update(opened), CONNECTED, update(closed))
    assert one.orders() == [("7", ["1"]), ("8", ["2"])]
    assert await one.position() == 0


async def test_bitmex_copy_bot_4_a_stream_that_is_up_and_tells_nothing_is_noticed_and_made_up_for() -> None:
    """The socket stayed open without a subscription behind it; for hours nothing was copied and nobody was told."""
    one = Watch(LeapingClock())
    await one.watched_before(D(0))
    never = asyncio.Event()
    read, looks = one.gateway.positions, 0

    async def positions() -> Sequence[VenuePosition]:
        nonlocal looks
        looks += 1
        if looks == 3:  # it is connected and caught up by then: only a stream could tell
            one.gateway.executions = [at(fill("1", quantity="2", final=True), 30)]
            one.gateway.held = [VenuePosition(BTC, D(2), D(100), Money(D(0)), 5)]
        return await read()

    one.gateway.positions = positions  # type: ignore[method-assign]  # the leader trades at the third look
    task = asyncio.create_task(one.run(CONNECTED, never))
    async with asyncio.timeout(10):
        while not one.taken:
            await asyncio.sleep(0)
    never.set()
    await task
    assert one.orders() == [("7", ["1"])]
    assert one.metrics.seen["leader_markets_missed"] == 1


@pytest.mark.parametrize("fault", [None, OSError("The stream broke."), RuntimeError("A fault of ours.")])
async def test_bitmex_copy_bot_4_a_watch_that_ends_for_whatever_reason_is_begun_again_and_counted(
    fault: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_RESTART_S", 0)
    begun, thrice = 0, asyncio.Event()

    async def run() -> None:
        nonlocal begun
        begun += 1
        if begun == 3:
            thrice.set()
            await asyncio.Event().wait()
        if fault is not None:
            raise fault

    metrics = Counts()
    watches = Watches(metrics)
    watches.keep({"leader:1": run})
    async with asyncio.timeout(10):
        await thrice.wait()
    assert (len(watches), metrics.seen["watches_fell"]) == (1, 2)
    await watches.stop()
    assert (len(watches), metrics.seen["watches_fell"]) == (0, 2)
