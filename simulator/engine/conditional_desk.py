"""The desk of conditional orders: keeps those that wait, fires those that the price reached, ends those that go with others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from simulator.engine import spot
from simulator.engine.account import USDT, Account
from simulator.engine.admission import check_mode, reducible
from simulator.engine.conditional import Conditional, ConditionalStatus, ConditionalType
from simulator.engine.desk import Desk
from simulator.engine.instrument import Instrument, Kind
from simulator.engine.order import ZERO, Execution, Fill, Order, OrderType, Origin
from simulator.engine.position import Position
from simulator.engine.refusal import Reason, Refusal
from simulator.engine.state import State


class ConditionalDesk:
    """Keeps the waiting orders by account and symbol, and fires them when the price moves."""

    def __init__(self, state: State, desk: Desk) -> None:
        self._state = state
        self._desk = desk
        self._waiting: dict[str, dict[int, Conditional]] = {}
        self._live: dict[str, dict[int, Conditional]] = {}
        self._all: dict[str, dict[int, Conditional]] = {}
        self._by_order: dict[int, Conditional] = {}
        self._next_id = 2_000_000
        state.listeners.append(self)

    def place(self, account: Account, conditional: Conditional) -> Conditional:
        """Accept a conditional order; `algo_id` and times are given here. Refuses one that would trigger at once."""
        state, request = self._state, conditional.request
        instrument = state.instrument(request.symbol)
        self._check(account, conditional, instrument)
        locks = self._locks(account, conditional, instrument)
        self._next_id += 1
        conditional.algo_id = self._next_id
        if locks is not None:
            account.reserves[conditional.reserve] = locks
        conditional.client_algo_id = conditional.client_algo_id or f"sim-algo-{self._next_id}"
        conditional.created_ms = conditional.updated_ms = state.now()
        self._waiting.setdefault(request.symbol, {})[conditional.algo_id] = conditional
        self._live.setdefault(account.account_id, {})[conditional.algo_id] = conditional
        self._all.setdefault(account.account_id, {})[conditional.algo_id] = conditional
        self._announce(account, conditional)
        return conditional

    def _check(self, account: Account, conditional: Conditional, instrument: Instrument) -> None:
        request = conditional.request
        check_mode(account, request, instrument)
        rule = self._state.rules.uniqueness(request.unique)
        earlier = () if rule == "none" else self.of(account) if rule == "always" else self.live(account)
        wanted = conditional.client_algo_id
        if wanted and any(other.client_algo_id == wanted for other in earlier):
            raise Refusal(Reason.DUPLICATE_CLIENT_ID)
        instrument.check_price(conditional.trigger_price or instrument.tick)
        if not request.close_position:
            instrument.check_quantity(request.quantity, market=request.type is OrderType.MARKET)
        if request.type is OrderType.LIMIT:
            instrument.check_price(request.price)
        trailing = conditional.kind is ConditionalType.TRAILING_STOP_MARKET
        if not trailing and conditional.reached(self._state.mark(request.symbol)):
            raise Refusal(Reason.WOULD_TRIGGER)

    def _locks(
        self, account: Account, conditional: Conditional, instrument: Instrument
    ) -> tuple[str, Decimal] | None:
        """Return what it locks together with its group; refuse what the account cannot lock."""
        if instrument.kind is not Kind.SPOT:
            return None
        request = conditional.request
        price = request.price or conditional.trigger_price or self._state.mark(request.symbol)
        asset, amount = spot.gives(instrument, request.side, request.quantity, price)
        held = account.reserves.get(conditional.group, (asset, ZERO)) if conditional.group else (asset, ZERO)
        if held[0] != asset:
            raise Refusal(Reason.INSUFFICIENT_MARGIN, "The orders of a group give the same asset.")
        spot.check_funds(self._state, account, asset, amount - held[1])
        return asset, max(amount, held[1])

    def of(self, account: Account) -> Sequence[Conditional]:
        """Return all conditional orders of an account, oldest first."""
        return tuple(self._all.get(account.account_id, {}).values())

    def live(self, account: Account) -> Sequence[Conditional]:
        """Return the waiting conditional orders of an account, oldest first."""
        return tuple(self._live.get(account.account_id, {}).values())

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
        self._end_group(account, conditional, ConditionalStatus.CANCELED)
        return conditional

    def end_all(self, account: Account, symbol: str | None, status: ConditionalStatus) -> int:
        """End every waiting order of `symbol` (all symbols when None) and return how many there were."""
        found = [c for c in self.live(account) if symbol in (None, c.request.symbol)]
        for conditional in found:
            self._end(account, conditional, status)
        return len(found)

    def _end_group(self, account: Account, ended: Conditional, status: ConditionalStatus) -> None:
        """End what is one-cancels-other with `ended`."""
        for other in self.live(account) if ended.group else ():
            if other.group == ended.group:
                self._end(account, other, status)

    def trigger(self, symbol: str) -> None:
        """Fire every waiting order that the mark price of `symbol` reaches, oldest first."""
        mark = self._state.mark(symbol)
        for conditional in list(self._waiting.get(symbol, {}).values()):
            if conditional.status is ConditionalStatus.NEW and conditional.reached(mark):
                self._fire(conditional)

    def _fire(self, conditional: Conditional) -> None:
        state = self._state
        account = state.accounts[conditional.account_id]
        self._forget(account, conditional)
        conditional.triggered_ms = conditional.updated_ms = state.now()
        self._end_group(account, conditional, ConditionalStatus.EXPIRED)
        request = replace(
            conditional.request,
            client_order_id=conditional.client_algo_id,
            origin=Origin.CONDITIONAL,
            original_type=conditional.kind.value,
            trigger_price=conditional.trigger_price,
            conditional_id=conditional.algo_id,
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

    def _forget(self, account: Account, conditional: Conditional) -> None:
        self._waiting[conditional.request.symbol].pop(conditional.algo_id, None)
        self._live[account.account_id].pop(conditional.algo_id, None)
        account.reserves.pop(conditional.reserve, None)

    def _end(self, account: Account, conditional: Conditional, status: ConditionalStatus) -> None:
        self._forget(account, conditional)
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
        self, account: Account, reason: str, amount: Decimal, positions: Sequence[Position], asset: str = USDT
    ) -> None:
        """End orders that close a whole position once it is flat, and those that go when nothing is left to close."""
        if not positions or not self._live.get(account.account_id):
            return
        for position in positions:
            for conditional in self.live(account):
                request = conditional.request
                if request.symbol != position.symbol or request.position_side is not position.side:
                    continue
                if request.close_position and not position.quantity:
                    self._end(account, conditional, ConditionalStatus.EXPIRED)
                elif conditional.cancel_when_flat and not reducible(
                    account, position.symbol, request.side, position.side
                ):
                    self._end(account, conditional, ConditionalStatus.CANCELED)

    def conditional_changed(self, account: Account, conditional: Conditional) -> None:
        """Nothing: these are this desk's own announcements."""

    def leverage_changed(self, account: Account, symbol: str, leverage: int) -> None:
        """Nothing waits on leverage."""

    def price_moved(self, symbol: str, mark: Decimal) -> None:
        """Nothing: the exchange calls `trigger` itself, after resting orders were matched."""
