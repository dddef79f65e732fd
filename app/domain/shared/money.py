"""Prices, quantities and money as exact decimals.

Units: `Price` is quote currency per one base unit; `Quantity` is base units (coins); `Money` is quote currency
and may be negative; `Ratio` has no unit. They are NewTypes over Decimal: exact, and free at run time.

Invariants: a value that entered through `exact` is finite, has at most 18 digits before and 18 after the point
(what the database stores without rounding), and rounding to a tick or step always names its direction.
"""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Final, NewType

from app.domain.shared.errors import InvalidValue

Price = NewType("Price", Decimal)
Quantity = NewType("Quantity", Decimal)
Money = NewType("Money", Decimal)
Ratio = NewType("Ratio", Decimal)

ZERO: Final = Decimal(0)
NO_MONEY: Final = Money(ZERO)
NO_QUANTITY: Final = Quantity(ZERO)

_PLAIN: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?")
_ATOM: Final = Decimal(1).scaleb(-18)
_LIMIT: Final = Decimal(10) ** 18
_WIDE: Final = Context(prec=60)  # the default 28 digits cannot hold 18 + 18


def exact(value: Decimal | int | str) -> Decimal:
    """Return `value` as a finite decimal of at most 18 + 18 digits.

    Raises InvalidValue for NaN, infinities, exponents in text, non-ASCII digits and anything that would be rounded.
    """
    if isinstance(value, str):
        if not _PLAIN.fullmatch(value) or not value.isascii():
            raise InvalidValue("The number must be a plain decimal with at most 18 digits on each side.")
        return Decimal(value)
    number = Decimal(value)
    if (
        not number.is_finite()
        or number.copy_abs() >= _LIMIT
        or number != number.quantize(_ATOM, context=_WIDE)
    ):
        raise InvalidValue("The number must be finite with at most 18 digits on each side.")
    return number


def price(value: Decimal | int | str) -> Price:
    """Return a price above zero, or raise InvalidValue."""
    number = exact(value)
    if number <= ZERO:
        raise InvalidValue("A price must be above zero.")
    return Price(number)


def quantity(value: Decimal | int | str) -> Quantity:
    """Return a quantity of zero or more, or raise InvalidValue."""
    number = exact(value)
    if number < ZERO:
        raise InvalidValue("A quantity must not be negative.")
    return Quantity(number)


def money(value: Decimal | int | str) -> Money:
    """Return an amount of quote currency, negative allowed, or raise InvalidValue."""
    return Money(exact(value))


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """Round towards minus infinity to a multiple of `step` (> 0)."""
    return (value / step).to_integral_value(rounding=ROUND_FLOOR) * step


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    """Round towards plus infinity to a multiple of `step` (> 0)."""
    return (value / step).to_integral_value(rounding=ROUND_CEILING) * step


def settle_down(value: Decimal) -> Decimal:
    """Cut a quotient to the 18 decimals that are stored, towards minus infinity."""
    return value.quantize(_ATOM, rounding=ROUND_FLOOR, context=_WIDE)


def settle_up(value: Decimal) -> Decimal:
    """Cut a quotient to the 18 decimals that are stored, towards plus infinity."""
    return value.quantize(_ATOM, rounding=ROUND_CEILING, context=_WIDE)


def plain(value: Decimal) -> str:
    """Write a decimal without exponent and without trailing zeros, as venues and people read it."""
    if not value:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
