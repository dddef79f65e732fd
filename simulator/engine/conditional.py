"""Conditional orders: they wait outside the book until the mark price reaches their trigger, then become real orders.

A stop triggers when the price moves against the position it protects, a take-profit when it moves in favour; a
trailing stop follows the best price since its activation at a distance of `callback_rate` percent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from simulator.engine.account import Account
from simulator.engine.desk import Desk
from simulator.engine.order import ZERO, Execution, Fill, Order, OrderRequest, OrderType, Origin, Side
from simulator.engine.position import Position
from simulator.engine.refusal import Reason, Refusal
from simulator.engine.state import State


class ConditionalType(StrEnum):
    """The kinds of conditional order."""

    STOP = "STOP"
    STOP_MARKET = "STOP_MARKET"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_MARKET = "TAKE_PROFIT_MARKET"
    TRAILING_STOP_MARKET = "TRAILING_STOP_MARKET"


LIMIT_KINDS = (ConditionalType.STOP, ConditionalType.TAKE_PROFIT)
STOP_KINDS = (ConditionalType.STOP, ConditionalType.STOP_MARKET, ConditionalType.TRAILING_STOP_MARKET)


class ConditionalStatus(StrEnum):
    """Life of a conditional order; TRIGGERED while the order it became is open."""

    NEW = "NEW"
    TRIGGERED = "TRIGGERED"
    FINISHED = "FINISHED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"


@dataclass(slots=True)
class Conditional:
    """`request` is the order it becomes; `trigger_price` moves for a trailing stop; `best` is that stop's best price."""

    algo_id: int
    client_algo_id: str
    account_id: str
    kind: ConditionalType
    request: OrderRequest
    trigger_price: Decimal
    working_type: str
    created_ms: int
    updated_ms: int
    callback_rate: Decimal = ZERO
    activation_price: Decimal = ZERO
    best: Decimal = ZERO
    status: ConditionalStatus = ConditionalStatus.NEW
    triggered_ms: int = 0
    refusal: str = ""
    order: Order | None = None

    @property
    def rises(self) -> bool:
        """Say whether it triggers at or above its price (else at or below)."""
        return (self.kind in STOP_KINDS) == (self.request.side is Side.BUY)

    def reached(self, mark: Decimal) -> bool:
        """Say whether `mark` triggers it; a trailing stop also moves its trigger here."""
        if self.kind is ConditionalType.TRAILING_STOP_MARKET and not self._trail(mark):
            return False
        return mark >= self.trigger_price if self.rises else mark <= self.trigger_price

    def _trail(self, mark: Decimal) -> bool:
        sell = self.request.side is Side.SELL
        if not self.best:
            wanted = self.activation_price
            if wanted and (mark < wanted if sell else mark > wanted):
                return False
            self.best = mark
        self.best = max(self.best, mark) if sell else min(self.best, mark)
        away = self.best * self.callback_rate / 100
        self.trigger_price = self.best - away if sell else self.best + away
        return True


