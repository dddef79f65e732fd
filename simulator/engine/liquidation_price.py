"""Where a position would be liquidated if its own mark price alone moved: the figure venues show beside a position."""

from __future__ import annotations

from decimal import Decimal

from simulator.engine.account import Account
from simulator.engine.margin import cross_balance, maintenance
from simulator.engine.order import ZERO
from simulator.engine.position import Position
from simulator.engine.state import State


def liquidation_price(state: State, account: Account, position: Position) -> Decimal:
    """Return the mark price at which margin and maintenance margin meet, zero when no price does that.

    Solves backing + profit(p) = rate * value(p) + owed for p, where `backing` and `owed` are what the rest of the wallet
    adds: nothing for an isolated position.
    """
    quantity, symbol = position.quantity, position.symbol
    if not quantity:
        return ZERO
    instrument, mark = state.instruments[symbol], state.mark(symbol)
    rate, entry = instrument.maintenance_rate, position.entry_price
    backing, owed = position.margin, ZERO
    if symbol not in account.isolated:
        backing = cross_balance(state, account, instrument.settle) - position.unrealised(mark)
        owed = maintenance(state, account, instrument.settle, cross_only=True) - position.value(mark) * rate
    if position.inverse:
        coins = backing - owed + quantity / entry
        price = (quantity + abs(quantity) * rate) / coins if coins else ZERO
    else:
        price = (entry * quantity - backing + owed) / (quantity - abs(quantity) * rate)
    return max(ZERO, price)
