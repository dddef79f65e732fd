from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shared.errors import InvalidValue
from app.domain.shared.money import (
    ceil_to,
    exact,
    floor_to,
    money,
    plain,
    price,
    quantity,
    settle_down,
    settle_up,
)
from tests.unit.domain.builders import PROPERTY, D, decimals

AMOUNTS = decimals("-1000000", "1000000", 8)
STEPS = st.sampled_from([D("0.00000001"), D("0.001"), D("0.25"), D("0.5"), D(1), D(7), D(1000)])


@pytest.mark.parametrize(
    "text",
    [
        "", " 1", "1 ", "1\n", "+1", ".5", "1.", "1e3", "1E-3", "NaN", "sNaN", "Infinity", "-Infinity", "0x10", "1_000",
        "1,5", "--1", "\u0661", "\uff11", "1" * 19, "0." + "1" * 19,
    ],
)  # fmt: skip
def test_text_that_is_not_a_plain_decimal_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        exact(text)


@pytest.mark.parametrize(
    "value",
    [
        D("NaN"),
        D("sNaN"),
        D("Infinity"),
        D("-Infinity"),
        D("1E+18"),
        D("-1E+18"),
        10**18,
        D("1E-19"),
        D("0.1234567890123456789"),
        D("1E+131072"),
    ],
)
def test_a_number_that_storage_would_change_is_refused(value: Decimal | int) -> None:
    with pytest.raises(InvalidValue):
        exact(value)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "9" * 18 + "." + "9" * 18, "0." + "0" * 17 + "1", "007"])
def test_a_plain_decimal_keeps_every_digit(text: str) -> None:
    assert exact(text) == D(text)


@pytest.mark.parametrize(
    "value", [0, 10**10, 10**18 - 1, D("12345678901.5"), -D("99999999999.000000000000000001")]
)
def test_a_number_of_up_to_eighteen_digits_on_each_side_is_taken_as_it_is(value: Decimal | int) -> None:
    assert exact(value) == value


@pytest.mark.parametrize("value", [D("12345678901.5"), D("999999999999999999.25")])
def test_cutting_to_what_is_stored_takes_any_amount_that_can_be_stored(value: Decimal) -> None:
    assert settle_down(value) == value
    assert settle_up(value) == value


@pytest.mark.parametrize(("value", "accepted"), [("0.1", True), ("0", False), ("-0", False), ("-1", False)])
def test_a_price_is_above_zero(value: str, *, accepted: bool) -> None:
    if accepted:
        assert price(value) == D(value)
    else:
        with pytest.raises(InvalidValue):
            price(value)


@pytest.mark.parametrize(("value", "accepted"), [("0.1", True), ("0", True), ("-0.1", False)])
def test_a_quantity_is_never_negative(value: str, *, accepted: bool) -> None:
    if accepted:
        assert quantity(value) == D(value)
    else:
        with pytest.raises(InvalidValue):
            quantity(value)


def test_money_may_be_negative() -> None:
    assert money("-12.5") == D("-12.5")


@PROPERTY
@given(AMOUNTS, STEPS)
def test_rounding_names_its_direction_and_stays_within_one_step(value: Decimal, step: Decimal) -> None:
    low, high = floor_to(value, step), ceil_to(value, step)
    assert low <= value <= high
    assert high - low in {D(0), step}
    assert low % step == 0
    assert high % step == 0


@PROPERTY
@given(AMOUNTS, STEPS)
def test_rounding_twice_changes_nothing(value: Decimal, step: Decimal) -> None:
    assert floor_to(floor_to(value, step), step) == floor_to(value, step)
    assert ceil_to(ceil_to(value, step), step) == ceil_to(value, step)


@pytest.mark.parametrize(
    ("value", "low", "high"), [("1.29", "1.2", "1.3"), ("-1.29", "-1.3", "-1.2"), ("1.2", "1.2", "1.2")]
)
def test_floor_and_ceiling_hold_their_direction_below_zero(value: str, low: str, high: str) -> None:
    assert floor_to(D(value), D("0.1")) == D(low)
    assert ceil_to(D(value), D("0.1")) == D(high)


@PROPERTY
@given(AMOUNTS, st.integers(1, 10_000))
def test_a_quotient_is_settled_to_eighteen_decimals_on_the_named_side(amount: Decimal, parts: int) -> None:
    quotient = amount / parts
    low, high = settle_down(quotient), settle_up(quotient)
    assert low <= quotient <= high
    assert high - low <= D("1E-18")
    assert exact(low) == low


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (D("1E+3"), "1000"),
        (D("1.500"), "1.5"),
        (D("100"), "100"),
        (D("1E-8"), "0.00000001"),
        (D("0E-18"), "0"),
        (D("-2.50"), "-2.5"),
        (D("-0"), "0"),
        (D("-0.00"), "0"),
    ],
)
def test_a_decimal_is_written_without_exponent_trailing_zeros_or_negative_zero(
    value: Decimal, text: str
) -> None:
    assert plain(value) == text


@PROPERTY
@given(AMOUNTS)
def test_what_was_written_plainly_reads_back_as_the_same_number(value: Decimal) -> None:
    assert exact(plain(value)) == value
