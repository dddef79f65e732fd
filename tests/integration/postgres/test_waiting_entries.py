"""Entries that wait to be sent again, on a real database: what stops new risk stops them, and never an exit."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.trading.evidence import Evidence
from app.application.trading.execution_ports import WaitingTrade
from app.domain.risk.limits import Limits
from app.domain.shared.execution import Action
from app.domain.trading.order import OrderEvent
from app.infrastructure.postgres.execution_book import PostgresExecutionBook
from tests.fakes.clock import START, FakeClock
from tests.integration.postgres.hot_scene import WINDOW, HotScene
from tests.integration.postgres.test_hot_recovery import HIDE, SOON, again, book
from tests.unit.domain.builders import D

FROZEN = (
    "INSERT INTO drift_marks (account_id, what, kind, ours, theirs, looks, frozen, since, looked_at)"
    " SELECT account_id, 'BTC-USDT', 'POSITION', 1, 0, 3, true, now(), now() FROM follows"
)
STOPS = [
    ("INSERT INTO halts (scope, target, reason) VALUES ('PLATFORM', '', 'r')", "ENTRIES_HALTED"),
    ("INSERT INTO halts (scope, target, reason) VALUES ('VENUE', 'binance-usdm', 'r')", "ENTRIES_HALTED"),
    ("INSERT INTO halts (scope, target, reason) SELECT 'USER', user_id, 'r' FROM follows", "ENTRIES_HALTED"),
    ("UPDATE follows SET state = 'PAUSED'", "FOLLOW_PAUSED"),
    ("UPDATE follows SET state = 'STOPPED'", "FOLLOW_STOPPED"),
    ("UPDATE whales SET state = 'PAUSED'", "WHALE_PAUSED"),
    ("UPDATE users SET state = 'SUSPENDED'", "USER_SUSPENDED"),
    ("UPDATE funds SET realised_today = -60, realised_day = DATE '{day}'", "DAILY_LOSS_LIMIT"),
    ("UPDATE funds SET high_water = wallet * 2", "DRAWDOWN_LIMIT"),
    (FROZEN, "MARKET_FROZEN"),
    ("INSERT INTO halts (scope, target, reason) VALUES ('VENUE', 'okx-swap', 'r')", None),
    ("INSERT INTO halts (scope, target, reason) VALUES ('USER', '999999', 'r')", None),
]
ACTS_ON_SENDING = [(sql, code) for sql, code in STOPS if code not in ("DAILY_LOSS_LIMIT", "DRAWDOWN_LIMIT")]
LIMITS = Limits(daily_loss_max=D(50), drawdown_max=D("0.3"))


@pytest.fixture
async def scene(engine: AsyncEngine, clock: FakeClock) -> HotScene:
    made = HotScene(engine, clock)
    await made.followers(1)
    return made


async def waiting(scene: HotScene, action: Action) -> WaitingTrade:
    await scene.copy(await scene.signal())
    if action.is_exit:
        await scene.run("UPDATE trades SET executed = quantity, state = 'FILLED'")
        await scene.copy(await scene.signal(action))
    cid = await scene.value("SELECT client_order_id FROM orders ORDER BY created_at DESC LIMIT 1")
    await book(scene, Evidence(cid, event=OrderEvent.NEVER_LEFT, retry_at=SOON))
    return await taken(scene)


async def taken(scene: HotScene) -> WaitingTrade:
    await scene.run("UPDATE trades SET retry_at = :at WHERE state = 'WAITING'", at=START)
    book_ = PostgresExecutionBook(scene.engine, scene.clock, LIMITS)
    [found] = await book_.waiting(SOON, 10, HIDE)
    return found


def refusal(trade: WaitingTrade) -> str | None:
    if trade.stopped is not None:
        return trade.stopped.value
    return None if trade.denied is None else trade.denied.code.value


@pytest.mark.parametrize(("stop", "code"), STOPS)
async def test_what_is_read_with_a_waiting_entry_says_what_would_refuse_it_now(
    scene: HotScene, stop: str, code: str | None
) -> None:
    assert refusal(await waiting(scene, Action.OPEN)) is None
    await scene.run(stop.format(day=START.date()))
    assert refusal(await taken(scene)) == code


@pytest.mark.parametrize(("stop", "code"), STOPS)
async def test_nothing_is_said_against_a_waiting_exit(scene: HotScene, stop: str, code: str | None) -> None:
    await waiting(scene, Action.CLOSE)
    await scene.run(stop.format(day=START.date()))
    found = await taken(scene)
    assert refusal(found) is None
    assert found.closable == 5
    assert len(await scene.executions.resubmit([again(found)], WINDOW)) == 1


@pytest.mark.parametrize(("stop", "code"), [row for row in ACTS_ON_SENDING if row[1] != "MARKET_FROZEN"])
async def test_an_entry_that_was_read_before_the_stop_is_not_sent_after_it(
    scene: HotScene, stop: str, code: str | None
) -> None:
    found = await waiting(scene, Action.OPEN)
    await scene.run(stop)
    assert len(await scene.executions.resubmit([again(found)], WINDOW)) == (1 if code is None else 0)
    assert await scene.value("SELECT count(*) FROM orders") == (2 if code is None else 1)
