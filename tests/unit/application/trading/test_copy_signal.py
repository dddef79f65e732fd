"""Copying one signal: chunks, races for funds, a leader that leaves meanwhile, a claim that is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from app.application.trading.copy_signal import CopyResult, CopySignal
from app.application.trading.ports import Candidate, Prepared, Window
from app.domain.exchanges.outcomes import Accepted, Outcome, VenueUnavailable
from app.domain.exchanges.requests import PlaceOrder
from app.domain.exchanges.venue import FenceRule
from app.domain.risk.limits import Limits
from app.domain.shared.clock import epoch_ms
from app.domain.shared.errors import ConcurrencyConflict
from app.domain.shared.execution import Action
from app.domain.shared.ids import AccountId, FollowId, WhaleId, client_order_id
from app.domain.shared.market import Side, Venue
from app.domain.shared.money import Price, Quantity
from app.domain.signals.priority import Priority
from app.domain.signals.signal import Signal, SignalSource
from app.domain.trading.decision import DecisionOutcome
from app.domain.trading.order import OrderState
from tests.fakes.clock import START
from tests.fakes.memory_copies import MemoryCopies
from tests.unit.application.trading.crew import SECRET, Crew
from tests.unit.application.trading.rows import put, report, shown
from tests.unit.application.trading.rows import signal as signal_id
from tests.unit.domain.builders import ALICE, BTC, CALM, D, instrument

S = timedelta(seconds=1)
FENCE = FenceRule(validity=5 * S, engine_timeout=10 * S)


def make_signal(action: Action = Action.OPEN, number: int = 1) -> Signal:
    return Signal(
        id=signal_id(number),
        source=SignalSource.LEADER,
        whale_id=WhaleId(1),
        venue=Venue.BINANCE_USDM,
        symbol=BTC,
        action=action,
        side=Side.SELL if action.is_exit else Side.BUY,
        quantity=Quantity(D(1)),
        fraction=D(1),
        reference_price=Price(D(100)),
        priority=Priority.HIGH,
        leader_at=START,
        created_at=START,
        trace_id="t",
        expires_at=None if action.is_exit else START + 30 * S,
    )


def followers(number: int, held: str = "0") -> list[Candidate]:
    return [
        Candidate(
            Venue.BINANCE_USDM,
            replace(ALICE, follow_id=FollowId(n), account_id=AccountId(n), held=D(held)),
            CALM,
            Limits(),
            b"sealed",
            0,
        )
        for n in range(1, number + 1)
    ]


async def stays(_: Signal) -> bool:
    return False


async def left(_: Signal) -> bool:
    return True


class Copy(Crew):
    """A crew that also copies; what the copy book stores appears in the execution book."""

    def __init__(self, candidates: list[Candidate]) -> None:
        super().__init__()
        self.copies = MemoryCopies(candidates, stored=self._store)
        self.gateway.on_place = self._accept
        self.copy = CopySignal(
            book=self.copies,
            placer=self.placer,
            settler=self.settler,
            quotes=self.quotes,
            venue_clock=self.venue_clock,
            clock=self.clock,
            metrics=self.metrics,
            id_secret=SECRET,
            fences=lambda venue: FENCE,
            venues=(Venue.BINANCE_USDM,),
            chunk_max=128,
        )

    def _store(self, item: Prepared, window: Window) -> None:
        order = item.order
        made = put(
            self.book,
            order.follow_id,
            quantity=str(order.quantity),
            exit_=order.reduce_only,
            account=order.account_id,
            follow=order.follow_id,
            look_at=window.look_at,
        )
        row = self.book.orders.pop(made)
        row.client_order_id = item.client_order_id
        row.quantity = item.first_quantity
        self.book.orders[item.client_order_id] = row

    async def _accept(self, placed: PlaceOrder) -> Outcome:
        stored = self.book.stored(placed.client_order_id)  # it fails for what was not committed first
        assert stored.order_state is OrderState.SUBMITTING
        assert placed.quantity == stored.order_quantity
        return Accepted(report(stored))

    def outcomes(self) -> set[str]:
        return {made.outcome.value for made in self.copies.decisions.values()}

    def codes(self) -> set[str]:
        return {made.code for made in self.copies.decisions.values()}


def turned(items: Sequence[int], number: int) -> list[int]:
    start = signal_id(number).int % len(items)
    return [*items[start:], *items[:start]]


async def test_each_follower_gets_one_decision_one_order_and_an_answer_in_the_books() -> None:
    async with Copy(followers(40)) as crew:
        result = await crew.copy(make_signal(), "me", stays)
        assert result == CopyResult(decided=40, sent=40, expired=False, complete=True)
        assert {row.state for row in crew.book.orders.values()} == {OrderState.FILLED}
    wanted = {client_order_id(SECRET, signal_id(), FollowId(n), make_signal().leg, 0) for n in range(1, 41)}
    assert {placed.client_order_id for placed in crew.gateway.placed} == wanted
    assert len(crew.gateway.placed) == 40
    assert {placed.signed_ms for placed in crew.gateway.placed} == {epoch_ms(START)}


async def test_the_first_chunk_is_small_and_the_next_ones_grow_to_the_largest() -> None:
    async with Copy(followers(500)) as crew:
        await crew.copy(make_signal(), "me", stays)
    assert [len(chunk) for chunk in crew.copies.chunks] == [32, 64, 128, 128, 128, 20]


@pytest.mark.parametrize("number", [1, 7, 12])
async def test_each_signal_starts_at_another_place_in_the_line(number: int) -> None:
    async with Copy(followers(10)) as crew:
        await crew.copy(make_signal(number=number), "me", stays)
    assert crew.copies.chunks[0] == turned(range(1, 11), number)


async def test_who_lost_a_race_for_funds_is_planned_again_on_fresh_facts() -> None:
    crew = Copy(followers(50))
    crew.copies.loses = {FollowId(3), FollowId(40)}
    async with crew:
        result = await crew.copy(make_signal(), "me", stays)
    assert (result.decided, result.sent, crew.copies.snapshots) == (50, 50, 2)
    assert sorted(crew.copies.chunks[-1]) == [3, 40]
    assert len(crew.gateway.placed) == len(crew.book.orders) == 50


async def test_a_race_that_never_ends_is_given_up_and_nothing_uncommitted_is_sent() -> None:
    crew = Copy(followers(3))

    async def lose_again(_: int) -> None:
        crew.copies.loses = {FollowId(2)}

    crew.copies.before_commit = lose_again
    async with crew:
        result = await crew.copy(make_signal(), "me", stays)
    assert (result.decided, result.complete, crew.copies.snapshots) == (2, False, 8)
    assert len(crew.gateway.placed) == 2


async def test_an_entry_stops_at_the_chunk_before_which_the_leader_left() -> None:
    crew = Copy(followers(100))
    asked = []

    async def superseded(signal: Signal) -> bool:
        asked.append(signal)
        return len(asked) > 1

    async with crew:
        result = await crew.copy(make_signal(), "me", superseded)
    assert (result.decided, result.sent) == (100, 32)
    assert crew.codes() == {"AS_ASKED", "LEADER_ALREADY_OUT"}


async def test_an_entry_stops_at_the_chunk_before_which_it_expired() -> None:
    crew = Copy(followers(100))

    async def time_passes(chunk: int) -> None:
        crew.clock.advance(31 * S if chunk == 0 else 0 * S)

    crew.copies.before_commit = time_passes
    async with crew:
        result = await crew.copy(make_signal(), "me", stays)
    assert result == CopyResult(decided=100, sent=32, expired=True, complete=True)
    assert crew.codes() == {"AS_ASKED", "SIGNAL_EXPIRED"}
    assert set(crew.copies.windows[1:]) == {None}, "nothing to send needs no window"


async def test_a_paused_leader_lets_exits_through_and_entries_not() -> None:
    for action, wanted in ((Action.OPEN, {"SKIPPED"}), (Action.CLOSE, {"COPIED"})):
        crew = Copy(followers(5, held="1" if action.is_exit else "0"))
        crew.copies.paused = True
        async with crew:
            await crew.copy(make_signal(action), "me", left)
        assert crew.outcomes() == wanted


async def test_a_worker_that_lost_its_claim_sends_no_more_and_its_orders_out_are_answered() -> None:
    crew = Copy(followers(100))
    crew.copies.lost_from = 1
    async with crew:
        with pytest.raises(ConcurrencyConflict):
            await crew.copy(make_signal(), "me", stays)
        while len(crew.gateway.placed) < 32 or crew.settler._queue:
            await crew.settler.drained()
    assert len(crew.gateway.placed) == 32
    assert {row.state for row in crew.book.orders.values()} == {OrderState.FILLED}


async def test_without_a_fresh_mark_an_entry_waits_and_an_exit_goes_by_the_leaders_price() -> None:
    entry, way_out = Copy(followers(2)), Copy(followers(2, held="1"))
    for crew in (entry, way_out):
        crew.quotes.mark_error = VenueUnavailable("The mark is too old.")
    async with entry, way_out:
        with pytest.raises(VenueUnavailable):
            await entry.copy(make_signal(), "me", stays)
        await way_out.copy(make_signal(Action.CLOSE), "me", stays)
    assert entry.copies.decisions == {}
    assert [placed.quantity for placed in way_out.gateway.placed] == [1, 1]
    assert {m.inputs["mark_price"] for m in way_out.copies.decisions.values()} == {"100"}


async def test_a_copy_above_the_venues_largest_order_starts_with_one_of_that_size() -> None:
    crew = Copy(followers(1, held="25"))
    crew.quotes.instruments = {BTC: instrument(most="10")}
    async with crew:
        await crew.copy(make_signal(Action.CLOSE), "me", stays)
    assert [placed.quantity for placed in crew.gateway.placed] == [10]
    [trade] = crew.book.trades.values()
    assert shown(trade.quantity, trade.state.value) == (25, "WAITING")
    assert crew.copies.decisions[FollowId(1)].outcome is DecisionOutcome.REDUCED


async def test_a_signal_that_nobody_follows_is_done_at_once() -> None:
    async with Copy([]) as crew:
        assert await crew.copy(make_signal(), "me", stays) == CopyResult(0, 0, expired=False, complete=True)


async def test_leverage_is_told_only_where_the_venue_does_not_know_it() -> None:
    crew = Copy(followers(2))
    first = crew.copies.candidates[0]
    crew.copies.candidates[0] = replace(first, follower=replace(first.follower, leverage_set=None))
    crew.copies.candidates[1] = replace(
        crew.copies.candidates[1], follower=replace(crew.copies.candidates[1].follower, leverage_set=10)
    )
    async with crew:
        await crew.copy(make_signal(), "me", stays)
    assert crew.gateway.leverages == [10]
