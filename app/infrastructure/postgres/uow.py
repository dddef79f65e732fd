"""The unit of work on PostgreSQL: one connection, one transaction, its repositories and its outbox rows.

Invariants: events leave in the same commit as what they tell of, or not at all; outside `async with`, and after the
commit, nothing of it can be used; the connection goes back to the pool whatever happens, cancellation included.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.domain.shared.clock import Clock
from app.domain.shared.errors import InvariantBroken
from app.domain.shared.events import Event, Recorder
from app.infrastructure.failpoints import commit_point
from app.infrastructure.postgres.leader_book import PostgresLeaderBook
from app.infrastructure.postgres.outage import in_domain_words, translated
from app.infrastructure.postgres.outbox import append_news, mark_handled
from app.infrastructure.postgres.repositories_risk import PostgresHalts, PostgresLimits
from app.infrastructure.postgres.repositories_users import PostgresAccounts, PostgresFollows, PostgresUsers
from app.infrastructure.postgres.repositories_whales import PostgresWhales
from app.infrastructure.postgres.signal_repository import PostgresSignals
from app.infrastructure.postgres.tokens import PostgresTokens


class PostgresUnitOfWork:
    """UnitOfWork; also InboxUnitOfWork, for handlers of events."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._active: AsyncConnection | None = None
        self._committed = False
        self._events: list[tuple[Event, str]] = []

    @property
    def connection(self) -> AsyncConnection:
        """The transaction's connection, for set-based statements of this package."""
        if self._active is None:
            raise InvariantBroken("A unit of work is used inside `async with` only.")
        if self._committed:
            raise InvariantBroken("This unit of work is committed; begin another.")
        return self._active

    @property
    def users(self) -> PostgresUsers:
        """People."""
        return PostgresUsers(self.connection, self._collect)

    @property
    def tokens(self) -> PostgresTokens:
        """API tokens."""
        return PostgresTokens(self.connection)

    @property
    def accounts(self) -> PostgresAccounts:
        """Trading accounts."""
        return PostgresAccounts(self.connection, self._collect)

    @property
    def follows(self) -> PostgresFollows:
        """Who copies whom."""
        return PostgresFollows(self.connection, self._collect)

    @property
    def whales(self) -> PostgresWhales:
        """Leaders."""
        return PostgresWhales(self.connection, self._collect)

    @property
    def leaders(self) -> PostgresLeaderBook:
        """Leaders' positions and consumed fills."""
        return PostgresLeaderBook(self.connection)

    @property
    def signals(self) -> PostgresSignals:
        """What was asked."""
        return PostgresSignals(self.connection, self._collect)

    @property
    def limits(self) -> PostgresLimits:
        """Users' own limits."""
        return PostgresLimits(self.connection)

    @property
    def halts(self) -> PostgresHalts:
        """Standing halts."""
        return PostgresHalts(self.connection)

    def record(self, event: Event, trace_id: str = "") -> None:
        """Send an event through the outbox when this unit of work commits."""
        _ = self.connection  # an event recorded outside a transaction would be lost without a word
        self._events.append((event, trace_id))

    async def first_time(self, handler: str, event_id: int) -> bool:
        """Note in this transaction that the handler handles the event; False when it did already or the event is gone."""
        return await mark_handled(self.connection, handler, event_id)

    async def commit(self) -> None:
        """Write the events to the outbox and make everything durable; once."""
        connection = self.connection
        await append_news(connection, self._events, self._clock.now())
        commit_point("before")
        await connection.commit()
        self._committed = True
        commit_point("after")
        self._events.clear()

    async def __aenter__(self) -> Self:
        """Begin the transaction; InvariantBroken when it is under way already."""
        if self._active is not None:
            raise InvariantBroken("A unit of work is entered once at a time.")
        self._events.clear()
        self._committed = False
        async with translated():
            self._active = await self._engine.connect().__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Roll back what was not committed, and give the connection back."""
        connection, self._active = self._active, None
        self._events.clear()
        if connection is not None:
            # Closing rolls back; SQLAlchemy shields it from the cancellation of this task.
            await connection.__aexit__(kind, error, trace)
        words = in_domain_words(error)
        if words is not None:
            raise words from error

    def _collect(self, recorder: Recorder, trace_id: str) -> None:
        self._events.extend((event, trace_id) for event in recorder.take())


def units_of_work(engine: AsyncEngine, clock: Clock) -> Callable[[], PostgresUnitOfWork]:
    """Return the UnitOfWorkFactory of a program."""
    return lambda: PostgresUnitOfWork(engine, clock)
