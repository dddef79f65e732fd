"""Recovery, rule by rule: what each answer of the venue lets it do, and what it must not do."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from app.application.trading.absence import COINS_PATIENCE
from app.application.trading.evidence import Evidence
from app.application.trading.recover import Recover, Recovered
from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.exchanges.venue import FenceRule
from app.domain.shared.execution import OrderStatus, VenuePosition
from app.domain.shared.market import Side, Venue
from app.domain.shared.money import NO_MONEY, Money
from app.domain.trading.decision import DecisionOutcome
from app.domain.trading.events import ExitGivenUp
from app.domain.trading.order import OrderState
from app.domain.trading.position import Position
from app.domain.trading.trade import TradeState
from tests.fakes.clock import START
from tests.unit.application.trading.crew import Crew
from tests.unit.application.trading.rows import ACCOUNT, FOLLOW, execution, put, report
from tests.unit.domain.builders import BTC, D

S = timedelta(seconds=1)
FENCE = FenceRule(validity=5 * S, engine_timeout=10 * S)
BOUNDED = replace(FENCE, visibility_bound=20 * S)
LONG = Position(D(1), Money(D(100)), Money(D(20)))


@pytest.fixture
def crew() -> Crew:
    return Crew()


def recover(crew: Crew, fence: FenceRule = FENCE) -> Recover:
    return crew.recover(lambda venue: fence)


async def passes(
    crew: Crew, number: int, fence: FenceRule = FENCE, step: timedelta = 20 * S
) -> list[Recovered]:
    done = []
    for _ in range(number):
        crew.clock.advance(step)
        done.append(await recover(crew, fence)())
    return done


async def test_a_pass_over_settled_books_does_nothing(crew: Crew) -> None:
    async with crew:
        assert (await recover(crew)()).nothing


async def test_an_order_that_is_found_is_booked_with_its_fills(crew: Crew) -> None:
    one = put(crew.book)
    stored = crew.book.stored(one)
    crew.gateway.reports[one] = report(stored)
    crew.gateway.executions.append(execution(stored, "1", "1"))
    async with crew:
        await passes(crew, 1)
    assert (crew.trade(one).state, crew.trade(one).settled) == (TradeState.FILLED, True)
    assert crew.gateway.placed == []


async def test_a_second_pass_over_the_same_venue_books_nothing_twice(crew: Crew) -> None:
    one = put(crew.book)
    stored = crew.book.stored(one)
    crew.gateway.reports[one] = report(stored, OrderStatus.PARTIAL, "0.5")
    crew.gateway.executions.append(execution(stored, "1", "0.5"))
    async with crew:
        await passes(crew, 3)
    assert crew.book.funds[ACCOUNT].margin == 10
    assert len(crew.book.fills) == 1


@pytest.mark.parametrize("state", [OrderState.SUBMITTING, OrderState.UNKNOWN, OrderState.ABSENT])
async def test_an_error_from_the_venue_says_nothing_and_is_asked_again(crew: Crew, state: OrderState) -> None:
    working = TradeState.ABSENT if state is OrderState.ABSENT else TradeState.WORKING
    one = put(crew.book, state=state, trade_state=working)
    crew.gateway.read_error = VenueUnavailable("It is away.")
    async with crew:
        await passes(crew, 12, step=timedelta(minutes=5))
    assert crew.order(one).state in {OrderState.UNKNOWN, state}
    assert crew.order(one).looks == 0
    assert crew.book.funds[ACCOUNT].held == crew.trade(one).hold
    assert crew.order(one).look_at is not None, "it is looked up again"


async def test_before_the_fence_has_closed_no_negative_answer_counts(crew: Crew) -> None:
    one = put(crew.book, look_at=START)
    async with crew:
        await passes(crew, 5, step=3 * S)
        assert (crew.order(one).state, crew.order(one).looks) == (OrderState.UNKNOWN, 0)
        assert crew.order(one).look_at == START + FENCE.closes_after


async def test_the_bound_on_visibility_moves_the_first_answer_that_counts(crew: Crew) -> None:
    one = put(crew.book, look_at=START)
    async with crew:
        await passes(crew, 3, BOUNDED, step=10 * S)
        assert crew.order(one).looks == 0
        await passes(crew, 1, BOUNDED, step=10 * S)
        assert crew.order(one).looks == 1


@pytest.mark.parametrize(
    ("exit_", "fence", "expires", "ends"),
    [
        (True, FENCE, None, TradeState.WAITING),
        (True, FENCE, START, TradeState.WAITING),
        (False, FENCE, None, TradeState.ABSENT),
        (False, BOUNDED, None, TradeState.WAITING),
        (False, BOUNDED, START + timedelta(hours=1), TradeState.WAITING),
        (False, BOUNDED, START + 1 * S, TradeState.ABSENT),
    ],
)
async def test_a_proven_absence_lets_only_those_try_again_who_may(
    crew: Crew, exit_: bool, fence: FenceRule, expires: datetime | None, ends: TradeState
) -> None:
    one = put(crew.book, exit_=exit_)
    crew.trade(one).expires_at = expires
    crew.book.kept[ACCOUNT, BTC, FOLLOW] = LONG
    held = crew.book.funds[ACCOUNT].held
    async with crew:
        for wanted in (1, 2, 3):
            state = crew.order(one).state
            assert state is not OrderState.ABSENT, "three answers are needed"
            assert crew.gateway.placed == []
            await passes(crew, 1, fence, step=40 * S)
            assert crew.order(one).looks == wanted
    assert crew.order(one).state is OrderState.ABSENT
    assert crew.trade(one).attempt == (1 if ends is TradeState.WAITING else 0)
    assert len(crew.gateway.placed) == (1 if ends is TradeState.WAITING else 0)
    assert crew.book.funds[ACCOUNT].held == held


async def test_an_order_absent_for_a_day_is_given_up_and_its_hold_goes_back(crew: Crew) -> None:
    one = put(crew.book)
    async with crew:
        await passes(crew, 3)
        assert crew.book.funds[ACCOUNT].held > 0
        await passes(crew, 1, step=timedelta(hours=23))
        assert crew.trade(one).state is TradeState.ABSENT
        await passes(crew, 1, step=timedelta(hours=2))
    assert crew.trade(one).state is TradeState.ABANDONED
    assert crew.book.funds[ACCOUNT].held == 0
    assert [code for _, code, _ in crew.book.given_up] == ["ORDER_ABSENT"]


async def test_an_absent_order_that_becomes_visible_late_is_found_within_minutes(crew: Crew) -> None:
    one = put(crew.book)
    stored = crew.book.stored(one)
    async with crew:
        await passes(crew, 3)
        assert crew.order(one).state is OrderState.ABSENT
        await passes(crew, 3, step=timedelta(minutes=1))
        crew.gateway.reports[one] = report(stored)
        crew.gateway.executions.append(execution(stored, "1", "1"))
        await passes(crew, 1, step=timedelta(minutes=1))
    assert (crew.trade(one).state, crew.trade(one).settled) == (TradeState.FILLED, True)


async def test_a_strange_fill_whose_order_is_the_owners_own_does_not_delay_the_proof(crew: Crew) -> None:
    crew.book.kept[ACCOUNT, BTC, FOLLOW] = LONG
    one = put(crew.book, exit_=True)
    stored = crew.book.stored(one)
    crew.gateway.executions.append(replace(execution(stored, "9", "1"), order_id="by hand", at=START + S))
    crew.gateway.reports["by hand"] = replace(report(stored, order_id="by hand"), client_order_id="web-1")
    async with crew:
        await passes(crew, 3)
    assert crew.gateway.placed, "it was sent again"


async def test_an_order_found_under_the_venues_own_id_alone_is_found(crew: Crew) -> None:
    one = put(crew.book, exit_=True)
    stored = crew.book.stored(one)
    crew.gateway.executions.append(replace(execution(stored, "9", "1"), order_id="late", at=START + S))
    crew.gateway.reports["under another name"] = report(stored, order_id="late")
    async with crew:
        await passes(crew, 3)
    assert crew.order(one).state is OrderState.FILLED
    assert crew.gateway.placed == []


@pytest.mark.parametrize(("coins", "sent"), [("1", True), ("0", False)])
async def test_a_spot_exit_is_sent_again_only_while_the_venue_holds_all_our_coins(
    crew: Crew, coins: str, sent: bool
) -> None:
    crew.book.venue = Venue.BINANCE_SPOT
    bought = put(crew.book)
    stored = crew.book.stored(bought)
    crew.take(Evidence(bought, report=report(stored), fills=(execution(stored, "1", "1"),)))
    put(crew.book, 2, exit_=True)
    crew.gateway.held = [VenuePosition(BTC, D(coins), D(0), NO_MONEY, 1)]
    async with crew:
        await passes(crew, 4)
    assert bool(crew.gateway.placed) is sent


async def test_a_fill_of_an_order_that_we_do_not_know_stops_the_proof(crew: Crew) -> None:
    one = put(crew.book, exit_=True)
    stranger = replace(execution(crew.book.stored(one), "9", "1"), order_id="not ours", at=START + S)
    crew.gateway.executions.append(stranger)
    async with crew:
        await passes(crew, 4)
        assert crew.order(one).state is OrderState.UNKNOWN
        assert crew.order(one).code == "UNEXPLAINED_FILL"
        assert crew.gateway.placed == []
        assert crew.order(one).look_at is not None


@pytest.mark.parametrize("change", [{"side": Side.BUY}, {"at": START - timedelta(minutes=1)}])
async def test_other_fills_do_not_stop_the_proof(crew: Crew, change: dict[str, object]) -> None:
    one = put(crew.book, exit_=True)
    crew.book.kept[ACCOUNT, BTC, FOLLOW] = LONG
    other = replace(execution(crew.book.stored(one), "9", "1"), order_id="not ours", at=START + S)
    crew.gateway.executions.append(replace(other, **change))  # type: ignore[arg-type]  # a table of changes
    async with crew:
        await passes(crew, 3)
    assert crew.order(one).state is OrderState.ABSENT


async def test_a_venue_error_at_the_last_question_is_no_proof(crew: Crew) -> None:
    one = put(crew.book, exit_=True, state=OrderState.UNKNOWN)
    crew.order(one).looks = 2
    crew.gateway.fills_error = VenueUnavailable("It is away.")
    async with crew:
        await passes(crew, 1)
    assert (crew.order(one).state, crew.order(one).looks) == (OrderState.UNKNOWN, 2)
    assert crew.gateway.placed == []


async def test_missing_fills_of_a_reported_execution_are_fetched(crew: Crew) -> None:
    one = put(crew.book)
    stored = crew.book.stored(one)
    crew.gateway.executions.append(execution(stored, "1", "1"))
    async with crew:
        crew.settler.submit(Evidence(one, report=report(stored)))
        await crew.settler.drained()
        assert not crew.trade(one).settled
        [done] = await passes(crew, 1)
    assert (done.booked_late, crew.trade(one).settled) == (1, True)


async def test_a_spot_exit_whose_coins_stay_missing_is_given_up_once_and_its_owner_told(crew: Crew) -> None:
    crew.book.venue = Venue.BINANCE_SPOT
    bought = put(crew.book)
    stored = crew.book.stored(bought)
    crew.take(Evidence(bought, report=report(stored), fills=(execution(stored, "1", "1"),)))
    one = put(crew.book, 2, exit_=True)
    crew.gateway.held = [VenuePosition(BTC, D(0), D(0), NO_MONEY, 1)]
    async with crew:
        await passes(crew, 4)
        assert (crew.trade(one).state, crew.book.decisions) == (TradeState.WORKING, [])
        crew.clock.advance(COINS_PATIENCE)
        await passes(crew, 3)
    assert crew.gateway.placed == []
    assert crew.trade(one).state is TradeState.ABSENT
    [failed] = crew.book.decisions
    assert (failed.outcome, failed.code) == (DecisionOutcome.FAILED, "COINS_MISSING")
    [told] = [event for event in crew.book.events if isinstance(event, ExitGivenUp)]
    assert (told.follow_id, told.symbol) == (failed.follow_id, BTC)
