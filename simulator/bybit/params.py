"""Reading request parameters, of a query or of a JSON body; and pages of what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import TypeVar
from urllib.parse import unquote

import orjson

from simulator.bybit.errors import ApiError, wrong

T = TypeVar("T")
M = TypeVar("M")
WINDOW_MS = 7 * 86_400_000
DAY_MS = 86_400_000


def of_query(query: str) -> dict[str, object]:
    """Return the pairs of a query."""
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return {name: unquote(value) for name, _, value in pairs}


def of_body(body: bytes) -> dict[str, object]:
    """Return the fields of a JSON body."""
    try:
        found = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError:
        raise ApiError(10001, "params error: the body is not JSON") from None
    if not isinstance(found, dict):
        raise ApiError(10001, "params error: the body is no JSON object")
    return found


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
            raise wrong(name)
        return value

    def decimal(self, name: str) -> Decimal:
        """Return a mandatory finite decimal, written as text like the venue wants it."""
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
        if not text.isascii() or not text.lstrip("-").isdecimal() or len(text) > 19:
            raise wrong(name)
        return int(text)

    def flag(self, name: str) -> bool:
        """Return a boolean; absent is false."""
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

    def window(self, now_ms: int, span_ms: int) -> tuple[int, int]:
        """Return (first, last) ms: as given, at most seven days apart, or `span_ms` from or to where one is missing."""
        start, end = self.integer("startTime", -1), self.integer("endTime", -1)
        if start >= 0 and end >= 0:
            if start > end or end - start > WINDOW_MS:
                raise ApiError(10001, "params error: the time range is invalid")
            return start, end
        if start >= 0:
            return start, start + span_ms
        last = end if end >= 0 else now_ms
        return last - span_ms, last

    def page(self, found: Sequence[T], default: int, most: int) -> tuple[Sequence[T], str]:
        """Cut one page out of what was found; the cursor comes percent-encoded and is sent back as it came."""
        size = self.integer("limit", default)
        if not size >= 1:
            raise wrong("limit")
        size = min(size, most)
        cursor = (self.optional("cursor") or "0:0").partition(":")[0]
        if not cursor.isdecimal():
            raise wrong("cursor")
        start = int(cursor)
        following = start + size
        return found[start:following], f"{following}%3A0" if following < len(found) else ""
