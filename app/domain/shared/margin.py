"""What an order costs in margin: one formula, used by risk to judge and by trading to hold."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from app.domain.shared.money import Money, settle_up

FEE_AND_SLIPPAGE: Final = Decimal("0.003")
"""Share of the notional kept aside above the initial margin, for the fees and the slippage of a market order."""


def funds_per_notional(leverage: int) -> Decimal:
    """Return how much quote currency one unit of notional ties up: initial margin, fees and slippage."""
    return Decimal(1) / leverage + FEE_AND_SLIPPAGE


def funds_needed(notional: Decimal, leverage: int) -> Money:
    """Return what must be held for an entry of `notional`, rounded up."""
    return Money(settle_up(notional * funds_per_notional(leverage)))


def initial_margin(notional: Decimal, leverage: int) -> Money:
    """Return the margin that an open position of `notional` uses, rounded up."""
    return Money(settle_up(notional / leverage))
