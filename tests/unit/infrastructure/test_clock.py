"""The machine's clock keeps the port's promises."""

from __future__ import annotations

from datetime import UTC, timedelta

import time_machine

from app.domain.shared.clock import Clock
from app.infrastructure.clock import SystemClock


def test_now_is_aware_and_in_utc() -> None:
    clock: Clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.now().utcoffset() == timedelta(0)


def test_durations_do_not_follow_a_wall_clock_that_is_set_back() -> None:
    clock = SystemClock()
    before = clock.monotonic_ms()
    with time_machine.travel("2001-01-01T00:00:00Z", tick=True):
        assert clock.now().year == 2001
    assert clock.monotonic_ms() >= before
