"""The rows of the read side: what is served, as plain values.

Secrets, sealed keys and token hashes are never part of a row. Pages go from newest to oldest by a keyset: `Page.after`
is what to ask with for the next page, None on the last one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Generic, TypeAlias, TypeVar
from uuid import UUID

from app.domain.shared.execution import Action, Leg
from app.domain.shared.ids import AccountId, FollowId, UserId, WhaleId
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import Money, Price
from app.domain.shared.terms import CopyTerms
from app.domain.signals.signal import SignalSource, SignalState
from app.domain.trading.decision import DecisionOutcome
from app.domain.trading.order import OrderState
from app.domain.trading.position import Position
from app.domain.trading.trade import TradeState
from app.domain.users.account import KeyState
from app.domain.users.follow import FollowState
from app.domain.users.user import Role, UserState
from app.domain.whales.whale import WhaleState, WhaleTier

Keyset: TypeAlias = tuple[int | str, ...]
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """Some rows, newest first; `after` asks for those that follow, None when there are none."""

    rows: Sequence[R]
    after: Keyset | None


@dataclass(frozen=True, slots=True)
class UserRow:
    """A person known to the platform."""

    id: UserId
    name: str
    role: Role
    state: UserState
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A trading account without its sealed key."""

    id: AccountId
    user_id: UserId
    venue: Venue
    label: str
    key_state: KeyState
    key_reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class WhaleRow:
    """A leader; `followers` counts live follows (active or paused)."""

    id: WhaleId
    name: str
    venue: Venue
    tier: WhaleTier
    state: WhaleState
    followers: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LeaderPositionRow:
    """What a leader holds: signed base units as of the last consumed fill."""

    symbol: Symbol
    quantity: Decimal
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class FollowRow:
    """A follow with its terms."""

    id: FollowId
    user_id: UserId
    whale_id: WhaleId
    account_id: AccountId
    terms: CopyTerms
    state: FollowState
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SignalRow:
    """A signal as stored; `seq` orders signals by their arrival."""

    id: UUID
    seq: int
    source: SignalSource
    whale_id: WhaleId
    venue: Venue
    symbol: Symbol
    action: Action
    side: Side
    quantity: Decimal
    fraction: Decimal
    reference_price: Decimal
    scope: FollowId | None
    state: SignalState
    leader_at: datetime
    created_at: datetime
    expires_at: datetime | None
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class DecisionCount:
    """How many of a signal's decisions share an outcome and a code."""

    outcome: DecisionOutcome
    code: str
    count: int


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One follower's decision on one signal, with the figures that it was made on."""

    signal_id: UUID
    follow_id: FollowId
    user_id: UserId
    whale_id: WhaleId
    symbol: Symbol
    action: Action
    outcome: DecisionOutcome
    code: str
    reason: str
    inputs: Mapping[str, str]
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One attempt with the trade that it serves. `executed` is the venue's cumulative figure in base units."""

    client_order_id: str
    signal_id: UUID
    follow_id: FollowId
    account_id: AccountId
    leg: Leg
    attempt: int
    venue: Venue
    symbol: Symbol
    side: Side
    reduce_only: bool
    quantity: Decimal
    executed: Decimal
    average_price: Decimal | None
    state: OrderState
    trade_state: TradeState
    venue_order_id: str | None
    code: str | None
    message: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PositionRow:
    """What one follow holds (or held) on one market."""

    user_id: UserId
    follow_id: FollowId
    whale_id: WhaleId
    account_id: AccountId
    venue: Venue
    symbol: Symbol
    position: Position
    opened_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class FundsRow:
    """One account's money in quote currency; `realised`, `fees` and `funding` are totals over all its positions."""

    account_id: AccountId
    venue: Venue
    label: str
    wallet: Money
    held: Money
    margin: Money
    high_water: Money
    realised_today: Money
    realised: Money
    fees: Money
    funding: Money
    synced_at: datetime | None


@dataclass(frozen=True, slots=True)
class HeldMarket:
    """A market on which a follow holds something or has an entry on its way; `quantity` is signed base units."""

    symbol: Symbol
    quantity: Decimal
    reference_price: Price


@dataclass(frozen=True, slots=True)
class HeldEverywhere:
    """A market to leave at a venue: by one follow, or (without one) by all of a leader's together."""

    whale_id: WhaleId
    follow_id: FollowId | None
    venue: Venue
    market: HeldMarket


@dataclass(frozen=True, slots=True)
class Backlog:
    """Work that waits or is in doubt, and since when the oldest waits."""

    signals_unfinished: int
    oldest_signal_at: datetime | None
    orders_in_doubt: int
    outbox_waiting: int
    outbox_parked: int
