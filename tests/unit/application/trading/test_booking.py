"""Booking, rule by rule: what one piece of evidence changes, and what it must leave alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from app.application.trading.booking import Booking
from app.application.trading.evidence import Evidence
from app.application.trading.execution_ports import StoredAttempt
from app.domain.shared.execution import OrderStatus
from app.domain.shared.market import Side
from app.domain.shared.money import Money, Quantity
from app.domain.signals.priority import Lane
from app.domain.trading.order import OrderEvent, OrderState
from app.domain.trading.position import Position
from app.domain.trading.trade import TradeState
from tests.fakes.clock import START
from tests.unit.application.trading.rows import (
    ACCOUNT,
    FOLLOW,
    Desk,
    cid,
    execution,
    put,
    report,
    shown,
    signal,
)
from tests.unit.domain.builders import BTC, D

SOON = START + timedelta(seconds=1)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_evidence_on_foreign_orders_changes_nothing(desk: Desk) -> None:
    booking = Booking(attempts={}, seen=frozenset(), positions={}, now=START)
    booking.take(Evidence("somebody else's", event=OrderEvent.LOST))
    changes = booking.changes()
    assert not any((changes.orders, changes.trades, changes.funds, changes.fills, changes.ledger))


def test_an_entry_that_fills_captures_margin_and_fee_and_gives_the_rest_of_the_hold_back(desk: Desk) -> None:
    one = put(desk.book)
    stored = desk.book.stored(one)
    desk.take(Evidence(one, report=report(stored), fills=(execution(stored, "1", "1"),), acked=True))
    funds, trade = desk.book.funds[ACCOUNT], desk.trade(one)
    assert shown(funds.wallet, funds.held, funds.margin) == (D("9999.95"), 0, 20)
    assert shown(trade.state, trade.settled, trade.hold_left) == (TradeState.FILLED, True, 0)
    assert [(e.kind, e.amount, e.entry_key) for e in desk.book.ledger] == [
        ("FEE", D("-0.05"), "FEE:BTC-USDT:1")
    ]
    assert desk.order(one).acked


def test_the_hold_stays_while_a_reported_execution_has_no_fill_yet(desk: Desk) -> None:
    one = put(desk.book)
    desk.take(Evidence(one, report=report(desk.book.stored(one))))
    trade = desk.trade(one)
    assert shown(trade.state, trade.executed, trade.booked, trade.settled) == (TradeState.FILLED, 1, 0, False)
    assert trade.hold_left == trade.hold == desk.book.funds[ACCOUNT].held


def test_slippage_beyond_the_hold_is_taken_from_free_funds_and_the_hold_ends_at_nothing(desk: Desk) -> None:
    one = put(desk.book)
    stored = desk.book.stored(one)
    desk.take(Evidence(one, report=report(stored), fills=(execution(stored, "1", "1", price="150"),)))
    funds = desk.book.funds[ACCOUNT]
    assert shown(funds.held, funds.margin, desk.trade(one).hold_left) == (0, 30, 0)


def test_a_rebate_is_income_and_never_a_negative_capture(desk: Desk) -> None:
    one = put(desk.book)
    stored = desk.book.stored(one)
    desk.take(Evidence(one, report=report(stored), fills=(execution(stored, "1", "1", fee="-30"),)))
    assert desk.book.funds[ACCOUNT].wallet == 10_030
    assert desk.book.funds[ACCOUNT].held == 0


def test_an_exit_frees_margin_and_the_wallet_moves_by_the_venues_figure_net_of_its_fee(desk: Desk) -> None:
    one = put(desk.book, exit_=True)
    desk.book.kept[ACCOUNT, BTC, FOLLOW] = Position(D(2), Money(D(160)), Money(D(32)))
    desk.book.funds[ACCOUNT].margin = Money(D(32))
    stored = desk.book.stored(one)
    fill = execution(stored, "1", "1", realised="15")  # at the venue, another leader's lot moved the average
    desk.take(Evidence(one, report=report(stored), fills=(fill,)))
    funds = desk.book.funds[ACCOUNT]
    assert shown(funds.wallet, funds.margin) == (D("10014.95"), 16)
    assert {(e.kind, e.amount) for e in desk.book.ledger} == {("REALISED_PNL", D(15)), ("FEE", D("-0.05"))}
    assert desk.book.kept[ACCOUNT, BTC, FOLLOW].realised == 20


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"side": Side.SELL}, "another side"),
        ({"quantity": Quantity(D(2))}, "another size"),
        ({"reduce_only": True}, "another kind"),
        ({"executed": Quantity(D(2))}, "more than was ordered"),
    ],
)
def test_a_report_that_contradicts_the_order_is_set_aside_whole(
    desk: Desk, change: dict[str, object], what: str
) -> None:
    one = put(desk.book)
    stored = desk.book.stored(one)
    wrong = replace(report(stored), **change)  # type: ignore[arg-type]  # a table of changes
    desk.take(Evidence(one, report=wrong, fills=(execution(stored, "1", "1"),)))
    assert [piece.client_order_id for _, piece in desk.alarms] == [one], what
    assert desk.book.fills == {}
    assert desk.order(one).state is OrderState.SUBMITTING
    assert desk.book.funds[ACCOUNT].held == desk.trade(one).hold


def test_a_venue_may_trim_a_reduce_only_order_and_it_is_filled_all_the_same(desk: Desk) -> None:
    one = put(desk.book, quantity="2", exit_=True)
    desk.take(Evidence(one, report=report(desk.book.stored(one), quantity="1.5", executed="1.5")))
    assert desk.trade(one).state is TradeState.FILLED


def test_a_filled_part_of_a_larger_trade_leaves_the_rest_waiting_at_once(desk: Desk) -> None:
    one = put(desk.book, quantity="3", first="1")
    stored = desk.book.stored(one)
    desk.take(Evidence(one, report=report(stored), fills=(execution(stored, "1", "1"),)))
    trade = desk.trade(one)
    assert shown(trade.state, trade.retry_at, trade.executed) == (TradeState.WAITING, START, 1)
    assert trade.hold_left > 0


def test_only_the_newest_attempt_moves_the_trade_and_an_older_ones_fill_is_booked(desk: Desk) -> None:
    one = put(desk.book, quantity="2")
    stored = desk.book.stored(one)
    desk.trade(one).attempt = 1
    desk.take(
        Evidence(one, report=report(stored, OrderStatus.CANCELED, "1"), fills=(execution(stored, "1", "1"),))
    )
    assert shown(desk.trade(one).state, desk.trade(one).executed) == (TradeState.WORKING, 1)
    assert desk.book.kept[ACCOUNT, BTC, FOLLOW].quantity == 1


@pytest.mark.parametrize("executed", ["1", "2"])
def test_an_older_attempt_that_turns_up_does_not_forget_when_the_waiting_rest_is_sent(
    desk: Desk, executed: str
) -> None:
    """The rest was throttled; then the attempt before it, taken for absent, shows what it executed."""
    one = put(desk.book, quantity="2", exit_=True, state=OrderState.ABSENT, trade_state=TradeState.WAITING)
    stored = desk.book.stored(one)
    desk.trade(one).attempt, desk.trade(one).retry_at = 1, SOON
    ended = report(stored, OrderStatus.FILLED if executed == "2" else OrderStatus.CANCELED, executed)
    desk.take(Evidence(one, report=ended, fills=(execution(stored, "1", executed),)))
    trade = desk.trade(one)
    assert shown(trade.state, trade.retry_at, trade.executed) == (TradeState.WAITING, SOON, D(executed))


@pytest.mark.parametrize(
    ("evidence", "code", "words"),
    [
        (
            Evidence("c1-0", event=OrderEvent.REFUSED, code="-2019", message="no margin"),
            "VENUE_REFUSED",
            "-2019",
        ),
        (Evidence("c1-0", event=OrderEvent.PROVEN_ABSENT, code="ABSENT"), "ORDER_ABSENT", "not sent again"),
    ],
)
def test_a_trade_that_comes_to_nothing_turns_its_decision_to_failed(
    desk: Desk, evidence: Evidence, code: str, words: str
) -> None:
    one = put(desk.book)
    desk.order(one).state = OrderState.UNKNOWN
    desk.take(evidence)
    [changed] = desk.book.decisions
    assert (changed.code, changed.signal_id, changed.follow_id) == (code, signal(), FOLLOW)
    assert words in changed.reason


def test_a_refusal_that_the_venue_reports_without_a_code_is_told_in_words(desk: Desk) -> None:
    one = put(desk.book)
    desk.take(Evidence(one, report=report(desk.book.stored(one), OrderStatus.REJECTED, "0")))
    assert "None" not in desk.book.decisions[0].reason


def test_refusals_of_one_signal_are_one_event(desk: Desk) -> None:
    ids = [put(desk.book, number) for number in (1, 2)]
    attempts: dict[str, StoredAttempt] = {one: desk.book.stored(one) for one in ids}
    booking = Booking(attempts=attempts, seen=frozenset(), positions={}, now=START)
    for one in ids:
        booking.take(Evidence(one, event=OrderEvent.REFUSED, code="-1", message="no"))
    assert len(booking.changes().events) == 2


@pytest.mark.parametrize("end", [OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.REJECTED])
def test_signals_that_waited_for_the_outcome_are_put_back_and_rung_for(desk: Desk, end: OrderStatus) -> None:
    one = put(desk.book)
    desk.book.deferred_signals[FOLLOW] = (signal(9), Lane.EXITS)
    executed = "1" if end is OrderStatus.FILLED else "0"
    desk.take(Evidence(one, report=report(desk.book.stored(one), end, executed)))
    assert desk.bell.rung == [(signal(9), Lane.EXITS)]


def test_a_lost_reply_keeps_the_hold_and_says_when_to_look(desk: Desk) -> None:
    one = put(desk.book)
    desk.take(Evidence(one, event=OrderEvent.LOST, code="UNKNOWN", look_at=SOON))
    assert (desk.order(one).state, desk.order(one).look_at) == (OrderState.UNKNOWN, SOON)
    assert desk.book.funds[ACCOUNT].held == desk.trade(one).hold_left > Decimal(0)


MOVES_NOTHING = {
    "a refused connection, told after recovery had begun to look": Evidence(
        cid(), event=OrderEvent.NEVER_LEFT, retry_at=SOON
    ),
    "a fill without a report": None,
    "an acknowledgement": Evidence(cid(), acked=True),
}


@pytest.mark.parametrize("what", MOVES_NOTHING)
def test_an_attempt_in_doubt_stays_on_the_list_whatever_else_is_told(desk: Desk, what: str) -> None:
    one = put(desk.book, state=OrderState.UNKNOWN, quantity="2")
    fill = Evidence(one, fills=(execution(desk.book.stored(one), "1", "1"),))
    desk.take(MOVES_NOTHING[what] or fill)
    assert desk.order(one).state is not OrderState.UNKNOWN or desk.order(one).look_at is not None


def test_an_attempt_whose_report_was_set_aside_stays_on_the_list(desk: Desk) -> None:
    one = put(desk.book)
    desk.take(Evidence(one, report=replace(report(desk.book.stored(one)), side=Side.SELL)))
    assert desk.order(one).look_at is not None


@pytest.mark.parametrize("exit_", [False, True])
def test_a_trade_that_waits_keeps_its_time_when_old_news_of_its_attempt_comes(
    desk: Desk, exit_: bool
) -> None:
    one = put(desk.book, exit_=exit_)
    desk.take(Evidence(one, event=OrderEvent.NEVER_LEFT, retry_at=SOON))
    desk.take(Evidence(one, event=OrderEvent.LOST, look_at=SOON))
    assert (desk.trade(one).state, desk.trade(one).retry_at) == (TradeState.WAITING, SOON)


def test_an_order_that_appears_after_its_trade_was_set_to_wait_ends_the_wait(desk: Desk) -> None:
    one = put(desk.book, exit_=True, state=OrderState.UNKNOWN)
    desk.take(Evidence(one, event=OrderEvent.PROVEN_ABSENT, resend=True, retry_at=SOON))
    stored = desk.book.stored(one)
    desk.take(Evidence(one, report=report(stored), fills=(execution(stored, "1", "1"),)))
    assert desk.trade(one).state is TradeState.FILLED


@pytest.mark.parametrize("executed", ["0", "0.4"])
def test_an_exit_that_the_venue_ended_before_it_was_done_is_tried_again(desk: Desk, executed: str) -> None:
    """A market order that meets an empty book expires; what it leaves open is still to be closed."""
    one = put(desk.book, exit_=True)
    desk.book.kept[ACCOUNT, BTC, FOLLOW] = Position(D(1), Money(D(100)), Money(D(20)))
    desk.take(Evidence(one, report=report(desk.book.stored(one), OrderStatus.EXPIRED, executed)))
    assert desk.trade(one).state is TradeState.WAITING


def test_an_entry_that_appears_after_all_is_copied_after_all_in_its_decision(desk: Desk) -> None:
    one = put(desk.book, state=OrderState.UNKNOWN)
    desk.take(Evidence(one, event=OrderEvent.PROVEN_ABSENT, look_at=SOON))
    desk.book.deferred_signals[FOLLOW] = (signal(9), Lane.EXITS)
    stored = desk.book.stored(one)
    desk.take(Evidence(one, report=report(stored), fills=(execution(stored, "1", "1"),)))
    assert desk.trade(one).state is TradeState.FILLED
    assert desk.bell.rung == [(signal(9), Lane.EXITS)], "an exit may have waited for just this"


def test_a_fill_against_the_orders_side_is_set_aside(desk: Desk) -> None:
    one = put(desk.book)
    stored = desk.book.stored(one)
    desk.take(Evidence(one, fills=(replace(execution(stored, "1", "1"), side=Side.SELL),)))
    assert len(desk.alarms) == 1
    assert desk.book.fills == {}
