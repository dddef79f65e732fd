"""Lists that come in pages and windows: every page of each, and no window longer or older than the venue shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeVar

from app.infrastructure.exchanges.bitget.rest import BitgetAccount

T = TypeVar("T")
DAY_MS: Final = 86_400_000
WINDOW_MS: Final = 30 * DAY_MS - 1
"""The shortest of the spans that the venue's lists allow."""

OLDEST_MS: Final = 90 * DAY_MS - 60_000
"""The venue shows nothing older, and refuses to be asked for it."""

_LEAD_MS: Final = 60_000


def windows(first_ms: int, now_ms: int) -> Iterator[tuple[int, int]]:
    """Yield windows that the venue accepts and that together cover everything from `first_ms` on that it still shows,
    a minute of the venue's being ahead included.
    """
    first_ms = max(first_ms, now_ms - OLDEST_MS)
    while first_ms <= now_ms + _LEAD_MS:
        yield first_ms, first_ms + WINDOW_MS
        first_ms += WINDOW_MS + 1


async def every_page(
    account: BitgetAccount,
    path: str,
    text: Callable[[str], str],
    read: Callable[[bytes], tuple[list[T], str]],
) -> list[T]:
    """Return the rows of all pages in the venue's order; `text` writes the query for what is older than an id."""
    found: list[T] = []
    before = ""
    while True:
        page, following = await account.get(path, text(before), read)
        found.extend(page)
        if not following or following == before:
            return found
        before = following
