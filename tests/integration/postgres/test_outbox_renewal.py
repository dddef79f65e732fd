"""The lease of an event, renewed at the very moment when its delivery fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import cast

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.application.shared.bus import Delivery, EventBus, Handler
from app.domain.shared.errors import NotFound
from app.domain.users.events import FollowPaused
from app.infrastructure.postgres.outbox import OutboxRelay, RelayRule
from app.infrastructure.postgres.schema import outbox
from app.infrastructure.postgres.uow import units_of_work
from tests.fakes.clock import FakeClock
from tests.integration.postgres.test_outbox import send


class LateKeeper:
    """An engine that gives whoever renews a lease its connection only once the relay itself has written."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.relay = asyncio.current_task()
        self.renewing, self.wrote = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        is_keeper = asyncio.current_task() is not self.relay
        if is_keeper:
            self.renewing.set()
            with suppress(TimeoutError):  # a relay that waits for its keeper does not write before
                await asyncio.wait_for(self.wrote.wait(), 0.3)
        async with self.engine.connect() as connection:
            yield connection
        if not is_keeper and self.renewing.is_set():
            self.wrote.set()


async def test_a_lease_that_is_being_renewed_while_its_event_fails_does_not_shorten_the_wait(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    rule = RelayRule(
        lease=timedelta(milliseconds=30), backoff=timedelta(days=1), backoff_max=timedelta(days=1)
    )
    late = LateKeeper(engine)

    async def fail(delivery: Delivery) -> None:
        await late.renewing.wait()
        raise NotFound("There is no such follow.")

    bus = EventBus({FollowPaused.name: [Handler("fail", fail)]}, units_of_work(engine, clock))
    await send(engine, clock, 1)
    assert await OutboxRelay(cast("AsyncEngine", late), bus, clock, rule).relay_once(1) == 1
    async with engine.connect() as connection:
        assert await connection.scalar(select(outbox.c.available_at)) == clock.now() + rule.backoff
