"""What the stream tells whole: all that rests, all that an account is, and the fills that were."""

from __future__ import annotations

from simulator.engine.account import Account
from simulator.engine.exchange import Exchange
from simulator.engine.order import Fill, Order
from simulator.hyperliquid import orders, wire
from simulator.hyperliquid.wire import Json

FILLS_MAX = 2000


class Snapshots:
    """Builds them from one exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def fill(self, account: Account, order: Order, fill: Fill) -> Json:
        """Return the execution that was just booked."""
        before = account.held(fill.symbol, fill.position_side) - fill.quantity * fill.side.sign
        instrument = self._exchange.state.instruments[fill.symbol]
        oid = orders.of_order(self._exchange, account, order).oid
        return wire.fill_json(instrument, order, fill, before, oid)

    def fills(self, account: Account) -> list[Json]:
        """Return the latest fills, newest first."""
        symbols = {instrument.symbol for instrument in wire.universe(self._exchange.state)}
        return past_fills(self._exchange, account, symbols)[-FILLS_MAX:][::-1]

    def open_orders(self, account: Account, user: str) -> Json:
        """Return all that rests or waits."""
        state = self._exchange.state
        symbols = {instrument.symbol for instrument in wire.universe(state)}
        waiting = [
            orders.Shown(conditional, None)
            for conditional in self._exchange.conditionals.live(account)
            if conditional.request.symbol in symbols
        ]
        resting = [
            orders.of_order(self._exchange, account, order)
            for order in account.open_orders.values()
            if order.symbol in symbols
        ]
        rows = [orders.full_json(self._exchange, found) for found in (*waiting, *resting)]
        return {"dex": "", "user": user, "orders": rows}

    def state(self, account: Account, user: str) -> Json:
        """Return positions and margin."""
        found = wire.state_json(self._exchange.state, account)
        return {"dex": "", "user": user, "clearinghouseState": found}


def past_fills(exchange: Exchange, account: Account, symbols: set[str]) -> list[Json]:
    """Return every visible fill on some markets, oldest first."""
    state, rows = exchange.state, []
    for fill, before in wire.told(account, symbols, state.now()):
        order = account.orders[fill.order_id]
        oid = orders.of_order(exchange, account, order).oid
        rows.append(wire.fill_json(state.instruments[fill.symbol], order, fill, before, oid))
    return rows
