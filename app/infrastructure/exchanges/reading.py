"""Reading bytes: what every venue's reader shares. Unknown fields are ignored, needed ones are demanded, floats refused."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Final, TypeAlias, TypeVar

import msgspec

from app.domain.shared.errors import InvalidValue
from app.domain.shared.market import Symbol
from app.domain.shared.money import Money, Price, Quantity, exact, quantity

T = TypeVar("T")

Milliseconds: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_999)]
"""Epoch milliseconds up to the year 9999: what a `datetime` can hold."""

Number: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=9_223_372_036_854_775_807)]
"""An id as the venue counts them: above zero, of 64 bits."""

Names: TypeAlias = Mapping[str, Symbol]
"""Our symbol of each perpetual contract, by the venue's spelling."""

ZERO: Final = Decimal(0)


class Unreadable(Exception):
    """The bytes are not what the venue documents. The text names the place, never the payload."""


def read(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decode `body`, or raise Unreadable."""
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"{type(error).__name__} at {_place(error)}") from None


def _place(error: Exception) -> str:
    # A decoder's message quotes no values, but it may quote a mistyped field's name: only its path is kept.
    _, _, path = str(error).rpartition(" - at ")
    return path[:80] if path.startswith("`") else "the payload"


def number(text: str, name: str) -> Decimal:
    """Read a decimal of either sign."""
    try:
        return exact(text)
    except InvalidValue:
        raise Unreadable(f"{name} is no plain decimal") from None


def amount(text: str, name: str) -> Money:
    """Read an amount of money of either sign."""
    return Money(number(text, name))


def size(text: str, name: str) -> Quantity:
    """Read a quantity, zero or more."""
    try:
        return quantity(text)
    except InvalidValue:
        raise Unreadable(f"{name} is no quantity") from None


def positive_price(text: str, name: str) -> Price:
    """Read a price above zero."""
    value = number(text, name)
    if value <= ZERO:
        raise Unreadable(f"{name} is no price")
    return Price(value)
