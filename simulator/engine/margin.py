"""Margin: what positions and orders tie up, what is free, and what must stay covered, each per settle asset.

The wallet of an asset stands behind the cross positions that settle in it: USDT behind the linear ones, BTC behind the
inverse ones of BTC. Initial margin of a symbol is its larger reachable exposure divided by the leverage: in one-way mode
the net position plus all bids, or minus all asks; in hedge mode each leg plus the orders that open it. An isolated
position's own margin is part of the wallet, but backs that position alone. Spot orders lock what they would give away.
"""

from __future__ import annotations

from decimal import Decimal

from simulator.engine.account import USDT, Account
from simulator.engine.instrument import INVERSE_SUFFIX, Kind
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
    found: list[Exposure] = []
    inverse = symbol.endswith(INVERSE_SUFFIX)
    for order in account.open_orders.values():
        # A market order that waits to be matched has no price; its margin was checked when it was accepted.
        if order.symbol != symbol or order.reduce_only or not order.price:
            continue
        if opens(order.side, order.position_side):
            value = order.remaining / order.price if inverse else order.remaining * order.price
            found.append((order.side, order.position_side, value))
    return found


def symbol_margin(account: Account, symbol: str, mark: Decimal, extra: Exposure | None = None) -> Decimal:
    """Return the initial margin of a perpetual: positions and open orders, and `extra` as one more order."""
    pending = _pending(account, symbol) if account.open_orders else []
    if extra is not None and opens(extra[0], extra[1]):
        pending.append(extra)
    inverse, total = symbol.endswith(INVERSE_SUFFIX), ZERO
    for leg in HEDGE_LEGS if account.hedge_mode else ONE_WAY_LEGS:
        held = account.held(symbol, leg)
        held = bids = asks = held / mark if inverse else held * mark
        for side, where, value in pending:
            if where is not leg:
                continue
            if side is Side.BUY:
                bids += value
            else:
                asks -= value
        total += max(abs(bids), abs(asks)) if pending else abs(held)
    return total / account.leverage(symbol)


def _orders_margin(account: Account, symbol: str, mark: Decimal) -> Decimal:
    """Return what the open orders of an isolated symbol tie up beside its position's own margin."""
    held = sum((p.value(mark) for p in account.live_positions() if p.symbol == symbol), ZERO)
    return max(ZERO, symbol_margin(account, symbol, mark) - held / account.leverage(symbol))


def _symbols(state: State, account: Account, asset: str) -> set[str]:
    """Return the perpetuals settled in `asset` in which the account has a position or an open order."""
    instruments = state.instruments
    found = {p.symbol for p in account.live_positions() if instruments[p.symbol].settle == asset}
    for order in account.open_orders.values():
        instrument = instruments[order.symbol]
        if instrument.settle == asset and instrument.kind is not Kind.SPOT:
            found.add(order.symbol)
    return found


def position_margin(state: State, account: Account, asset: str = USDT) -> Decimal:
    """Return the margin of the open positions alone: initial for cross ones, their own for isolated ones."""
    total = ZERO
    for p in account.live_positions():
        if state.instruments[p.symbol].settle == asset:
            isolated = p.symbol in account.isolated
            total += p.margin if isolated else p.value(state.mark(p.symbol)) / account.leverage(p.symbol)
    return total


def isolated_margin(state: State, account: Account, asset: str = USDT) -> Decimal:
    """Return what the wallet of `asset` has given to isolated positions."""
    if not account.isolated:
        return ZERO
    return sum(
        (p.margin for p in account.live_positions() if state.instruments[p.symbol].settle == asset), ZERO
    )


def total_margin(state: State, account: Account, asset: str = USDT) -> Decimal:
    """Return the margin of positions and open orders together."""
    total = isolated_margin(state, account, asset)
    for symbol in _symbols(state, account, asset):
        tied = _orders_margin if symbol in account.isolated else symbol_margin
        total += tied(account, symbol, state.mark(symbol))
    return total


def unrealised(state: State, account: Account, asset: str = USDT, *, cross_only: bool = False) -> Decimal:
    """Return the unrealised profit of the positions settled in `asset` at their mark prices."""
    instruments, marks, total = state.instruments, state.tape.marks, ZERO
    for p in account.live_positions():
        if instruments[p.symbol].settle == asset and not (cross_only and p.symbol in account.isolated):
            total += p.unrealised(marks[p.symbol])
    return total


def maintenance(state: State, account: Account, asset: str = USDT, *, cross_only: bool = False) -> Decimal:
    """Return the maintenance margin of the positions settled in `asset`."""
    total = ZERO
    for p in account.live_positions():
        instrument = state.instruments[p.symbol]
        if instrument.settle == asset and not (cross_only and p.symbol in account.isolated):
            total += p.value(state.mark(p.symbol)) * instrument.maintenance_rate
    return total


def cross_balance(state: State, account: Account, asset: str = USDT) -> Decimal:
    """Return the margin balance of the cross positions: the wallet that is not isolated, and their profit."""
    wallet = account.wallets.get(asset, ZERO) - isolated_margin(state, account, asset)
    return wallet + unrealised(state, account, asset, cross_only=True)


def locked(state: State, account: Account, asset: str) -> Decimal:
    """Return how much of `asset` open spot orders and waiting spot conditionals would give away."""
    total = sum((amount for what, amount in account.reserves.values() if what == asset), ZERO)
    for order in account.open_orders.values():
        instrument = state.instruments[order.symbol]
        if instrument.kind is not Kind.SPOT:
            continue
        if order.side is Side.SELL and instrument.base == asset:
            total += order.remaining
        elif order.side is Side.BUY and instrument.quote == asset:
            total += order.remaining * (order.price or state.mark(order.symbol))
    return total


def available(state: State, account: Account, asset: str = USDT) -> Decimal:
    """Return what new orders may tie up or spend; negative when losses ate into the margin."""
    if not (account.isolated or account.open_orders or account.reserves):
        return _unencumbered(state, account, asset)
    left = cross_balance(state, account, asset)
    for symbol in _symbols(state, account, asset):
        tied = _orders_margin if symbol in account.isolated else symbol_margin
        left -= tied(account, symbol, state.mark(symbol))
    return left - locked(state, account, asset)


def _unencumbered(state: State, account: Account, asset: str) -> Decimal:
    """Return the same in one pass for an account with cross positions alone, as nearly every follower is in a burst."""
    instruments, marks = state.instruments, state.tape.marks
    left = account.wallets.get(asset, ZERO)
    for p in account.live_positions():
        if instruments[p.symbol].settle == asset:
            mark = marks[p.symbol]
            left += p.unrealised(mark) - p.value(mark) / account.leverage(p.symbol)
    return left


def free(state: State, account: Account, asset: str) -> Decimal:
    """Return how much of `asset` may be spent or withdrawn: never unrealised profit, never what margin needs."""
    spendable = account.wallets.get(asset, ZERO) - locked(state, account, asset)
    return max(ZERO, min(spendable, available(state, account, asset)))


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
    return available(state, account, state.instruments[symbol].settle) >= added + fee + max(loss, ZERO)
