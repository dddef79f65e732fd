"""What the whales context needs from outside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from app.domain.shared.ids import AccountId, SignalId, WhaleId
from app.domain.shared.market import Symbol, Venue
from app.domain.whales.intent import Burst
from app.domain.whales.whale import Whale, WhaleTier


class WhaleRepository(Protocol):
    """Loads and saves whales under their version."""

    async def add(self, name: str, venue: Venue, account: AccountId, tier: WhaleTier) -> Whale:
        """Store a new whale; AlreadyExists when the account is a whale already."""
        ...

    async def get(self, whale_id: WhaleId) -> Whale:
        """Return the whale, or raise NotFound."""
        ...

    async def save(self, whale: Whale) -> None:
        """Store the whale if nobody else changed it, or raise ConcurrencyConflict."""
        ...

    async def watched(self) -> Sequence[Whale]:
        """Return every whale whose stream must be followed: all that are not banned or still copied by someone."""
        ...


class LeaderBook(Protocol):
    """What we know of leaders' positions, and which of their fills are already part of a signal."""

    async def position(self, whale: WhaleId, sym: Symbol) -> Decimal:
        """Return the leader's signed position as of the last consumed fill, locked until the end of the transaction."""
        ...

    async def unseen(self, whale: WhaleId, burst: Burst) -> Burst | None:
        """Return the burst without fills that were consumed before, or None when all were."""
        ...

    async def consume(self, whale: WhaleId, burst: Burst, after: Decimal, signal: SignalId | None) -> None:
        """Mark the burst's fills as consumed (by `signal`, if one came of them) and store the position after them."""
        ...

    async def set_position(self, whale: WhaleId, sym: Symbol, quantity: Decimal) -> None:
        """Store what the venue says a leader holds, when the watch begins."""
        ...

    async def newest_fills(self, whale: WhaleId) -> dict[Symbol, datetime]:
        """Return per symbol the venue's time of the newest consumed fill: catch-up starts a little before it."""
        ...

    async def watched_since(self, whale: WhaleId) -> datetime | None:
        """Return when the watch of this leader first began, None when it never did."""
        ...

    async def begin_watch(self, whale: WhaleId, at: datetime) -> None:
        """Remember that from `at` on, what the leader does is copied."""
        ...
