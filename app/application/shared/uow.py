"""The unit of work: what is loaded together, changes together and is committed once.

Events that saved aggregates recorded, and those given to `record`, are written to the outbox in the same
transaction: a fact and the news of it cannot part. No network call happens inside a unit of work.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self, TypeAlias

from app.domain.risk.ports import HaltRepository, LimitsRepository
from app.domain.shared.events import Event
from app.domain.signals.ports import SignalRepository
from app.domain.users.ports import AccountRepository, FollowRepository, TokenStore, UserRepository
from app.domain.whales.ports import LeaderBook, WhaleRepository


class UnitOfWork(Protocol):
    """One transaction with the repositories that see it. Leaving it without `commit` rolls back."""

    @property
    def users(self) -> UserRepository:
        """People."""
        ...

    @property
    def tokens(self) -> TokenStore:
        """API tokens."""
        ...

    @property
    def accounts(self) -> AccountRepository:
        """Trading accounts."""
        ...

    @property
    def follows(self) -> FollowRepository:
        """Who copies whom."""
        ...

    @property
    def whales(self) -> WhaleRepository:
        """Leaders."""
        ...

    @property
    def leaders(self) -> LeaderBook:
        """Leaders' positions and consumed fills."""
        ...

    @property
    def signals(self) -> SignalRepository:
        """What was asked."""
        ...

    @property
    def limits(self) -> LimitsRepository:
        """Users' own limits."""
        ...

    @property
    def halts(self) -> HaltRepository:
        """Standing halts."""
        ...

    def record(self, event: Event, trace_id: str = "") -> None:
        """Send an event through the outbox when this unit of work commits."""
        ...

    async def commit(self) -> None:
        """Make everything durable, the recorded events included."""
        ...

    async def __aenter__(self) -> Self:
        """Begin the transaction."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Roll back what was not committed, and give the connection back."""
        ...


UnitOfWorkFactory: TypeAlias = Callable[[], UnitOfWork]
