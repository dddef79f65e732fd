"""Reading operator input: JSON objects with named, typed fields; whatever does not fit says which field and why."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar

import orjson

E = TypeVar("E", bound=StrEnum)


class BadInput(Exception):
    """The operator's input is wrong; the text says where. `status` is the HTTP status to answer."""

    def __init__(self, message: str, status: int = 400, code: str = "BAD_INPUT") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Input:
    """One JSON object; `where` names it in messages."""

    def __init__(self, values: Mapping[str, object], where: str = "the body") -> None:
        self.values = values
        self._where = where

    @classmethod
    def of(cls, value: object, where: str = "the body") -> Input:
        """Wrap a decoded JSON value, which must be an object."""
        if not isinstance(value, dict):
            raise BadInput(f"{where} must be a JSON object")
        return cls(value, where)

    @classmethod
    def from_body(cls, body: bytes) -> Input:
        """Decode a request body; an empty one is an empty object."""
        try:
            return cls.of(orjson.loads(body) if body else {})
        except orjson.JSONDecodeError as error:
            raise BadInput(f"the body is not JSON: {error}") from None

    def only(self, *names: str) -> None:
        """Refuse fields that nobody reads: a misspelt setting must not pass for a set one."""
        unknown = sorted(set(self.values) - set(names))
        if unknown:
            raise BadInput(f"{self._where} has unknown fields: {', '.join(unknown)}")

    def has(self, name: str) -> bool:
        """Say whether the field is there and not null."""
        return self.values.get(name) is not None

    def _bad(self, name: str, wanted: str) -> BadInput:
        return BadInput(f"{self._where}: {name} must be {wanted}")

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text; mandatory without a default."""
        value = self.values.get(name, default)
        if not isinstance(value, str) or (default is None and not value):
            raise self._bad(name, "a text")
        return value

    def decimal(self, name: str, default: Decimal | None = None) -> Decimal:
        """Return a finite decimal given as text or integer; mandatory without a default."""
        value = self.values.get(name)
        if value is None and default is not None:
            return default
        return self._decimal(value, name)

    def _decimal(self, value: object, name: str) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise self._bad(name, 'a number as text, such as "64000.1"')
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise self._bad(name, 'a number as text, such as "64000.1"') from None
        if not number.is_finite():
            raise self._bad(name, "finite")
        return number

    def decimals(self, name: str) -> dict[str, Decimal]:
        """Return an object whose values are decimals."""
        value = self.values.get(name)
        if not isinstance(value, dict) or not value:
            raise self._bad(name, "an object of numbers as text")
        return {str(key): self._decimal(item, f"{name}.{key}") for key, item in value.items()}

    def integer(self, name: str, default: int | None = None, least: int | None = 0) -> int:
        """Return an integer of at least `least` (None: any), given as number or text."""
        value = self.values.get(name, default)
        if isinstance(value, str) and value.lstrip("-").isdecimal():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or (least is not None and value < least):
            raise self._bad(name, "an integer" if least is None else f"an integer of at least {least}")
        return value

    def share(self, name: str) -> float:
        """Return a probability between 0 and 1, given as number or text; absent is 1."""
        number = self._decimal(str(self.values[name]), name) if self.has(name) else Decimal(1)
        if not 0 <= number <= 1:
            raise self._bad(name, "between 0 and 1")
        return float(number)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a boolean."""
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            raise self._bad(name, "true or false")
        return value

    def choice(self, name: str, kind: type[E], default: E | None = None) -> E:
        """Return a member of `kind`."""
        value = self.values.get(name, default)
        try:
            return kind(str(value))
        except ValueError:
            raise self._bad(name, "one of " + ", ".join(kind)) from None

    def objects(self, name: str) -> list[Input]:
        """Return a non-empty list of objects."""
        value = self.values.get(name)
        if not isinstance(value, list) or not value:
            raise self._bad(name, "a non-empty list of objects")
        return [Input.of(item, f"{name}[{index}]") for index, item in enumerate(value)]

    def object(self, name: str) -> Input:
        """Return a nested object; absent is empty."""
        return Input.of(self.values.get(name) or {}, name)
