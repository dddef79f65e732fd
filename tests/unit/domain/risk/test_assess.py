from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.risk.assess import assess
from app.domain.risk.denials import DenialCode
from app.domain.risk.exposure import Exposure
from app.domain.risk.limits import Limits
from app.domain.risk.rules import RULES
from app.domain.shared.margin import funds_per_notional
from app.domain.shared.market import Side
from app.domain.shared.money import Money
from tests.unit.domain.builders import CALM, PROPERTY, D, Wanted, decimals

AMOUNT = decimals("0", "2000", 2)
MAYBE = st.none() | AMOUNT
LIMITS = st.builds(
    Limits,
    order_notional_max=MAYBE,
    symbol_notional_max=MAYBE,
    total_notional_max=MAYBE,
    daily_loss_max=MAYBE,
    drawdown_max=st.none() | decimals("0", "1", 2),
    leverage_max=st.none() | st.integers(0, 20),
    positions_max=st.none() | st.integers(0, 5),
)
EXPOSURES = st.builds(
    Exposure,
    wallet=AMOUNT.map(Money),
    free=decimals("-100", "2000", 2).map(Money),
    high_water=AMOUNT.map(Money),
    realised_today=decimals("-2000", "2000", 2).map(Money),
    symbol_notional=AMOUNT.map(Money),
    total_notional=AMOUNT.map(Money),
    positions=st.integers(0, 5),
    other_quantity=decimals("-1", "1", 0),
    entries_halted=st.booleans(),
)
ORDERS = st.builds(
    Wanted,
    side=st.sampled_from(Side),
    notional=decimals("0.01", "2000", 2).map(Money),
    leverage=st.integers(1, 20),
    opens_position=st.booleans(),
)


def test_a_proposal_within_all_limits_passes_whole() -> None:
    verdict = assess(Wanted(), CALM, Limits(order_notional_max=D(100)))
    assert [verdict.notional, verdict.because] == [100, None]


def test_the_rule_that_leaves_the_least_room_wins_and_is_named() -> None:
    limits = Limits(order_notional_max=D(80), symbol_notional_max=D(30), total_notional_max=D(60))
    verdict = assess(Wanted(), CALM, limits)
    assert verdict.notional == 30
    assert verdict.because is not None
    assert verdict.because.code is DenialCode.SYMBOL_EXPOSURE_LIMIT


def test_a_refusal_beats_any_room_wherever_it_stands_in_the_table() -> None:
    exposure = replace(CALM, entries_halted=True)
    for rules in (RULES, RULES[::-1]):
        verdict = assess(Wanted(), exposure, Limits(order_notional_max=D(1)), rules)
        assert verdict.notional == 0
        assert verdict.because is not None
        assert verdict.because.code is DenialCode.ENTRIES_HALTED


def test_no_room_at_all_is_nothing_and_says_why() -> None:
    verdict = assess(Wanted(), replace(CALM, free=Money(D(0))), Limits())
    assert verdict.notional == 0
    assert verdict.because is not None
    assert verdict.because.code is DenialCode.INSUFFICIENT_FUNDS


def test_without_rules_everything_passes() -> None:
    assert assess(Wanted(), replace(CALM, entries_halted=True), Limits(), ()).notional == 100


@PROPERTY
@given(ORDERS, EXPOSURES, LIMITS)
def test_what_may_go_never_breaks_a_limit(order: Wanted, exposure: Exposure, limits: Limits) -> None:
    verdict = assess(order, exposure, limits)
    may = verdict.notional
    assert 0 <= may <= order.notional
    assert (verdict.because is None) is (may == order.notional)
    if may == 0:
        return
    assert not exposure.entries_halted
    assert exposure.other_quantity * order.side.sign >= 0
    assert within(may, limits.order_notional_max)
    assert within(exposure.symbol_notional + may, limits.symbol_notional_max)
    assert within(exposure.total_notional + may, limits.total_notional_max)
    assert within(D(order.leverage), None if limits.leverage_max is None else D(limits.leverage_max))
    assert limits.daily_loss_max is None or exposure.realised_today > -limits.daily_loss_max
    assert may * funds_per_notional(order.leverage) <= exposure.free + D("1E-18")
    if limits.positions_max is not None and order.opens_position:
        assert exposure.positions < limits.positions_max
    if limits.drawdown_max is not None and exposure.high_water > 0:
        assert exposure.wallet > exposure.high_water * (1 - limits.drawdown_max)


@PROPERTY
@given(ORDERS, EXPOSURES, LIMITS)
def test_what_was_allowed_is_allowed_whole_when_asked_again(
    order: Wanted, exposure: Exposure, limits: Limits
) -> None:
    may = assess(order, exposure, limits).notional
    if may <= D("0.01"):
        return
    less = replace(order, notional=Money(may.quantize(D("0.01"), rounding="ROUND_FLOOR")))
    assert assess(less, exposure, limits).because is None


def within(value: Decimal, limit: Decimal | None) -> bool:
    return limit is None or value <= limit


@pytest.mark.parametrize(
    "limits",
    [
        lambda most: Limits(order_notional_max=most),
        lambda most: Limits(symbol_notional_max=most),
        lambda most: Limits(total_notional_max=most),
    ],
    ids=["order", "symbol", "total"],
)
def test_a_tighter_limit_never_lets_more_pass(limits: Callable[[Decimal], Limits]) -> None:
    allowed = [assess(Wanted(), CALM, limits(D(most))).notional for most in (0, 40, 80, 120)]
    assert allowed == [0, 40, 80, 100]
