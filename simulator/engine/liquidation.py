"""Liquidation: closes every position of an account whose margin balance no longer covers its maintenance margin."""

from __future__ import annotations

from decimal import Decimal

from simulator.engine.account import Account
from simulator.engine.book import walk
from simulator.engine.conditional import ConditionalDesk, ConditionalStatus
from simulator.engine.margin import maintenance, unrealised
from simulator.engine.order import Execution, OrderRequest, OrderType, Origin, Side, Status, TimeInForce
from simulator.engine.position import Position
from simulator.engine.state import State


class Liquidator:
    """Looks at the accounts that hold a symbol after its price moved."""

    def __init__(self, state: State, conditionals: ConditionalDesk) -> None:
        self._state = state
        self._conditionals = conditionals

    def sweep(self, symbol: str) -> list[Account]:
        """Liquidate whoever must be; return them."""
        doomed = [account for account in self._state.holders[symbol].values() if self.is_due(account)]
        for account in doomed:
            self._liquidate(account)
        return doomed

    def is_due(self, account: Account) -> bool:
        """Say whether margin balance (wallet plus unrealised profit) is at or below the maintenance margin."""
        if not any(account.live_positions()):
            return False
        return account.wallet + unrealised(self._state, account) <= maintenance(self._state, account)

    def _liquidate(self, account: Account) -> None:
        state = self._state
        for order in list(account.open_orders.values()):
            state.end(account, order, Status.CANCELED)
        self._conditionals.end_all(account, None, ConditionalStatus.EXPIRED)
        for position in list(account.live_positions()):
            self._close(account, position)
        if account.wallet < 0:
            shortfall = -account.wallet
            state.credit(account, "INSURANCE_CLEAR", shortfall)
            for listener in state.listeners:
                listener.balance_changed(account, "INSURANCE_CLEAR", shortfall, ())

    def _close(self, account: Account, position: Position) -> None:
        state, quantity = self._state, abs(position.quantity)
        side = Side.SELL if position.quantity > 0 else Side.BUY
        levels = state.ladder(position.symbol).against(side)
        taken = walk(levels, side, quantity, None)
        missing = quantity - sum((size for _, size in taken), Decimal(0))
        worst = taken[-1][0] if taken else state.mark(position.symbol)
        if missing:
            taken.append((worst, missing))  # the insurance fund takes what the book cannot
        order = state.enter(
            account,
            OrderRequest(
                position.symbol, side, OrderType.LIMIT, quantity, worst, TimeInForce.IOC, position.side,
                reduce_only=True, client_order_id=f"autoclose-{state.now()}-{position.symbol}"[:36],
                origin=Origin.LIQUIDATION,
            ),
            quantity,
        )  # fmt: skip
        for price, size in taken:
            state.execute(account, order, price, size, execution=Execution.CALCULATED)
