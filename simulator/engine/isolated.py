"""An isolated position's own margin: taken from the wallet's free part as it opens, given back as it closes."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from simulator.engine.account import Account
from simulator.engine.order import ZERO
from simulator.engine.position import Position
from simulator.engine.state import CENT, State


def initial(account: Account, position: Position, quantity: Decimal, price: Decimal) -> Decimal:
    """Return the margin that `quantity` of the position takes at `price`."""
    worth = quantity / price if position.inverse else quantity * price
    return (worth / account.leverage(position.symbol)).quantize(CENT, ROUND_HALF_EVEN)


def move(
    state: State, account: Account, position: Position, before: Decimal, price: Decimal, result: Decimal
) -> None:
    """Follow one execution at `price` that took the position from `before` and realised `result`.

    A loss beyond the part that is given back eats the rest; what exceeds even that, the insurance fund bears.
    """
    after = position.quantity
    if not before or ((after > 0) == (before > 0) and abs(after) > abs(before)):
        position.margin += initial(account, position, abs(after) - abs(before), price)
        return
    closed = min(abs(before), abs(after - before))
    released = (position.margin * closed / abs(before)).quantize(CENT, ROUND_HALF_EVEN)
    rest = position.margin - released
    beyond = max(ZERO, -(released + result))
    position.margin = max(ZERO, rest - beyond)
    if beyond > rest:
        asset = state.instruments[position.symbol].settle
        state.credit(account, "INSURANCE_CLEAR", beyond - rest, position.symbol, asset=asset)
    if (after > 0) != (before > 0):
        position.margin = initial(account, position, abs(after), price)


def resized(account: Account, leverage: int, symbol: str) -> Decimal:
    """Return how much more margin the isolated positions of `symbol` need at another leverage (negative: less)."""
    return sum((_at(p, leverage) - p.margin for p in account.live_positions() if p.symbol == symbol), ZERO)


def resize(account: Account, leverage: int, symbol: str) -> None:
    """Give the isolated positions of `symbol` the margin of another leverage."""
    for position in account.live_positions():
        if position.symbol == symbol:
            position.margin = _at(position, leverage)


def _at(position: Position, leverage: int) -> Decimal:
    return (position.value(position.entry_price) / leverage).quantize(CENT, ROUND_HALF_EVEN)
