"""A clock that stands still until it is told to move."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


class FakeClock:
    """Clock; `advance` moves wall time and monotonic time together."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._now = start

    def now(self) -> datetime:
        return self._now

    def monotonic_ms(self) -> int:
        return (self._now - self._start) // timedelta(milliseconds=1)

    def advance(self, by: timedelta) -> None:
        self._now += by
