from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.exchanges.venue import CAPABILITIES, FenceRule
from app.domain.shared.market import Venue
from tests.unit.domain.builders import PROPERTY

SECOND = timedelta(seconds=1)
SPANS = st.timedeltas(timedelta(0), timedelta(minutes=2))


def test_every_venue_says_what_it_can_do() -> None:
    assert set(CAPABILITIES) == set(Venue)


@pytest.mark.parametrize("venue", Venue)
def test_a_venues_promises_are_usable(venue: Venue) -> None:
    able = CAPABILITIES[venue]
    assert timedelta(0) < able.validity <= timedelta(minutes=5)  # HTX takes a timestamp for that long
    assert able.engine_timeout >= timedelta(0)
    assert able.orders_per_account_10s > 0
    assert able.weight_per_ip_minute > 0


def test_the_fence_closes_when_no_delayed_copy_can_execute_any_more() -> None:
    rule = FenceRule(validity=5 * SECOND, engine_timeout=10 * SECOND, clock_error=SECOND)
    assert rule.closes_after == 16 * SECOND
    assert rule.first_look_after == 16 * SECOND


def test_a_stated_bound_on_visibility_delays_the_first_look_that_counts() -> None:
    rule = FenceRule(5 * SECOND, 10 * SECOND, SECOND, visibility_bound=60 * SECOND)
    assert rule.closes_after == 16 * SECOND
    assert rule.first_look_after == 76 * SECOND


@PROPERTY
@given(SPANS, SPANS, SPANS, st.none() | SPANS)
def test_no_answer_counts_before_the_fence_has_closed(
    validity: timedelta, engine: timedelta, clock: timedelta, bound: timedelta | None
) -> None:
    rule = FenceRule(validity, engine, clock, visibility_bound=bound)
    assert rule.first_look_after >= rule.closes_after >= max(validity, engine, clock)
    assert rule.answers >= 3
