"""The second half of an entry's plan: what risk lets pass, made to fit the venue's filters."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.risk.assess import assess
from app.domain.risk.exposure import Exposure
from app.domain.risk.limits import Limits
from app.domain.shared.margin import funds_needed
from app.domain.shared.market import Side
from app.domain.shared.money import Money, Price, Ratio
from app.domain.shared.terms import TinyPolicy
from app.domain.trading.copying import CopyOrder, Follower, LeaderTrade, finish_entry, want_entry
from app.domain.trading.decision import Decision, DecisionCode, DecisionOutcome
from tests.unit.domain.builders import ALICE, BUY_ONE, CALM, PROPERTY, TERMS, D, decimals, instrument


def finished(trade: LeaderTrade, follower: Follower, allowed: str) -> CopyOrder | Decision:
    order = want_entry(trade, follower)
    assert isinstance(order, CopyOrder)
    return finish_entry(trade, follower, order, Money(D(allowed)))


def copied(
    trade: LeaderTrade, follower: Follower, exposure: Exposure = CALM, limits: Limits | None = None
) -> CopyOrder | Decision:
    """Plan an entry as it is planned in earnest: terms, then risk, then the venue's filters."""
    order = want_entry(trade, follower)
    if isinstance(order, Decision):
        return order
    return finish_entry(trade, follower, order, assess(order, exposure, limits or Limits()).notional)


def asking(value: str, *, tiny: TinyPolicy = TinyPolicy.SKIP, factor: str = "2") -> Follower:
    return replace(ALICE, terms=replace(TERMS, value=D(value), tiny=tiny, tiny_factor_max=Ratio(D(factor))))


def test_an_entry_is_rounded_down_and_holds_margin_and_fees() -> None:
    order = finished(replace(BUY_ONE, mark_price=Price(D(123))), ALICE, "500")
    assert isinstance(order, CopyOrder)
    assert order.quantity == D("4.065")
    assert order.notional == D("499.995")
    assert order.hold == funds_needed(order.notional, 5)
    assert (order.leverage, order.side, order.cut_by, order.reduce_only) == (5, Side.BUY, None, False)


def test_an_entry_is_no_larger_than_risk_allows() -> None:
    order = finished(BUY_ONE, ALICE, "123.456")
    assert isinstance(order, CopyOrder)
    assert order.quantity == D("1.234")


def test_more_room_than_wanted_does_not_enlarge_an_entry() -> None:
    order = finished(BUY_ONE, ALICE, "9999")
    assert isinstance(order, CopyOrder)
    assert order.notional == 500


def test_the_venues_largest_order_cuts_an_entry_and_is_named() -> None:
    order = finished(replace(BUY_ONE, instrument=instrument(most="2.0005")), ALICE, "500")
    assert isinstance(order, CopyOrder)
    assert [order.quantity, order.cut_by] == [2, DecisionCode.VENUE_MAXIMUM]


def test_a_cut_by_the_terms_stays_named() -> None:
    follower = replace(ALICE, terms=replace(TERMS, order_notional_max=Money(D(200))))
    order = finished(BUY_ONE, follower, "200")
    assert isinstance(order, CopyOrder)
    assert [order.quantity, order.cut_by] == [2, DecisionCode.TERMS_MAXIMUM]


@pytest.mark.parametrize("allowed", ["0", "-5", "4.99"])
def test_what_is_left_below_the_minimum_is_skipped_and_says_by_how_much(allowed: str) -> None:
    answer = finished(BUY_ONE, ALICE, allowed)
    assert isinstance(answer, Decision)
    assert (answer.outcome, answer.code) == (DecisionOutcome.SKIPPED, "BELOW_MINIMUM")
    assert answer.inputs["minimum_quantity"] == "0.05"
    assert "0.05" in answer.reason


def test_exactly_the_minimum_is_copied() -> None:
    order = finished(BUY_ONE, ALICE, "5")
    assert isinstance(order, CopyOrder)
    assert order.quantity == D("0.05")


def test_an_order_of_nothing_is_never_made_where_the_venue_names_no_minimum() -> None:
    trade = replace(BUY_ONE, instrument=instrument(least="0", notional="0"))
    assert isinstance(finished(trade, asking("0.01"), "0.01"), Decision)


