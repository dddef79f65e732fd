"""Recovery's second half: trades of which nothing is out are sent again, or given up, by rule."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from app.application.trading.evidence import Evidence
from app.application.trading.execution_ports import Resend
from app.application.trading.ports import Window
from app.application.trading.recover import Recover
from app.domain.exchanges.outcomes import Accepted, Outcome
from app.domain.exchanges.requests import PlaceOrder
from app.domain.exchanges.venue import FenceRule
from app.domain.risk.denials import Denial, DenialCode
from app.domain.shared.clock import epoch_ms
from app.domain.shared.ids import ATTEMPTS_MAX, ClientOrderId
from app.domain.shared.market import Side
from app.domain.shared.money import Money, Quantity
from app.domain.trading.decision import DecisionCode
from app.domain.trading.order import OrderEvent, OrderState
from app.domain.trading.position import Position
from app.domain.trading.trade import TradeState
from tests.fakes.clock import START
from tests.unit.application.trading.crew import Crew
from tests.unit.application.trading.rows import ACCOUNT, FOLLOW, execution, put, report, shown
from tests.unit.domain.builders import BTC, ETH, D, instrument

S = timedelta(seconds=1)
FENCE = FenceRule(validity=5 * S, engine_timeout=10 * S)
LONG = Position(D(1), Money(D(100)), Money(D(20)))


@pytest.fixture
def crew() -> Crew:
    return Crew()


def recover(crew: Crew) -> Recover:
    return crew.recover(lambda venue: FENCE)


def waits(crew: Crew, *, exit_: bool, quantity: str = "1") -> ClientOrderId:
    one = put(
        crew.book, exit_=exit_, quantity=quantity, state=OrderState.NOT_SENT, trade_state=TradeState.WAITING
    )
    crew.trade(one).retry_at = START
    return one


@pytest.mark.parametrize(
    ("exit_", "held", "superseded", "expired", "attempt", "code"),
    [
        (True, "0", False, False, 0, "NOTHING_TO_CLOSE"),
        (False, "0", True, False, 0, "LEADER_ALREADY_OUT"),
        (False, "0", False, True, 0, "SIGNAL_EXPIRED"),
        (False, "0", False, False, ATTEMPTS_MAX - 1, "VENUE_REFUSED"),
        (True, "1", True, True, 0, None),
        (False, "0", False, False, 0, None),
    ],
)
async def test_a_trade_that_waits_is_sent_again_unless_nothing_can_come_of_it(
    crew: Crew, exit_: bool, held: str, superseded: bool, expired: bool, attempt: int, code: str | None
) -> None:
    one = waits(crew, exit_=exit_)
    trade = crew.trade(one)
    trade.superseded, trade.attempt = superseded, attempt
    crew.order(one).key = replace(crew.order(one).key, attempt=attempt)
    trade.expires_at = START if expired else None
    crew.book.kept[ACCOUNT, BTC, FOLLOW] = Position(D(held), Money(D(held) * 100), Money(D(held) * 20))
    async with crew:
        done = await recover(crew)()
    assert [c for _, c, _ in crew.book.given_up] == ([] if code is None else [code])
    assert (done.sent_again, done.given_up) == ((1, 0) if code is None else (0, 1))
    assert len(crew.gateway.placed) == done.sent_again
    assert crew.book.funds[ACCOUNT].held == trade.hold_left


async def test_an_exit_with_something_to_close_is_not_given_up_for_want_of_attempts(crew: Crew) -> None:
    """Half an hour of "not sent" uses all attempt numbers up; the position is still there."""
    one = waits(crew, exit_=True)
    crew.trade(one).attempt = ATTEMPTS_MAX - 1
    crew.order(one).key = replace(crew.order(one).key, attempt=ATTEMPTS_MAX - 1)
    crew.book.kept[ACCOUNT, BTC, FOLLOW] = LONG
    async with crew:
        await recover(crew)()
    assert crew.trade(one).state is not TradeState.ABANDONED


async def test_a_resent_exit_is_reduce_only_and_for_at_most_what_is_held(crew: Crew) -> None:
    one = waits(crew, exit_=True, quantity="3")
    crew.book.kept[ACCOUNT, BTC, FOLLOW] = LONG
    async with crew:
        await recover(crew)()
    [placed] = crew.gateway.placed
    assert shown(placed.quantity, placed.reduce_only, placed.side) == (1, True, Side.SELL)
    assert placed.client_order_id != one
    assert placed.signed_ms == epoch_ms(START)
    assert crew.gateway.leverages == []


async def test_exits_are_stored_apart_from_entries_which_wait_at_the_gate(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits(crew, exit_=True)
    entry = put(crew.book, 2, state=OrderState.NOT_SENT, trade_state=TradeState.WAITING)
    crew.trade(entry).retry_at = START
    crew.book.kept[ACCOUNT, BTC, FOLLOW] = LONG
    stored: list[list[bool]] = []
    resubmit = crew.book.resubmit

    async def told(ready: Sequence[Resend], window: Window) -> frozenset[ClientOrderId]:
        stored.append([item.waiting.attempt.reduce_only for item in ready])
        return await resubmit(ready, window)

    monkeypatch.setattr(crew.book, "resubmit", told)
    async with crew:
        assert (await recover(crew)()).sent_again == 2
    assert sorted(stored) == [[False], [True]]


async def test_a_large_trade_goes_out_in_parts_of_the_venues_largest_order(crew: Crew) -> None:
    one = put(crew.book, quantity="2.5", first="1")
    crew.quotes.instruments = {BTC: instrument(most="1")}

    async def fills(order: PlaceOrder) -> Outcome:
        stored = crew.book.stored(order.client_order_id)
        crew.gateway.executions.append(execution(stored, order.client_order_id, order.quantity))
        return Accepted(report(stored))

    crew.gateway.on_place = fills
    first = crew.book.stored(one)
    async with crew:
        crew.settler.submit(Evidence(one, report=report(first), fills=(execution(first, "1", "1"),)))
        await crew.settler.drained()
        for _ in range(3):
            crew.clock.advance(20 * S)
            await recover(crew)()
    assert [order.quantity for order in crew.gateway.placed] == [Quantity(D(1)), Quantity(D("0.5"))]
    assert (crew.trade(one).state, crew.trade(one).executed) == (TradeState.FILLED, D("2.5"))
    assert crew.book.funds[ACCOUNT].held == 0


@pytest.mark.parametrize("exit_", [False, True])
async def test_an_order_that_turned_up_while_its_trade_waited_is_not_sent_again(
    crew: Crew, exit_: bool
) -> None:
    """The whole was executed after all: what is left to send is nothing, and an empty order is no order."""
    one = put(crew.book, exit_=exit_, state=OrderState.UNKNOWN)
    crew.book.kept[ACCOUNT, BTC, FOLLOW] = Position(D(3), Money(D(300)), Money(D(60)))
    stored = crew.book.stored(one)
    async with crew:
        crew.settler.submit(Evidence(one, event=OrderEvent.PROVEN_ABSENT, resend=True, retry_at=START))
        late = Evidence(one, report=report(stored), fills=(execution(stored, "1", "1"),))
        crew.settler.submit(late)
        await crew.settler.drained()
        await recover(crew)()
    assert crew.gateway.placed == []
    assert crew.trade(one).state is TradeState.FILLED


async def test_one_market_that_cannot_be_served_does_not_stop_another(crew: Crew) -> None:
    waits(crew, exit_=True)
    other = put(crew.book, 2, sym=ETH, exit_=True, state=OrderState.NOT_SENT, trade_state=TradeState.WAITING)
    crew.trade(other).retry_at = START
    for sym in (BTC, ETH):
        crew.book.kept[ACCOUNT, sym, FOLLOW] = LONG
    crew.quotes.instruments = {ETH: instrument(sym=ETH)}
    async with crew:
        done = await recover(crew)()
    assert (done.sent_again, done.given_up) == (1, 0)
    assert [placed.instrument.symbol for placed in crew.gateway.placed] == [ETH]
    assert crew.metrics.seen["lookup_failed"] == 1


async def test_a_market_that_does_not_answer_holds_up_no_other_one(crew: Crew) -> None:
    for number, sym in enumerate((BTC, ETH)):
        one = put(crew.book, number, sym=sym, state=OrderState.NOT_SENT, trade_state=TradeState.WAITING)
        crew.trade(one).retry_at = START
    freed = asyncio.Event()
    left: set[str] = set()

    async def meet(order: PlaceOrder) -> Outcome:
        """Each answer waits for the other order to have left."""
        left.add(order.instrument.symbol)
        if len(left) == 2:
            freed.set()
        await freed.wait()
        return Accepted(report(crew.book.stored(order.client_order_id)))

    crew.gateway.on_place = meet
    async with crew, asyncio.timeout(5):
        assert (await recover(crew)()).sent_again == 2


HALTED = Denial(DenialCode.ENTRIES_HALTED, D(0), D(0))


@pytest.mark.parametrize("exit_", [False, True])
@pytest.mark.parametrize(
    ("stopped", "denied", "code"),
    [
        (DecisionCode.FOLLOW_PAUSED, None, "FOLLOW_PAUSED"),
        (DecisionCode.WHALE_PAUSED, HALTED, "WHALE_PAUSED"),
        (None, HALTED, "ENTRIES_HALTED"),
        (None, Denial(DenialCode.DAILY_LOSS_LIMIT, D(60), D(50)), "DAILY_LOSS_LIMIT"),
    ],
)
async def test_an_entry_that_waits_is_given_up_by_what_would_refuse_a_new_one_and_an_exit_never(
    crew: Crew, exit_: bool, stopped: DecisionCode | None, denied: Denial | None, code: str
) -> None:
    one = waits(crew, exit_=exit_)
    crew.book.kept[ACCOUNT, BTC, FOLLOW] = LONG
    crew.trade(one).stopped, crew.trade(one).denied = None if exit_ else stopped, denied
    async with crew:
        done = await recover(crew)()
    assert [c for _, c, _ in crew.book.given_up] == ([] if exit_ else [code])
    assert (done.sent_again, done.given_up) == ((1, 0) if exit_ else (0, 1))
    assert crew.book.funds[ACCOUNT].held == crew.trade(one).hold_left
