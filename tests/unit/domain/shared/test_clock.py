from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shared.clock import EPOCH, epoch_ms, from_epoch_ms
from tests.unit.domain.builders import PROPERTY


@PROPERTY
@given(st.integers(0, 4_000_000_000_000))
def test_a_millisecond_stamp_survives_the_way_there_and_back(stamp: int) -> None:
    assert epoch_ms(from_epoch_ms(stamp)) == stamp


def test_a_part_of_a_millisecond_is_cut_off_and_zones_do_not_matter() -> None:
    assert epoch_ms(EPOCH + timedelta(microseconds=1999)) == 1
    assert epoch_ms(datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))) == 0
    assert from_epoch_ms(0).tzinfo is UTC


def test_a_naive_time_is_not_a_venue_time() -> None:
    with pytest.raises(TypeError):
        epoch_ms(datetime(2026, 1, 1))
