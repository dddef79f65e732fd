"""Reading request parameters, of a query or of a JSON body; and pages of what was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TypeVar
from urllib.parse import unquote

import orjson

from simulator.bitget.errors import ApiError, wrong

T = TypeVar("T")
M = TypeVar("M")
DAY_MS = 86_400_000
PAGE_MOST = 100


def of_query(query: str) -> dict[str, object]:
    """Return the pairs of a query."""
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return {name: unquote(value) for name, _, value in pairs}


def of_body(body: bytes) -> dict[str, object]:
    """Return the fields of a JSON body."""
    try:
        found = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError:
        raise ApiError("40017", "Parameter verification failed: the body is not JSON") from None
    if not isinstance(found, dict):
        raise ApiError("40017", "Parameter verification failed: the body is no JSON object")
    return found


class Params:
    """Typed access; every method raises ApiError for what does not fit. A null or empty value counts as absent."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self.values = values

    def optional(self, name: str) -> str | None:
        """Return a value as text, None when absent; numbers are taken too, as the venue does."""
        value = self.values.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise wrong(name)
        return str(value)

    def text(self, name: str) -> str:
        """Return a mandatory text."""
        value = self.optional(name)
        if value is None:
            raise ApiError("40019", f"Parameter {name} cannot be empty")
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
        """Return an integer of zero or more, `default` when absent."""
        text = self.optional(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdecimal() or len(text) > 19:
            raise wrong(name)
        return int(text)

    def member(self, name: str, table: Mapping[str, M], default: M | None = None) -> M:
        """Return what a word stands for, in whatever case it is written."""
        text = self.optional(name)
        found = table.get(text.lower()) if text is not None else default
        if found is None:
            raise wrong(name)
        return found

    def window(self, now_ms: int, span_days: int = 90) -> tuple[int, int]:
        """Return (first, last) ms as given, or what the venue shows by itself; refuse a span or an age beyond it."""
        start = self.integer("startTime", now_ms - span_days * DAY_MS)
        end = self.integer("endTime", start + span_days * DAY_MS)
        if start > end or end - start > span_days * DAY_MS:
            raise ApiError("40705", "The start and end time cannot exceed 90 days")
        if start < now_ms - 90 * DAY_MS - 60_000:
            raise ApiError("40704", "Can only check the data of the last three months")
        return start, end

    def page(self, found: Sequence[T], number_of: Callable[[T], int]) -> Sequence[T]:
        """Cut one page of what was found, newest first: at most a hundred, older than the id given."""
        size = max(1, min(self.integer("limit", PAGE_MOST), PAGE_MOST))
        before = self.integer("idLessThan", 0)
        rows = sorted(found, key=number_of, reverse=True)
        return [row for row in rows if not before or number_of(row) < before][:size]
