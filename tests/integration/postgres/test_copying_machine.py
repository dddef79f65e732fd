"""Copying on a real database under everything that may happen: each follower's order once, books like the venue, money kept.

Rules are steps of leaders, workers, crashes, the venue and its messages; after each the program's own audit must find nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.trading.audit import AuditBounds
from app.domain.shared.execution import Action
from app.infrastructure.postgres.audit import PostgresAuditor
from app.infrastructure.postgres.engine import make_engine
from tests.integration.postgres.machine_scene import MachineScene
from tests.integration.postgres.machine_venue import FATES
from tests.integration.postgres.quick_audit import offenders
from tests.support.examples import examples, parts

SECONDS = st.sampled_from([0.3, 1.1, 4.0, 7.0, 20.0])
SOON, LATER = 10, 25


class Copying(RuleBasedStateMachine):
    """Two followers of one leader on the database of `engine`, whose connections belong to the loop of `runner`."""

    runner: asyncio.Runner
    engine: AsyncEngine

    @initialize()
    def begin(self) -> None:
        self.world = self.do(MachineScene.made(self.engine))
        self.opened = 0

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run one step of the program; what is in the database may be another afterwards."""
        self.audited = False
        return self.runner.run(work)

    @rule(workers=st.integers(1, 3))
    def the_leader_opens(self, workers: int) -> None:
        if self.opened < 3:
            self.opened += 1
            self.do(self.world.signal(Action.OPEN, workers))

    @precondition(lambda self: self.opened)
    @rule(workers=st.integers(1, 3))
    def the_leader_closes(self, workers: int) -> None:
        self.do(self.world.signal(Action.CLOSE, workers))

    @precondition(lambda self: self.world.in_hand)
    @rule(data=st.data(), fate=st.sampled_from(FATES))
    def a_worker_sends(self, data: st.DataObject, fate: str) -> None:
        self.world.venue.fates = [fate]
        self.do(self.world.send(data.draw(st.integers(0, len(self.world.in_hand) - 1))))
        self.world.venue.fates = []

    @precondition(lambda self: self.world.in_hand)
    @rule(data=st.data())
    def a_worker_crashes_before_it_sends(self, data: st.DataObject) -> None:
        self.world.in_hand.pop(data.draw(st.integers(0, len(self.world.in_hand) - 1)))

    @precondition(lambda self: self.world.venue.live)
    @rule(data=st.data(), share=st.sampled_from([4, 2, 1]))
    def the_venue_executes(self, data: st.DataObject, share: int) -> None:
        order = data.draw(st.sampled_from(self.world.venue.live))
        self.world.venue.execute(order, order.left / share)

    @precondition(lambda self: self.world.venue.live)
    @rule(data=st.data())
    def the_venue_cancels(self, data: st.DataObject) -> None:
        self.world.venue.cancel(data.draw(st.sampled_from(self.world.venue.live)))

    @precondition(lambda self: self.world.venue.orders)
    @rule(data=st.data())
    def an_order_becomes_visible(self, data: st.DataObject) -> None:
        self.world.show(data.draw(st.sampled_from(list(self.world.venue.orders))))

    @precondition(lambda self: self.world.venue.news)
    @rule(data=st.data(), many=st.integers(1, 4))
    def news_arrives_in_any_order(self, data: st.DataObject, many: int) -> None:
        news = self.world.venue.news
        batch = [news.pop(data.draw(st.integers(0, len(news) - 1))) for _ in range(min(many, len(news)))]
        self.world.venue.told.extend(batch)
        self.do(self.world.book(*batch))

    @precondition(lambda self: self.world.venue.news)
    @rule(data=st.data())
    def news_is_lost(self, data: st.DataObject) -> None:
        self.world.venue.news.pop(data.draw(st.integers(0, len(self.world.venue.news) - 1)))

    @precondition(lambda self: self.world.venue.told)
    @rule(data=st.data())
    def old_news_arrives_again_at_two_workers(self, data: st.DataObject) -> None:
        piece = data.draw(st.sampled_from(self.world.venue.told))
        self.do(self._twice(piece))

    async def _twice(self, piece: Any) -> None:
        await asyncio.gather(self.world.book(piece), self.world.book(piece))

    @rule(
        workers=st.integers(1, 2),
        passes=st.integers(1, 4),
        after=SECONDS,
        fates=st.lists(st.sampled_from(FATES), max_size=3),
    )
    def workers_recover(self, workers: int, passes: int, after: float, fates: list[str]) -> None:
        self.world.venue.fates = list(fates)
        for _ in range(passes):
            self.world.clock.advance(timedelta(seconds=after))
            self.do(self.world.recover(workers))
        self.world.venue.fates = []

    @rule()
    def what_was_deferred_is_served(self) -> None:
        self.do(self.world.serve_again())

    @invariant()
    def the_audit_finds_nothing(self) -> None:
        if hasattr(self, "world") and not self.audited:
            assert self.do(self.world.wrong()) == {}
            assert self.world.alarms == []
            self.audited = True

    @invariant()
    def no_id_arrives_twice_and_nobody_is_short(self) -> None:
        if hasattr(self, "world"):
            arrivals = self.world.venue.arrivals
            assert len(arrivals) == len(set(arrivals))
            assert all(self.world.venue.net(account) >= 0 for _, account in self.world.scene.ids)

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.do(self._in_the_end())

    async def _in_the_end(self) -> None:
        """The leader closes and the faults stop: with no message of the stream, all of it comes right."""
        world = self.world
        world.in_hand.clear()
        world.venue.news.clear()
        await world.signal(Action.CLOSE, 1)
        for order in world.venue.live:
            if order.asked.reduce_only:  # an entry that rests is the program's to cancel
                world.venue.cancel(order)
        for client_order_id in world.venue.orders:
            world.show(client_order_id)
        for round_ in range(SOON + LATER):
            while world.in_hand:
                await world.send(0)
            world.clock.advance(timedelta(seconds=65) if round_ < SOON else timedelta(hours=2))
            await world.recover()
            again = await world.serve_again()
            if not again and not world.in_hand and await world.is_calm():
                break
        assert await world.wrong() == {}
        assert await world.unlike_the_venue() == []
        assert await world.is_calm()
        assert [world.venue.net(account) for _, account in world.scene.ids] == [0, 0]


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", parts())
def test_whatever_happens_the_database_holds_what_the_venue_did(database_dsn: str, part: int) -> None:
    with asyncio.Runner() as runner:
        engine = make_engine(database_dsn, pool_size=4, application_name=f"machine {part}")
        engine.sync_engine.pool._pre_ping = False  # a fifth of all that is said, and this database is there
        made = type("OnThisDatabase", (Copying,), {"runner": runner, "engine": engine})
        try:
            run_state_machine_as_test(made, settings=examples(16, 30, parts=len(parts())))
        finally:
            runner.run(engine.dispose())


async def test_the_machine_sees_a_lost_fill_a_second_arrival_and_money_that_nobody_paid(
    engine: AsyncEngine,
) -> None:
    world = await MachineScene.made(engine)
    await world.signal(Action.OPEN, 2)
    await world.send(0)
    await world.book(*world.venue.news)
    assert await world.wrong() == {}
    assert await world.unlike_the_venue() == []
    await world.scene.run(
        "UPDATE funds SET wallet = wallet + 1 WHERE account_id = (SELECT min(account_id) FROM funds)"
    )
    await world.scene.run("DELETE FROM fills")
    assert {"wallet", "position", "trade-booked", "ledger-of-no-fill"} <= (await world.wrong()).keys()
    findings = await PostgresAuditor(engine).findings(AuditBounds())
    assert await offenders(engine, AuditBounds()) == {f.name: f.example for f in findings if not f.is_clean}
    assert len(await world.unlike_the_venue()) == 2
    asked = world.in_hand[0]
    await world.send(0)
    world.in_hand.append(asked)
    await world.send(0)
    assert len(world.venue.arrivals) == len(set(world.venue.arrivals)) + 1
