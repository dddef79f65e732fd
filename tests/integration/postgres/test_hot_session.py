"""One session writes everything of a batch, or nothing; what it wrote is what it reads."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.shared.telemetry import NoMetrics
from app.application.trading.evidence import Evidence
from app.application.trading.execution_ports import (
    BookedFill,
    Changes,
    DecisionChange,
    FundsChange,
    LedgerEntry,
    OrderChange,
    TradeChange,
)
from app.application.trading.settle import Settler
from app.domain.shared.execution import OrderStatus
from app.domain.shared.money import Money, Price, Quantity
from app.domain.trading.decision import DecisionOutcome
from app.domain.trading.events import OrdersRefused
from app.domain.trading.order import OrderEvent, OrderState
from app.domain.trading.position import Position
from app.domain.trading.trade import TradeState
from tests.fakes.clock import START, FakeClock
from tests.fakes.venue import HeardBell
from tests.integration.postgres.hot_scene import HotScene
from tests.unit.application.trading.rows import shown
from tests.unit.domain.builders import BTC, D

SOON = START + timedelta(seconds=9)
HELD = Position(D("1.5"), Money(D(150)), Money(D(15)), Money(D(-2)), Money(D("0.3")), Money(D("0.1")))


@pytest.fixture
async def scene(engine: AsyncEngine, clock: FakeClock) -> HotScene:
    made = HotScene(engine, clock)
    await made.followers(2)
    await made.copy(await made.signal())
    return made


async def everything(scene: HotScene, cid: str) -> Changes:
    fill = await scene.fill(cid, "t1", "1.5")
    async with scene.executions.session() as session:
        stored = (await session.attempts([cid]))[cid]
    key, account = stored.key, stored.account_id
    return Changes(
        orders=(
            OrderChange(
                key,
                OrderState.UNKNOWN,
                "v9",
                Quantity(D("1.5")),
                Price(D(101)),
                "C",
                "M",
                acked=True,
                looks=2,
                look_at=SOON,
            ),
        ),
        trades=(
            TradeChange(
                key, TradeState.WAITING, Quantity(D("1.5")), Quantity(D(1)), Money(D(7)), False, SOON
            ),
        ),
        positions={(account, BTC, key.follow_id): HELD},
        funds=(FundsChange(account, Money(D(-1)), Money(D(-44)), Money(D(15)), Money(D(-1))),),
        fills=(BookedFill(key, account, fill),),
        ledger=(LedgerEntry(account, "FEE:1", "FEE", Money(D(-1)), BTC, START),),
        decisions=(
            DecisionChange(key.follow_id, key.signal_id, DecisionOutcome.FAILED, "VENUE_REFUSED", "why"),
        ),
        events=(OrdersRefused(at=START, signal_id=key.signal_id, follow_ids=(key.follow_id,)),),
    )


async def test_what_was_written_is_what_is_read(scene: HotScene) -> None:
    cid, untouched = await scene.cids()
    changes = await everything(scene, cid)
    async with scene.executions.session() as session:
        await session.write(changes)
    async with scene.executions.session() as session:
        found = await session.attempts([cid, untouched, "foreign"])
        stored = found[cid]
        key = (stored.account_id, BTC, stored.key.follow_id)
        fill = changes.fills[0].fill
        assert set(found) == {cid, untouched}
        assert await session.positions([key, (stored.account_id, BTC, scene.ids[1][0])]) == {
            key: HELD,
            (stored.account_id, BTC, scene.ids[1][0]): Position(),
        }
        seen = [(stored.account_id, BTC, "t1"), (stored.account_id, BTC, "t2")]
        assert await session.seen(seen) == {seen[0]}
    assert (stored.order_state, stored.venue_order_id, stored.order_executed) == (
        OrderState.UNKNOWN,
        "v9",
        D("1.5"),
    )
    assert shown(stored.trade_state, stored.trade_executed, stored.trade_booked) == (
        TradeState.WAITING,
        D("1.5"),
        1,
    )
    assert shown(stored.hold_left, stored.looks) == (7, 2)
    assert found[untouched].order_state is OrderState.SUBMITTING
    [row] = await scene.rows(
        "SELECT average_price, code, message, look_at, acked_at IS NOT NULL FROM orders WHERE looks = 2"
    )
    assert row == (101, "C", "M", SOON, True)
    [funds] = await scene.rows(
        "SELECT wallet, held, margin, high_water, realised_today, realised_day FROM funds WHERE account_id = :a",
        a=key[0],
    )
    assert funds == (999, D("7.5"), 15, 1000, -1, START.date())
    [kept] = await scene.rows("SELECT side, price, quantity, fee, realised, at, leg FROM fills")
    assert kept == ("BUY", 100, D("1.5"), fill.fee, 0, START, "ENTRY")
    assert await scene.rows("SELECT outcome, code, reason FROM decisions WHERE follow_id = :f", f=key[2]) == [
        ("FAILED", "VENUE_REFUSED", "why")
    ]
    assert await scene.value("SELECT count(*) FROM outbox WHERE name = :n", n=OrdersRefused.name) == 1


async def test_a_batch_that_breaks_writes_nothing_at_all(scene: HotScene) -> None:
    cid, _ = await scene.cids()
    changes = await everything(scene, cid)
    async with scene.executions.session() as session:
        await session.write(changes)
    before = await scene.rows("SELECT wallet, held FROM funds ORDER BY account_id")
    with pytest.raises(DBAPIError):  # the same fill a second time
        async with scene.executions.session() as session:
            await session.write(changes)
    assert await scene.rows("SELECT wallet, held FROM funds ORDER BY account_id") == before
    assert await scene.value("SELECT count(*) FROM outbox") == 1


async def test_eight_settlers_told_the_same_news_book_it_once(scene: HotScene) -> None:
    news = []
    for number, cid in enumerate(await scene.cids()):
        fills = tuple([await scene.fill(cid, f"{number}-{part}", "1") for part in range(5)])
        for part in range(5):
            told = await scene.report(
                cid, OrderStatus.FILLED if part == 4 else OrderStatus.PARTIAL, str(part + 1)
            )
            news.append(Evidence(cid, report=told, fills=fills[: part + 1]))
        news.append(Evidence(cid, event=OrderEvent.LOST, look_at=SOON))
    alarms: list[str] = []
    settlers = [
        Settler(scene.executions, HeardBell(), scene.clock, NoMetrics(), lambda why, _: alarms.append(why))
        for _ in range(8)
    ]
    orders = [news[turn:] + news[:turn] for turn in range(8)]
    await asyncio.gather(
        *(settler.apply([piece]) for settler, told in zip(settlers, orders, strict=True) for piece in told)
    )
    assert alarms == []
    assert await scene.rows("SELECT DISTINCT state, executed, booked, settled, hold_left FROM trades") == [
        ("FILLED", 5, 5, True, 0)
    ]
    assert await scene.rows("SELECT DISTINCT quantity, cost FROM positions") == [(5, 500)]
    assert await scene.value("SELECT sum(amount) FROM ledger_entries WHERE kind = 'FEE'") == D("-0.5")
    assert await scene.value("SELECT count(*) FROM fills") == 10
    await scene.money_adds_up()
