"""What executions need from outside: the execution book, its sessions, and the rows that they read and write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Protocol

from app.application.trading.ports import Window
from app.domain.risk.denials import Denial
from app.domain.shared.events import Event
from app.domain.shared.execution import Fill, Leg
from app.domain.shared.ids import AccountId, ClientOrderId, FollowId, SignalId
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import Money, Price, Quantity
from app.domain.signals.priority import Lane
from app.domain.signals.signal import Signal
from app.domain.trading.decision import DecisionCode, DecisionOutcome
from app.domain.trading.order import OrderState
from app.domain.trading.position import Position
from app.domain.trading.trade import TradeState


@dataclass(frozen=True, slots=True)
class AttemptKey:
    """Which attempt of which intent."""

    follow_id: FollowId
    signal_id: SignalId
    leg: Leg
    attempt: int


@dataclass(frozen=True, slots=True)
class StoredAttempt:
    """One attempt with its trade, as locked for a change. Quantities in base units, money in quote currency."""

    key: AttemptKey
    account_id: AccountId
    venue: Venue
    symbol: Symbol
    side: Side
    reduce_only: bool
    client_order_id: ClientOrderId
    order_state: OrderState
    signed_ms: int
    valid_ms: int
    order_quantity: Quantity
    order_executed: Quantity
    venue_order_id: str | None
    looks: int
    trade_state: TradeState
    trade_attempt: int
    trade_quantity: Quantity
    trade_executed: Quantity
    trade_booked: Quantity
    leverage: int
    hold: Money
    hold_left: Money
    look_at: datetime | None = None
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderChange:
    """What an attempt becomes. `look_at` is when its fate is next looked up (None: never)."""

    key: AttemptKey
    state: OrderState
    venue_order_id: str | None
    executed: Quantity
    average_price: Price | None
    code: str | None
    message: str | None
    acked: bool
    looks: int
    look_at: datetime | None


@dataclass(frozen=True, slots=True)
class TradeChange:
    """What a trade becomes."""

    key: AttemptKey
    state: TradeState
    executed: Quantity
    booked: Quantity
    hold_left: Money
    settled: bool
    retry_at: datetime | None


@dataclass(frozen=True, slots=True)
class FundsChange:
    """What changes on an account: differences in quote currency, never totals."""

    account_id: AccountId
    wallet: Money
    held: Money
    margin: Money
    realised: Money


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One movement of an account's wallet; `entry_key` makes a repetition harmless."""

    account_id: AccountId
    entry_key: str
    kind: str
    amount: Money
    symbol: Symbol | None
    at: datetime


@dataclass(frozen=True, slots=True)
class BookedFill:
    """A fill together with the attempt that it belongs to."""

    key: AttemptKey
    account_id: AccountId
    fill: Fill


@dataclass(frozen=True, slots=True)
class DecisionChange:
    """A copied decision that failed after all, or a failed one whose order appeared late."""

    follow_id: FollowId
    signal_id: SignalId
    outcome: DecisionOutcome
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that one batch of evidence changes, written together or not at all."""

    orders: Sequence[OrderChange] = ()
    trades: Sequence[TradeChange] = ()
    positions: Mapping[tuple[AccountId, Symbol, FollowId], Position] | None = None
    funds: Sequence[FundsChange] = ()
    fills: Sequence[BookedFill] = ()
    ledger: Sequence[LedgerEntry] = ()
    decisions: Sequence[DecisionChange] = ()
    events: Sequence[Event] = ()


@dataclass(frozen=True, slots=True)
class LeftSince:
    """An entry's signal, the `fractions` of the exits decided for one follow since, and what exits have still to close."""

    follow_id: FollowId
    entry: Signal
    fractions: Sequence[Decimal]
    exit_pending: Quantity


