"""The outbox on a real server: nothing lost, nothing done twice, one bad event stops no other."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.shared.bus import AnyHandler, Delivery, EventBus, Handler, TransactionalHandler
from app.application.shared.uow import UnitOfWork
from app.domain.shared.errors import NotFound
from app.domain.shared.ids import FollowId
from app.domain.users.events import FollowPaused
from app.domain.users.user import Role
from app.infrastructure.postgres.outbox import OutboxRelay, RelayRule, append_events
from app.infrastructure.postgres.schema import inbox, outbox, users
from app.infrastructure.postgres.uow import PostgresUnitOfWork, units_of_work
from tests.fakes.clock import FakeClock

RULE = RelayRule(attempts_max=3)


class Ears:
    """Remembers which follow's event it heard; fails for those it is told to."""

    def __init__(self, bad: frozenset[int] = frozenset()) -> None:
        self.heard: list[int] = []
        self.bad = bad

    async def __call__(self, delivery: Delivery) -> None:
        assert isinstance(delivery.event, FollowPaused)
        self.heard.append(delivery.event.follow_id)
        if delivery.event.follow_id in self.bad:
            raise NotFound("There is no such follow.")


def relay(engine: AsyncEngine, clock: FakeClock, handlers: Mapping[str, Sequence[AnyHandler]]) -> OutboxRelay:
    return OutboxRelay(engine, EventBus(handlers, units_of_work(engine, clock)), clock, RULE)


async def send(engine: AsyncEngine, clock: FakeClock, *follows: int) -> None:
    async with PostgresUnitOfWork(engine, clock) as unit:
        for number in follows:
            unit.record(FollowPaused(at=clock.now(), follow_id=FollowId(number)), f"trace-{number}")
        await unit.commit()


async def rows_of(engine: AsyncEngine) -> tuple[int, int]:
    """How many events and how many inbox notes there are."""
    async with engine.connect() as connection:
        events = await connection.scalar(select(func.count()).select_from(outbox))
        notes = await connection.scalar(select(func.count()).select_from(inbox))
    return int(events or 0), int(notes or 0)


