"""Work that was left, taken by many: doubts, waiting trades, resending, giving up, against a settler at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.trading.booking import Booking, positions_touched
from app.application.trading.evidence import Evidence
from app.application.trading.execution_ports import ExecutionSession, Resend, WaitingTrade
from app.domain.shared.execution import Action, OrderStatus
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.money import Quantity
from app.domain.trading.order import OrderEvent
from tests.fakes.clock import START, FakeClock
from tests.integration.postgres.hot_scene import LOOK_AT, WINDOW, HotScene
from tests.unit.domain.builders import BTC, D

HIDE = timedelta(seconds=10)
SOON = START + timedelta(seconds=1)
WORKERS = 8


@pytest.fixture
def scene(engine: AsyncEngine, clock: FakeClock) -> HotScene:
    return HotScene(engine, clock)


async def book_in(scene: HotScene, session: ExecutionSession, *pieces: Evidence) -> None:
    """What the settler does inside its session."""
    attempts = await session.attempts([piece.client_order_id for piece in pieces])
    fills = [(attempts[p.client_order_id].account_id, f.symbol, f.trade_id) for p in pieces for f in p.fills]
    booking = Booking(
        attempts=attempts,
        seen=await session.seen(fills),
        positions=await session.positions(positions_touched(attempts.values())),
        now=scene.clock.now(),
    )
    for piece in pieces:
        booking.take(piece)
    await session.write(booking.changes())


async def book(scene: HotScene, *pieces: Evidence) -> None:
    async with scene.executions.session() as session:
        await book_in(scene, session, *pieces)


async def never_left(scene: HotScene) -> list[str]:
    cids = await scene.cids()
    await book(scene, *(Evidence(cid, event=OrderEvent.NEVER_LEFT, retry_at=SOON) for cid in cids))
    return cids


def again(trade: WaitingTrade, quantity: str = "5") -> Resend:
    key = trade.attempt.key
    return Resend(trade, Quantity(D(quantity)), ClientOrderId(f"again-{key.follow_id}-{key.attempt + 1}"))


async def test_eight_lookers_take_each_doubt_once_and_a_dead_one_gives_it_back(scene: HotScene) -> None:
    await scene.followers(50)
    await scene.copy(await scene.signal())
    book_ = scene.executions
    assert await book_.doubts(LOOK_AT - timedelta(milliseconds=1), 100, HIDE) == []
    taken = await asyncio.gather(*(book_.doubts(LOOK_AT, 10, HIDE) for _ in range(WORKERS)))
    seen = [doubt.attempt.client_order_id for doubts in taken for doubt in doubts]
    assert len(seen) == len(set(seen)) == 50
    assert await book_.doubts(LOOK_AT, 100, HIDE) == []
    assert len(await book_.doubts(LOOK_AT + HIDE, 100, HIDE)) == 50


async def test_eight_workers_take_and_resend_each_waiting_trade_once(scene: HotScene) -> None:
    await scene.followers(40)
    await scene.copy(await scene.signal())
    await never_left(scene)
    book_ = scene.executions

    async def work() -> int:
        waiting = await book_.waiting(SOON, 7, HIDE)
        return len(await book_.resubmit([again(trade) for trade in waiting], WINDOW))

    assert sum(await asyncio.gather(*(work() for _ in range(WORKERS)))) == 40
    assert await scene.rows("SELECT DISTINCT state, attempt, retry_at FROM trades") == [("WORKING", 1, None)]
    assert await scene.value("SELECT count(*) FROM orders WHERE attempt = 1 AND state = 'SUBMITTING'") == 40
    await scene.money_adds_up()


async def test_of_eight_who_resend_the_same_trade_one_may_send(scene: HotScene) -> None:
    await scene.followers(3)
    await scene.copy(await scene.signal())
    await never_left(scene)
    resends = [again(trade) for trade in await scene.executions.waiting(SOON, 10, HIDE)]
    won = await asyncio.gather(*(scene.executions.resubmit(resends, WINDOW) for _ in range(WORKERS)))
    assert sorted(len(ids) for ids in won) == [0] * (WORKERS - 1) + [3]


async def test_of_eight_who_give_up_the_same_trades_the_holds_go_back_once(scene: HotScene) -> None:
    await scene.followers(5)
    await scene.copy(await scene.signal())
    await never_left(scene)
    trades = [
        (t.attempt.key, "SIGNAL_EXPIRED", "too old") for t in await scene.executions.waiting(SOON, 9, HIDE)
    ]
    await asyncio.gather(*(scene.executions.abandon(trades) for _ in range(WORKERS)))
    assert await scene.value("SELECT sum(held) FROM funds") == 0
    assert await scene.rows("SELECT DISTINCT state, settled, hold_left FROM trades") == [
        ("ABANDONED", True, 0)
    ]
    assert await scene.rows("SELECT DISTINCT outcome, code FROM decisions") == [("FAILED", "SIGNAL_EXPIRED")]
    await scene.money_adds_up()


async def test_resending_and_giving_up_at_once_leaves_one_of_both(scene: HotScene) -> None:
    await scene.followers(30)
    await scene.copy(await scene.signal())
    await never_left(scene)
    waiting = await scene.executions.waiting(SOON, 30, HIDE)
    given_up = [(t.attempt.key, "SIGNAL_EXPIRED", "too old") for t in waiting]
    sent, _ = await asyncio.gather(
        scene.executions.resubmit([again(t) for t in waiting], WINDOW), scene.executions.abandon(given_up)
    )
    assert await scene.value("SELECT count(*) FROM trades WHERE state = 'WORKING'") == len(sent)
    assert await scene.value("SELECT count(*) FROM trades WHERE state = 'ABANDONED'") == 30 - len(sent)
    await scene.money_adds_up()


async def while_booking(
    scene: HotScene, cid: str, late: Evidence, work: Callable[[], Awaitable[Any]]
) -> None:
    """Let `work` begin after the settler has read and locked, and before it writes."""
    async with scene.executions.session() as session:
        attempts = await session.attempts([cid])
        task = asyncio.ensure_future(work())
        await scene.blocked_or_done(task)
        booking = Booking(attempts=attempts, seen=frozenset(), positions={}, now=START)
        booking.take(late)
        await session.write(booking.changes())
    await task


async def test_a_trade_that_is_resent_while_old_news_of_it_is_booked_stays_sent(scene: HotScene) -> None:
    """Were it set back to waiting with its new order out, the next pass would send a third."""
    await scene.followers(1)
    await scene.copy(await scene.signal())
    [cid] = await never_left(scene)
    [trade] = await scene.executions.waiting(SOON, 1, HIDE)
    late = Evidence(cid, event=OrderEvent.LOST)
    await while_booking(scene, cid, late, lambda: scene.executions.resubmit([again(trade)], WINDOW))
    assert await scene.rows("SELECT state, attempt FROM trades") == [("WORKING", 1)]
    assert await scene.executions.waiting(SOON + HIDE * 9, 9, HIDE) == []


async def test_a_trade_that_is_given_up_while_old_news_of_it_is_booked_frees_its_hold_once(
    scene: HotScene,
) -> None:
    await scene.followers(1)
    await scene.copy(await scene.signal())
    [cid] = await never_left(scene)
    [trade] = await scene.executions.waiting(SOON, 1, HIDE)
    late = Evidence(cid, event=OrderEvent.LOST)
    given_up = [(trade.attempt.key, "SIGNAL_EXPIRED", "too old")]
    await while_booking(scene, cid, late, lambda: scene.executions.abandon(given_up))
    await scene.money_adds_up()
    assert await scene.rows("SELECT state, hold_left FROM trades") == [("ABANDONED", 0)]


async def test_old_news_takes_no_attempt_off_the_list_and_no_trade_from_the_line(scene: HotScene) -> None:
    await scene.followers(2)
    await scene.copy(await scene.signal())
    doubtful, waiting = await scene.cids()
    await book(
        scene,
        Evidence(doubtful, event=OrderEvent.LOST, look_at=SOON),
        Evidence(waiting, event=OrderEvent.NEVER_LEFT, retry_at=SOON),
    )
    await book(
        scene,
        Evidence(doubtful, event=OrderEvent.NEVER_LEFT, retry_at=SOON),
        Evidence(waiting, event=OrderEvent.LOST),
    )
    later = SOON + timedelta(days=1)
    doubts = await scene.executions.doubts(later, 9, HIDE)
    lines = await scene.executions.waiting(later, 9, HIDE)
    assert [d.attempt.client_order_id for d in doubts] == [doubtful]
    assert [t.attempt.client_order_id for t in lines] == [waiting]


async def test_what_an_exit_may_close_counts_executions_whose_fills_are_still_missing(
    scene: HotScene,
) -> None:
    """The entry is executed and its fills are late; an exit that was throttled meanwhile must not be given up."""
    await scene.followers(1)
    await scene.copy(await scene.signal())
    [entry] = await scene.cids()
    await book(scene, Evidence(entry, report=await scene.report(entry, OrderStatus.FILLED, "5")))
    assert len(await scene.copy(await scene.signal(Action.CLOSE))) == 1
    way_out = next(cid for cid in await scene.cids() if cid != entry)
    await book(scene, Evidence(way_out, event=OrderEvent.NEVER_LEFT, retry_at=SOON))
    [trade] = await scene.executions.waiting(SOON, 9, HIDE)
    assert trade.closable == 5


@pytest.mark.parametrize("booked", ["0", "2"])
async def test_giving_the_rest_up_keeps_what_was_executed_on_the_list_of_missing_fills(
    scene: HotScene, booked: str
) -> None:
    await scene.followers(1)
    await scene.copy(await scene.signal())
    await scene.run("UPDATE orders SET quantity = 2")
    [cid] = await scene.cids()
    fills = (await scene.fill(cid, "1", booked),) if D(booked) else ()
    await book(scene, Evidence(cid, report=await scene.report(cid, OrderStatus.FILLED, "2"), fills=fills))
    [trade] = await scene.executions.waiting(SOON, 9, HIDE)
    await scene.executions.abandon([(trade.attempt.key, "SIGNAL_EXPIRED", "too old")])
    missing = await scene.executions.unbooked(START + timedelta(days=400), timedelta(0), 9)
    assert len(missing) == (0 if D(booked) else 1)
    await book(scene, Evidence(cid, fills=(await scene.fill(cid, "1", "2"),)))
    assert await scene.rows("SELECT state, executed, booked, settled, hold_left FROM trades") == [
        ("ABANDONED", 2, 2, True, 0)
    ]
    assert await scene.value("SELECT quantity FROM positions WHERE symbol = :s", s=BTC) == 2
    await scene.money_adds_up()


async def test_a_superseded_entry_says_so_and_a_followers_own_close_supersedes_nobody(
    scene: HotScene,
) -> None:
    await scene.followers(2)
    await scene.copy(await scene.signal())
    await never_left(scene)
    await scene.signal(Action.CLOSE, scope=scene.ids[0][0])
    assert [t.superseded for t in await scene.executions.waiting(SOON, 9, HIDE)] == [False, False]
    await scene.signal(Action.CLOSE)
    assert [t.superseded for t in await scene.executions.waiting(SOON + HIDE, 9, HIDE)] == [True, True]


async def test_deferred_decisions_come_back_when_what_blocked_them_is_over(scene: HotScene) -> None:
    await scene.followers(1)
    await scene.copy(await scene.signal())
    way_out = await scene.signal(Action.CLOSE)
    assert await scene.copy(way_out) == frozenset()
    await scene.run("UPDATE signals SET state = 'DONE'")
    assert await scene.executions.deferred(10) == []
    [cid] = await scene.cids()
    await book(scene, Evidence(cid, event=OrderEvent.REFUSED, code="-1", message="no"))
    found = await asyncio.gather(*(scene.executions.deferred(10) for _ in range(WORKERS)))
    assert [ids for signals in found for ids, _ in signals] == [way_out.id]
    assert await scene.value("SELECT state FROM signals WHERE id = :id", id=way_out.id) == "PENDING"


async def test_a_close_is_not_settled_for_good_while_an_absent_entry_may_still_appear(
    scene: HotScene,
) -> None:
    """Its hold is kept for that case; when it appears after the close, somebody must still close it."""
    await scene.followers(1)
    await scene.copy(await scene.signal())
    [cid] = await scene.cids()
    await book(scene, Evidence(cid, event=OrderEvent.LOST, look_at=SOON))
    await book(scene, Evidence(cid, event=OrderEvent.PROVEN_ABSENT, look_at=SOON))
    way_out = await scene.signal(Action.CLOSE)
    await scene.copy(way_out)
    await scene.run("UPDATE signals SET state = 'DONE'")
    late = await scene.report(cid, OrderStatus.FILLED, "5")
    await book(scene, Evidence(cid, report=late, fills=(await scene.fill(cid, "1", "5"),)))
    assert [signal for signal, _ in await scene.executions.deferred(10)] == [way_out.id]


async def test_a_look_that_failed_keeps_an_absent_order_on_the_list(scene: HotScene) -> None:
    await scene.followers(1)
    await scene.copy(await scene.signal())
    [cid] = await scene.cids()
    await book(scene, Evidence(cid, event=OrderEvent.LOST, look_at=SOON))
    await book(scene, Evidence(cid, event=OrderEvent.PROVEN_ABSENT, look_at=SOON))
    assert len(await scene.executions.doubts(SOON, 9, HIDE)) == 1
    await book(scene, Evidence(cid, code="venue_unavailable", looks=3, look_at=SOON))
    later = SOON + timedelta(days=2)
    assert [d.attempt.looks for d in await scene.executions.doubts(later, 9, HIDE)] == [3]
