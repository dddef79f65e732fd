"""Watching a leader on a scripted stream: what is traded, what is not, and what a gap costs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from app.application.whales import watch
from app.application.whales.watch import WatchLeader
from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.exchanges.ports import BalanceUpdate, StreamEvent
from app.domain.shared.execution import VenuePosition
from app.domain.shared.market import Side, Symbol
from app.domain.shared.money import Money
from app.domain.whales.intent import BurstRule
from tests.fakes.clock import START
from tests.fakes.venue import Counts, FixedQuotes, ScriptedStream
from tests.unit.application.signals.leader import make_whale
from tests.unit.application.trading.rows import shown
from tests.unit.application.whales.watched import CONNECTED, HOLDS_TWO, S, TickingClock, Watch, at, update
from tests.unit.domain.builders import BTC, ETH, D, fill, instrument


async def test_positions_at_the_first_watch_are_taken_and_not_traded() -> None:
    one = Watch()
    one.gateway.held = [HOLDS_TWO]
    one.gateway.executions = [at(fill("1", Side.BUY, "2"), -60)]
    await one.run(CONNECTED)
    assert shown(one.taken, await one.position()) == ([], 2)
    assert one.stream.closed


async def test_a_fill_that_the_first_look_already_holds_is_not_traded_again() -> None:
    """The stream is open before the positions are read: what happens in between is in both."""
    one = Watch()
    one.gateway.held = [HOLDS_TWO]
    early = at(fill("1", Side.BUY, "2", final=True), 0)
    one.gateway.executions = [early]
    one.clock.advance(S)
    await one.run(CONNECTED, update(early))
    assert shown(one.taken, await one.position()) == ([], 2)


async def test_an_order_that_the_venue_calls_final_is_decided_at_once() -> None:
    one = Watch()
    await one.run(
        CONNECTED,
        update(at(fill("1"), 1)),
        update(at(fill("2", order_id="8", sym=ETH), 2)),
        update(at(fill("3", final=True), 3)),
    )
    assert one.orders() == [("7", ["1", "3"]), ("8", ["2"])]


async def test_a_burst_that_goes_quiet_is_decided_without_another_event() -> None:
    one = Watch(TickingClock())
    never, decided = asyncio.Event(), asyncio.Event()
    ingest = one.ingest

    async def tell(*arguments: object) -> int:
        made = await ingest(*arguments)  # type: ignore[arg-type]  # handed on
        decided.set()
        return made

    one.ingest = tell  # type: ignore[assignment, method-assign]  # listens in
    rule = BurstRule(quiet=2 * S, open_max=600 * S)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(one.run(CONNECTED, update(at(fill("1"), 60)), never, rule=rule))
        await decided.wait()
        assert one.orders() == [("7", ["1"])]
        never.set()
        await task


async def test_what_was_missed_is_fetched_once_and_in_order_before_what_the_stream_says_next() -> None:
    one = Watch()
    await one.run(CONNECTED, update(at(fill("1", final=True), 1)))
    missed = [
        at(fill("2", order_id="8"), 20),
        at(fill("3", order_id="9"), 21),
        at(fill("4", order_id="8"), 22),
    ]
    one.gateway.executions = [at(fill("1"), 1), *missed]
    one.gateway.held = [VenuePosition(BTC, D(4), D(100), Money(D(0)), 5)]
    live = update(at(fill("5", Side.SELL, "4", order_id="10", final=True), 30))
    await one.run(CONNECTED, update(missed[1]), live, CONNECTED)
    assert one.orders() == [("7", ["1"]), ("8", ["2", "4"]), ("9", ["3"]), ("10", ["5"])]
    assert await one.position() == 0


async def test_a_market_first_traded_in_the_gap_is_caught_up() -> None:
    one = Watch()
    await one.run(CONNECTED)
    one.gateway.held = [VenuePosition(ETH, D(1), D(100), Money(D(0)), 5)]
    one.gateway.executions = [at(fill("1", sym=ETH), 20)]
    await one.run(CONNECTED)
    assert one.orders() == [("7", ["1"])]
    assert await one.position(ETH) == 1


async def test_a_market_that_is_listed_no_more_stops_no_other_ones_copying() -> None:
    one = Watch()
    await one.run(CONNECTED, update(at(fill("1", quantity="2", final=True), 1)))
    one.gateway.held = [VenuePosition(Symbol("DOGE-USDT"), D(9), D(1), Money(D(0)), 5)]
    closed = at(fill("2", Side.SELL, "2", order_id="8", final=True), 20)
    one.gateway.executions = [at(fill("1", quantity="2"), 1), closed]
    await one.run(CONNECTED)
    assert one.orders() == [("7", ["1"]), ("8", ["2"])]
    assert await one.position() == 0


async def test_an_empty_answer_makes_no_leader_flat() -> None:
    one = Watch()
    await one.run(CONNECTED, update(at(fill("1", quantity="2", final=True), 1)))
    one.gateway.held, one.gateway.executions = [], []
    await one.run(CONNECTED)
    assert shown(len(one.taken), await one.position()) == (1, 2)


async def test_equity_and_leverage_are_the_newest_that_the_venue_said() -> None:
    one = Watch()
    one.gateway.wallet, one.gateway.held = Money(D(900)), [HOLDS_TWO]
    balance = BalanceUpdate(Money(D(800)), Money(D(-100)), "ORDER", START, (replace(HOLDS_TWO, leverage=9),))
    first, second = fill("1", final=True), fill("2", order_id="8", final=True)
    await one.run(CONNECTED, update(at(first, 1)), balance, update(at(second, 2)))
    assert [shown(equity, leverage) for _, _, equity, leverage in one.taken] == [(900, 7), (800, 9)]


async def test_a_venue_that_cannot_be_asked_ends_the_watch_and_trades_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []

    async def no_wait(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(watch.asyncio, "sleep", no_wait)  # type: ignore[attr-defined]  # the module's own asyncio
    one = Watch()
    one.gateway.read_error = VenueUnavailable("It is away.")
    with pytest.raises(VenueUnavailable):
        await one.run(CONNECTED, update(at(fill("1", final=True), 1)))
    assert (one.taken, waits, one.stream.closed) == ([], [1, 2, 3, 4], True)


async def test_a_stream_that_breaks_is_told_to_who_runs_the_watch() -> None:
    class Broken(ScriptedStream):
        async def events(self):  # type: ignore[no-untyped-def]  # as its parent
            yield CONNECTED
            raise OSError("The stream broke.")

    one = Watch()
    script: Sequence[StreamEvent] = ()
    broken = Broken(script)
    leader = WatchLeader(
        make_whale(),
        broken,
        one.gateway,
        FixedQuotes({BTC: instrument()}),
        one.uow,
        one.ingest,
        one.clock,
        Counts(),
        BurstRule(),
    )
    with pytest.raises(OSError, match="broke"):
        await leader.run()
    assert broken.closed
