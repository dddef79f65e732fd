"""The plan of an exit: the leader's fraction of what the follow holds, never more than can be closed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.shared.execution import Action
from app.domain.shared.market import Side
from app.domain.shared.money import Price, Quantity
from app.domain.trading.copying import CopyOrder, Follower, LeaderTrade
from app.domain.trading.decision import Decision, DecisionCode, DecisionOutcome
from app.domain.trading.exit_plan import plan_exit
from tests.unit.domain.builders import ALICE, CLOSE_LONG, PROPERTY, D, decimals, instrument


def leaving(fraction: str = "1", side: Side = Side.SELL) -> LeaderTrade:
    action = Action.CLOSE if fraction == "1" else Action.REDUCE
    return replace(CLOSE_LONG, action=action, fraction=D(fraction), side=side)


def holding(held: str, pending: str = "0") -> Follower:
    return replace(ALICE, held=D(held), exit_pending=Quantity(D(pending)))


def quantity_of(trade: LeaderTrade, follower: Follower) -> Decimal:
    order = plan_exit(trade, follower)
    assert isinstance(order, CopyOrder), order
    return order.quantity


def skipped(trade: LeaderTrade, follower: Follower) -> Decision:
    answer = plan_exit(trade, follower)
    assert isinstance(answer, Decision), answer
    return answer


@pytest.mark.parametrize(
    ("held", "pending", "fraction", "quantity"),
    [
        ("10", "0", "1", "10"),
        ("10", "0", "0.25", "2.5"),
        ("10", "0", "0.33333", "3.333"),  # rounded down: the rest goes with the next exit
        ("10", "4", "1", "6"),  # what is on its way out is not closed twice
        ("10", "4", "0.5", "3"),
        ("10", "0", "0.996", "10"),  # 0.04 left would be too small to trade: it goes too
        ("10", "0", "0.995", "9.95"),  # 0.05 left can still be traded
        ("0.049", "0", "0.01", "0.049"),  # already smaller than the smallest order
        ("10.0004", "0", "1", "10"),
    ],
)
@pytest.mark.parametrize("side", Side)
def test_an_exit_closes_the_leaders_fraction_of_what_is_held(
    side: Side, held: str, pending: str, fraction: str, quantity: str
) -> None:
    follower = holding(str(-side.sign * D(held)), pending)
    order = plan_exit(leaving(fraction, side), follower)
    assert isinstance(order, CopyOrder)
    assert order.quantity == D(quantity)
    assert order.side is side
    assert order.reduce_only


def test_an_exit_needs_no_funds_and_changes_no_leverage() -> None:
    order = plan_exit(leaving(), replace(holding("2"), leverage_set=7))
    assert isinstance(order, CopyOrder)
    assert [order.hold, order.leverage, order.leverage_changes, order.opens_position] == [0, 7, False, False]
    assert order.notional == 200


@pytest.mark.parametrize(
    "change",
    [
        {"user_active": False},
        {"active": False},
        {"active": False, "paused": True},
        {"key_usable": False},
        {"wallet": D(-500)},
        {"leverage_limit": 0},
        {"leverage_set": None},
    ],
)
@pytest.mark.parametrize("state", [{}, {"expired": True}, {"superseded": True}, {"whale_paused": True}])
def test_nothing_stands_between_a_follower_and_the_way_out(
    change: dict[str, object], state: dict[str, object]
) -> None:
    trade = replace(leaving(), **state)  # type: ignore[arg-type]  # a table of fields of several types
    follower = replace(holding("2"), **change)  # type: ignore[arg-type]  # a table of fields of several types
    assert quantity_of(trade, follower) == 2


def test_an_exit_waits_while_an_entry_is_in_doubt() -> None:
    answer = skipped(leaving(), replace(holding("2"), entry_open=True))
    assert (answer.outcome, answer.code) == (DecisionOutcome.DEFERRED, "ENTRY_STILL_OPEN")


@pytest.mark.parametrize(("held", "pending"), [("0", "0"), ("-2", "0"), ("2", "2"), ("2", "3")])
def test_what_is_not_held_is_not_closed(held: str, pending: str) -> None:
    answer = skipped(leaving(), holding(held, pending))
    assert (answer.outcome, answer.code) == (DecisionOutcome.SKIPPED, "NOTHING_TO_CLOSE")


def test_a_rest_below_one_step_cannot_be_closed() -> None:
    answer = skipped(leaving(), holding("0.0009"))
    assert (answer.outcome, answer.code) == (DecisionOutcome.SKIPPED, "BELOW_MINIMUM")
    assert "0.001" in answer.reason


def test_a_fraction_that_rounds_to_nothing_is_skipped() -> None:
    answer = skipped(leaving("0.00001"), holding("10"))
    assert answer.code == "BELOW_MINIMUM"


def test_an_exit_larger_than_the_venue_takes_is_whole_and_marked_to_go_out_in_parts() -> None:
    order = plan_exit(replace(leaving(), instrument=instrument(most="4")), holding("10"))
    assert isinstance(order, CopyOrder)
    assert order.quantity == 10
    assert order.cut_by is DecisionCode.VENUE_MAXIMUM


def test_an_exit_below_the_venues_least_quantity_is_not_sent() -> None:
    market = instrument(least="0.01", notional="0")
    answer = skipped(replace(leaving("0.01"), instrument=market), holding("0.5"))
    assert answer.code == "BELOW_MINIMUM"


@PROPERTY
@given(
    held=decimals("-50", "50", 4),
    pending=decimals("0", "60", 3),
    fraction=decimals("0.001", "1", 3),
    mark=decimals("0.5", "5000", 1),
    side=st.sampled_from(Side),
)
def test_an_exit_never_closes_more_than_can_be_closed_and_leaves_no_dust(
    held: Decimal, pending: Decimal, fraction: Decimal, mark: Decimal, side: Side
) -> None:
    trade = replace(leaving(str(fraction), side), mark_price=Price(mark))
    order = plan_exit(trade, holding(str(held), str(pending)))
    closable = abs(held) - pending
    if isinstance(order, Decision):
        assert held * side.sign >= 0 or closable <= 0 or closable * fraction < trade.instrument.step
        return
    assert held * order.side.sign < 0
    assert 0 < order.quantity <= closable
    assert order.quantity % trade.instrument.step == 0
    rest = closable - order.quantity
    assert rest < trade.instrument.step or rest >= trade.instrument.smallest_order(Price(mark))
    if fraction == 1:
        assert rest < trade.instrument.step


@PROPERTY
@given(held=decimals("1", "500", 3), fractions=st.lists(decimals("0.01", "0.9", 2), max_size=8))
def test_a_chain_of_reductions_and_a_close_ends_flat(held: Decimal, fractions: list[Decimal]) -> None:
    left = held
    for fraction in [*map(str, fractions), "1"]:
        order = plan_exit(leaving(fraction), holding(str(left)))
        if isinstance(order, CopyOrder):
            left -= order.quantity
            assert left >= 0
    assume(held % D("0.001") == 0)
    assert left == 0
