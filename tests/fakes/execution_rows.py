"""Rows of an execution book in memory: what the database keeps of trades, orders and funds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.application.trading.execution_ports import AttemptKey
from app.domain.risk.denials import Denial
from app.domain.shared.execution import Leg
from app.domain.shared.ids import AccountId, ClientOrderId, FollowId, SignalId
from app.domain.shared.market import Side, Symbol
from app.domain.shared.money import NO_QUANTITY, Money, Quantity
from app.domain.trading.decision import DecisionCode
from app.domain.trading.order import OrderState
from app.domain.trading.trade import TradeState

TradeKey = tuple[FollowId, SignalId, Leg]


@dataclass
class TradeRow:
    key: TradeKey
    account_id: AccountId
    symbol: Symbol
    side: Side
    reduce_only: bool
    quantity: Quantity
    hold: Money
    hold_left: Money
    leverage: int = 5
    state: TradeState = TradeState.WORKING
    attempt: int = 0
    executed: Quantity = NO_QUANTITY
    booked: Quantity = NO_QUANTITY
    settled: bool = False
    retry_at: datetime | None = None
    changed_at: datetime | None = None
    expires_at: datetime | None = None
    superseded: bool = False
    stopped: DecisionCode | None = None
    denied: Denial | None = None


@dataclass
class OrderRow:
    key: AttemptKey
    client_order_id: ClientOrderId
    quantity: Quantity
    signed_ms: int
    valid_ms: int
    look_at: datetime | None
    state: OrderState = OrderState.SUBMITTING
    executed: Quantity = NO_QUANTITY
    venue_order_id: str | None = None
    code: str | None = None
    looks: int = 0
    acked: bool = False


@dataclass
class FundsRow:
    wallet: Money
    held: Money = Money(Decimal(0))
    margin: Money = Money(Decimal(0))
