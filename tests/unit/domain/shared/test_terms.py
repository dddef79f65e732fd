from __future__ import annotations

from decimal import Decimal

import pytest

from app.domain.shared.errors import InvalidValue
from app.domain.shared.market import Side, Symbol
from app.domain.shared.money import Money, Ratio
from app.domain.shared.terms import CopyMode, CopyTerms
from tests.unit.domain.builders import BTC, ETH, D


def terms(
    *,
    mode: CopyMode = CopyMode.MULTIPLIER,
    value: Decimal = D(1),
    leverage_max: int = 10,
    order_notional_max: Decimal | None = None,
    drift_max: Decimal = D("0.005"),
    tiny_factor_max: Decimal = D(2),
) -> CopyTerms:
    return CopyTerms(
        mode=mode,
        value=value,
        leverage_max=leverage_max,
        order_notional_max=None if order_notional_max is None else Money(order_notional_max),
        drift_max=Ratio(drift_max),
        tiny_factor_max=Ratio(tiny_factor_max),
    )


@pytest.mark.parametrize("mode", CopyMode)
@pytest.mark.parametrize("value", ["0", "-1", "NaN", "Infinity", "-Infinity"])
def test_a_copy_value_is_finite_and_above_zero(mode: CopyMode, value: str) -> None:
    with pytest.raises(InvalidValue):
        terms(mode=mode, value=D(value))


@pytest.mark.parametrize("mode", [CopyMode.MULTIPLIER, CopyMode.EQUITY_PROPORTIONAL])
def test_a_factor_above_a_hundred_is_refused(mode: CopyMode) -> None:
    assert terms(mode=mode, value=D(100)).value == 100
    with pytest.raises(InvalidValue):
        terms(mode=mode, value=D("100.01"))


def test_a_fixed_amount_is_money_and_may_exceed_a_hundred() -> None:
    assert terms(mode=CopyMode.FIXED_AMOUNT, value=D(50_000)).value == 50_000


@pytest.mark.parametrize(
    ("leverage", "accepted"), [(0, False), (1, True), (125, True), (126, False), (-5, False)]
)
def test_the_leverage_cap_lies_between_1_and_125(leverage: int, *, accepted: bool) -> None:
    if accepted:
        assert terms(leverage_max=leverage).leverage_max == leverage
    else:
        with pytest.raises(InvalidValue):
            terms(leverage_max=leverage)


@pytest.mark.parametrize(
    ("drift", "accepted"), [("0", False), ("0.0001", True), ("0.1", True), ("0.1001", False)]
)
def test_the_largest_drift_lies_above_0_and_at_most_at_a_tenth(drift: str, *, accepted: bool) -> None:
    if accepted:
        assert terms(drift_max=D(drift)).drift_max == D(drift)
    else:
        with pytest.raises(InvalidValue):
            terms(drift_max=D(drift))


@pytest.mark.parametrize(
    ("factor", "accepted"), [("0.99", False), ("1", True), ("10", True), ("10.01", False)]
)
def test_the_factor_for_tiny_trades_lies_between_1_and_10(factor: str, *, accepted: bool) -> None:
    if accepted:
        assert terms(tiny_factor_max=D(factor)).tiny_factor_max == D(factor)
    else:
        with pytest.raises(InvalidValue):
            terms(tiny_factor_max=D(factor))


@pytest.mark.parametrize("largest", ["0", "-1"])
def test_the_largest_order_is_above_zero(largest: str) -> None:
    with pytest.raises(InvalidValue):
        terms(order_notional_max=D(largest))


@pytest.mark.parametrize("wrong", ["NaN", "sNaN", "Infinity"])
def test_no_figure_of_the_terms_may_be_other_than_finite(wrong: str) -> None:
    with pytest.raises(InvalidValue):
        terms(order_notional_max=D(wrong))
    with pytest.raises(InvalidValue):
        terms(drift_max=D(wrong))
    with pytest.raises(InvalidValue):
        terms(tiny_factor_max=D(wrong))


def test_terms_allow_at_least_one_side() -> None:
    with pytest.raises(InvalidValue):
        CopyTerms(mode=CopyMode.MULTIPLIER, value=D(1), sides=frozenset())
    assert CopyTerms(mode=CopyMode.MULTIPLIER, value=D(1)).sides == set(Side)


@pytest.mark.parametrize(
    ("allowed", "denied", "wanted"),
    [
        ([], [], True),
        ([BTC], [], True),
        ([ETH], [], False),
        ([], [BTC], False),
        ([BTC], [BTC], False),
        ([], [ETH], True),
    ],
)
def test_a_denied_symbol_is_never_copied_and_an_empty_list_allows_all(
    allowed: list[Symbol], denied: list[Symbol], *, wanted: bool
) -> None:
    agreed = CopyTerms(
        mode=CopyMode.MULTIPLIER,
        value=D(1),
        symbols_allowed=frozenset(allowed),
        symbols_denied=frozenset(denied),
    )
    assert agreed.allows_symbol(BTC) is wanted
