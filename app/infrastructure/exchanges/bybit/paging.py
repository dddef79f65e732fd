"""Lists that come in pages, and times that must be asked for in windows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final, TypeVar

from app.infrastructure.exchanges.bybit.rest import BybitAccount

T = TypeVar("T")
_WINDOW_MS: Final = 7 * 86_400_000 - 1
"""The venue refuses to look at more than seven days at once."""

LEAD_MS: Final = 60_000
"""How far the venue's clock may be ahead of ours."""


async def pages(
    account: BybitAccount, path: str, text: Callable[[str], str], read: Callable[[bytes], tuple[T, str]]
) -> AsyncIterator[T]:
    """Yield every page of a list. `text` writes the query for a cursor, `read` returns a page and the next cursor."""
    cursor = ""
    while True:
        page, following = await account.get(path, text(cursor), read)
        yield page
        if not following or following == cursor:
            return
        cursor = following


def windows(first_ms: int, last_ms: int) -> Iterator[tuple[int, int]]:
    """Yield windows that the venue accepts and that together cover everything from `first_ms` on, a minute of the
    venue's being ahead included.
    """
    while first_ms <= last_ms + LEAD_MS:
        yield first_ms, first_ms + _WINDOW_MS
        first_ms += _WINDOW_MS + 1
