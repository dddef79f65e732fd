"""One follower's plan: which decision, with which inputs, and what would have passed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.application.trading.plan import plan_one
from app.application.trading.ports import Candidate
from app.domain.risk.exposure import Exposure
from app.domain.risk.limits import Limits
from app.domain.shared.execution import Action
from app.domain.shared.market import Venue
from app.domain.shared.money import Money, Price
from app.domain.shared.terms import CopyTerms
from app.domain.trading.copying import Follower, LeaderTrade
from tests.unit.application.trading.rows import shown
from tests.unit.domain.builders import ALICE, BUY_ONE, CALM, CLOSE_LONG, TERMS, D, instrument

INPUTS = {
    "mode",
    "value",
    "notional",
    "leverage",
    "leader_price",
    "mark_price",
    "wallet",
    "free",
    "held",
    "hold",
}


def candidate(
    follower: Follower = ALICE, exposure: Exposure = CALM, limits: Limits | None = None
) -> Candidate:
    return Candidate(Venue.BINANCE_USDM, follower, exposure, limits or Limits(), b"sealed", 3)


def test_a_plan_that_passes_whole_is_copied_as_asked_with_all_its_inputs() -> None:
    order, made = plan_one(BUY_ONE, candidate())
    assert order is not None
    assert (made.outcome.value, made.code) == ("COPIED", "AS_ASKED")
    assert set(made.inputs) == INPUTS
    assert made.inputs["notional"] == "500"
    assert made.inputs["hold"] == "101.5"  # 500 / 5 and 0.3 % of 500


@pytest.mark.parametrize(
    ("limits", "outcome", "code"),
    [
        (Limits(), "DEFERRED", "OTHER_MAY_OVERSELL"),
        (Limits(positions_max=0), "SKIPPED", "TOO_MANY_POSITIONS"),
        (Limits(order_notional_max=D(1)), "SKIPPED", "ORDER_ABOVE_LIMIT"),
    ],
)
def test_an_entry_waits_for_another_follows_orders_only_if_nothing_else_is_against_it(
    limits: Limits, outcome: str, code: str
) -> None:
    order, made = plan_one(BUY_ONE, candidate(replace(ALICE, other_may_oversell=True), limits=limits))
    assert order is None
    assert (made.outcome.value, made.code) == (outcome, code)


FREE_50 = replace(CALM, free=Money(D(50)))
REDUCED = [
    ("INSUFFICIENT_FUNDS", candidate(exposure=FREE_50)),
    ("ORDER_ABOVE_LIMIT", candidate(limits=Limits(order_notional_max=D(200)))),
    (
        "SYMBOL_EXPOSURE_LIMIT",
        candidate(
            exposure=replace(CALM, symbol_notional=Money(D(700))), limits=Limits(symbol_notional_max=D(1000))
        ),
    ),
    (
        "TOTAL_EXPOSURE_LIMIT",
        candidate(
            exposure=replace(CALM, total_notional=Money(D(700))), limits=Limits(total_notional_max=D(1000))
        ),
    ),
    ("TERMS_MAXIMUM", candidate(replace(ALICE, terms=replace(TERMS, order_notional_max=Money(D(250)))))),
]


@pytest.mark.parametrize(("code", "who"), REDUCED, ids=[code for code, _ in REDUCED])
def test_what_fits_in_part_is_reduced_and_says_by_what(code: str, who: Candidate) -> None:
    order, made = plan_one(BUY_ONE, who)
    assert order is not None
    assert (made.outcome.value, made.code) == ("REDUCED", code)
    assert 0 < order.notional < 500
    assert order.hold <= who.exposure.free
    assert set(made.inputs) >= INPUTS


REFUSED = [
    ("ENTRIES_HALTED", candidate(exposure=replace(CALM, entries_halted=True)), None),
    (
        "DAILY_LOSS_LIMIT",
        candidate(exposure=replace(CALM, realised_today=Money(D(-90))), limits=Limits(daily_loss_max=D(90))),
        None,
    ),
    (
        "DRAWDOWN_LIMIT",
        candidate(exposure=replace(CALM, high_water=Money(D(2000))), limits=Limits(drawdown_max=D("0.5"))),
        None,
    ),
    ("OPPOSING_POSITION", candidate(exposure=replace(CALM, other_quantity=D(-1))), None),
    (
        "TOO_MANY_POSITIONS",
        candidate(exposure=replace(CALM, positions=2), limits=Limits(positions_max=2)),
        None,
    ),
    (
        "SYMBOL_EXPOSURE_LIMIT",
        candidate(
            exposure=replace(CALM, symbol_notional=Money(D(999))), limits=Limits(symbol_notional_max=D(1000))
        ),
        "1",
    ),
    ("INSUFFICIENT_FUNDS", candidate(exposure=replace(CALM, free=Money(D(0)))), "0"),
]


@pytest.mark.parametrize(("code", "who", "passes"), REFUSED, ids=[code for code, _, _ in REFUSED])
def test_what_risk_refuses_is_skipped_with_the_figures_and_what_would_have_passed(
    code: str, who: Candidate, passes: str | None
) -> None:
    order, made = plan_one(BUY_ONE, who)
    assert order is None
    assert (made.outcome.value, made.code) == ("SKIPPED", code)
    assert set(made.inputs) >= INPUTS | {"actual", "limit"}
    assert made.inputs.get("would_pass_notional") == passes


@pytest.mark.parametrize(("code", "who", "passes"), [row for row in REFUSED if row[2] not in {None, "0"}])
def test_the_counterfactual_is_true(code: str, who: Candidate, passes: str) -> None:
    """Asked for what would have passed, risk lets it pass; only the venue's minimum may still be in the way."""
    modest = replace(who, follower=replace(who.follower, terms=replace(TERMS, value=D(passes))))
    tiny = replace(BUY_ONE, instrument=instrument(notional="0.1"))
    order, made = plan_one(tiny, modest)
    assert order is not None, made
    assert code not in made.code


