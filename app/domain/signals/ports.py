"""What the signals context needs from outside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from app.domain.shared.ids import SignalId
from app.domain.signals.priority import Lane
from app.domain.signals.signal import Signal, SignalState


class SignalRepository(Protocol):
    """Signals in the database: the truth about what was asked and what is still to be done."""

    async def add(self, signal: Signal) -> bool:
        """Store a new signal; False when a signal of that id exists (then nothing changes)."""
        ...

    async def get(self, signal_id: SignalId) -> Signal:
        """Return the signal, or raise NotFound."""
        ...

    async def claim(
        self, now: datetime, lease: timedelta, owner: str, lanes: Sequence[Lane], only: SignalId | None = None
    ) -> Signal | None:
        """Take the most urgent signal that nobody works on and whose line has no earlier unfinished signal.

        Exits first, then by priority, then by age. A claim whose lease ran out counts as nobody's. `only` restricts
        the search to one signal.
        """
        ...

    async def extend(self, signal_id: SignalId, owner: str, until: datetime) -> bool:
        """Lengthen one's own lease; False when another worker holds the signal by now."""
        ...

    async def finish(self, signal_id: SignalId, owner: str, state: SignalState) -> bool:
        """End one's own claim with the given state; False when another worker holds the signal by now."""
        ...

    async def superseded(self, signal: Signal) -> bool:
        """Return whether the leader has closed since, in the same line: then this entry takes no new risk."""
        ...

    async def waiting(self, now: datetime, older_than: timedelta) -> Sequence[tuple[SignalId, Lane]]:
        """Return unfinished, unclaimed signals that have waited for longer: the bell was lost, ring again."""
        ...


class SignalBell(Protocol):
    """Wakes a worker. It carries an id only, may be lost and may ring twice: the database is the truth."""

    async def ring(self, signal_id: SignalId, lane: Lane) -> None:
        """Ask for a worker on this lane."""
        ...
