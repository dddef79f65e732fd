"""What happens to trades, in the past tense. A batch speaks once for many followers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from app.domain.shared.events import Event
from app.domain.shared.execution import FillCause
from app.domain.shared.ids import AccountId, FollowId, SignalId
from app.domain.shared.market import Symbol
from app.domain.shared.money import Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersRefused(Event):
    """The venue refused the orders of these follows for one signal."""

    name: ClassVar[str] = "orders.refused"
    signal_id: SignalId
    follow_ids: tuple[FollowId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitGivenUp(Event):
    """A follow's exit is not sent again: the account lacks the coins that it would sell, or the venue takes no such order;
    the owner should know.
    """

    name: ClassVar[str] = "exit.given_up"
    account_id: AccountId
    follow_id: FollowId
    signal_id: SignalId
    symbol: Symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionClosedOutside(Event):
    """A follow's position was reduced or closed at the venue by something that is not ours; the books follow it."""

    name: ClassVar[str] = "position.closed_outside"
    account_id: AccountId
    follow_id: FollowId
    symbol: Symbol
    cause: FillCause
    quantity: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketFrozen(Event):
    """An account holds less on a market than its books say, and nothing explains it; entries there are refused."""

    name: ClassVar[str] = "market.frozen"
    account_id: AccountId
    symbol: Symbol


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftAccepted(Event):
    """An operator accepted that the venue holds `theirs` where our books said `ours` (signed base units), and why."""

    name: ClassVar[str] = "drift.accepted"
    account_id: AccountId
    symbol: Symbol
    ours: Decimal
    theirs: Decimal
    follow_ids: tuple[FollowId, ...]
    by: str
    reason: str
