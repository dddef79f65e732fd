"""Margin: what positions and open orders tie up, what is free, and what must stay covered. All amounts in USDT.

Initial margin of a symbol is its larger reachable exposure divided by the leverage: in one-way mode the net position
plus all bids, or minus all asks; in hedge mode each leg plus the orders that open it. Isolated is stored, not
separated: the whole wallet stands behind every position.
"""

from __future__ import annotations

from decimal import Decimal

from simulator.engine.account import Account
from simulator.engine.order import ZERO, PositionSide, Side
from simulator.engine.state import State

Exposure = tuple[Side, PositionSide, Decimal]
ONE_WAY_LEGS = (PositionSide.BOTH,)
HEDGE_LEGS = (PositionSide.LONG, PositionSide.SHORT)


def opens(side: Side, position_side: PositionSide) -> bool:
    """Say whether an order of `side` can open the leg `position_side`."""
    if position_side is PositionSide.BOTH:
        return True
    return (side is Side.BUY) == (position_side is PositionSide.LONG)


def _pending(account: Account, symbol: str) -> list[Exposure]:
    return [
        (order.side, order.position_side, order.remaining * order.price)
        for order in account.open_orders.values()
        if order.symbol == symbol and not order.reduce_only and opens(order.side, order.position_side)
    ]


def symbol_margin(account: Account, symbol: str, mark: Decimal, extra: Exposure | None = None) -> Decimal:
    """Return the initial margin of `symbol`: positions and open orders, and `extra` as one more order."""
    pending = _pending(account, symbol) if account.open_orders else []
    if extra is not None and opens(extra[0], extra[1]):
        pending.append(extra)
    total = ZERO
    for leg in HEDGE_LEGS if account.hedge_mode else ONE_WAY_LEGS:
        held = bids = asks = account.held(symbol, leg) * mark
        for side, where, value in pending:
            if where is not leg:
                continue
            if side is Side.BUY:
                bids += value
            else:
                asks -= value
        total += max(abs(bids), abs(asks)) if pending else abs(held)
    return total / account.leverage(symbol)


def position_margin(state: State, account: Account) -> Decimal:
    """Return the initial margin of the open positions alone."""
    return sum(
        (
            abs(p.quantity) * state.mark(p.symbol) / account.leverage(p.symbol)
            for p in account.live_positions()
        ),
        ZERO,
    )


def total_margin(state: State, account: Account) -> Decimal:
    """Return the initial margin of positions and open orders together."""
    symbols = {position.symbol for position in account.live_positions()}
    symbols.update(order.symbol for order in account.open_orders.values())
    return sum((symbol_margin(account, symbol, state.mark(symbol)) for symbol in symbols), ZERO)


def unrealised(state: State, account: Account) -> Decimal:
    """Return the unrealised profit of all positions at their mark prices."""
    return sum((p.unrealised(state.mark(p.symbol)) for p in account.live_positions()), ZERO)


def maintenance(state: State, account: Account) -> Decimal:
    """Return the margin below which the account is liquidated."""
    return sum(
        (
            abs(p.quantity) * state.mark(p.symbol) * state.instruments[p.symbol].maintenance_rate
            for p in account.live_positions()
        ),
        ZERO,
    )


def available(state: State, account: Account) -> Decimal:
    """Return what new orders may tie up; negative when losses ate into the margin."""
    return account.wallet + unrealised(state, account) - total_margin(state, account)


def covers(
    state: State, account: Account, symbol: str, exposure: Exposure, *, fee: Decimal, loss: Decimal
) -> bool:
    """Say whether the free margin pays for one more order: its margin, its fee and its immediate loss to the mark.

    An order that does not raise the margin always passes.
    """
    mark = state.mark(symbol)
    added = symbol_margin(account, symbol, mark, exposure) - symbol_margin(account, symbol, mark)
    if added <= 0:
        return True
    return available(state, account) >= added + fee + max(loss, ZERO)
