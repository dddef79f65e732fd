"""Liquidation: closes what its margin no longer covers.

Cross positions that settle in one asset stand and fall together: when that wallet (less what isolated positions have) plus
their profit is at or below their maintenance margin, all of them are closed. An isolated position is closed alone, and
loses no more than its own margin. Spot coins are never touched. A wallet left below zero is cleared by the insurance fund.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from simulator.engine.account import Account
from simulator.engine.book import walk
from simulator.engine.booking import execute
from simulator.engine.conditional import ConditionalStatus
from simulator.engine.conditional_desk import ConditionalDesk
from simulator.engine.instrument import Kind
from simulator.engine.margin import cross_balance, isolated_margin, maintenance
from simulator.engine.order import ZERO, Execution, OrderRequest, OrderType, Origin, Side, Status, TimeInForce
from simulator.engine.position import Position
from simulator.engine.state import State


class Liquidator:
    """Looks at the accounts that hold a symbol after its price moved."""

    def __init__(self, state: State, conditionals: ConditionalDesk) -> None:
        self._state = state
        self._conditionals = conditionals

    def sweep(self, symbol: str) -> list[Account]:
        """Liquidate whoever must be; return them."""
        asset = self._state.instruments[symbol].settle
        doomed: list[Account] = []
        for account in list(self._state.holders[symbol].values()):
            if symbol in account.isolated:
                due = [p for p in account.live_positions() if p.symbol == symbol and self._is_due(p)]
                for position in due:
                    self._liquidate_isolated(account, position)
            else:
                due = self.due(account, asset)
                if due:
                    self._liquidate_cross(account, asset, due)
            if due:
                doomed.append(account)
        return doomed

    def due(self, account: Account, asset: str) -> list[Position]:
        """Return the cross positions settled in `asset` if their margin balance no longer covers them."""
        found = self._cross(account, asset)
        if not found:
            return []
        covered = cross_balance(self._state, account, asset)
        return found if covered <= maintenance(self._state, account, asset, cross_only=True) else []

    def _cross(self, account: Account, asset: str) -> list[Position]:
        instruments = self._state.instruments
        return [
            p
            for p in account.live_positions()
            if p.symbol not in account.isolated and instruments[p.symbol].settle == asset
        ]

    def _is_due(self, position: Position) -> bool:
        mark = self._state.mark(position.symbol)
        owed = position.value(mark) * self._state.instruments[position.symbol].maintenance_rate
        return position.margin + position.unrealised(mark) <= owed

    def _liquidate_cross(self, account: Account, asset: str, positions: Sequence[Position]) -> None:
        instruments = self._state.instruments
        symbols = [
            symbol
            for symbol, instrument in instruments.items()
            if instrument.settle == asset
            and instrument.kind is not Kind.SPOT
            and symbol not in account.isolated
        ]
        self._end_orders(account, symbols)
        for position in positions:
            self._close(account, position)
        kept = isolated_margin(self._state, account, asset)
        self._clear(account, asset, kept - account.wallets.get(asset, ZERO))

    def _liquidate_isolated(self, account: Account, position: Position) -> None:
        asset = self._state.instruments[position.symbol].settle
        self._end_orders(account, [position.symbol])
        kept = account.wallets.get(asset, ZERO) - position.margin
        self._close(account, position)
        self._clear(account, asset, kept - account.wallets.get(asset, ZERO))

    def _end_orders(self, account: Account, symbols: Sequence[str]) -> None:
        for order in list(account.open_orders.values()):
            if order.symbol in symbols:
                self._state.end(account, order, Status.CANCELED)
        for symbol in symbols:
            self._conditionals.end_all(account, symbol, ConditionalStatus.EXPIRED)

    def _clear(self, account: Account, asset: str, shortfall: Decimal) -> None:
        if shortfall <= 0:
            return
        self._state.credit(account, "INSURANCE_CLEAR", shortfall, asset=asset)
        for listener in self._state.listeners:
            listener.balance_changed(account, "INSURANCE_CLEAR", shortfall, (), asset)

    def _close(self, account: Account, position: Position) -> None:
        state, quantity = self._state, abs(position.quantity)
        side = Side.SELL if position.quantity > 0 else Side.BUY
        levels = state.ladder(position.symbol).against(side)
        taken = walk(levels, side, quantity, None)
        missing = quantity - sum((size for _, size in taken), ZERO)
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
            execute(state, account, order, price, size, execution=Execution.CALCULATED)
