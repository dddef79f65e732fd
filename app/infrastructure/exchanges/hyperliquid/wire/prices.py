"""Prices as the venue takes them: five significant figures and 6 - szDecimals decimals, and whole numbers always.

A limit order may cost no more than asked, so a bid is rounded down and an offer up; a trigger is rounded to the side from
which the market comes, so that it triggers no later than asked.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from app.domain.shared.market import Instrument, Side
from app.domain.shared.money import Price
from app.domain.shared.triggers import TriggerKind
from app.infrastructure.exchanges.reading import ZERO, Unreadable

_FIGURES: Final = 5
_SLIPPAGE: Final = Decimal("0.05")
"""How far from the mark a market order may execute: what the venue's own clients and pages allow."""

_TRIGGERED_SLIPPAGE: Final = Decimal("0.10")
"""How far from its trigger a triggered market order may execute, as the venue documents it."""


def limit_price(instrument: Instrument, side: Side, value: Decimal) -> Decimal:
    """Return the price that may be sent, no worse for the one who orders than `value`; Unreadable when there is none."""
    return _rounded(instrument, value, ROUND_FLOOR if side is Side.BUY else ROUND_CEILING)


def market_price(instrument: Instrument, side: Side, mark: Price) -> Decimal:
    """Return the limit of an order that takes what is there, given the mark."""
    return limit_price(instrument, side, mark * (1 + side.sign * _SLIPPAGE))


def trigger_price(instrument: Instrument, kind: TriggerKind, closing: Side, value: Decimal) -> Decimal:
    """Return the trigger that may be sent."""
    return _rounded(instrument, value, ROUND_FLOOR if kind.rises(closing) else ROUND_CEILING)


def triggered_price(instrument: Instrument, closing: Side, trigger: Decimal) -> Decimal:
    """Return the limit of the order that a trigger becomes."""
    return limit_price(instrument, closing, trigger * (1 + closing.sign * _TRIGGERED_SLIPPAGE))


def _rounded(instrument: Instrument, value: Decimal, rounding: str) -> Decimal:
    if value <= ZERO:
        raise Unreadable("a price must be above zero")
    tick_decimals = -int(instrument.tick.normalize().as_tuple().exponent)
    decimals = min(max(_FIGURES - 1 - value.adjusted(), 0), max(tick_decimals, 0))
    found = value.quantize(Decimal(1).scaleb(-decimals), rounding)
    if found <= ZERO:
        raise Unreadable("a price below the finest one of the market")
    return found
