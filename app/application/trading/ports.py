"""What copying needs from outside: the copy book, quotes and the venue's clock.

These ports speak in batches: the unit of work of the hot path is the chunk, not the aggregate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from app.domain.risk.exposure import Exposure
from app.domain.risk.limits import Limits
from app.domain.shared.ids import ClientOrderId, FollowId
from app.domain.shared.market import Instrument, Symbol, Venue
from app.domain.shared.money import Price, Quantity
from app.domain.signals.signal import Signal
from app.domain.trading.copying import CopyOrder, Follower
from app.domain.trading.decision import Decision


@dataclass(frozen=True, slots=True)
class Candidate:
    """One follow of a signal's whale as the snapshot found it; `venue` is that of the follower's account, `hedged` its
    position mode.

    `risk_version` is the account's version at that moment: a reservation by anyone else since then makes the commit
    of this candidate fail, and it is planned anew.
    """

    venue: Venue
    follower: Follower
    exposure: Exposure
    limits: Limits
    sealed: bytes
    risk_version: int
    hedged: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """An order that is ready to be committed: what is sent is what is stored.

    `first_quantity` is that of the first attempt: less than the whole where the venue caps one order's size.
    `exit_pending` is what the plan knew of other exits on their way and `held` what it knew of the position: an exit is
    committed only if both still hold.
    """

    instrument: Instrument
    order: CopyOrder
    first_quantity: Quantity
    exit_pending: Quantity
    held: Decimal
    decision: Decision
    client_order_id: ClientOrderId
    risk_version: int
    sealed: bytes
    hedged: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """The fence of a batch: the venue's time that requests are signed with, and how long they are valid."""

    signed_ms: int
    valid_ms: int
    look_at: datetime


class CopyBook(Protocol):
    """The snapshot and the reservation, each one statement for a whole chunk."""

    async def snapshot(
        self, signal: Signal, now: datetime, symbols: Mapping[Venue, Sequence[Symbol]]
    ) -> Sequence[Candidate]:
        """Return every follow that still needs a decision on the signal (none yet, or a deferred one).

        `symbols` says what the signal's market is called at the venue of each follower; a follow is returned once for each.
        """
        ...

    async def whale_paused(self, signal: Signal) -> bool:
        """Return whether entries of the signal's whale are stopped."""
        ...

    async def commit(
        self,
        signal: Signal,
        owner: str,
        prepared: Sequence[Prepared],
        decisions: Sequence[Decision],
        window: Window | None,
    ) -> frozenset[FollowId]:
        """Hold funds and store trades, first attempts and all decisions in one transaction.

        All of `prepared` are on one market of one venue.

        Raises ConcurrencyConflict, with nothing written, when `owner` does not hold the signal's claim any more.
        Returns the follows whose order is now ours to send; one that is missing lost a race for its funds or was
        stored by another worker: nothing of it was written, and nothing may be sent for it.
        """
        ...


class Quotes(Protocol):
    """The market as the process knows it, without a network call."""

    async def instrument(self, venue: Venue, sym: Symbol) -> Instrument:
        """Return the instrument, or raise NotFound."""
        ...

    async def mark(self, venue: Venue, sym: Symbol) -> Price:
        """Return a mark price that is fresh enough to trade on, or raise VenueUnavailable."""
        ...


class VenueClock(Protocol):
    """The venue's time as we estimate it."""

    def now_ms(self, venue: Venue) -> int:
        """Return the venue's clock; raises VenueUnavailable when the estimate is too old or too vague to sign with."""
        ...
