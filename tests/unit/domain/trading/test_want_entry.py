"""The first half of an entry's plan: what the terms ask for, or the first reason why nothing is copied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.domain.shared.execution import Action
from app.domain.shared.market import Side
from app.domain.shared.money import Money, Price
from app.domain.shared.terms import CopyMode
from app.domain.trading.copying import CopyOrder, Follower, LeaderTrade, want_entry
from app.domain.trading.decision import Decision, DecisionCode, DecisionOutcome
from tests.unit.domain.builders import ALICE, BTC, BUY_ONE, ETH, TERMS, D, instrument


def wanted(trade: LeaderTrade, follower: Follower) -> CopyOrder:
    order = want_entry(trade, follower)
    assert isinstance(order, CopyOrder), order
    return order


def refused(trade: LeaderTrade, follower: Follower) -> Decision:
    answer = want_entry(trade, follower)
    assert isinstance(answer, Decision), answer
    return answer


Case = tuple[LeaderTrade, Follower]

SUSPENDED = (BUY_ONE, replace(ALICE, user_active=False))
STOPPED = (BUY_ONE, replace(ALICE, active=False))
PAUSED = (BUY_ONE, replace(ALICE, active=False, paused=True))
WHALE_PAUSED = (replace(BUY_ONE, whale_paused=True), ALICE)
NO_KEY = (BUY_ONE, replace(ALICE, key_usable=False))
SUPERSEDED = (replace(BUY_ONE, superseded=True), ALICE)
TOO_OLD = (replace(BUY_ONE, expired=True), ALICE)
OTHER_MARKET = (BUY_ONE, replace(ALICE, terms=replace(TERMS, symbols_allowed=frozenset({ETH}))))
DENIED_MARKET = (BUY_ONE, replace(ALICE, terms=replace(TERMS, symbols_denied=frozenset({BTC}))))
OTHER_SIDE = (BUY_ONE, replace(ALICE, terms=replace(TERMS, sides=frozenset({Side.SELL}))))
EXIT_OPEN = (BUY_ONE, replace(ALICE, exit_open=True))
OPPOSITE = (BUY_ONE, replace(ALICE, held=D(-1)))
NOT_JOINED = (replace(BUY_ONE, action=Action.ADD), ALICE)


@pytest.mark.parametrize(
    ("case", "code", "outcome"),
    [
        (SUSPENDED, DecisionCode.USER_SUSPENDED, DecisionOutcome.SKIPPED),
        (STOPPED, DecisionCode.FOLLOW_STOPPED, DecisionOutcome.SKIPPED),
        (PAUSED, DecisionCode.FOLLOW_PAUSED, DecisionOutcome.SKIPPED),
        (WHALE_PAUSED, DecisionCode.WHALE_PAUSED, DecisionOutcome.SKIPPED),
        (NO_KEY, DecisionCode.KEY_NOT_USABLE, DecisionOutcome.SKIPPED),
        (SUPERSEDED, DecisionCode.LEADER_ALREADY_OUT, DecisionOutcome.SKIPPED),
        (TOO_OLD, DecisionCode.SIGNAL_EXPIRED, DecisionOutcome.SKIPPED),
        (OTHER_MARKET, DecisionCode.SYMBOL_NOT_WANTED, DecisionOutcome.SKIPPED),
        (DENIED_MARKET, DecisionCode.SYMBOL_NOT_WANTED, DecisionOutcome.SKIPPED),
        (OTHER_SIDE, DecisionCode.SIDE_NOT_WANTED, DecisionOutcome.SKIPPED),
        (EXIT_OPEN, DecisionCode.EXIT_STILL_OPEN, DecisionOutcome.DEFERRED),
        (OPPOSITE, DecisionCode.EXIT_STILL_OPEN, DecisionOutcome.DEFERRED),
        (NOT_JOINED, DecisionCode.ADD_WITHOUT_POSITION, DecisionOutcome.SKIPPED),
    ],
)
def test_each_reason_against_an_entry_has_its_code(
    case: Case, code: DecisionCode, outcome: DecisionOutcome
) -> None:
    answer = refused(*case)
    assert (answer.code, answer.outcome, answer.follow_id) == (code.value, outcome, ALICE.follow_id)
    assert answer.inputs["wallet"] == "1000"
    assert answer.inputs["mark_price"] == "100"


def test_the_reasons_speak_in_a_fixed_order() -> None:
    """Everything is wrong at first; what is mended one by one uncovers the next reason."""
    trade = replace(BUY_ONE, whale_paused=True, superseded=True, expired=True)
    terms = replace(TERMS, symbols_denied=frozenset({BTC}), sides=frozenset({Side.SELL}))
    follower = replace(ALICE, user_active=False, active=False, key_usable=False, terms=terms, exit_open=True)
    mends: list[Callable[[LeaderTrade, Follower], Case]] = [
        lambda t, f: (t, replace(f, user_active=True)),
        lambda t, f: (t, replace(f, paused=True)),
        lambda t, f: (t, replace(f, paused=False, active=True)),
        lambda t, f: (replace(t, whale_paused=False), f),
        lambda t, f: (t, replace(f, key_usable=True)),
        lambda t, f: (replace(t, superseded=False), f),
        lambda t, f: (replace(t, expired=False), f),
        lambda t, f: (t, replace(f, terms=replace(f.terms, symbols_denied=frozenset()))),
        lambda t, f: (t, replace(f, terms=TERMS)),
        lambda t, f: (replace(t, action=Action.ADD), replace(f, exit_open=False)),
    ]
    found: list[str] = []
    for mend in mends:
        found.append(refused(trade, follower).code)
        trade, follower = mend(trade, follower)
    assert [*found, refused(trade, follower).code] == [
        "USER_SUSPENDED",
        "FOLLOW_STOPPED",
        "FOLLOW_PAUSED",
        "WHALE_PAUSED",
        "KEY_NOT_USABLE",
        "LEADER_ALREADY_OUT",
        "SIGNAL_EXPIRED",
        "SYMBOL_NOT_WANTED",
        "SIDE_NOT_WANTED",
        "EXIT_STILL_OPEN",
        "ADD_WITHOUT_POSITION",
    ]


@pytest.mark.parametrize(("held", "entry_open"), [("1", False), ("0", True), ("1", True)])
def test_who_joined_or_is_joining_follows_an_addition(held: str, *, entry_open: bool) -> None:
    follower = replace(ALICE, held=D(held), entry_open=entry_open)
    assert wanted(replace(BUY_ONE, action=Action.ADD), follower).side is Side.BUY


def test_a_proportional_copy_of_a_leader_of_unknown_equity_is_skipped() -> None:
    follower = replace(ALICE, terms=replace(TERMS, mode=CopyMode.EQUITY_PROPORTIONAL, value=D(1)))
    answer = refused(replace(BUY_ONE, equity=None), follower)
    assert (answer.outcome, answer.code) == (DecisionOutcome.SKIPPED, "LEADER_EQUITY_UNKNOWN")


def test_an_entry_is_what_the_terms_ask_for_and_holds_nothing_yet() -> None:
    trade = replace(BUY_ONE, price=Price(D(99)), mark_price=Price(D(125)))
    order = wanted(trade, ALICE)
    assert (order.follow_id, order.account_id) == (ALICE.follow_id, ALICE.account_id)
    assert [order.notional, order.quantity, order.hold] == [500, 4, 0]
    assert [order.reference_price, order.mark_price, order.drift_max] == [99, 125, D("0.005")]
    assert (order.reduce_only, order.opens_position, order.cut_by) == (False, True, None)
    assert not wanted(trade, replace(ALICE, held=D(1))).opens_position


@pytest.mark.parametrize(
    ("largest", "notional", "cut"), [("500", "500", False), ("499.99", "499.99", True), (None, "500", False)]
)
def test_the_terms_largest_order_cuts_what_the_mode_asks_for(
    largest: str | None, notional: str, *, cut: bool
) -> None:
    terms = replace(TERMS, order_notional_max=None if largest is None else Money(D(largest)))
    order = wanted(BUY_ONE, replace(ALICE, terms=terms))
    assert order.notional == D(notional)
    assert order.cut_by is (DecisionCode.TERMS_MAXIMUM if cut else None)


@pytest.mark.parametrize(
    ("leader", "terms_max", "venue_max", "limit", "leverage"),
    [
        (5, 10, 125, None, 5),  # the leader's own
        (50, 10, 125, None, 10),  # capped by the terms
        (50, 40, 20, None, 20),  # capped by the venue
        (50, 40, 125, 3, 3),  # capped by the limits
        (None, 10, 125, None, 10),  # unknown: the terms' cap
        (None, 10, 125, 2, 2),
        (1, 10, 125, None, 1),
    ],
)
def test_leverage_is_the_leaders_under_every_cap(
    leader: int | None, terms_max: int, venue_max: int, limit: int | None, leverage: int
) -> None:
    trade = replace(BUY_ONE, leverage=leader, instrument=instrument(leverage_max=venue_max))
    follower = replace(ALICE, terms=replace(TERMS, leverage_max=terms_max), leverage_limit=limit)
    assert wanted(trade, follower).leverage == leverage


def test_a_leverage_limit_of_zero_is_the_tightest_and_not_the_absence_of_one() -> None:
    order = wanted(replace(BUY_ONE, leverage=50), replace(ALICE, leverage_limit=0))
    assert order.leverage == 1


@pytest.mark.parametrize(("told", "changes"), [(5, False), (4, True), (None, True)])
def test_the_venue_is_told_of_leverage_only_when_it_changes(told: int | None, *, changes: bool) -> None:
    assert wanted(BUY_ONE, replace(ALICE, leverage_set=told)).leverage_changes is changes
