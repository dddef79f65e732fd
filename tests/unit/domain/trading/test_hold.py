from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shared.errors import InvariantBroken
from app.domain.shared.money import Money
from app.domain.trading.hold import Hold
from tests.unit.domain.builders import PROPERTY, D, decimals


def reserve(amount: str | Decimal) -> Hold:
    return Hold(Money(D(amount)), Money(D(amount)))


@pytest.mark.parametrize(
    ("reserved", "remaining", "released"),
    [("10", "11", False), ("10", "-1", False), ("-1", "-1", False), ("10", "1", True)],
)
def test_a_hold_that_does_not_add_up_cannot_be_made(reserved: str, remaining: str, *, released: bool) -> None:
    with pytest.raises(InvariantBroken):
        Hold(Money(D(reserved)), Money(D(remaining)), released)


def test_a_capture_takes_what_is_needed() -> None:
    hold, taken = reserve("10").capture(Money(D(4)))
    assert [taken, hold.remaining, hold.reserved, hold.released] == [4, 6, 10, False]


def test_a_hold_gives_what_it_has_and_never_more() -> None:
    hold, taken = reserve("10").capture(Money(D(14)))
    assert [taken, hold.remaining] == [10, 0]


def test_a_negative_capture_is_refused() -> None:
    with pytest.raises(InvariantBroken):
        reserve("10").capture(Money(D("-0.01")))


def test_a_second_release_gives_nothing() -> None:
    released, freed = reserve("10").release()
    assert [freed, released.remaining, released.released] == [10, 0, True]
    again, nothing = released.release()
    assert [nothing, again] == [0, released]


def test_a_released_hold_takes_nothing_more() -> None:
    released, _ = reserve("10").release()
    after, taken = released.capture(Money(D(3)))
    assert [taken, after] == [0, released]


@PROPERTY
@given(decimals("0", "1000", 4), st.lists(decimals("0", "400", 4) | st.none(), max_size=12))
def test_captured_released_and_remaining_add_up_to_what_was_reserved(
    reserved: Decimal, steps: list[Decimal | None]
) -> None:
    """A number captures that much, None releases; whatever the order, not an atom is lost or made."""
    hold, captured, freed = reserve(reserved), D(0), D(0)
    for step in steps:
        if step is None:
            hold, back = hold.release()
            freed += back
        else:
            hold, taken = hold.capture(Money(step))
            assert 0 <= taken <= step
            captured += taken
        assert captured + freed + hold.remaining == hold.reserved == reserved
        assert hold.remaining >= 0
