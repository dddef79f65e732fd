"""A venue's clock, known by sampling: its time, how far that may be wrong, and a refusal when it is not to be trusted.

The estimate runs on the monotonic clock, so a jump of this machine's wall clock changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from app.domain.exchanges.outcomes import VenueError, VenueUnavailable
from app.infrastructure.exchanges.settings import ClockSettings

_DRIFT_PPM: Final = 100
"""How far two quartz clocks may run apart, as venues' and ours do: 3 ms in 30 s."""
_TRIES: Final = 3


class VenueClockUntrusted(VenueUnavailable):
    """The venue's time is not known well enough to sign an order."""

    code = "venue_clock_untrusted"


@dataclass(frozen=True, slots=True)
class Sample:
    """The venue's time at a monotonic instant, and the half of the round trip that it may be off, all in ms."""

    venue_ms: int
    at_ms: int
    uncertainty_ms: int


def monotonic_ms() -> int:
    """Return monotonic milliseconds."""
    return time.monotonic_ns() // 1_000_000


class VenueClock:
    """One venue's time. `read_venue_ms` asks the venue; `now_ms` is a monotonic clock."""

    def __init__(
        self,
        settings: ClockSettings,
        read_venue_ms: Callable[[], Awaitable[int]],
        now_ms: Callable[[], int] = monotonic_ms,
    ) -> None:
        self._settings = settings
        self._read = read_venue_ms
        self._now_ms = now_ms
        self._sample: Sample | None = None
        self._suspected = asyncio.Event()

    async def sample(self) -> Sample:
        """Ask the venue, up to three times until certain enough, and keep the best answer; raises VenueError."""
        best: Sample | None = None
        for _ in range(_TRIES):
            asked = self._now_ms()
            venue_ms = await self._read()
            answered = self._now_ms()
            uncertainty = -(-(answered - asked) // 2) + 1  # the venue cuts its time to whole milliseconds
            if best is None or uncertainty < best.uncertainty_ms:
                best = Sample(venue_ms, (asked + answered) // 2, uncertainty)
            if best.uncertainty_ms <= self._settings.uncertainty_max_ms:
                break
        assert best is not None
        self._sample = best
        return best

    @property
    def age_ms(self) -> int | None:
        """How old the sample is; None without one."""
        return None if self._sample is None else self._now_ms() - self._sample.at_ms

    @property
    def uncertainty_ms(self) -> int | None:
        """How far the estimate may be off now; None without a sample."""
        age = self.age_ms
        if self._sample is None or age is None:
            return None
        return self._sample.uncertainty_ms + age * _DRIFT_PPM // 1_000_000

    @property
    def is_trusted(self) -> bool:
        """Whether orders may be signed by it."""
        age, uncertainty = self.age_ms, self.uncertainty_ms
        return (
            age is not None
            and uncertainty is not None
            and age <= self._settings.age_max_s * 1000
            and uncertainty <= self._settings.uncertainty_max_ms
        )

    def now_ms(self) -> int:
        """Return the venue's time for signing, or raise VenueClockUntrusted when stale or uncertain."""
        if not self.is_trusted:
            raise VenueClockUntrusted(
                "The venue's time is not known well enough to sign orders; its clock is being sampled.",
                age_ms=self.age_ms,
                uncertainty_ms=self.uncertainty_ms,
            )
        return self.estimate_ms()

    def estimate_ms(self) -> int:
        """Return the venue's time as far as it is known; raises VenueClockUntrusted only without any sample."""
        if self._sample is None:
            raise VenueClockUntrusted("The venue's time was never read.")
        return self._sample.venue_ms + self._now_ms() - self._sample.at_ms

    def latest_ms(self) -> int:
        """Return the latest that the venue's clock may show: deadlines are judged by it."""
        return self.estimate_ms() + (self.uncertainty_ms or 0)

    def suspect(self) -> None:
        """Have the clock sampled at once: the venue refused a timestamp."""
        self._suspected.set()

    async def keep(self, on_error: Callable[[VenueError], None]) -> None:
        """Sample for ever, at intervals and when suspected."""
        while True:
            try:
                await self.sample()
            except VenueError as error:
                on_error(error)
            # After a failure too the interval stands: the breaker and the stale sample already stop new entries.
            # Not wait_for: until Python 3.12 it loses a cancellation that comes together with the event.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.every_s):
                    await self._suspected.wait()
            self._suspected.clear()
