"""Circuit breakers: after many infrastructure faults calls are refused here for a while, then a few may probe.

One per venue and class of call, so that a storm of failing entries never blocks an exit. Only faults of the way to the
venue count (no connection, no reply, 5xx); a refusal by the venue is an answer, hence a success.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from enum import StrEnum

from app.infrastructure.exchanges.settings import BreakerSettings


class CallClass(StrEnum):
    """What a call is for."""

    ENTRY = "ENTRY"
    EXIT = "EXIT"
    READ = "READ"


class CircuitState(StrEnum):
    """CLOSED lets all pass, OPEN none, HALF_OPEN a few at a time."""

    CLOSED = "CLOSED"
    OPEN = "OPEN"
    HALF_OPEN = "HALF_OPEN"


class Breaker:
    """One circuit. Every call that `admit` lets pass must end in exactly one `record` or `forget`."""

    def __init__(self, settings: BreakerSettings, monotonic: Callable[[], float]) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._faults: deque[float] = deque()
        self._successes: deque[float] = deque()
        self._opened_at = 0.0
        self._probing = 0
        self._generation = 0
        self._is_own = True
        self._deaf_until = -math.inf
        self.state = CircuitState.CLOSED

    def admit(self) -> int | None:
        """Return a ticket for one call, or None when it must not be made now."""
        if self.state is CircuitState.CLOSED:
            return self._generation
        if self.state is CircuitState.OPEN:
            if self._monotonic() - self._opened_at < self._settings.open_s:
                return None
            self._turn(CircuitState.HALF_OPEN)
        if self._probing >= self._settings.probes:
            return None
        self._probing += 1
        return self._generation

    @property
    def opens_in_s(self) -> float:
        """Seconds until a refused caller may usefully try again."""
        if self.state is not CircuitState.OPEN:
            return 0.0
        return max(0.0, self._settings.open_s - (self._monotonic() - self._opened_at))

    @property
    def found_open_for_s(self) -> float:
        """Seconds for which this worker's own calls keep the circuit open: what others should hear."""
        return self.opens_in_s if self._is_own else 0.0

    def hear(self, for_s: float) -> None:
        """Open for so long because another worker on the same address found the venue away; it is not passed on.

        Where a probe has just disproved that, one's own calls are believed for a while: else a worker whose own way to
        the venue is broken would stop everybody's exits for as long as it is.
        """
        if self.state is CircuitState.CLOSED and for_s > 0 and self._monotonic() >= self._deaf_until:
            self._opened_at = self._monotonic() - self._settings.open_s + min(for_s, self._settings.open_s)
            self._turn(CircuitState.OPEN)
            self._is_own = False

    def record(self, ticket: int, *, fault: bool) -> None:
        """Say how an admitted call went."""
        if ticket != self._generation:
            return  # it began before the circuit turned, and says nothing about now
        if self.state is CircuitState.HALF_OPEN:
            self._probing -= 1
            if fault:
                self._open()
            else:
                if not self._is_own:
                    self._deaf_until = self._monotonic() + self._settings.deaf_s
                self._turn(CircuitState.CLOSED)
            return
        now = self._monotonic()
        (self._faults if fault else self._successes).append(now)
        self._drop_old(now)
        calls = len(self._faults) + len(self._successes)
        if fault and len(self._faults) >= max(self._settings.failures, calls * self._settings.share):
            self._open()

    def forget(self, ticket: int) -> None:
        """Say that an admitted call was not made, or was cancelled."""
        if ticket == self._generation and self.state is CircuitState.HALF_OPEN:
            self._probing -= 1

    def _drop_old(self, now: float) -> None:
        oldest = now - self._settings.window_s
        for times in (self._faults, self._successes):
            while times and times[0] < oldest:
                times.popleft()

    def _open(self) -> None:
        self._opened_at = self._monotonic()
        self._is_own = True
        self._turn(CircuitState.OPEN)

    def _turn(self, state: CircuitState) -> None:
        self.state = state
        self._generation += 1
        self._probing = 0
        self._faults.clear()
        self._successes.clear()


class Breakers:
    """One venue's circuits, by class of call."""

    def __init__(self, settings: BreakerSettings, monotonic: Callable[[], float]) -> None:
        self._by_class = {kind: Breaker(settings, monotonic) for kind in CallClass}

    def of(self, kind: CallClass) -> Breaker:
        """Return the circuit of one class."""
        return self._by_class[kind]
