"""Reading request parameters, of a query or of a JSON body; and pages of what was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TypeVar
from urllib.parse import unquote_plus

import orjson

from simulator.okx.errors import ApiError, wrong

T = TypeVar("T")
M = TypeVar("M")
PAGE_MAX = 100


def of_query(query: str) -> dict[str, object]:
    """Return the pairs of a query."""
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return {name: unquote_plus(value) for name, _, value in pairs}


def of_body(body: bytes) -> list[dict[str, object]]:
    """Return the orders of a JSON body: some endpoints take one object, others a list of them."""
    if not body:
        raise ApiError(50000, "Body for POST request cannot be empty.")
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ApiError(50002, "JSON syntax error") from None
    rows = found if isinstance(found, list) else [found]
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise ApiError(50002, "JSON syntax error")
    return rows


class Params:
    """Typed access; every method raises ApiError for what does not fit. A null or empty value counts as absent."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self.values = values

    def optional(self, name: str) -> str | None:
        """Return a value as text, None when absent."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise wrong(name)
        return str(value)

    def text(self, name: str) -> str:
        """Return a mandatory text."""
        value = self.optional(name)
        if value is None:
            raise ApiError(50014, f"Parameter {name} can not be empty.")
        return value

    def decimal(self, name: str) -> Decimal:
        """Return a mandatory finite decimal."""
        text = self.text(name)
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise wrong(name) from None
        if not value.is_finite() or len(text) > 40:
            raise wrong(name)
        return value

    def integer(self, name: str, default: int) -> int:
        """Return an integer, `default` when absent."""
        text = self.optional(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdecimal() or len(text) > 19:
            raise wrong(name)
        return int(text)

    def flag(self, name: str) -> bool:
        """Return a boolean, which may come as text; absent is false."""
        value = self.values.get(name)
        if value in (None, ""):
            return False
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return value == "true"
        raise wrong(name)

    def member(self, name: str, table: Mapping[str, M], default: M | None = None) -> M:
        """Return what a word stands for."""
        text = self.optional(name)
        found = table.get(text) if text is not None else default
        if found is None:
            raise wrong(name)
        return found

    def within(self, at_ms: int) -> bool:
        """Say whether a time lies between `begin` and `end`, both included and both optional."""
        return self.integer("begin", 0) <= at_ms <= self.integer("end", 1 << 60)

    def page(self, newest_first: Sequence[T], number: Callable[[T], int]) -> Sequence[T]:
        """Cut one page: older than `after`, newer than `before`, `limit` rows at most."""
        size = self.integer("limit", PAGE_MAX)
        if not size >= 1:
            raise wrong("limit")
        after, before = self.integer("after", 1 << 62), self.integer("before", -1)
        found = [row for row in newest_first if before < number(row) < after]
        return found[: min(size, PAGE_MAX)]
