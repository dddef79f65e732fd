"""The outbox: events wait here from the commit that made them until each of their handlers has acted.

Invariants: an event is claimed by one relay at a time, under a lease that it renews and that lapses if it dies; a failing event
waits longer each time, and after `attempts_max` it is parked while others go on; an event and its inbox notes leave
together, and a note can only be made while the event is there, so a relay that was overtaken repeats nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import CTE, delete, insert, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.application.shared.bus import Delivery, DeliveryFailed, EventBus, code_of
from app.application.shared.ending import end
from app.domain.shared.clock import Clock
from app.domain.shared.events import Event
from app.infrastructure.postgres.event_codec import decode, encode
from app.infrastructure.postgres.schema import inbox, outbox
from app.infrastructure.postgres.transaction import transaction

_LOG: Final = structlog.get_logger(__name__)
_NEVER_ENDED: Final = "never_ended"


@dataclass(frozen=True, slots=True)
class RelayRule:
    """How long a relay may hold a batch, how the wait grows (doubling from base to max), and when it gives up.

    The lease is what a flatten waits for when the worker that carried it out is killed.
    """

    lease: timedelta = timedelta(seconds=10)
    backoff: timedelta = timedelta(seconds=1)
    backoff_max: timedelta = timedelta(minutes=5)
    attempts_max: int = 8

    def wait_after(self, attempts: int) -> timedelta:
        """Return how long an event waits after its n-th failed attempt."""
        doublings = min(attempts - 1, 30)
        return min(self.backoff_max, self.backoff * (1 << doublings))


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """An event that was given up: what it is, how often it was tried, and the code of its last failure."""

    id: int
    name: str
    payload: Mapping[str, Any]
    created_at: datetime
    attempts: int
    error: str


class OutboxRelay:
    """Carries events from the outbox to the bus. Any number of relays may run."""

    def __init__(
        self, engine: AsyncEngine, bus: EventBus, clock: Clock, rule: RelayRule | None = None
    ) -> None:
        self._engine = engine
        self._bus = bus
        self._clock = clock
        self._rule = rule or RelayRule()

    async def relay_once(self, limit: int) -> int:
        """Deliver up to `limit` events that are due, oldest first; return how many were taken (0: nothing is due)."""
        async with transaction(self._engine, "outbox.claim") as connection:
            rows = await _claim(connection, self._clock.now(), self._rule.lease, limit)
        if not rows:
            return 0
        claimed = {row["id"]: row["attempts"] for row in rows}
        renewing = asyncio.Lock()
        keeper = asyncio.create_task(self._keep(claimed, renewing))
        try:
            for row in rows:
                await self._relay(row, claimed, renewing)
        finally:
            await end(keeper)
        return len(rows)

    async def parked(self) -> Sequence[ParkedEvent]:
        """Return the events that were given up, oldest first."""
        statement = select(outbox).where(outbox.c.parked).order_by(outbox.c.id)
        async with self._engine.connect() as connection:
            rows = (await connection.execute(statement)).mappings().all()
        return tuple(
            ParkedEvent(
                id=row["id"],
                name=row["name"],
                payload=row["payload"],
                created_at=row["created_at"],
                attempts=row["attempts"],
                error=row["error"] or "",
            )
            for row in rows
        )

    async def redrive(self, event_id: int) -> bool:
        """Try a parked event again from the beginning; False when none of that id is parked."""
        statement = (
            update(outbox)
            .where(outbox.c.id == event_id, outbox.c.parked)
            .values(parked=False, attempts=0, error=None, available_at=self._clock.now())
        )
        async with transaction(self._engine, "outbox.redrive") as connection:
            return (await connection.execute(statement)).rowcount == 1

    async def _keep(self, claimed: Mapping[int, int], renewing: asyncio.Lock) -> None:
        """Renew the lease of what is claimed and not handled yet, well before it lapses."""
        lease = self._rule.lease
        while True:
            await asyncio.sleep(lease.total_seconds() / 3)
            async with renewing, transaction(self._engine, "outbox.renew") as connection:
                mine = tuple_(outbox.c.id, outbox.c.attempts).in_(list(claimed.items()))
                statement = update(outbox).where(mine).values(available_at=self._clock.now() + lease)
                await connection.execute(statement)

    async def _relay(self, row: RowMapping, claimed: dict[int, int], renewing: asyncio.Lock) -> None:
        event_id, attempts = row["id"], row["attempts"]
        failure = await self._deliver(row)
        async with renewing:  # not renewed from here on: one that failed waits as long as its rule says
            del claimed[event_id]
        if failure is None:
            await self._forget(event_id, attempts)
        else:
            await self._set_back(event_id, attempts, failure)

    async def _deliver(self, row: RowMapping) -> str | None:
        """Return None once every handler has acted, else why not."""
        event_id, attempts = row["id"], row["attempts"]
        if attempts > self._rule.attempts_max:  # each relay that took it died before it could say why
            return _NEVER_ENDED
        try:
            event = decode(row["name"], row["payload"])
            await self._bus.deliver(Delivery(event_id=event_id, event=event, trace_id=row["trace_id"]))
        except Exception as error:  # noqa: BLE001 - one failure must not stop the rest
            reason = _reason(error)
            _LOG.warning(
                "event_not_delivered",
                event_id=event_id,
                event_name=row["name"],
                attempt=attempts,
                reason=reason,
                trace_id=row["trace_id"],
                exc_info=error,
            )
            return reason
        return None

    async def _forget(self, event_id: int, attempts: int) -> None:
        async with transaction(self._engine, "outbox.forget") as connection:
            gone = await connection.execute(delete(outbox).where(*_claimed(event_id, attempts)))
            if gone.rowcount == 1:
                await connection.execute(delete(inbox).where(inbox.c.event_id == event_id))

    async def _set_back(self, event_id: int, attempts: int, reason: str) -> None:
        rule = self._rule
        statement = (
            update(outbox)
            .where(*_claimed(event_id, attempts))
            .values(
                parked=attempts >= rule.attempts_max,
                error=reason,
                available_at=self._clock.now() + rule.wait_after(attempts),
            )
        )
        async with transaction(self._engine, "outbox.set_back") as connection:
            await connection.execute(statement)


async def append_events(
    connection: AsyncConnection, events: Sequence[Event], now: datetime | None = None, *, trace_id: str = ""
) -> None:
    """Write events in the caller's transaction; they are due from `now` (the database's time if None) on."""
    await append_news(connection, [(event, trace_id) for event in events], now)


async def append_news(
    connection: AsyncConnection, news: Sequence[tuple[Event, str]], now: datetime | None = None
) -> None:
    """Like `append_events`, each event with a trace id of its own."""
    times = {} if now is None else {"created_at": now, "available_at": now}
    rows = [
        {"name": event.name, "payload": encode(event), "trace_id": trace_id, **times}
        for event, trace_id in news
    ]
    if rows:
        await connection.execute(insert(outbox), rows)


async def mark_handled(connection: AsyncConnection, handler: str, event_id: int) -> bool:
    """Note in the caller's transaction that a handler handles an event.

    False when it is noted already or the event has left the outbox. The lock on the event keeps it there until the
    caller's transaction ends.
    """
    event = _locked_event(event_id)
    statement = (
        upsert(inbox)
        .from_select(["handler", "event_id"], select(literal(handler), event.c.id))
        .on_conflict_do_nothing()
        .returning(inbox.c.event_id)
    )
    return (await connection.execute(statement)).scalar_one_or_none() is not None


def _locked_event(event_id: int) -> CTE:
    return (
        select(outbox.c.id)
        .where(outbox.c.id == event_id)
        .with_for_update(read=True, key_share=True)
        .cte("event")
    )


async def _claim(
    connection: AsyncConnection, now: datetime, lease: timedelta, limit: int
) -> Sequence[RowMapping]:
    due = (
        select(outbox.c.id)
        .where(~outbox.c.parked, outbox.c.available_at <= now)
        .order_by(outbox.c.available_at, outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    statement = (
        update(outbox)
        .where(outbox.c.id == due.c.id)
        .values(available_at=now + lease, attempts=outbox.c.attempts + 1)
        .returning(outbox)
    )
    rows = (await connection.execute(statement)).mappings().all()
    return sorted(rows, key=lambda row: int(row["id"]))


def _claimed(event_id: int, attempts: int) -> tuple[Any, Any]:
    """The attempt number is the fence: whoever claimed later raised it."""
    return outbox.c.id == event_id, outbox.c.attempts == attempts


def _reason(error: Exception) -> str:
    if isinstance(error, DeliveryFailed):
        return ", ".join(f"{handler}: {code}" for handler, code in error.failures)
    return code_of(error)
