"""Stored trades and attempts, and what a venue says of them: short ways, with harmless defaults."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

from app.application.trading.evidence import Evidence
from app.application.trading.execution_ports import AttemptKey, StoredAttempt
from app.application.trading.settle import Settler
from app.domain.shared.clock import epoch_ms
from app.domain.shared.execution import Fill, Leg, OrderReport, OrderStatus
from app.domain.shared.ids import AccountId, ClientOrderId, FollowId, SignalId
from app.domain.shared.margin import funds_needed
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import NO_MONEY, Money, Price, Quantity
from app.domain.trading.order import OrderState
from app.domain.trading.trade import TradeState
from tests.fakes.clock import START, FakeClock
from tests.fakes.execution_rows import FundsRow, OrderRow, TradeRow
from tests.fakes.memory_execution import MemoryExecution
from tests.fakes.venue import Counts, HeardBell
from tests.unit.domain.builders import BTC, D

T = TypeVar("T")
ACCOUNT = AccountId(21)
FOLLOW = FollowId(11)
VALID = timedelta(seconds=5)
PRICE = Price(D(100))


def now(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    work.close()
    raise AssertionError("it waits for something")


def shown(*values: object) -> tuple[object, ...]:
    """Values side by side, to be compared with plain numbers whatever their unit."""
    return values


def signal(number: int = 1) -> SignalId:
    return SignalId(UUID(int=number))


def cid(number: int = 1, attempt: int = 0) -> ClientOrderId:
    return ClientOrderId(f"c{number}-{attempt}")


def put(
    book: MemoryExecution,
    number: int = 1,
    *,
    quantity: str = "1",
    first: str | None = None,
    exit_: bool = False,
    side: Side | None = None,
    state: OrderState = OrderState.SUBMITTING,
    trade_state: TradeState = TradeState.WORKING,
    sym: Symbol = BTC,
    account: AccountId = ACCOUNT,
    follow: FollowId = FOLLOW,
    at: datetime = START,
    look_at: datetime | None = None,
    wallet: str = "10000",
) -> ClientOrderId:
    """Store a trade as the copy book would, its funds held; return the id of its first attempt."""
    whole, leg = Quantity(D(quantity)), Leg.EXIT if exit_ else Leg.ENTRY
    hold = NO_MONEY if exit_ else funds_needed(whole * PRICE, 5)
    funds = book.funds.setdefault(account, FundsRow(Money(D(wallet))))
    funds.held = Money(funds.held + hold)
    key = AttemptKey(follow, signal(number), leg, 0)
    book.trades[follow, key.signal_id, leg] = TradeRow(
        key=(follow, key.signal_id, leg),
        account_id=account,
        symbol=sym,
        side=side or (Side.SELL if exit_ else Side.BUY),
        reduce_only=exit_,
        quantity=whole,
        hold=hold,
        hold_left=hold,
        state=trade_state,
    )
    book.orders[cid(number)] = OrderRow(
        key, cid(number), Quantity(D(first or quantity)), epoch_ms(at), 5000, look_at or at + VALID, state
    )
    return cid(number)


def report(
    stored: StoredAttempt,
    status: OrderStatus = OrderStatus.FILLED,
    executed: str | Decimal | None = None,
    *,
    quantity: str | None = None,
    order_id: str | None = None,
) -> OrderReport:
    done = stored.order_quantity if executed is None else Quantity(D(executed))
    return OrderReport(
        venue=Venue.BINANCE_USDM,
        symbol=stored.symbol,
        order_id=order_id or f"v-{stored.client_order_id}",
        client_order_id=stored.client_order_id,
        side=stored.side,
        status=status,
        quantity=Quantity(D(quantity)) if quantity else stored.order_quantity,
        executed=done,
        average_price=PRICE if done else None,
        reduce_only=stored.reduce_only,
        at=START,
    )


def execution(
    stored: StoredAttempt,
    trade_id: str,
    quantity: str | Decimal,
    *,
    price: str | Decimal = "100",
    fee: str = "0.05",
    realised: str | Decimal = "0",
) -> Fill:
    return Fill(
        venue=Venue.BINANCE_USDM,
        symbol=stored.symbol,
        trade_id=trade_id,
        order_id=f"v-{stored.client_order_id}",
        client_order_id=stored.client_order_id,
        side=stored.side,
        price=Price(D(price)),
        quantity=Quantity(D(quantity)),
        fee=Money(D(fee)),
        realised_pnl=Money(D(realised)),
        at=START,
    )


class Desk:
    """A settler on a memory book, driven by hand: `take` books one batch and whatever it put off."""

    def __init__(self) -> None:
        self.book = MemoryExecution()
        self.bell = HeardBell()
        self.clock = FakeClock()
        self.metrics = Counts()
        self.alarms: list[tuple[str, Evidence]] = []
        self.settler = Settler(
            self.book, self.bell, self.clock, self.metrics, lambda why, what: self.alarms.append((why, what))
        )

    def take(self, *batch: Evidence) -> None:
        waiting = list(batch)
        while waiting:
            now(self.settler.apply(waiting))
            waiting, self.settler._queue = self.settler._queue, []

    def order(self, client_order_id: str) -> OrderRow:
        return self.book.orders[client_order_id]

    def trade(self, client_order_id: str) -> TradeRow:
        key = self.book.orders[client_order_id].key
        return self.book.trades[key.follow_id, key.signal_id, key.leg]
