"""Venue-neutral facts of execution: what a leader did, what a venue says of orders, fills, positions and balances."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import NO_QUANTITY, Money, Price, Quantity


class Action(StrEnum):
    """What a change of a leader's position means."""

    OPEN = "OPEN"
    ADD = "ADD"
    REDUCE = "REDUCE"
    CLOSE = "CLOSE"
    FLIP = "FLIP"

    @property
    def is_exit(self) -> bool:
        """True when the action only takes risk off; exits are never blocked."""
        return self in (Action.REDUCE, Action.CLOSE)


class Leg(StrEnum):
    """Which part of a follower's plan an intent serves; part of its identity."""

    ENTRY = "ENTRY"
    EXIT = "EXIT"


class OrderStatus(StrEnum):
    """A venue's word on one order, in our vocabulary."""

    OPEN = "OPEN"
    PARTIAL = "PARTIAL"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"

    @property
    def is_final(self) -> bool:
        """True when the venue will execute nothing more of this order."""
        return self not in (OrderStatus.OPEN, OrderStatus.PARTIAL)


class FillCause(StrEnum):
    """Why an execution happened: somebody's order, the venue closing what its margin no longer covers, or the venue
    closing a winner against a bankrupt loser.
    """

    TRADE = "TRADE"
    LIQUIDATION = "LIQUIDATION"
    DELEVERAGING = "DELEVERAGING"


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution, identified by the venue's own trade id within (account, symbol).

    `fee` is quote currency paid (negative: a rebate); `realised_pnl` is the venue's figure before the fee. Both are in
    the settle asset where the market is inverse. `base_fee` is the part of `quantity` that a spot venue kept as its fee
    when that was paid in the coins bought; `fee` then holds its worth at `price`. `position_side` is which position it
    moved where a long and a short one stand beside each other (BUY: the long one), as far as the venue tells; where
    positions net it means nothing.
    """

    venue: Venue
    symbol: Symbol
    trade_id: str
    order_id: str
    client_order_id: str
    side: Side
    price: Price
    quantity: Quantity
    fee: Money
    realised_pnl: Money
    at: datetime
    order_final: bool = False
    base_fee: Quantity = NO_QUANTITY
    cause: FillCause = FillCause.TRADE
    position_side: Side | None = None


@dataclass(frozen=True, slots=True)
class OrderReport:
    """What a venue says of one order: by reply, by query or by stream. Quantities in base, cumulative.

    `cause` is set where the order itself, and not each execution, tells of a forced close.
    """

    venue: Venue
    symbol: Symbol
    order_id: str
    client_order_id: str
    side: Side
    status: OrderStatus
    quantity: Quantity
    executed: Quantity
    average_price: Price | None
    reduce_only: bool
    at: datetime
    cause: FillCause = FillCause.TRADE


@dataclass(frozen=True, slots=True)
class VenuePosition:
    """A venue's word on one position; `quantity` is signed (short below zero).

    At a spot venue it is the holding of a coin that can be traded: leverage one, and an entry price of zero, for the
    venue does not know what the coins were bought for.
    """

    symbol: Symbol
    quantity: Decimal
    entry_price: Decimal
    unrealised_pnl: Money
    leverage: int


@dataclass(frozen=True, slots=True)
class VenueBalance:
    """A venue's word on the wallet of one asset; `wallet` excludes unrealised PnL, `available` may be spent."""

    asset: str
    wallet: Money
    available: Money


@dataclass(frozen=True, slots=True)
class FundingPayment:
    """Funding as the venue booked it: negative when the account paid. It is an entry of its own, never a trade."""

    payment_id: str
    symbol: Symbol | None
    amount: Money
    at: datetime


@dataclass(frozen=True, slots=True)
class FeeRates:
    """What an account pays on one market, as shares of the notional (0.0005 = 0.05 %; negative: a rebate)."""

    maker: Decimal
    taker: Decimal
