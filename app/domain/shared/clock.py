"""The clock as a port: domain functions take `now` as an argument and never read it themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class Clock(Protocol):
    """Wall time for facts and deadlines, monotonic time for durations."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        ...

    def monotonic_ms(self) -> int:
        """Return milliseconds that never go backwards; only differences mean anything."""
        ...


def epoch_ms(at: datetime) -> int:
    """Return milliseconds since 1970 UTC, as venues count time, without passing through a float."""
    return (at - EPOCH) // _MILLISECOND


def from_epoch_ms(milliseconds: int) -> datetime:
    """Return the aware UTC time of a venue's millisecond stamp."""
    return EPOCH + timedelta(milliseconds=milliseconds)
