"""The readers of the read side, and what can be asked of them.

Every reader takes a `viewer`: a user id restricts the rows to that user's own in the query itself, None is an operator
who sees everyone's. A row that the viewer may not see is absent, so that existence does not leak.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from app.application.queries import (
    AccountRow,
    Backlog,
    DecisionCount,
    DecisionRow,
    FollowRow,
    FundsRow,
    HeldMarket,
    Keyset,
    LeaderPositionRow,
    OrderRow,
    Page,
    PositionRow,
    SignalRow,
    UserRow,
    WhaleRow,
)
from app.domain.risk.halts import Halt
from app.domain.shared.ids import AccountId, FollowId, SignalId, UserId, WhaleId
from app.domain.shared.market import Symbol, Venue
from app.domain.shared.money import Price
from app.domain.signals.signal import SignalSource, SignalState
from app.domain.trading.decision import DecisionOutcome
from app.domain.trading.order import OrderState
from app.domain.whales.whale import WhaleState

Viewer: TypeAlias = UserId | None


@dataclass(frozen=True, slots=True)
class SignalFilter:
    """Which signals are wanted; None means any."""

    whale_id: WhaleId | None = None
    symbol: Symbol | None = None
    state: SignalState | None = None
    source: SignalSource | None = None


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """Which decisions are wanted; None means any. `not_copied` leaves COPIED and REDUCED out."""

    signal_id: SignalId | None = None
    follow_id: FollowId | None = None
    outcome: DecisionOutcome | None = None
    not_copied: bool = False


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders are wanted; None means any."""

    follow_id: FollowId | None = None
    signal_id: SignalId | None = None
    symbol: Symbol | None = None
    state: OrderState | None = None


class PeopleReader(Protocol):
    """Users, accounts and follows."""

    async def users(self, *, limit: int, after: Keyset | None = None) -> Page[UserRow]:
        """Return users, newest first; for operators only."""
        ...

    async def user(self, user_id: UserId) -> UserRow:
        """Return one user, or raise NotFound."""
        ...

    async def accounts(self, viewer: Viewer, *, limit: int, after: Keyset | None = None) -> Page[AccountRow]:
        """Return trading accounts, newest first."""
        ...

    async def account(self, viewer: Viewer, account_id: AccountId) -> AccountRow:
        """Return one account, or raise NotFound."""
        ...

    async def follows(
        self, viewer: Viewer, *, limit: int, after: Keyset | None = None, whale_id: WhaleId | None = None
    ) -> Page[FollowRow]:
        """Return follows, newest first; `whale_id` restricts them to one leader's."""
        ...

    async def follow(self, viewer: Viewer, follow_id: FollowId) -> FollowRow:
        """Return one follow, or raise NotFound."""
        ...


class WhaleReader(Protocol):
    """Leaders, which every user may see; what a user may not see of them is who follows."""

    async def whales(
        self, *, limit: int, after: Keyset | None = None, state: WhaleState | None = None
    ) -> Page[WhaleRow]:
        """Return leaders, newest first."""
        ...

    async def whale(self, whale_id: WhaleId) -> WhaleRow:
        """Return one leader, or raise NotFound."""
        ...

    async def leader_positions(self, whale_id: WhaleId) -> Sequence[LeaderPositionRow]:
        """Return what the leader holds, by symbol."""
        ...


class SignalReader(Protocol):
    """Signals and what became of them. A user sees the signals of leaders that they follow or followed."""

    async def signals(
        self, viewer: Viewer, wanted: SignalFilter, *, limit: int, after: Keyset | None = None
    ) -> Page[SignalRow]:
        """Return signals that match, newest first."""
        ...

    async def signal(self, viewer: Viewer, signal_id: SignalId) -> SignalRow:
        """Return one signal, or raise NotFound."""
        ...

    async def decision_counts(self, viewer: Viewer, signal_id: SignalId) -> Sequence[DecisionCount]:
        """Return the signal's decisions by outcome and code, most frequent first."""
        ...

    async def decisions(
        self, viewer: Viewer, wanted: DecisionFilter, *, limit: int, after: Keyset | None = None
    ) -> Page[DecisionRow]:
        """Return decisions that match, those on the newest signals first."""
        ...


class TradingReader(Protocol):
    """Orders, positions and money."""

    async def orders(
        self, viewer: Viewer, wanted: OrderFilter, *, limit: int, after: Keyset | None = None
    ) -> Page[OrderRow]:
        """Return orders that match, those of the newest signals first."""
        ...

    async def order(self, viewer: Viewer, client_order_id: str) -> OrderRow:
        """Return one order, or raise NotFound."""
        ...

    async def positions(
        self,
        viewer: Viewer,
        *,
        limit: int,
        after: Keyset | None = None,
        follow_id: FollowId | None = None,
        open_only: bool = True,
    ) -> Page[PositionRow]:
        """Return positions by follow and symbol, newest follow first; closed ones too unless `open_only`."""
        ...

    async def funds(self, viewer: Viewer) -> Sequence[FundsRow]:
        """Return the money of each account, oldest account first."""
        ...


class HeldMarkets(Protocol):
    """What a follow would have to leave."""

    async def of_follow(self, follow_id: FollowId) -> Sequence[HeldMarket]:
        """Return each market on which the follow holds something or has an entry whose outcome is not booked.

        A market whose other side is on its way in comes twice: what is held first.
        """
        ...

    async def of_account(self, account_id: AccountId) -> int:
        """Return on how many markets the account holds something or has an order whose outcome is not booked."""
        ...


class HaltReader(Protocol):
    """Standing halts."""

    async def halts(self, viewer: Viewer) -> Sequence[Halt]:
        """Return the platform's and venues' halts and the viewer's own, newest first."""
        ...


class HealthReader(Protocol):
    """What an operator asks of the whole."""

    async def backlog(self) -> Backlog:
        """Return what waits and what is in doubt."""
        ...


class MarkSource(Protocol):
    """Mark prices of a venue. Best effort: what is not known is absent, and nothing is raised for it."""

    async def marks(self, venue: Venue) -> Mapping[Symbol, Price]:
        """Return the newest mark price of each symbol."""
        ...