class ExecutionSession(Protocol):
    """One transaction on the accounts concerned; their funds rows are the lock, taken in order."""

    async def attempts(self, client_order_ids: Sequence[str]) -> Mapping[str, StoredAttempt]:
        """Lock the accounts and return our attempts among these ids; foreign ids are simply missing."""
        ...

    async def seen(
        self, fills: Sequence[tuple[AccountId, Symbol, str]]
    ) -> frozenset[tuple[AccountId, Symbol, str]]:
        """Return which of these (account, symbol, trade id) are booked already."""
        ...

    async def positions(
        self, keys: Sequence[tuple[AccountId, Symbol, FollowId]]
    ) -> Mapping[tuple[AccountId, Symbol, FollowId], Position]:
        """Return the positions as they stand; a missing one is flat."""
        ...

    async def write(self, changes: Changes) -> None:
        """Write everything."""
        ...

    async def reopen(self, follows: Sequence[FollowId]) -> Sequence[tuple[SignalId, Lane]]:
        """Put signals with deferred decisions of these follows back in line; return them, to ring for."""
        ...

    async def left_since(self, entries: Sequence[tuple[FollowId, SignalId]]) -> Sequence[LeftSince]:
        """Return those of these entries whose follow was told to leave the market since, wholly or in part."""
        ...

    async def ask_exits(self, exits: Sequence[Signal]) -> Sequence[tuple[SignalId, Lane]]:
        """Store these signals; return those that are new, to ring for."""
        ...


class ExecutionBook(Protocol):
    """Opens execution sessions, and finds work that was left."""

    def session(self) -> AbstractAsyncContextManager[ExecutionSession]:
        """Begin a transaction; leaving it without an error commits."""
        ...

    async def doubts(self, now: datetime, limit: int, hide_for: timedelta) -> Sequence[Doubt]:
        """Take attempts whose fate must be looked up now; they are hidden from other lookers for a while."""
        ...

    async def unbooked(self, now: datetime, older_than: timedelta, limit: int) -> Sequence[Doubt]:
        """Return attempts whose executions the venue reported and whose fills are still missing."""
        ...

    async def waiting(self, now: datetime, limit: int, hide_for: timedelta) -> Sequence[WaitingTrade]:
        """Take trades of which nothing is out and that may be sent (again) now; hidden from others for a while."""
        ...

    async def resubmit(self, ready: Sequence[Resend], window: Window) -> frozenset[ClientOrderId]:
        """Store new attempts and return those that are now ours to send."""
        ...

    async def abandon(self, trades: Sequence[tuple[AttemptKey, str, str]]) -> None:
        """Give trades up for good (key, decision code, reason): the hold goes back, the decision says why."""
        ...

    async def deferred(self, limit: int) -> Sequence[tuple[SignalId, Lane]]:
        """Put finished signals with deferred decisions that nothing blocks any more back in line; return them."""
        ...

    async def known_order_ids(self, account: AccountId, symbol: Symbol, since: datetime) -> frozenset[str]:
        """Return the venue's ids of all orders that we know on an account's market."""
        ...

    async def held(self, account: AccountId, symbol: Symbol) -> Decimal | None:
        """Return what all follows together hold on an account's market; None while an entry may be executing there."""
        ...

    async def sync_wallet(
        self, account: AccountId, wallet: Money, at: datetime, *, beside_coins: bool = False
    ) -> None:
        """Set the wallet to the venue's word; the difference becomes a ledger entry.

        With `beside_coins` the word is of quote currency alone, and what the coins held were bought for is added.
        """
        ...

    async def book_funding(self, entries: Sequence[LedgerEntry]) -> None:
        """Book funding payments, each once, into wallet and position."""
        ...

    async def holds_positions(self, account: AccountId) -> bool:
        """Return whether the account holds anything: only then can funding be due."""
        ...

    async def book_transfer(self, entry: LedgerEntry) -> None:
        """Book a deposit or withdrawal, once: it changes the wallet and is no result of trading."""
        ...

    async def leverage_is(self, told: Sequence[tuple[AccountId, Symbol, int]]) -> None:
        """Remember what the venue was told."""
        ...


@dataclass(frozen=True, slots=True)
class Doubt:
    """An attempt to look up; `superseded` when the leader has left since, `shared` when it is beside another follow's lot."""

    attempt: StoredAttempt
    sealed: bytes
    signal_expires_at: datetime | None
    superseded: bool = False
    shared: bool = False


@dataclass(frozen=True, slots=True)
class WaitingTrade:
    """A trade of which nothing is out. `closable` is what a reduce-only order may still close.

    For entries: `stopped` says that the user, the follow, the leader or the market takes no new risk any more, `denied`
    that the account does not.
    """

    attempt: StoredAttempt
    sealed: bytes
    signal_expires_at: datetime | None
    superseded: bool
    closable: Quantity
    hedged: bool = False
    stopped: DecisionCode | None = None
    denied: Denial | None = None


@dataclass(frozen=True, slots=True)
class Resend:
    """A new attempt for a waiting trade."""

    waiting: WaitingTrade
    quantity: Quantity
    client_order_id: ClientOrderId