async def test_events_are_delivered_oldest_first_and_leave_no_trace(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    ears = Ears()
    made = relay(engine, clock, {FollowPaused.name: [Handler("ears", ears)]})
    await send(engine, clock, 1, 2)
    clock.advance(timedelta(seconds=1))
    await send(engine, clock, 3)
    assert await made.relay_once(2) == 2
    assert await made.relay_once(2) == 1
    assert await made.relay_once(2) == 0
    assert ears.heard == [1, 2, 3]
    assert await rows_of(engine) == (0, 0)


async def test_a_failing_event_waits_longer_each_time_is_parked_and_can_be_driven_again(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    ears, others = Ears(bad=frozenset({1})), Ears()
    made = relay(engine, clock, {FollowPaused.name: [Handler("ears", ears), Handler("others", others)]})
    await send(engine, clock, 1, 2)
    assert await made.relay_once(10) == 2
    assert ears.heard == [1, 2]  # the second went on
    for attempt in (1, 2):
        clock.advance(RULE.wait_after(attempt) - timedelta(milliseconds=1))
        assert await made.relay_once(10) == 0
        clock.advance(timedelta(milliseconds=1))
        assert await made.relay_once(10) == 1
    assert ears.heard == [1, 2, 1, 1]
    assert others.heard == [1, 2]  # heard once though its neighbour failed
    clock.advance(timedelta(days=1))
    assert await made.relay_once(10) == 0
    [parked] = await made.parked()
    assert (parked.name, parked.attempts, parked.error) == ("follow.paused", 3, "ears: not_found")
    ears.bad = frozenset()
    assert await made.redrive(parked.id)
    assert not await made.redrive(parked.id)
    assert await made.relay_once(10) == 1
    assert ears.heard[-1] == 1
    assert await rows_of(engine) == (0, 0)


async def test_an_event_that_cannot_be_read_is_parked_and_others_go_on(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    ears = Ears()
    made = relay(engine, clock, {FollowPaused.name: [Handler("ears", ears)]})
    async with engine.begin() as connection:
        strange = {"name": "follow.vanished", "payload": {}, "available_at": clock.now()}
        await connection.execute(insert(outbox).values(strange))
    await send(engine, clock, 2)
    for attempt in range(1, RULE.attempts_max + 1):
        await made.relay_once(10)
        clock.advance(RULE.wait_after(attempt))
    assert ears.heard == [2]
    assert [event.error for event in await made.parked()] == ["undecodable_event"]


async def test_an_event_whose_relays_die_is_parked_in_the_end(engine: AsyncEngine, clock: FakeClock) -> None:
    async def die(delivery: Delivery) -> None:
        raise asyncio.CancelledError

    made = relay(engine, clock, {FollowPaused.name: [Handler("die", die)]})
    await send(engine, clock, 1)
    for _ in range(RULE.attempts_max):
        with pytest.raises(asyncio.CancelledError):
            await made.relay_once(1)
        assert await made.relay_once(1) == 0  # its lease runs
        clock.advance(RULE.lease)
    assert await made.relay_once(1) == 1
    assert [event.error for event in await made.parked()] == ["never_ended"]


async def test_relays_at_once_deliver_each_event_once(engine: AsyncEngine, clock: FakeClock) -> None:
    ears = Ears()
    made = relay(engine, clock, {FollowPaused.name: [Handler("ears", ears)]})
    await send(engine, clock, *range(40))

    async def run() -> None:
        while await made.relay_once(3):
            pass

    await asyncio.gather(*(run() for _ in range(4)))
    assert Counter(ears.heard) == Counter(range(40))
    assert await rows_of(engine) == (0, 0)


async def test_a_relay_that_takes_long_keeps_its_lease_and_one_that_failed_waits_as_long_as_it_should(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    rule = RelayRule(
        lease=timedelta(milliseconds=60), backoff=timedelta(days=1), backoff_max=timedelta(days=1)
    )
    begun = clock.now()

    async def due_at(follow: int) -> datetime:
        async with engine.connect() as connection:
            rows = (await connection.execute(select(outbox))).mappings().all()
        [found] = [row["available_at"] for row in rows if row["payload"]["follow_id"] == follow]
        assert isinstance(found, datetime)
        return found

    async def handle(delivery: Delivery) -> None:
        assert isinstance(delivery.event, FollowPaused)
        if delivery.event.follow_id == 1:
            raise NotFound("There is no such follow.")
        clock.advance(rule.lease)  # by now another relay would take over
        async with asyncio.timeout(10):
            while await due_at(2) != clock.now() + rule.lease:
                await asyncio.sleep(0)

    table: Mapping[str, Sequence[AnyHandler]] = {FollowPaused.name: [Handler("handle", handle)]}
    slow = OutboxRelay(engine, EventBus(table, units_of_work(engine, clock)), clock, rule)
    await send(engine, clock, 1, 2)
    assert await slow.relay_once(10) == 2
    assert await due_at(1) == begun + rule.backoff
    assert await rows_of(engine) == (1, 0)


async def test_a_relay_that_was_overtaken_repeats_nothing_and_undoes_nothing(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    """The first relay stops before its handler until the second, after the lease, has done everything."""
    started, go_on = asyncio.Event(), asyncio.Event()
    calls: list[str] = []

    async def add_user(delivery: Delivery, unit: UnitOfWork) -> None:
        await unit.users.add("Ishmael", Role.FOLLOWER)

    def table(wait: Callable[[Delivery], object]) -> Mapping[str, Sequence[AnyHandler]]:
        async def gate(delivery: Delivery) -> None:
            calls.append("gate")
            if wait(delivery):
                started.set()
                await go_on.wait()

        return {FollowPaused.name: [Handler("gate", gate), TransactionalHandler("add", add_user)]}

    slow, quick = relay(engine, clock, table(lambda _: True)), relay(engine, clock, table(lambda _: False))
    await send(engine, clock, 1)
    running = asyncio.create_task(slow.relay_once(1))
    await started.wait()
    clock.advance(RULE.lease)
    assert await quick.relay_once(1) == 1
    assert await rows_of(engine) == (0, 0)
    go_on.set()
    assert await running == 1
    assert calls == ["gate", "gate"]  # acts outside the database happen at least once
    async with engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(users)) == 1  # inside, exactly once
    assert await rows_of(engine) == (0, 0)


async def test_the_failure_of_a_relay_that_was_overtaken_does_not_touch_the_new_claim(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    started, fail = asyncio.Event(), asyncio.Event()
    other_started, go_on = asyncio.Event(), asyncio.Event()

    async def break_late(delivery: Delivery) -> None:
        started.set()
        await fail.wait()
        raise NotFound("There is no such follow.")

    async def take_long(delivery: Delivery) -> None:
        other_started.set()
        await go_on.wait()

    slow = relay(engine, clock, {FollowPaused.name: [Handler("slow", break_late)]})
    new = relay(engine, clock, {FollowPaused.name: [Handler("new", take_long)]})
    await send(engine, clock, 1)
    overtaken = asyncio.create_task(slow.relay_once(1))
    await started.wait()
    clock.advance(RULE.lease)
    running = asyncio.create_task(new.relay_once(1))
    await other_started.wait()
    fail.set()
    assert await overtaken == 1
    async with engine.connect() as connection:
        row = (await connection.execute(select(outbox))).one()
    assert (row.attempts, row.error, row.available_at) == (2, None, clock.now() + RULE.lease)
    go_on.set()
    assert await running == 1
    assert await rows_of(engine) == (0, 0)


async def test_a_transactional_handler_that_fails_leaves_nothing(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    async def add_and_fail(delivery: Delivery, unit: UnitOfWork) -> None:
        await unit.users.add("Ishmael", Role.FOLLOWER)
        raise NotFound("There is no whale.")

    made = relay(engine, clock, {FollowPaused.name: [TransactionalHandler("add", add_and_fail)]})
    await send(engine, clock, 1)
    assert await made.relay_once(1) == 1
    async with engine.connect() as connection:
        assert await connection.scalar(select(func.count()).select_from(users)) == 0
    assert await rows_of(engine) == (1, 0)


async def test_events_appended_by_a_statement_carry_their_trace_and_are_due_at_once(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    heard: list[str] = []

    async def note(delivery: Delivery) -> None:
        heard.append(delivery.trace_id)

    made = relay(engine, clock, {FollowPaused.name: [Handler("note", note)]})
    event = FollowPaused(at=clock.now(), follow_id=FollowId(1))
    async with engine.begin() as connection:
        await append_events(connection, [event], clock.now(), trace_id="t-1")
        await append_events(connection, [])
    assert await made.relay_once(5) == 1
    assert heard == ["t-1"]


def test_the_wait_doubles_up_to_its_bound() -> None:
    waits = [RelayRule().wait_after(attempts).total_seconds() for attempts in (1, 2, 3, 9, 10, 1000)]
    assert waits == [1, 2, 4, 256, 300, 300]
