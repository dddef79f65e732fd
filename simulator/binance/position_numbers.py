"""One position in the venue's figures, the same for both kinds of contract: amount, margin, liquidation price."""

from __future__ import annotations

from decimal import Decimal

from simulator.binance.wire import average_text, money, quantity_text
from simulator.engine.account import Account
from simulator.engine.instrument import Kind
from simulator.engine.margin import maintenance, symbol_margin, unrealised
from simulator.engine.order import ZERO, Side
from simulator.engine.position import Position
from simulator.engine.state import State


def liquidation_price(state: State, account: Account, position: Position) -> Decimal:
    """Return the mark price at which this position alone, moving, would be liquidated; zero when none. What backs it is
    its own margin when it is isolated, else the wallet with what the other positions add and need.
    """
    if not position.quantity:
        return ZERO
    instrument, mark = state.instruments[position.symbol], state.mark(position.symbol)
    rate, size, asset = instrument.maintenance_rate, abs(position.quantity), instrument.settle
    backing = position.margin
    if position.symbol not in account.isolated:
        others = unrealised(state, account, asset) - position.unrealised(mark)
        owed = maintenance(state, account, asset) - position.value(mark) * rate
        backing = account.wallets.get(asset, ZERO) + others - owed
    if instrument.kind is Kind.INVERSE:
        left = backing + position.quantity / position.entry_price
        return max(ZERO, (position.quantity + size * rate) / left) if left > 0 else ZERO
    cost = position.entry_price * position.quantity - backing
    return max(ZERO, cost / (position.quantity - size * rate))


def numbers(state: State, account: Account, position: Position) -> dict[str, str]:
    """Return the figures of one leg, as text."""
    instrument, mark = state.instruments[position.symbol], state.mark(position.symbol)
    orders = [o for o in account.open_orders.values() if o.symbol == position.symbol and o.price]
    bids = sum((instrument.value(o.remaining, o.price) for o in orders if o.side is Side.BUY), ZERO)
    asks = sum((instrument.value(o.remaining, o.price) for o in orders if o.side is Side.SELL), ZERO)
    tied = symbol_margin(account, position.symbol, mark) if orders or position.quantity else ZERO
    legs = (p.value(mark) for p in account.live_positions() if p.symbol == position.symbol)
    whole = sum(legs, ZERO) / account.leverage(position.symbol)
    worth, profit = position.value(mark), position.unrealised(mark)
    isolated = position.symbol in account.isolated
    return {
        "amount": quantity_text(instrument, position.quantity),
        "entry": average_text(instrument, position.entry_price),
        "mark": money(mark),
        "profit": money(profit),
        "notional": money(worth if position.quantity > 0 else -worth),
        "liquidation": average_text(instrument, liquidation_price(state, account, position)),
        "margin": money(worth / account.leverage(position.symbol)),
        "maintenance": money(worth * instrument.maintenance_rate),
        "orders": money(max(ZERO, tied - whole)),
        "bids": money(bids),
        "asks": money(asks),
        "isolated_wallet": money(position.margin),
        "isolated_margin": money(position.margin + profit) if isolated and position.quantity else money(ZERO),
        "margin_type": "isolated" if isolated else "cross",
    }