class ConditionalDesk:
    """Keeps the waiting orders by account and symbol, and fires them when the price moves."""

    def __init__(self, state: State, desk: Desk) -> None:
        self._state = state
        self._desk = desk
        self._waiting: dict[str, dict[int, Conditional]] = {}
        self._all: dict[str, dict[int, Conditional]] = {}
        self._by_order: dict[int, Conditional] = {}
        self._next_id = 2_000_000
        state.listeners.append(self)

    def place(self, account: Account, conditional: Conditional) -> Conditional:
        """Accept a conditional order; `algo_id` and times are given here. Refuses one that would trigger at once."""
        state, request = self._state, conditional.request
        instrument = state.instrument(request.symbol)
        self._check(account, conditional)
        instrument.check_price(conditional.trigger_price or instrument.tick)
        if not request.close_position:
            instrument.check_quantity(request.quantity, market=request.type is OrderType.MARKET)
        if request.type is OrderType.LIMIT:
            instrument.check_price(request.price)
        if conditional.kind is not ConditionalType.TRAILING_STOP_MARKET and conditional.reached(
            state.mark(request.symbol)
        ):
            raise Refusal(Reason.WOULD_TRIGGER)
        self._next_id += 1
        conditional.algo_id = self._next_id
        conditional.client_algo_id = conditional.client_algo_id or f"sim-algo-{self._next_id}"
        conditional.created_ms = conditional.updated_ms = state.now()
        self._waiting.setdefault(request.symbol, {})[conditional.algo_id] = conditional
        self._all.setdefault(account.account_id, {})[conditional.algo_id] = conditional
        self._announce(account, conditional)
        return conditional

    def _check(self, account: Account, conditional: Conditional) -> None:
        request = conditional.request
        if account.hedge_mode == (request.position_side.value == "BOTH"):
            raise Refusal(Reason.POSITION_SIDE_MISMATCH)
        if account.hedge_mode and request.reduce_only:
            raise Refusal(Reason.REDUCE_ONLY_IN_HEDGE_MODE)
        for other in self.of(account):
            same = conditional.client_algo_id and other.client_algo_id == conditional.client_algo_id
            if same and other.status is ConditionalStatus.NEW:
                raise Refusal(Reason.DUPLICATE_CLIENT_ID)

    def of(self, account: Account) -> Sequence[Conditional]:
        """Return all conditional orders of an account, oldest first."""
        return tuple(self._all.get(account.account_id, {}).values())

    def find(self, account: Account, algo_id: int | None, client_algo_id: str | None) -> Conditional | None:
        """Return one by either id (the latest with that client id), or None."""
        if algo_id is not None:
            return self._all.get(account.account_id, {}).get(algo_id)
        return next((c for c in reversed(self.of(account)) if c.client_algo_id == client_algo_id), None)

    def cancel(self, account: Account, conditional: Conditional | None) -> Conditional:
        """Cancel a waiting order; refuse one that is absent or no longer waiting."""
        if conditional is None or conditional.status is not ConditionalStatus.NEW:
            raise Refusal(Reason.UNKNOWN_ORDER)
        self._end(account, conditional, ConditionalStatus.CANCELED)
        return conditional

    def end_all(self, account: Account, symbol: str | None, status: ConditionalStatus) -> int:
        """End every waiting order of `symbol` (all symbols when None) and return how many there were."""
        found = [
            c for c in self.of(account)
            if c.status is ConditionalStatus.NEW and symbol in (None, c.request.symbol)
        ]  # fmt: skip
        for conditional in found:
            self._end(account, conditional, status)
        return len(found)

    def trigger(self, symbol: str) -> None:
        """Fire every waiting order that the mark price of `symbol` reaches, oldest first."""
        mark = self._state.mark(symbol)
        for conditional in list(self._waiting.get(symbol, {}).values()):
            if conditional.status is ConditionalStatus.NEW and conditional.reached(mark):
                self._fire(conditional)

    def _fire(self, conditional: Conditional) -> None:
        state = self._state
        account = state.accounts[conditional.account_id]
        self._waiting[conditional.request.symbol].pop(conditional.algo_id, None)
        conditional.triggered_ms = conditional.updated_ms = state.now()
        request = replace(
            conditional.request,
            client_order_id=conditional.client_algo_id,
            origin=Origin.CONDITIONAL,
            original_type=conditional.kind.value,
            trigger_price=conditional.trigger_price,
        )
        try:
            order = self._desk.place(account, request)
        except Refusal as refusal:
            conditional.refusal = str(refusal)
            nothing = refusal.reason is Reason.REDUCE_ONLY_REJECTED and request.close_position
            conditional.status = ConditionalStatus.EXPIRED if nothing else ConditionalStatus.REJECTED
            self._announce(account, conditional)
            return
        conditional.order, conditional.status = order, ConditionalStatus.TRIGGERED
        self._announce(account, conditional)
        if order.is_open:
            self._by_order[order.order_id] = conditional
        else:
            self._finish(account, conditional)

    def _finish(self, account: Account, conditional: Conditional) -> None:
        conditional.status = ConditionalStatus.FINISHED
        conditional.updated_ms = self._state.now()
        self._announce(account, conditional)

    def _end(self, account: Account, conditional: Conditional, status: ConditionalStatus) -> None:
        self._waiting[conditional.request.symbol].pop(conditional.algo_id, None)
        conditional.status, conditional.updated_ms = status, self._state.now()
        self._announce(account, conditional)

    def _announce(self, account: Account, conditional: Conditional) -> None:
        self._state.ledger.note(
            self._state.now(), f"CONDITIONAL_{conditional.status.value}", account.account_id,
            conditional.request.symbol, conditional.order.order_id if conditional.order else 0,
            {"client_algo_id": conditional.client_algo_id, "trigger_price": str(conditional.trigger_price)},
        )  # fmt: skip
        for listener in self._state.listeners:
            listener.conditional_changed(account, conditional)

    def order_changed(self, account: Account, order: Order, execution: Execution, fill: Fill | None) -> None:
        """Finish a triggered order when the order it became ends."""
        if self._by_order and not order.is_open:
            conditional = self._by_order.pop(order.order_id, None)
            if conditional is not None:
                self._finish(account, conditional)

    def balance_changed(
        self, account: Account, reason: str, amount: Decimal, positions: Sequence[Position]
    ) -> None:
        """Expire orders that close a whole position once that position is flat."""
        if not self._all.get(account.account_id):
            return
        for position in positions:
            if position.quantity:
                continue
            for conditional in self.of(account):
                request = conditional.request
                closes = request.close_position and request.symbol == position.symbol
                if (
                    closes
                    and request.position_side is position.side
                    and conditional.status is ConditionalStatus.NEW
                ):
                    self._end(account, conditional, ConditionalStatus.EXPIRED)

    def conditional_changed(self, account: Account, conditional: Conditional) -> None:
        """Nothing: these are this desk's own announcements."""

    def leverage_changed(self, account: Account, symbol: str, leverage: int) -> None:
        """Nothing waits on leverage."""

    def price_moved(self, symbol: str, mark: Decimal) -> None:
        """Nothing: the exchange calls `trigger` itself, after resting orders were matched."""
