"""What protection needs from outside: the book of protections and of the positions that they guard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Protocol

from app.domain.shared.ids import AccountId, ClientOrderId, FollowId, SignalId, WhaleId
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import Price, Quantity
from app.domain.shared.protection_terms import ProtectionTerms
from app.domain.shared.triggers import TriggerKind
from app.domain.signals.priority import Lane
from app.domain.signals.signal import Signal
from app.domain.trading.protection import ProtectionState

WITHDRAWN: Final = "WITHDRAWN"
"""The code of one that was cancelled by us: its end is no failure, and what replaces it need not wait."""


@dataclass(frozen=True, slots=True)
class StoredProtection:
    """One attempt of one rung as stored. `signal_id` names the exit that it becomes when it triggers."""

    follow_id: FollowId
    symbol: Symbol
    rung: str
    attempt: int
    account_id: AccountId
    venue: Venue
    client_order_id: ClientOrderId
    signal_id: SignalId
    kind: TriggerKind
    side: Side
    trigger: Price
    quantity: Quantity
    state: ProtectionState
    signed_ms: int
    valid_ms: int
    protection_id: str | None = None
    order_id: str | None = None
    looks: int = 0
    look_at: datetime | None = None
    code: str | None = None
    message: str | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Guarded:
    """One follow's position on one market, flat ones with protections left included.

    `entry` is the average entry, `best` the best mark seen since `opened_at`, `bare_since` when it was first seen
    without the stop that it wants. `leaving` says that an exit is on its way, or waits for what rests to be gone; `shared` that
    another follow of the account holds the market or is about to, or that an exit waits as if it did. `rows` are the attempts since the position
    was opened, and whatever may still rest; `newest` is the last attempt ever of each rung.
    """

    follow_id: FollowId
    whale_id: WhaleId
    account_id: AccountId
    venue: Venue
    symbol: Symbol
    sealed: bytes
    hedged: bool
    terms: ProtectionTerms
    quantity: Decimal
    entry: Price | None
    opened_at: datetime | None
    best: Price | None
    bare_since: datetime | None
    leaving: bool
    shared: bool
    rows: tuple[StoredProtection, ...]
    newest: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Looked:
    """A protection whose fate is to be looked up, with what is needed to ask the venue."""

    row: StoredProtection
    sealed: bytes


class ProtectionBook(Protocol):
    """Stores protections; each call is one transaction."""

    async def guarded(self) -> Sequence[Guarded]:
        """Return every position whose terms ask for protection or that still has a live one."""
        ...

    async def begin(self, rows: Sequence[StoredProtection]) -> frozenset[ClientOrderId]:
        """Store new attempts before they are sent; return those that are ours to send."""
        ...

    async def change(self, row: StoredProtection, was: ProtectionState) -> bool:
        """Store what became of one attempt; False when another changed it first."""
        ...

    async def trigger(self, row: StoredProtection, was: ProtectionState, at: datetime) -> bool:
        """Store that it triggered, and the exit that it became, with its signal, decision and order, in one piece."""
        ...

    async def by_client_id(self, client_order_id: str) -> StoredProtection | None:
        """Return our protection of this id, None when it is not one of ours."""
        ...

    async def due(self, now: datetime, limit: int, hide_for: timedelta) -> Sequence[Looked]:
        """Take protections whose fate must be looked up now; they are hidden from other lookers for a while."""
        ...

    async def remember(self, position: Guarded, best: Price | None, bare_since: datetime | None) -> None:
        """Store the best mark since the position was opened, and since when it lacks its stop."""
        ...

    async def asked(self, exits: Sequence[SignalId]) -> frozenset[SignalId]:
        """Return which of these exits were asked for before."""
        ...

    async def may_sell(self, follows: Sequence[FollowId], symbol: Symbol) -> Sequence[Looked]:
        """Return the protections of these follows on a market that are not proven over: neither ended nor, when they
        triggered, booked.
        """
        ...

    async def reopen(self, row: StoredProtection) -> Sequence[tuple[SignalId, Lane]]:
        """Put finished signals back in line, and return them, to ring for: whose exits waited for this follow's protections,
        when none may sell any more, and whose entries waited for another follow of the account.
        """
        ...

    async def number(self, row: StoredProtection, at: datetime) -> bool:
        """Store the venue's number of the order that a triggered one became, to be looked up from `at` on; False when one
        is known already.
        """
        ...

    async def leave(self, signal: Signal) -> tuple[SignalId, Lane] | None:
        """Add an exit of one follow; None when it was asked for before."""
        ...

    async def spent(self, signal: Signal) -> datetime | None:
        """Return when an exit of one follow was asked for, if it closed what it could and is over; None while it may yet close
        something, and when what is left is not for it to close, as dust.
        """
        ...
