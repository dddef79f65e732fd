from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.infrastructure.exchanges.budget import Bucket, Grant, LocalBudget


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


TEN = Bucket("b", burst=10, per_s=2, reserve=4)


def test_a_batch_is_granted_as_far_as_it_goes_and_told_when_more_comes() -> None:
    budget = LocalBudget(Time())
    assert budget.take_now(TEN, 4) == Grant(4, 0)
    assert budget.take_now(TEN, 5) == Grant(2, 500)
    assert budget.take_now(TEN, 1) == Grant(0, 500)


def test_exits_may_spend_what_entries_may_not() -> None:
    budget = LocalBudget(Time())
    assert budget.take_now(TEN, 10) == Grant(6, 500)
    assert budget.take_now(TEN, 10, is_exit=True) == Grant(4, 500)
    assert budget.take_now(TEN, 1, is_exit=True) == Grant(0, 500)


def test_a_weight_is_granted_whole_or_not_at_all() -> None:
    budget = LocalBudget(Time())
    assert budget.take_now(TEN, 8, least=8) == Grant(0, 1000)
    assert budget.take_now(TEN, 6, least=6) == Grant(6, 0)


def test_the_wait_told_is_long_enough() -> None:
    time = Time()
    budget = LocalBudget(time)
    budget.take_now(TEN, 6)
    grant = budget.take_now(TEN, 3, least=3)
    time.now += grant.wait_ms / 1000
    assert budget.take_now(TEN, 3, least=3).granted == 3


def test_the_venues_counter_only_ever_lowers_the_tokens() -> None:
    budget = LocalBudget(Time())
    budget.seen(TEN, 5)
    assert budget.take_now(TEN, 10).granted == 1
    budget.seen(TEN, 100)
    assert budget.take_now(TEN, 10).granted == 0


def test_a_drained_bucket_grants_nothing_to_anybody_for_that_long_and_is_useful_then() -> None:
    time = Time()
    budget = LocalBudget(time)
    budget.drain(TEN, 30)
    time.now += 29.5
    assert budget.take_now(TEN, 1, is_exit=True) == Grant(0, 500)
    time.now += 0.5
    assert budget.take_now(TEN, 6).granted == 6


def test_full_buckets_of_idle_accounts_are_dropped() -> None:
    time = Time()
    budget = LocalBudget(time, sweep_above=10)
    for number in range(1000):
        budget.take_now(Bucket(str(number), 10, 2, 0), 1)
        time.now += 1
    assert len(budget._tokens) <= 20


@given(
    st.integers(1, 500),
    st.floats(0.05, 0.95),
    st.lists(st.tuples(st.floats(0, 3), st.integers(1, 50)), max_size=60),
)
def test_no_window_ever_exceeds_the_limit(limit: int, share: float, calls: list[tuple[float, int]]) -> None:
    bucket = Bucket.within("x", limit, 10.0, burst_share=share, exit_share=0.2)
    time = Time()
    budget = LocalBudget(time)
    spent: list[tuple[float, int]] = []
    for pause, wanted in calls:
        time.now += pause
        spent.append((time.now, budget.take_now(bucket, wanted, is_exit=True).granted))
    for begin, _ in spent:
        assert sum(n for at, n in spent if begin <= at < begin + 10) <= max(limit, 1) + 1e-6


@pytest.mark.parametrize("limit", [1, 2, 300, 2400])
def test_an_exit_share_is_kept_of_every_limit(limit: int) -> None:
    bucket = Bucket.within("x", limit, 10.0, burst_share=0.5, exit_share=0.2)
    assert 0 < bucket.reserve < bucket.burst
    assert bucket.burst + bucket.per_s * 10 <= limit + 0.01
