"""The bus: every handler hears an event, each acts on it once, and one failure keeps no other from hearing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.application.shared.bus import Delivery, DeliveryFailed, EventBus, Handler, TransactionalHandler
from app.application.shared.uow import UnitOfWork
from app.domain.shared.errors import InvalidValue, NotFound
from app.domain.shared.ids import FollowId, UserId
from app.domain.users.events import FollowPaused
from app.domain.users.user import Role
from tests.fakes.clock import START
from tests.fakes.memory_store import Store
from tests.fakes.memory_unit import MemoryUnitOfWork

PAUSED = Delivery(event_id=1, event=FollowPaused(at=START, follow_id=FollowId(1)), trace_id="t")


class Listener:
    """Remembers what it heard; fails as often as told."""

    def __init__(self, failures: int = 0) -> None:
        self.heard: list[Delivery] = []
        self._failures = failures

    async def __call__(self, delivery: Delivery) -> None:
        self.heard.append(delivery)
        if len(self.heard) <= self._failures:
            raise NotFound("It is not there.")

    async def in_unit(self, delivery: Delivery, unit: UnitOfWork) -> None:
        await unit.users.add(f"user {len(self.heard)}", Role.FOLLOWER)
        await self(delivery)


def units(store: Store) -> Callable[[], MemoryUnitOfWork]:
    return lambda: MemoryUnitOfWork(store)


def bus(store: Store, *handlers: Handler | TransactionalHandler) -> EventBus:
    return EventBus({FollowPaused.name: handlers}, units(store))


async def test_each_handler_hears_an_event_once_however_often_it_is_delivered() -> None:
    store, bell, writer = Store(), Listener(), Listener()
    made = bus(store, Handler("bell", bell), TransactionalHandler("writer", writer.in_unit))
    for _ in range(3):
        await made.deliver(PAUSED)
    assert bell.heard == [PAUSED]
    assert writer.heard == [PAUSED]
    assert len([place for place in store.rows if place[0] == "users"]) == 1


async def test_an_event_that_nobody_awaits_is_delivered() -> None:
    await EventBus({}, units(Store())).deliver(PAUSED)


async def test_a_failing_handler_keeps_no_other_from_hearing_and_alone_hears_it_again() -> None:
    store, good, bad, late = Store(), Listener(), Listener(failures=1), Listener()
    made = bus(store, Handler("good", good), Handler("bad", bad), Handler("late", late))
    with pytest.raises(DeliveryFailed) as caught:
        await made.deliver(PAUSED)
    assert caught.value.failures == (("bad", "not_found"),)
    assert isinstance(caught.value.__cause__, ExceptionGroup)
    await made.deliver(PAUSED)
    assert [len(listener.heard) for listener in (good, bad, late)] == [1, 2, 1]


async def test_a_failing_transaction_leaves_nothing_and_is_run_again() -> None:
    store, writer = Store(), Listener(failures=1)
    made = bus(store, TransactionalHandler("writer", writer.in_unit))
    with pytest.raises(DeliveryFailed):
        await made.deliver(PAUSED)
    assert store.rows == {}
    await made.deliver(PAUSED)
    assert len([place for place in store.rows if place[0] == "users"]) == 1


async def test_a_failure_is_told_by_its_code_not_by_its_text() -> None:
    async def leak(delivery: Delivery) -> None:
        raise ValueError("secret-canary")

    with pytest.raises(DeliveryFailed) as caught:
        await bus(Store(), Handler("leak", leak)).deliver(PAUSED)
    assert caught.value.failures == (("leak", "ValueError"),)
    assert "canary" not in str(caught.value)


async def test_a_plain_handler_runs_outside_any_transaction() -> None:
    store = Store()

    async def act(delivery: Delivery) -> None:
        async with MemoryUnitOfWork(store) as unit:
            await unit.users.add("Ishmael", Role.FOLLOWER)
            await unit.commit()

    await bus(store, Handler("act", act)).deliver(PAUSED)
    async with MemoryUnitOfWork(store) as unit:
        assert (await unit.users.get(UserId(1))).name == "Ishmael"


def test_two_handlers_of_one_event_cannot_share_a_name() -> None:
    with pytest.raises(InvalidValue):
        bus(Store(), Handler("same", Listener()), Handler("same", Listener()))
