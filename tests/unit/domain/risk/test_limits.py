from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.risk.limits import Limits, tightest
from app.domain.shared.errors import InvalidValue
from tests.unit.domain.builders import PROPERTY, D, decimals

NAMES = [item.name for item in fields(Limits)]
FIGURES = st.none() | decimals("0", "1", 2)
COUNTS = st.none() | st.integers(0, 9)
LEVELS = st.builds(Limits, FIGURES, FIGURES, FIGURES, FIGURES, FIGURES, COUNTS, COUNTS)


def figure(limits: Limits, name: str) -> Decimal | None:
    value = getattr(limits, name)
    return None if value is None else Decimal(value)


def limits_with(name: str, value: Decimal) -> Limits:
    return replace(Limits(), **{name: value})  # type: ignore[arg-type]  # the field is chosen by the test's table


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", ["-0.01", "-1", "NaN", "sNaN", "Infinity"])
def test_a_limit_is_finite_and_not_negative(name: str, value: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        limits_with(name, D(value))
    assert refused.value.context["limit"] == name


@pytest.mark.parametrize("name", NAMES)
def test_zero_is_a_limit_and_lets_nothing_pass(name: str) -> None:
    assert figure(limits_with(name, D(0)), name) == 0


def test_a_drawdown_limit_is_at_most_everything() -> None:
    assert Limits(drawdown_max=D(1)).drawdown_max == 1
    with pytest.raises(InvalidValue):
        Limits(drawdown_max=D("1.01"))


def test_no_levels_set_no_limits() -> None:
    assert tightest([]) == Limits()


@PROPERTY
@given(st.lists(LEVELS, max_size=4))
def test_for_each_limit_the_tightest_level_wins(levels: list[Limits]) -> None:
    merged = tightest(levels)
    for name in NAMES:
        given_values = [value for level in levels if (value := figure(level, name)) is not None]
        assert figure(merged, name) == min(given_values, default=None)


@PROPERTY
@given(st.lists(LEVELS, min_size=1, max_size=4))
def test_the_order_and_number_of_levels_do_not_matter(levels: list[Limits]) -> None:
    assert tightest(levels) == tightest(levels[::-1]) == tightest([tightest(levels), *levels])
