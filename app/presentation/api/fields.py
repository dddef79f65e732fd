"""The kinds of values on the wire: numbers as plain decimal strings, symbols, ids, texts; what is in and what is out.

A number is a string in both directions, since a JSON number passes through a float in most clients. What comes in is
ASCII digits and one point and nothing else; what goes out has no exponent and no trailing zeros.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from app.domain.shared.errors import InvalidValue
from app.domain.shared.market import Symbol, symbol
from app.domain.shared.money import plain

ID_MAX: Final = 2**63 - 1
_UNSIGNED: Final = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
_UNSIGNED_PATTERN: Final = r"^[0-9]{1,18}(\.[0-9]{1,18})?$"
_POSITIVE_PATTERN: Final = r"^(?=.*[1-9])[0-9]{1,18}(\.[0-9]{1,18})?$"
_SYMBOL_PATTERN: Final = r"^[A-Z0-9]{1,20}-[A-Z0-9]{2,10}$"
_ID: Final = re.compile(r"[0-9]{1,19}")


def _unsigned(value: object) -> Decimal:
    if not isinstance(value, str) or not _UNSIGNED.fullmatch(value):
        raise ValueError(
            'A number is a string of digits with at most one point, such as "0.5": at most 18 digits on each side.'
        )
    return Decimal(value)


def _positive(value: object) -> Decimal:
    number = _unsigned(value)
    if number == 0:
        raise ValueError("The number must be above zero.")
    return number


def _symbol(value: object) -> Symbol:
    if not isinstance(value, str):
        raise ValueError("A symbol is a string.")  # noqa: TRY004 - only ValueError becomes a 422
    try:
        return symbol(value)
    except InvalidValue as error:
        raise ValueError(error.message) from None


def _id_in_address(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise ValueError("An id is a whole number above zero.")
    return int(value)


def _printable(value: str) -> str:
    stripped = value.strip()
    if not stripped or not stripped.isprintable():
        raise ValueError("The text must have printable characters only, and at least one.")
    return stripped


def _shown(value: Decimal) -> str:
    return plain(value) if value else "0"  # a zero may carry a sign


def _number_schema(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]})


Unsigned: TypeAlias = Annotated[
    Decimal, BeforeValidator(_unsigned), PlainSerializer(_shown), _number_schema(_UNSIGNED_PATTERN, "250.5")
]
"""A number of zero or more, in."""

Positive: TypeAlias = Annotated[
    Decimal, BeforeValidator(_positive), PlainSerializer(_shown), _number_schema(_POSITIVE_PATTERN, "0.25")
]
"""A number above zero, in."""

Number: TypeAlias = Annotated[
    Decimal,
    PlainSerializer(_shown, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$", "examples": ["-12.75"]}),
]
"""A number of either sign, out."""

SymbolText: TypeAlias = Annotated[
    Symbol,
    BeforeValidator(_symbol),
    WithJsonSchema({"type": "string", "pattern": _SYMBOL_PATTERN, "examples": ["BTC-USDT"]}),
]
"""A market such as BTC-USDT."""

AddressId: TypeAlias = Annotated[int, Field(ge=1, le=ID_MAX), BeforeValidator(_id_in_address)]
"""An id in a path or query."""

BodyId: TypeAlias = Annotated[int, Field(ge=1, le=ID_MAX, strict=True, examples=[7])]
"""An id in a body: a JSON integer."""

Label: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=80, examples=["main account"]), AfterValidator(_printable)
]
"""A name that a person gives."""

Reason: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=200, examples=["under review"]), AfterValidator(_printable)
]
"""Why something was done."""

Moment: TypeAlias = Annotated[datetime, Field(examples=["2026-03-01T12:00:00.250000Z"])]
"""A time in UTC, ISO 8601."""


class Incoming(BaseModel):
    """Base of what comes in: a field that is not described is refused."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Outgoing(BaseModel):
    """Base of what goes out: read from a row by the names of its fields, nothing but those."""

    model_config = ConfigDict(from_attributes=True)


def example(**fields: Any) -> ConfigDict:
    """Return the part of a model's configuration that shows an example in its JSON schema."""
    return ConfigDict(json_schema_extra={"examples": [fields]})
