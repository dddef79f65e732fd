"""The order desk: accepts, amends, cancels and matches orders against the synthetic book."""

from __future__ import annotations

from decimal import Decimal

from simulator.engine import spot
from simulator.engine.account import Account
from simulator.engine.admission import admit, check_client_id, check_margin, check_mode, reducible
from simulator.engine.book import Level, walk
from simulator.engine.booking import execute
from simulator.engine.instrument import Kind
from simulator.engine.margin import opens
from simulator.engine.order import ZERO, Execution, Order, OrderRequest, OrderType, Status, TimeInForce
from simulator.engine.refusal import Reason, Refusal
from simulator.engine.state import State


class Desk:
    """All methods raise Refusal before they change anything."""

    def __init__(self, state: State) -> None:
        self._state = state

    def place(self, account: Account, request: OrderRequest) -> Order:
        """Accept one order and execute what the book allows at once; the returned order shows the outcome."""
        taken = admit(self._state, account, request)
        if taken.levels and request.time_in_force is TimeInForce.GTX and request.type is not OrderType.MARKET:
            raise Refusal(Reason.POST_ONLY_WOULD_TAKE)
        order = self._state.enter(account, request, taken.quantity)
        self._match(account, order, taken.levels)
        return order

    def accept(self, account: Account, request: OrderRequest) -> Order:
        """Accept one order without matching it, as a venue does that acknowledges first; `settle` matches it."""
        order = self._state.enter(account, request, admit(self._state, account, request).quantity)
        account.open_orders[order.order_id] = order
        return order

    def settle(self, account: Account, order: Order) -> None:
        """Match an accepted order against the book as it is now, unless it was cancelled in between.

        A reducing order is cut to what is left to reduce; a post-only order that would take is cancelled.
        """
        state = self._state
        if not order.is_open:
            return
        if order.reduce_only or not opens(order.side, order.position_side):
            left = reducible(account, order.symbol, order.side, order.position_side)
            order.quantity = min(order.quantity, order.executed + left) if left else order.quantity
            if not left:
                state.end(account, order, Status.CANCELED)
                return
        limit = None if order.type is OrderType.MARKET else order.price
        taken = walk(state.ladder(order.symbol).against(order.side), order.side, order.remaining, limit)
        if not self._pays(account, order, taken):
            return
        if taken and order.time_in_force is TimeInForce.GTX and limit is not None:
            state.end(account, order, Status.CANCELED)
            return
        self._match(account, order, taken)

    def _match(self, account: Account, order: Order, taken: list[Level]) -> None:
        state = self._state
        fill_or_kill = order.time_in_force is TimeInForce.FOK and order.type is OrderType.LIMIT
        if fill_or_kill and sum(size for _, size in taken) < order.remaining:
            taken = []
        for price, size in taken:
            execute(state, account, order, price, size)
        if order.is_open:
            if order.type is OrderType.LIMIT and order.time_in_force in (TimeInForce.GTC, TimeInForce.GTX):
                state.rest(account, order)
            else:
                state.end(account, order, Status.EXPIRED)
        if taken and account.open_orders:
            self.expire_orphans(account, order.symbol)

    def _pays(self, account: Account, order: Order, taken: list[Level]) -> bool:
        """Say whether `taken` can be booked; a spot order whose wallet was emptied meanwhile expires instead."""
        instrument = self._state.instruments[order.symbol]
        if instrument.kind is not Kind.SPOT or spot.pays(account, instrument, order.side, taken):
            return True
        self._state.end(account, order, Status.EXPIRED)
        return False

    def amend(
        self, account: Account, order: Order, price: Decimal, quantity: Decimal, client_order_id: str = ""
    ) -> Order:
        """Give an open limit order a new price and total quantity; it keeps its id and loses its place.

        A quantity not above what is executed cancels the rest.
        """
        state = self._state
        if not order.is_open or order.type is not OrderType.LIMIT:
            raise Refusal(Reason.UNKNOWN_ORDER)
        instrument = state.instrument(order.symbol)
        instrument.check_quantity(quantity, market=False)
        instrument.check_price(price, state.mark(order.symbol))
        if (price, quantity) == (order.price, order.quantity):
            raise Refusal(Reason.NO_AMENDMENT)
        if not order.reduce_only:
            instrument.check_notional(quantity, price)
        if quantity <= order.executed:
            state.end(account, order, Status.CANCELED)
            return order
        rest = quantity - order.executed
        taken = walk(state.ladder(order.symbol).against(order.side), order.side, rest, price)
        if taken and order.time_in_force is TimeInForce.GTX:
            raise Refusal(Reason.POST_ONLY_WOULD_TAKE)
        self._check_amended_margin(account, order, price, rest, taken)
        order.price, order.quantity = price, quantity
        order.updated_ms = now = state.now()
        state.ledger.note(
            now, "ORDER_AMENDED", order.account_id, order.symbol, order.order_id,
            {"price": str(price), "quantity": str(quantity)},
        )  # fmt: skip
        for listener in state.listeners:
            listener.order_changed(account, order, Execution.AMENDMENT, None)
        self._match(account, order, taken)
        return order

    def _check_amended_margin(
        self, account: Account, order: Order, price: Decimal, rest: Decimal, taken: list[Level]
    ) -> None:
        if order.reduce_only:
            return
        request = OrderRequest(
            order.symbol, order.side, order.type, rest, price, order.time_in_force, order.position_side
        )
        del account.open_orders[order.order_id]
        try:
            check_margin(self._state, account, request, rest, taken, self._state.mark(order.symbol))
        finally:
            account.open_orders[order.order_id] = order

    def cancel(self, account: Account, order: Order | None) -> Order:
        """Cancel an open order; refuse one that is absent or already ended."""
        if order is None or not order.is_open:
            raise Refusal(Reason.UNKNOWN_ORDER)
        self._state.end(account, order, Status.CANCELED)
        return order

    def cancel_all(self, account: Account, symbol: str) -> list[Order]:
        """Cancel every open order of `symbol` and return them."""
        found = [order for order in account.open_orders.values() if order.symbol == symbol]
        for order in found:
            self._state.end(account, order, Status.CANCELED)
        return found

    def cross(self, symbol: str) -> None:
        """Execute the resting orders that the book now reaches, oldest first, as maker at their own price."""
        state = self._state
        ladder = state.ladder(symbol)
        for order in list(state.resting[symbol].values()):
            # A replayed order that goes on executes by the operator's word alone: it has no price to be reached.
            if not order.is_open or order.type is OrderType.MARKET:
                continue
            account = state.accounts[order.account_id]
            wanted = order.remaining
            if order.reduce_only or not opens(order.side, order.position_side):
                wanted = min(wanted, reducible(account, order.symbol, order.side, order.position_side))
            taken = walk(ladder.against(order.side), order.side, wanted, order.price)
            size = sum((quantity for _, quantity in taken), ZERO)
            if size and self._pays(account, order, [(order.price, size)]):
                execute(state, account, order, order.price, size, maker=True)
                self.expire_orphans(account, symbol)

    def expire_orphans(self, account: Account, symbol: str) -> None:
        """Expire the account's resting reduce-only orders that have nothing left to reduce."""
        for order in list(account.open_orders.values()):
            if order.symbol != symbol or not (
                order.reduce_only or not opens(order.side, order.position_side)
            ):
                continue
            if not reducible(account, symbol, order.side, order.position_side):
                self._state.end(account, order, Status.EXPIRED)

    def book(self, account: Account, request: OrderRequest, executions: list[Level], *, final: bool) -> Order:
        """Book an order as exactly these executions, past book, limits and margin: the replay of a real trader.

        Without `final` the order stays PARTIALLY_FILLED; a later call with the same client order id continues it.
        """
        state = self._state
        instrument = state.instrument(request.symbol)
        check_mode(account, request, instrument)
        if not executions:
            raise Refusal(Reason.EXECUTION_INVALID, "At least one is needed.")
        for price, size in executions:
            if price <= 0 or size <= 0 or size % instrument.step:
                raise Refusal(
                    Reason.EXECUTION_INVALID, "Prices and quantities must be positive and on the step."
                )
        if instrument.kind is Kind.SPOT and not spot.pays(account, instrument, request.side, executions):
            raise Refusal(Reason.INSUFFICIENT_MARGIN)
        total = sum((size for _, size in executions), ZERO)
        order = account.client_ids.get(request.client_order_id)
        if (
            order is not None
            and order.is_open
            and order.symbol == request.symbol
            and order.side is request.side
        ):
            order.quantity = max(order.quantity, order.executed + total)
        else:
            check_client_id(state, account, request.client_order_id, request.unique)
            order = state.enter(account, request, max(request.quantity, total))
            state.rest(account, order)
        if final:
            order.quantity = order.executed + total
        elif order.quantity == order.executed + total:
            order.quantity += instrument.step  # an order that goes on must not read FILLED in between
        for price, size in executions:
            execute(state, account, order, price, size)
        self.expire_orphans(account, request.symbol)
        return order