TRADES = [
    ("PRICE_DRIFTED", replace(BUY_ONE, mark_price=Price(D(101))), ALICE),
    ("SIGNAL_EXPIRED", replace(BUY_ONE, expired=True), ALICE),
    ("LEADER_ALREADY_OUT", replace(BUY_ONE, superseded=True), ALICE),
    ("WHALE_PAUSED", replace(BUY_ONE, whale_paused=True), ALICE),
    ("FOLLOW_PAUSED", BUY_ONE, replace(ALICE, active=False, paused=True)),
    ("KEY_NOT_USABLE", BUY_ONE, replace(ALICE, key_usable=False)),
    ("BELOW_MINIMUM", BUY_ONE, replace(ALICE, terms=replace(TERMS, value=D("0.01")))),
    ("ADD_WITHOUT_POSITION", replace(BUY_ONE, action=Action.ADD), ALICE),
    ("NOTHING_TO_CLOSE", CLOSE_LONG, ALICE),
]


@pytest.mark.parametrize(("code", "trade", "who"), TRADES, ids=[code for code, _, _ in TRADES])
def test_what_is_not_copied_is_skipped_for_its_own_reason(
    code: str, trade: LeaderTrade, who: Follower
) -> None:
    order, made = plan_one(trade, candidate(who))
    assert (order, made.outcome.value, made.code) == (None, "SKIPPED", code)
    assert made.reason
    assert "{" not in made.reason


@pytest.mark.parametrize("action", [Action.CLOSE, Action.REDUCE])
def test_no_halt_limit_or_drift_stands_between_a_follower_and_the_way_out(action: Action) -> None:
    worst = replace(CALM, entries_halted=True, free=Money(D(-5)), realised_today=Money(D(-999)), positions=99)
    tight = Limits(order_notional_max=D(0), daily_loss_max=D(1), positions_max=0)
    who = replace(ALICE, held=D(2), active=False, paused=True, key_usable=False, user_active=False)
    far = replace(CLOSE_LONG, action=action, mark_price=Price(D(10)), expired=True, whale_paused=True)
    order, made = plan_one(far, candidate(who, worst, tight))
    assert order is not None
    assert shown(order.quantity, order.reduce_only, order.hold) == (2, True, 0)
    assert made.outcome.value == "COPIED"


def test_an_exit_waits_for_an_entry_without_outcome_and_an_entry_for_an_exit() -> None:
    _, waits = plan_one(CLOSE_LONG, candidate(replace(ALICE, held=D(1), entry_open=True)))
    assert (waits.outcome.value, waits.code) == ("DEFERRED", "ENTRY_STILL_OPEN")
    _, waits = plan_one(BUY_ONE, candidate(replace(ALICE, held=D(1), exit_open=True)))
    assert (waits.outcome.value, waits.code) == ("DEFERRED", "EXIT_STILL_OPEN")


def test_a_tiny_copy_is_raised_where_the_terms_say_so() -> None:
    terms: CopyTerms = replace(TERMS, value=D(3), tiny=type(TERMS.tiny)("RAISE"))
    order, made = plan_one(BUY_ONE, candidate(replace(ALICE, terms=terms)))
    assert order is not None
    assert (made.outcome.value, made.code) == ("COPIED", "RAISED_TO_MINIMUM")
