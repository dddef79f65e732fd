from __future__ import annotations

import pytest

from app.infrastructure.exchanges.breaker import Breaker, Breakers, CallClass, CircuitState
from app.infrastructure.exchanges.settings import BreakerSettings


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def breaker(time: Time) -> Breaker:
    return Breaker(BreakerSettings(failures=3, share=0.5, window_s=10, open_s=5, probes=2), time)


def call(breaker: Breaker, *, fault: bool) -> bool:
    ticket = breaker.admit()
    if ticket is None:
        return False
    breaker.record(ticket, fault=fault)
    return True


def opened(breaker: Breaker) -> None:
    for _ in range(3):
        assert call(breaker, fault=True)
    assert breaker.state is CircuitState.OPEN


def test_faults_within_the_window_open_it(breaker: Breaker) -> None:
    opened(breaker)
    assert breaker.admit() is None
    assert breaker.opens_in_s == pytest.approx(5)


def test_faults_spread_beyond_the_window_do_not(breaker: Breaker, time: Time) -> None:
    for _ in range(20):
        assert call(breaker, fault=True)
        time.now += 6
    assert breaker.state is CircuitState.CLOSED


def test_a_small_share_of_faults_does_not(breaker: Breaker) -> None:
    for _ in range(50):
        assert call(breaker, fault=False)
    for _ in range(5):
        assert call(breaker, fault=True)
    assert breaker.state is CircuitState.CLOSED


def test_half_open_lets_only_the_probes_through(breaker: Breaker, time: Time) -> None:
    opened(breaker)
    time.now += 5
    assert [breaker.admit() is not None for _ in range(4)] == [True, True, False, False]


def test_one_good_probe_closes_it_and_one_bad_opens_it_again(breaker: Breaker, time: Time) -> None:
    opened(breaker)
    time.now += 5
    assert call(breaker, fault=True)
    assert breaker.admit() is None
    time.now += 5
    assert call(breaker, fault=False)
    assert breaker.state is CircuitState.CLOSED


def test_a_forgotten_probe_frees_its_place(breaker: Breaker, time: Time) -> None:
    opened(breaker)
    time.now += 5
    for _ in range(10):
        ticket = breaker.admit()
        assert ticket is not None
        breaker.forget(ticket)


def test_a_call_from_before_the_circuit_turned_counts_for_nothing(breaker: Breaker, time: Time) -> None:
    late = breaker.admit()
    assert late is not None
    opened(breaker)
    time.now += 5
    probe = breaker.admit()
    assert probe is not None
    breaker.record(late, fault=True)
    assert breaker.state is CircuitState.HALF_OPEN


def test_entries_that_fail_do_not_block_exits_or_reads(time: Time) -> None:
    breakers = Breakers(BreakerSettings(failures=3), time)
    opened(breakers.of(CallClass.ENTRY))
    assert breakers.of(CallClass.EXIT).admit() is not None
    assert breakers.of(CallClass.READ).admit() is not None


def test_what_another_worker_found_opens_it_and_is_not_passed_on(breaker: Breaker, time: Time) -> None:
    breaker.hear(2)
    assert breaker.admit() is None
    assert breaker.opens_in_s == pytest.approx(2)
    assert breaker.found_open_for_s == 0
    time.now += 2
    assert call(breaker, fault=True)
    assert breaker.found_open_for_s == pytest.approx(5)


def test_nothing_heard_lengthens_what_is_open_and_nothing_opens_it_for_longer_than_its_own_faults(
    breaker: Breaker, time: Time
) -> None:
    opened(breaker)
    time.now += 3
    breaker.hear(60)
    assert breaker.opens_in_s == pytest.approx(2)
    time.now += 2
    assert call(breaker, fault=False)
    breaker.hear(60)
    assert breaker.opens_in_s == pytest.approx(5)


def test_a_worker_whose_own_way_is_broken_does_not_stop_the_others_for_ever(
    breaker: Breaker, time: Time
) -> None:
    breaker.hear(5)
    time.now += 5
    assert call(breaker, fault=False)  # the venue is there: only the other worker's way to it is not
    for _ in range(10):
        breaker.hear(5)
        assert call(breaker, fault=False)
        time.now += 5
    opened(breaker)  # its own faults count as ever
    time.now += 60
    assert call(breaker, fault=False)
    breaker.hear(5)
    assert breaker.admit() is None
