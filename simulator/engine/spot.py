"""What is special at spot: an order is paid with what the account has, there is nothing to reduce, and a market order may
name the amount of quote currency it wants to trade.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from simulator.engine.account import Account
from simulator.engine.book import Level
from simulator.engine.instrument import Instrument
from simulator.engine.margin import free
from simulator.engine.order import ZERO, OrderRequest, OrderType, PositionSide, Side
from simulator.engine.refusal import Reason, Refusal
from simulator.engine.state import State


def check_request(request: OrderRequest) -> None:
    """Refuse what only a perpetual can be asked."""
    if request.reduce_only or request.close_position or request.position_side is not PositionSide.BOTH:
        raise Refusal(Reason.NOT_AT_SPOT)


def sized(instrument: Instrument, request: OrderRequest, levels: Sequence[Level]) -> Decimal:
    """Return the quantity that a request is for; `levels` are what it executes against."""
    quantity = request.quantity
    if request.quote_quantity:
        if request.type is not OrderType.MARKET or request.quote_quantity < 0:
            raise Refusal(
                Reason.QUANTITY_NOT_POSITIVE, "An amount is for market orders and must be positive."
            )
        if request.quote_quantity < instrument.min_notional:
            raise Refusal(Reason.NOTIONAL_BELOW_MINIMUM)
        quantity = _affordable(instrument, request.quote_quantity, levels)
    instrument.check_quantity(quantity, market=request.type is OrderType.MARKET)
    return quantity


def _affordable(instrument: Instrument, amount: Decimal, levels: Sequence[Level]) -> Decimal:
    """Return the largest quantity on the step that `levels` trade for `amount`."""
    quantity = ZERO
    for price, available in levels:
        size = min(available, instrument.floor_quantity(amount / price))
        quantity += size
        amount -= size * price
        if size < available:
            break
    return quantity


def gives(
    instrument: Instrument, side: Side, quantity: Decimal, price: Decimal, taken: Sequence[Level] = ()
) -> tuple[str, Decimal]:
    """Return the asset that an order pays with, and how much of it: `taken` at its prices, the rest at `price`."""
    if side is Side.SELL:
        return instrument.base, quantity
    rest = quantity - sum((size for _, size in taken), ZERO)
    return instrument.quote, sum((at * size for at, size in taken), ZERO) + rest * price


def check_funds(state: State, account: Account, asset: str, amount: Decimal) -> None:
    """Refuse what the free part of a wallet does not pay for."""
    if amount > free(state, account, asset):
        raise Refusal(Reason.INSUFFICIENT_MARGIN, f"It needs {amount.normalize():f} {asset}.")


def pays(account: Account, instrument: Instrument, side: Side, taken: Sequence[Level]) -> bool:
    """Say whether the wallet still covers these executions: a withdrawal or a loss may have emptied it meanwhile."""
    asset, amount = gives(instrument, side, sum((size for _, size in taken), ZERO), ZERO, taken)
    return account.wallets.get(asset, ZERO) >= amount
