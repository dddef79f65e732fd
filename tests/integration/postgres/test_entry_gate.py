"""Stopping new risk against an entry that is being committed, in both orders, on two real transactions.

The stop is a halt, a follow's pause, a leader's pause or a user's suspension; what comes after its commit sees every
entry there will ever be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.trading.ports import Prepared
from app.domain.risk.halts import Halt, HaltScope
from app.domain.shared.execution import Action
from app.domain.shared.ids import FollowId
from app.domain.shared.market import Venue
from app.domain.signals.signal import Signal
from app.infrastructure.postgres import copy_sql
from app.infrastructure.postgres.copy_book import commit_values
from app.infrastructure.postgres.entry_gate import shut_entry_gate
from app.infrastructure.postgres.readers_scope import PostgresHeldInScope
from app.infrastructure.postgres.uow import PostgresUnitOfWork
from tests.fakes.clock import START, FakeClock
from tests.integration.postgres.hot_scene import MARKETS, OWNER, WINDOW, HotScene

Stop = Callable[[HotScene, PostgresUnitOfWork], Awaitable[None]]


@pytest.fixture
async def scene(engine: AsyncEngine, clock: FakeClock) -> HotScene:
    made = HotScene(engine, clock)
    await made.followers(3)
    return made


def halting(scope: HaltScope) -> Stop:
    async def stop(scene: HotScene, work: PostgresUnitOfWork) -> None:
        user = await scene.value("SELECT user_id FROM follows WHERE id = :id", id=scene.ids[0][0])
        target = {HaltScope.PLATFORM: "", HaltScope.VENUE: Venue.BINANCE_USDM.value}.get(scope, str(user))
        await work.halts.raise_halt(Halt(scope=scope, target=target, reason="r", at=START))

    return stop


async def pause_follow(scene: HotScene, work: PostgresUnitOfWork) -> None:
    follow = await work.follows.get(scene.ids[0][0])
    follow.pause(START)
    await work.follows.save(follow)


async def pause_whale(scene: HotScene, work: PostgresUnitOfWork) -> None:
    whale = await work.whales.get(scene.whale)
    whale.pause("r", START)
    await work.whales.save(whale)


async def suspend_user(scene: HotScene, work: PostgresUnitOfWork) -> None:
    user = await work.users.get(
        await scene.value("SELECT user_id FROM follows WHERE id = :id", id=scene.ids[0][0])
    )
    user.suspend("r", START)
    await work.users.save(user)


STOPS = pytest.mark.parametrize(
    ("stop", "all_stop"),
    [
        (halting(HaltScope.PLATFORM), True),
        (halting(HaltScope.VENUE), True),
        (halting(HaltScope.USER), False),
        (pause_follow, False),
        (pause_whale, True),
        (suspend_user, False),
    ],
    ids=["platform", "venue", "user", "follow paused", "leader paused", "user suspended"],
)


async def planned(scene: HotScene, signal: Signal) -> list[Prepared]:
    prepared, _ = scene.plan(signal, await scene.copies.snapshot(signal, START, MARKETS))
    assert len(prepared) == 3
    return prepared


def free(scene: HotScene, *, all_stop: bool) -> set[FollowId]:
    return set() if all_stop else {follow for follow, _ in scene.ids[1:]}


@STOPS
async def test_an_entry_that_was_planned_before_a_stop_does_not_commit_after_it(
    scene: HotScene, stop: Stop, all_stop: bool
) -> None:
    signal = await scene.signal()
    prepared = await planned(scene, signal)
    async with PostgresUnitOfWork(scene.engine, scene.clock) as work:
        await stop(scene, work)
        # The stop is written and not committed: the entry waits for it, and does not slip past.
        commit = asyncio.create_task(scene.copies.commit(signal, OWNER, prepared, (), WINDOW))
        assert not await scene.blocked_or_done(commit)
        await work.commit()
    assert await commit == free(scene, all_stop=all_stop)
    await scene.money_adds_up()


@STOPS
async def test_a_stop_waits_for_an_entry_that_is_being_committed_and_then_sees_it(
    scene: HotScene, stop: Stop, all_stop: bool
) -> None:
    signal = await scene.signal()
    prepared = await planned(scene, signal)
    async with scene.engine.connect() as entering:
        locks = {"account": [item.order.account_id for item in prepared], "enters": True}
        await entering.execute(copy_sql.LOCK_ACCOUNTS, locks)

        async def stopped() -> int:
            async with PostgresUnitOfWork(scene.engine, scene.clock) as work:
                await stop(scene, work)
                await work.commit()
            return len(await PostgresHeldInScope(scene.engine).in_scope(HaltScope.PLATFORM, ""))

        waits = asyncio.create_task(stopped())
        assert not await scene.blocked_or_done(waits)
        await entering.execute(copy_sql.COMMIT, commit_values(signal, prepared, WINDOW))
        await entering.commit()
        assert await waits == 1  # what is read after the stop counts the entry in
    assert await scene.value("SELECT count(*) FROM trades") == 3


async def test_a_stop_waits_at_the_gate_longer_than_an_entry_may_wait_for_its_accounts(
    scene: HotScene,
) -> None:
    """Were it to give up first, a crowd of slow entries would refuse a halt."""
    patience = text("SELECT extract(epoch FROM current_setting('lock_timeout')::interval)")
    async with scene.engine.begin() as connection:
        before = await connection.scalar(patience)
        await shut_entry_gate(connection)
        assert await connection.scalar(patience) >= 2 * before > 0
    async with scene.engine.connect() as connection:
        assert await connection.scalar(patience) == before  # it ends with the transaction


async def test_exits_pass_while_the_gate_is_shut(scene: HotScene) -> None:
    await scene.copy(await scene.signal())
    await scene.run("UPDATE trades SET state = 'FILLED', executed = quantity")
    way_out = await scene.signal(Action.CLOSE)
    async with PostgresUnitOfWork(scene.engine, scene.clock) as work:
        await halting(HaltScope.PLATFORM)(scene, work)
        assert len(await scene.copy(way_out)) == 3
        await work.commit()


async def test_the_gate_costs_the_hot_path_no_statement_of_its_own(scene: HotScene) -> None:
    signal = await scene.signal()
    prepared = await planned(scene, signal)
    ran: list[str] = []

    def heard(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        ran.append(statement)

    event.listen(scene.engine.sync_engine, "before_cursor_execute", heard)
    await scene.copies.commit(signal, OWNER, prepared, (), WINDOW)
    event.remove(scene.engine.sync_engine, "before_cursor_execute", heard)
    assert len(ran) == 3  # the claim, the locks, the reservation
