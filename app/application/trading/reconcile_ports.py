"""What reconciling needs from outside: an account's side of the comparison, what is known of it, and the outside exits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Protocol

from app.application.trading.drift import AccountToCompare
from app.application.trading.execution_ports import ExecutionSession
from app.application.trading.protect_ports import StoredProtection
from app.domain.shared.events import Event
from app.domain.shared.execution import Fill
from app.domain.shared.ids import AccountId, ClientOrderId, FollowId, SignalId
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import ZERO, Money, Price, Quantity
from app.domain.trading.decision import DecisionCode
from app.domain.trading.divergence import Lot

WALLET: Final = "WALLET"
"""What a mark on an account's money is called; no market has this name."""


ACCEPTED: Final = "accepted-"
"""Begins the trade id of what an operator wrote off; no venue's id does."""


class DriftCause(StrEnum):
    """Why an account at its venue differs from our books."""

    LOST_MESSAGE = "LOST_MESSAGE"
    EXTERNAL_CLOSE = "EXTERNAL_CLOSE"
    LIQUIDATION = "LIQUIDATION"
    DELEVERAGING = "DELEVERAGING"
    MANUAL_TRADE = "MANUAL_TRADE"
    WALLET = "WALLET"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Mark:
    """A difference that was seen and stands: `what` is a market or WALLET. `frozen` refuses entries on the market."""

    what: str
    cause: DriftCause
    ours: Decimal
    theirs: Decimal
    looks: int
    frozen: bool
    since: datetime
    looked_at: datetime


@dataclass(frozen=True, slots=True)
class AccountState:
    """Our books of one account. `lots` are signed base units, oldest first; `opened` when the oldest was opened.

    `busy` are markets where an order of ours may execute or is not booked in full; `settled` says that no order is out
    anywhere. `coins_cost` is what all that is held was bought for.
    """

    lots: Mapping[Symbol, tuple[Lot, ...]]
    opened: Mapping[Symbol, datetime]
    busy: frozenset[Symbol]
    settled: bool
    wallet: Money
    coins_cost: Money
    marks: Mapping[str, Mark]


@dataclass(frozen=True, slots=True)
class Known:
    """What we know of a market's fills: how far each is booked (by trade id, signed), and our orders among theirs by the
    venue's order id.
    """

    booked: Mapping[str, Decimal]
    orders: Mapping[str, ClientOrderId]


@dataclass(frozen=True, slots=True)
class OutsideExit:
    """What closed (part of) one follow's lot at the venue, and was no order of ours; its fills are those of one order.

    `notes` are kept with the decision, beside its figures.
    """

    signal_id: SignalId
    follow_id: FollowId
    account_id: AccountId
    venue: Venue
    symbol: Symbol
    side: Side
    client_order_id: ClientOrderId
    venue_order_id: str
    code: DecisionCode
    fills: tuple[Fill, ...]
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def quantity(self) -> Quantity:
        """Base units that were closed."""
        return Quantity(sum((fill.quantity for fill in self.fills), ZERO))

    @property
    def price(self) -> Price:
        """The price of the last of them."""
        return self.fills[-1].price

    @property
    def at(self) -> datetime:
        """The venue's time of the last of them."""
        return self.fills[-1].at


class ReconcileSession(ExecutionSession, Protocol):
    """One transaction on one account; its funds row is the lock."""

    async def lots(self, account: AccountId, symbol: Symbol) -> tuple[Lot, ...]:
        """Lock the account and return its lots on a market, oldest first."""
        ...

    async def adopt(self, exits: Sequence[OutsideExit]) -> None:
        """Store each as a signal of its own for its follow, with decision, trade and order, not yet executed."""
        ...

    async def in_doubt(self, account: AccountId, symbol: Symbol) -> Sequence[str]:
        """Return the client order ids on a market whose end is not known and booked, protections on their way included."""
        ...

    async def forget(self, account: AccountId, symbol: Symbol) -> None:
        """Remove a market's mark."""
        ...


class ReconcileBook(Protocol):
    """Our side of the comparison, and where its outcome is kept."""

    async def accounts(self) -> Sequence[AccountToCompare]:
        """Return the verified accounts that follow, hold or have something open."""
        ...

    async def state(self, account: AccountId) -> AccountState:
        """Return our books of an account, all of one moment."""
        ...

    async def known(self, account: AccountId, symbol: Symbol, fills: Sequence[Fill]) -> Known:
        """Return what we know of these fills of a market."""
        ...

    async def ours(self, account: AccountId, client_order_ids: Sequence[str]) -> frozenset[str]:
        """Return which of these ids name an order or a protection of ours."""
        ...

    async def accepted_until(self, account: AccountId, symbol: Symbol) -> datetime | None:
        """Return when an operator last accepted the venue's word on a market: what was before is not judged again."""
        ...

    async def protections(self, account: AccountId, symbol: Symbol) -> Sequence[StoredProtection]:
        """Return the protections of a market that are not over."""
        ...

    def session(self) -> AbstractAsyncContextManager[ReconcileSession]:
        """Begin a transaction; leaving it without an error commits."""
        ...

    async def mark(self, account: AccountId, mark: Mark, events: Sequence[Event]) -> None:
        """Remember a difference in place of what was remembered of the same, and tell of it."""
        ...

    async def unmark(self, account: AccountId, what: Sequence[str]) -> None:
        """Forget differences that are gone."""
        ...

    async def adjust_wallet(
        self, account: AccountId, seen: Money, wallet: Money, at: datetime, *, beside_coins: bool
    ) -> bool:
        """Set the wallet to the venue's word; False, with nothing written, when it is not `seen` or an order is out."""
        ...


class Turns(Protocol):
    """Whose turn it is: each account once in a while, so that comparing stays within the venues' budgets."""

    async def take(self, accounts: Sequence[AccountId], at_most: int) -> frozenset[AccountId]:
        """Return those whose turn it is, so many at most; they are then nobody else's for a while."""
        ...

    async def soon(self, account: AccountId) -> None:
        """Let an account's turn come within seconds: something was missed, or somebody else traded on it."""
        ...
