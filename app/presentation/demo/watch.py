"""Waits until the system has taken in what the leader did and is quiet again, and reads what became of it."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from app.config.demo import OrderLine, PostgresRunReader, Progress, SignalLine
from app.domain.shared.ids import WhaleId
from app.presentation.demo.programs import ProgramFailed, Programs

_POLL_S: Final = 0.02
_QUIET_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class News:
    """What came of the leader's last move."""

    signals: Sequence[SignalLine]
    orders: Sequence[OrderLine]


@dataclass(slots=True)
class Totals:
    """The run so far."""

    signals: int = 0
    orders: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    latencies_ms: list[float] = field(default_factory=list)

    def add(self, news: News) -> None:
        """Count what is new."""
        self.signals += len(news.signals)
        self.orders += len(news.orders)
        for signal in news.signals:
            for (outcome, code), number in signal.outcomes.items():
                self.outcomes[outcome] = self.outcomes.get(outcome, 0) + number
                if outcome != "COPIED":
                    name = f"{outcome} {code}"
                    self.reasons[name] = self.reasons.get(name, 0) + number
        self.latencies_ms += [order.latency_ms for order in news.orders if order.latency_ms is not None]


class Watch:
    """One leader's progress; `on_wait` is called while waiting, so that a display can follow."""

    def __init__(self, reader: PostgresRunReader, whale: WhaleId, programs: Programs) -> None:
        self._reader = reader
        self._whale = whale
        self._programs = programs
        self._last_seq = 0
        self.totals = Totals()

    async def taken_in(self, leader_fills: int) -> None:
        """Wait until so many of the leader's fills are part of decisions."""
        await self._until(
            lambda progress: progress.leader_fills >= leader_fills, f"{leader_fills} fills taken in"
        )

    async def quiet(self, leader_fills: int) -> None:
        """Wait until so many fills are taken in and all that came of them is settled."""
        await self._until(
            lambda progress: progress.leader_fills >= leader_fills and progress.busy == 0,
            f"{leader_fills} fills copied and settled",
        )

    async def news(self) -> News:
        """Return the signals and orders since the last call."""
        signals = await self._reader.signals(self._whale, self._last_seq)
        orders = await self._reader.orders(self._whale, self._last_seq)
        if signals:
            self._last_seq = signals[-1].seq
        found = News(signals, orders)
        self.totals.add(found)
        return found

    async def _until(self, holds: Callable[[Progress], bool], what: str) -> None:
        deadline = time.monotonic() + _QUIET_S
        while True:
            progress = await self._reader.progress(self._whale)
            if holds(progress):
                return
            self._programs.check()
            if time.monotonic() > deadline:
                raise ProgramFailed(
                    f"Waited {_QUIET_S:.0f} s in vain for {what}: {progress.leader_fills} fills taken in, "
                    f"{progress.busy} things unfinished; logs: {self._programs.logs}"
                )
            await asyncio.sleep(_POLL_S)


def percentile(values: Sequence[float], share: Decimal) -> float | None:
    """Return the value below or at which a share of all values lies (nearest rank); None when there is none."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def counts(outcomes: Mapping[tuple[str, str], int]) -> dict[str, int]:
    """Sum a signal's decisions by outcome."""
    found: dict[str, int] = {}
    for (outcome, _), number in outcomes.items():
        found[outcome] = found.get(outcome, 0) + number
    return found