@pytest.mark.parametrize(
    ("value", "factor", "raised"),
    [
        ("2.5", "2", True),
        ("2.49", "2", False),
        ("0.5", "10", True),
        ("0.49", "10", False),
        ("4.99", "1", False),
    ],
)
def test_a_tiny_entry_is_raised_to_the_minimum_within_the_agreed_factor(
    value: str, factor: str, *, raised: bool
) -> None:
    order = copied(BUY_ONE, asking(value, tiny=TinyPolicy.RAISE, factor=factor))
    if raised:
        assert isinstance(order, CopyOrder)
        assert (order.quantity, order.cut_by) == (D("0.05"), DecisionCode.RAISED_TO_MINIMUM)
        assert order.hold == funds_needed(D(5), 5)
    else:
        assert isinstance(order, Decision)
        assert order.code == "BELOW_MINIMUM"


def test_a_tiny_entry_is_skipped_unless_the_terms_raise_it() -> None:
    answer = copied(BUY_ONE, asking("4.99"))
    assert isinstance(answer, Decision)
    assert answer.code == "BELOW_MINIMUM"


def test_funds_that_do_not_cover_the_minimum_raise_nothing() -> None:
    follower = asking("4", tiny=TinyPolicy.RAISE)
    assert isinstance(copied(BUY_ONE, follower, replace(CALM, free=Money(D("0.5")))), Decision)


def test_an_entry_that_risk_cut_is_not_raised_above_the_cut() -> None:
    follower = asking("4", tiny=TinyPolicy.RAISE)
    assert isinstance(copied(BUY_ONE, follower, CALM, Limits(order_notional_max=D(3))), Decision)


@pytest.mark.parametrize(
    "limits",
    [
        Limits(order_notional_max=D("4.5")),
        Limits(symbol_notional_max=D("4.5")),
        Limits(total_notional_max=D("4.5")),
    ],
    ids=["order", "symbol", "total"],
)
def test_a_raised_entry_breaks_no_limit_though_the_terms_asked_for_less(limits: Limits) -> None:
    answer = copied(BUY_ONE, asking("4", tiny=TinyPolicy.RAISE), CALM, limits)
    assert isinstance(answer, Decision), f"an order of {answer.notional} passed a limit of 4.5"


def test_a_raised_entry_takes_no_more_than_the_free_funds() -> None:
    exposure = replace(CALM, free=Money(D("0.9")))  # enough for 4 at leverage 5, not for 5
    answer = copied(BUY_ONE, asking("4", tiny=TinyPolicy.RAISE), exposure)
    assert isinstance(answer, Decision), f"a hold of {answer.hold} was made of 0.9"


def test_a_raised_entry_stays_within_the_terms_largest_order() -> None:
    follower = asking("100", tiny=TinyPolicy.RAISE)
    follower = replace(follower, terms=replace(follower.terms, order_notional_max=Money(D(4))))
    answer = copied(BUY_ONE, follower)
    assert isinstance(answer, Decision), f"an order of {answer.notional} passed the agreed maximum of 4"


AMOUNT = decimals("0", "12", 2) | decimals("0", "600", 2)  # around the venue's minimum, and well above
MAYBE = st.none() | AMOUNT


@pytest.mark.parametrize("tiny", TinyPolicy)
@PROPERTY
@given(
    value=decimals("0.01", "12", 2) | decimals("0.01", "600", 2),
    mark=decimals("0.05", "900", 2),
    free=AMOUNT,
    carried=AMOUNT,
    limits=st.builds(Limits, MAYBE, MAYBE, MAYBE),
    leverage=st.integers(1, 20),
)
def test_a_planned_entry_fits_every_filter_every_limit_and_the_free_funds(
    value: Decimal,
    mark: Decimal,
    free: Decimal,
    carried: Decimal,
    limits: Limits,
    leverage: int,
    tiny: TinyPolicy,
) -> None:
    trade = replace(BUY_ONE, price=Price(mark), mark_price=Price(mark), leverage=leverage)
    follower = asking(str(value), tiny=tiny, factor="10")
    exposure = replace(CALM, free=Money(free), symbol_notional=Money(carried), total_notional=Money(carried))
    order = copied(trade, follower, exposure, limits)
    if isinstance(order, Decision):
        return
    market = trade.instrument
    assert order.quantity % market.step == 0
    assert market.smallest_order(Price(mark)) <= order.quantity <= market.quantity_max
    assert order.notional == order.quantity * mark
    assert order.notional <= value or order.cut_by is DecisionCode.RAISED_TO_MINIMUM
    for carried_before, limit in (
        (D(0), limits.order_notional_max),
        (carried, limits.symbol_notional_max),
        (carried, limits.total_notional_max),
    ):
        assert limit is None or carried_before + order.notional <= limit
    assert order.hold == funds_needed(order.notional, order.leverage)
    assert order.hold <= free
