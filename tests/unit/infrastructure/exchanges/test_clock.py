from __future__ import annotations

import asyncio

import pytest

from app.domain.exchanges.outcomes import VenueError, VenueUnavailable
from app.infrastructure.exchanges.clock import VenueClock, VenueClockUntrusted
from app.infrastructure.exchanges.settings import ClockSettings


class Venue:
    """A venue whose clock runs `skew` ms ahead, with the given round trips."""

    def __init__(self, skew: int, *trips: int) -> None:
        self.now, self.skew, self.trips, self.asked = 5_000, skew, list(trips), 0

    def time(self) -> int:
        return self.now

    async def read(self) -> int:
        self.asked += 1
        trip = self.trips.pop(0) if len(self.trips) > 1 else self.trips[0]
        self.now += trip // 2
        told = self.now + self.skew
        self.now += trip - trip // 2
        return told


def clock(venue: Venue) -> VenueClock:
    return VenueClock(ClockSettings(every_s=10, age_max_s=30, uncertainty_max_ms=250), venue.read, venue.time)


async def test_the_estimate_follows_the_venue_and_its_uncertainty_covers_the_error() -> None:
    venue = Venue(1_000_000, 80)
    tested = clock(venue)
    await tested.sample()
    venue.now += 20_000
    assert tested.uncertainty_ms is not None
    assert abs(tested.now_ms() - (venue.now + venue.skew)) <= tested.uncertainty_ms
    assert tested.latest_ms() >= venue.now + venue.skew


async def test_a_slow_answer_is_asked_again_and_the_best_kept() -> None:
    venue = Venue(0, 2000, 100)
    tested = clock(venue)
    sample = await tested.sample()
    assert venue.asked == 2
    assert sample.uncertainty_ms == 51


async def test_an_uncertain_clock_does_not_sign() -> None:
    venue = Venue(0, 900)
    tested = clock(venue)
    await tested.sample()
    assert venue.asked == 3
    with pytest.raises(VenueClockUntrusted):
        tested.now_ms()
    assert tested.estimate_ms() > 0


async def test_a_stale_clock_does_not_sign() -> None:
    venue = Venue(0, 10)
    tested = clock(venue)
    await tested.sample()
    venue.now += 30_006
    with pytest.raises(VenueClockUntrusted):
        tested.now_ms()


def test_a_clock_that_was_never_read_tells_nothing() -> None:
    tested = clock(Venue(0, 10))
    for ask in (tested.now_ms, tested.estimate_ms, tested.latest_ms):
        with pytest.raises(VenueClockUntrusted):
            ask()


async def test_a_suspected_clock_is_sampled_at_once_and_a_venue_away_is_told() -> None:
    errors: list[VenueError] = []
    told = asyncio.Event()

    async def away() -> int:
        told.set()
        raise VenueUnavailable("away")

    tested = VenueClock(ClockSettings(every_s=3600), away)
    task = asyncio.create_task(tested.keep(errors.append))
    for _ in range(3):
        await asyncio.wait_for(told.wait(), 5)
        told.clear()
        tested.suspect()
    task.cancel()
    assert len(errors) >= 2
