"""Reading request parameters: text in, typed values out, the venue's own error when they do not fit."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TypeVar
from urllib.parse import unquote_plus

from simulator.binance.errors import ApiError, missing

CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
INVALID_ENUM = {
    "timeInForce": (-1115, "Invalid timeInForce."),
    "type": (-1116, "Invalid orderType."),
    "side": (-1117, "Invalid side."),
    "newOrderRespType": (-1130, "Data sent for parameter 'newOrderRespType' is not valid."),
}
E = TypeVar("E", bound=StrEnum)


def parse(text: str, into: dict[str, str]) -> None:
    """Add the pairs of a query or form text to `into`; the first value of a name stays."""
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        if name and name not in into:
            into[name] = unquote_plus(value) if "%" in value or "+" in value else value


class Params:
    """Typed access to the pairs of one request; every method raises ApiError for what does not fit."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values = values

    def text(self, name: str) -> str:
        """Return a mandatory, non-empty text."""
        value = self.values.get(name)
        if not value:
            raise missing(name)
        return value

    def optional(self, name: str) -> str | None:
        """Return a text, or None when absent or empty."""
        return self.values.get(name) or None

    def decimal(self, name: str) -> Decimal:
        """Return a mandatory finite decimal."""
        text = self.text(name)
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise _illegal(name) from None
        if not value.is_finite() or len(text) > 40:
            raise _illegal(name)
        return value

    def optional_decimal(self, name: str) -> Decimal | None:
        """Return a decimal, or None when absent."""
        return self.decimal(name) if self.values.get(name) else None

    def integer(self, name: str) -> int:
        """Return a mandatory integer."""
        text = self.text(name)
        if not text.lstrip("-").isdecimal() or len(text) > 19:
            raise _illegal(name)
        return int(text)

    def optional_integer(self, name: str) -> int | None:
        """Return an integer, or None when absent."""
        return self.integer(name) if self.values.get(name) else None

    def flag(self, name: str) -> bool:
        """Return true or false; absent is false."""
        value = self.values.get(name, "false").lower()
        if value not in {"true", "false"}:
            raise ApiError(-1130, f"Data sent for parameter '{name}' is not valid.")
        return value == "true"

    def choice(self, name: str, kind: type[E], default: E | None = None) -> E:
        """Return a member of `kind`; absent is the default, or an error when there is none."""
        text = self.values.get(name)
        if not text:
            if default is None:
                raise missing(name)
            return default
        try:
            return kind(text)
        except ValueError:
            code, message = INVALID_ENUM.get(name, (-1130, f"Data sent for parameter '{name}' is not valid."))
            raise ApiError(code, message) from None

    def client_id(self, name: str) -> str:
        """Return a well-formed client id, or empty when absent."""
        text = self.values.get(name, "")
        if text and not CLIENT_ID.fullmatch(text):
            if len(text) > 36:
                raise ApiError(-4015, "Client order id length should not be more than 36 chars.")
            raise ApiError(
                -1100,
                f"Illegal characters found in parameter '{name}'; legal range is '^[.A-Z:/a-z0-9_-]{{1,36}}$'.",
            )
        return text

    def limit(self, default: int, most: int) -> int:
        """Return the page size, at least 1 and at most `most`."""
        value = self.optional_integer("limit")
        if value is None:
            return default
        if value < 1:
            raise ApiError(-1130, "Data sent for parameter 'limit' is not valid.")
        return min(value, most)


def _illegal(name: str) -> ApiError:
    return ApiError(-1100, f"Illegal characters found in parameter '{name}'.")
