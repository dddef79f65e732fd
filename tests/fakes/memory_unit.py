"""The unit of work in memory; it passes the same contract as the one on PostgreSQL (tests/contract/persistence)."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from app.domain.shared.errors import InvariantBroken
from app.domain.shared.events import Event, Recorder
from tests.fakes.memory_people import (
    MemoryAccounts,
    MemoryFollows,
    MemoryHalts,
    MemoryLimits,
    MemoryTokens,
    MemoryUsers,
    MemoryWhales,
)
from tests.fakes.memory_signals import MemoryLeaderBook, MemorySignals
from tests.fakes.memory_store import Store, Table, Transaction

INBOX = Table[tuple[str, int], bool]("inbox")


class MemoryUnitOfWork:
    """UnitOfWork, and InboxUnitOfWork. `Store.news` holds the events of committed units with their trace ids."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._active: Transaction | None = None
        self._committed = False
        self._news: list[tuple[Event, str]] = []

    @property
    def _transaction(self) -> Transaction:
        if self._active is None or self._committed:
            raise InvariantBroken("A unit of work is used inside `async with`, until its commit.")
        return self._active

    @property
    def users(self) -> MemoryUsers:
        return MemoryUsers(self._transaction, self._collect)

    @property
    def tokens(self) -> MemoryTokens:
        return MemoryTokens(self._transaction)

    @property
    def accounts(self) -> MemoryAccounts:
        return MemoryAccounts(self._transaction, self._collect)

    @property
    def follows(self) -> MemoryFollows:
        return MemoryFollows(self._transaction, self._collect)

    @property
    def whales(self) -> MemoryWhales:
        return MemoryWhales(self._transaction, self._collect)

    @property
    def leaders(self) -> MemoryLeaderBook:
        return MemoryLeaderBook(self._transaction)

    @property
    def signals(self) -> MemorySignals:
        return MemorySignals(self._transaction, self._collect)

    @property
    def limits(self) -> MemoryLimits:
        return MemoryLimits(self._transaction)

    @property
    def halts(self) -> MemoryHalts:
        return MemoryHalts(self._transaction)

    def record(self, event: Event, trace_id: str = "") -> None:
        _ = self._transaction
        self._news.append((event, trace_id))

    async def first_time(self, handler: str, event_id: int) -> bool:
        if self._transaction.get(INBOX, (handler, event_id)) is not None:
            return False
        self._transaction.put(INBOX, (handler, event_id), True)
        return True

    async def commit(self) -> None:
        self._transaction.commit(self._news)
        self._committed = True
        self._news = []

    async def __aenter__(self) -> Self:
        if self._active is not None:
            raise InvariantBroken("A unit of work is entered once at a time.")
        self._active, self._committed, self._news = Transaction(self._store), False, []
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._active, self._news = None, []

    def _collect(self, recorder: Recorder, trace_id: str) -> None:
        self._news.extend((event, trace_id) for event in recorder.take())
