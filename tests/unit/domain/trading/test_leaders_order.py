"""An exit that was put off closes what signals not later than it opened, whatever the leader did since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shared.market import Side
from app.domain.shared.money import Quantity
from app.domain.trading.copying import CopyOrder
from app.domain.trading.decision import Decision, DecisionCode, DecisionOutcome
from app.domain.trading.exit_plan import plan_exit
from app.domain.trading.leaders_order import LaterTrade, opened_earlier, opened_later
from tests.unit.domain.builders import ALICE, CLOSE_LONG, PROPERTY, D, decimals


def entry(quantity: str, side: Side = Side.BUY) -> LaterTrade:
    return LaterTrade(side, is_exit=False, executed=Quantity(D(quantity)))


def out(fraction: str, side: Side = Side.SELL) -> LaterTrade:
    return LaterTrade(side, is_exit=True, executed=Quantity(D(1)), fraction=D(fraction))


def sold(quantity: str, side: Side = Side.SELL) -> LaterTrade:
    return LaterTrade(side, is_exit=True, executed=Quantity(D(quantity)))


@pytest.mark.parametrize(
    ("later", "left"),
    [
        ([], "0"),
        ([entry("1")], "1"),
        ([entry("1"), entry("2")], "3"),
        ([entry("1"), out("0.5")], "0.5"),
        ([out("0.5"), entry("1")], "1"),  # it took its share before this was opened
        ([entry("1"), out("0.5"), entry("1"), out("0.25")], "1.125"),
        ([entry("1"), out("1"), entry("3")], "3"),
        ([entry("2"), sold("0.5")], "1.5"),
        ([entry("2"), sold("5")], "0"),
        ([entry("1", Side.SELL)], "-1"),
        ([entry("1", Side.SELL), out("0.5", Side.BUY)], "-0.5"),
        (
            [entry("1", Side.SELL), out("1", Side.SELL), sold("1", Side.SELL)],
            "-1",
        ),  # exits of another direction
    ],
)
def test_what_later_signals_have_left_follows_the_leaders_order(
    later: Sequence[LaterTrade], left: str
) -> None:
    assert opened_later(later) == D(left)


@pytest.mark.parametrize(
    ("held", "later", "earlier"),
    [
        ("2", "0", "2"),
        ("2", "1", "1"),
        ("2", "2", "0"),
        ("2", "3", "0"),
        ("-2", "-1", "-1"),
        ("0", "1", "0"),
        ("1", "-2", "1"),
        ("-1", "2", "-1"),
        ("0", "0", "0"),
    ],
)
def test_the_rest_of_what_is_held_is_the_earlier_signals(held: str, later: str, earlier: str) -> None:
    assert opened_earlier(D(held), D(later)) == D(earlier)


class Case(NamedTuple):
    held: str
    later: str
    absent: bool
    fraction: str
    pending: str
    closes: str | DecisionCode


@pytest.mark.parametrize(
    "case",
    [
        Case("2", "0", False, "1", "0", "2"),
        Case("2", "1", False, "1", "0", "1"),  # the older came late, and alone is closed
        Case("2", "1", False, "0.5", "0", "0.5"),  # a reduction is a share of the older part
        Case("3", "1", False, "1", "1", "1"),  # another exit closes one of the older two
        Case("1", "1", False, "1", "0", DecisionCode.OPENED_LATER),
        Case("1", "1", True, "1", "0", DecisionCode.ENTRY_STILL_OPEN),  # the older may still appear
        Case("2", "1", True, "1", "0", "1"),
        Case("1", "1", False, "0.5", "0", DecisionCode.OPENED_LATER),
        Case("-1", "-1", False, "1", "0", DecisionCode.NOTHING_TO_CLOSE),  # a short is not this exit's at all
        Case("0", "1", False, "1", "0", DecisionCode.NOTHING_TO_CLOSE),
    ],
)
def test_an_exit_that_was_put_off_leaves_what_the_leader_opened_anew(case: Case) -> None:
    follower = replace(
        ALICE,
        held=D(case.held),
        opened_later=D(case.later),
        entry_absent=case.absent,
        exit_pending=Quantity(D(case.pending)),
    )
    made = plan_exit(replace(CLOSE_LONG, fraction=D(case.fraction)), follower)
    if isinstance(case.closes, DecisionCode):
        assert isinstance(made, Decision)
        assert made.code == case.closes
        deferred = case.closes is DecisionCode.ENTRY_STILL_OPEN
        assert (made.outcome is DecisionOutcome.DEFERRED) is deferred
    else:
        assert isinstance(made, CopyOrder)
        assert made.quantity == D(case.closes)


@PROPERTY
@given(
    older=decimals("0", "5", 2),
    steps=st.lists(st.tuples(st.booleans(), decimals("0.01", "1", 2)), max_size=6),
)
def test_what_the_exit_and_the_later_signals_own_is_always_what_is_held(
    older: Decimal, steps: Sequence[tuple[bool, Decimal]]
) -> None:
    """A follow holds its older part and obeys the later signals; each takes its share of both."""
    mine, newer, later = older, D(0), []
    for is_exit, figure in steps:
        if is_exit:
            quantity = (mine + newer) * figure
            mine, newer = mine * (1 - figure), newer * (1 - figure)
            later.append(LaterTrade(Side.SELL, is_exit=True, executed=Quantity(quantity), fraction=figure))
        else:
            newer += figure
            later.append(LaterTrade(Side.BUY, is_exit=False, executed=Quantity(figure)))
    assert opened_later(later) == newer
    assert opened_earlier(mine + newer, opened_later(later)) == mine
