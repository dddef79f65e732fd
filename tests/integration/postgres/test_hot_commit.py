"""The reservation on a real database: once, within funds and limits, whoever races with whom."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.trading.evidence import Evidence
from app.domain.risk.limits import Limits
from app.domain.shared.errors import ConcurrencyConflict
from app.domain.shared.execution import Action, OrderStatus
from app.domain.shared.market import symbol
from app.infrastructure.postgres.engine import make_engine
from tests.fakes.clock import START, FakeClock
from tests.integration.postgres.hot_scene import MARKETS, OWNER, WINDOW, HotScene, stale
from tests.integration.postgres.test_hot_recovery import book
from tests.unit.domain.builders import BTC, ETH, D

PAIRS = [symbol(f"C{n}-USDT") for n in range(8)]


@pytest.fixture
def scene(engine: AsyncEngine, clock: FakeClock) -> HotScene:
    return HotScene(engine, clock)


async def test_a_reservation_stores_hold_trade_attempt_and_decision_together(scene: HotScene) -> None:
    await scene.followers(3)
    signal = await scene.signal()
    assert await scene.copy(signal) == {follow for follow, _ in scene.ids}
    [trade, *_] = await scene.rows(
        "SELECT t.leg, t.side, t.reduce_only, t.quantity, t.leverage, t.reference_price, t.hold, t.hold_left, t.state,"
        " t.attempt, t.executed, t.booked, t.settled, t.retry_at FROM trades t"
    )
    hold = D("51.5")  # 500 with leverage 10, and 0.3 % of 500
    assert trade == ("ENTRY", "BUY", False, 5, 10, 100, hold, hold, "WORKING", 0, 0, 0, False, None)
    [order, *_] = await scene.rows(
        "SELECT state, signed_ms, valid_ms, quantity, look_at, attempt FROM orders"
    )
    assert order == ("SUBMITTING", WINDOW.signed_ms, 5000, 5, WINDOW.look_at, 0)
    assert await scene.rows("SELECT DISTINCT outcome, code, inputs->>'hold' FROM decisions") == [
        ("COPIED", "AS_ASKED", "51.5")
    ]
    assert await scene.rows(
        "SELECT DISTINCT held, risk_version FROM funds JOIN follows USING (account_id)"
    ) == [(hold, 1)]


async def test_eight_workers_with_one_signal_store_each_trade_once(scene: HotScene) -> None:
    await scene.followers(25)
    signal = await scene.signal()
    prepared, _ = scene.plan(signal, await scene.copies.snapshot(signal, START, MARKETS))
    won = await asyncio.gather(*(scene.copies.commit(signal, OWNER, prepared, (), WINDOW) for _ in range(8)))
    assert sorted(follow for follows in won for follow in follows) == sorted(f for f, _ in scene.ids)
    assert await scene.value("SELECT count(*) FROM orders") == 25
    await scene.money_adds_up()


async def test_eight_signals_on_one_account_never_hold_more_than_its_funds(scene: HotScene) -> None:
    await scene.followers(4, wallet="120")  # two holds of 51.5 fit
    signals = [await scene.signal(sym=sym) for sym in PAIRS]
    for _ in range(len(signals)):
        await asyncio.gather(*(scene.copy(signal) for signal in signals))
    assert (
        await scene.rows("SELECT count(*) FROM trades GROUP BY account_id ORDER BY account_id")
        == [(3,)] * 4  # the third was reduced to what was left
    )
    assert await scene.value("SELECT count(*) FROM decisions") == 32
    await scene.money_adds_up()


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        (Limits(total_notional_max=D(1200)), "SELECT sum(quantity * reference_price) <= 1200 FROM trades"),
        (
            Limits(symbol_notional_max=D(700)),
            "SELECT max(n) <= 700 FROM (SELECT sum(quantity * 100) n FROM trades GROUP BY symbol) s",
        ),
        (Limits(positions_max=2), "SELECT count(DISTINCT symbol) <= 2 FROM trades"),
    ],
    ids=["total", "symbol", "positions"],
)
async def test_signals_that_race_never_pass_a_limit_together(
    engine: AsyncEngine, clock: FakeClock, limits: Limits, most: str
) -> None:
    scene = HotScene(engine, clock, limits)
    await scene.followers(1, wallet="100000")
    signals = [await scene.signal(sym=sym) for sym in (BTC, ETH, *PAIRS[:4])]
    for _ in range(len(signals)):
        await asyncio.gather(*(scene.copy(signal) for signal in signals))
    assert await scene.value("SELECT count(*) FROM decisions") == len(signals)
    assert await scene.value(most)


async def test_an_order_on_the_way_against_another_leaders_is_seen_before_it_fills(scene: HotScene) -> None:
    """One-way accounts hold one direction: a long on its way and a short of another leader would net each other away."""
    await scene.followers(1, wallet="100000")
    await scene.copy(await scene.signal())
    await scene.run(
        "WITH o AS (INSERT INTO accounts (user_id, venue, label, sealed, key_state)"
        " SELECT user_id, venue, 'second', sealed, key_state FROM accounts LIMIT 1 RETURNING id),"
        " w AS (INSERT INTO whales (name, venue, account_id, tier, state)"
        " SELECT 'second', 'binance-usdm', id, 'STANDARD', 'ACTIVE' FROM o RETURNING id)"
        " INSERT INTO follows (user_id, whale_id, account_id, mode, value, leverage_max, drift_max, sides,"
        "   symbols_allowed, symbols_denied, tiny, tiny_factor_max, state)"
        " SELECT user_id, w.id, account_id, mode, value, leverage_max, drift_max, sides, symbols_allowed,"
        "   symbols_denied, tiny, tiny_factor_max, f.state FROM follows f, w"
    )
    second = await scene.value("SELECT max(id) FROM whales")
    short = await scene.signal(whale=second)
    await scene.run("UPDATE signals SET side = 'SELL' WHERE id = :id", id=short.id)
    short.side = short.side.opposite
    assert await scene.copy(short) == frozenset()
    assert (
        await scene.value("SELECT code FROM decisions WHERE signal_id = :id", id=short.id)
        == "OPPOSING_POSITION"
    )


async def test_a_reservation_on_old_facts_is_refused_whole(scene: HotScene) -> None:
    await scene.followers(2)
    signal = await scene.signal()
    prepared, _ = scene.plan(signal, await scene.copies.snapshot(signal, START, MARKETS))
    assert await scene.copies.commit(signal, OWNER, stale(prepared), (), WINDOW) == frozenset()
    assert await scene.value("SELECT count(*) FROM trades") == 0
    assert await scene.value("SELECT count(*) FROM decisions") == 0
    assert await scene.value("SELECT sum(held) FROM funds") == 0


async def test_funds_that_went_since_the_snapshot_refuse_that_account_only(scene: HotScene) -> None:
    await scene.followers(2)
    signal = await scene.signal()
    prepared, _ = scene.plan(signal, await scene.copies.snapshot(signal, START, MARKETS))
    (_, poor), (rich, _) = scene.ids
    await scene.run("UPDATE funds SET wallet = 51.4 WHERE account_id = :a", a=poor)
    assert await scene.copies.commit(signal, OWNER, prepared, (), WINDOW) == {rich}


@pytest.mark.parametrize("loss", ["owner = 'another'", "state = 'PENDING', owner = NULL", "state = 'DONE'"])
async def test_a_worker_without_the_claim_writes_nothing(scene: HotScene, loss: str) -> None:
    await scene.followers(2)
    signal = await scene.signal()
    prepared, _ = scene.plan(signal, await scene.copies.snapshot(signal, START, MARKETS))
    await scene.run(f"UPDATE signals SET {loss}")
    with pytest.raises(ConcurrencyConflict):
        await scene.copies.commit(signal, OWNER, prepared, (), WINDOW)
    assert await scene.value("SELECT count(*) FROM trades") == 0


async def test_an_exit_is_stored_without_a_hold_whatever_became_of_the_funds(scene: HotScene) -> None:
    await scene.followers(2)
    for follow, account in scene.ids:
        await scene.run(
            "INSERT INTO positions (account_id, symbol, follow_id, quantity, cost, margin) VALUES (:a, :s, :f, 3, 300, 30)",
            a=account,
            s=BTC,
            f=follow,
        )
    signal = await scene.signal(Action.CLOSE)
    prepared, _ = scene.plan(signal, await scene.copies.snapshot(signal, START, MARKETS))
    await scene.run("UPDATE funds SET wallet = -5, risk_version = 99")
    assert len(await scene.copies.commit(signal, OWNER, prepared, (), WINDOW)) == 2
    assert await scene.rows("SELECT DISTINCT leg, reduce_only, hold, quantity FROM trades") == [
        ("EXIT", True, 0, 3)
    ]
    assert await scene.copies.commit(signal, OWNER, prepared, (), WINDOW) == frozenset(), "once"
    assert await scene.value("SELECT count(*) FROM orders") == 2


async def test_two_thousand_followers_are_reserved_in_one_statement(
    database_dsn: str, clock: FakeClock
) -> None:
    engine = make_engine(database_dsn, pool_size=2, application_name="tests", statement_timeout_ms=5_000)
    scene = HotScene(engine, clock)
    await scene.followers(2000)
    signal = await scene.signal()
    assert len(await scene.copy(signal)) == 2000
    await scene.money_adds_up()
    assert await scene.copies.snapshot(signal, START, MARKETS) == []
    await engine.dispose()


async def test_two_signals_over_the_same_accounts_never_deadlock(scene: HotScene) -> None:
    await scene.followers(60, wallet="100000")
    signals = [await scene.signal(sym=sym) for sym in PAIRS]

    async def backwards(number: int) -> int:
        signal = signals[number]
        prepared, _ = scene.plan(signal, await scene.copies.snapshot(signal, START, MARKETS))
        async with asyncio.timeout(timedelta(seconds=20).total_seconds()):
            got = await scene.copies.commit(signal, OWNER, prepared[:: -1 if number % 2 else 1], (), WINDOW)
        return len(got)

    first = await asyncio.gather(*(backwards(number) for number in range(len(signals))))
    assert sum(first) >= 60
    assert await scene.value("SELECT sum(held) FROM funds") == Decimal("51.5") * sum(first)


async def test_two_closes_of_one_lot_that_were_planned_at_once_close_it_once(scene: HotScene) -> None:
    """The leader's close and the follower's own are in lines of their own; both out would eat another leader's lot."""
    await scene.followers(1)
    [(follow, account)] = scene.ids
    position = (
        "INSERT INTO positions (account_id, symbol, follow_id, quantity, cost) VALUES (:a, :s, :f, 3, 300)"
    )
    for owner in (follow, 999):
        await scene.run(position, a=account, s=BTC, f=owner)
    closes = [await scene.signal(Action.CLOSE), await scene.signal(Action.CLOSE, scope=follow)]
    plans = [scene.plan(close, await scene.copies.snapshot(close, START, MARKETS))[0] for close in closes]
    for close, prepared in zip(closes, plans, strict=True):
        await scene.copies.commit(close, OWNER, prepared, (), WINDOW)
    assert await scene.value("SELECT sum(quantity) FROM trades WHERE leg = 'EXIT'") == 3


@pytest.mark.parametrize(
    ("scope", "target", "stored"),
    [
        ("PLATFORM", "''", 0),
        ("VENUE", "'binance-usdm'", 0),
        ("VENUE", "'okx-swap'", 2),
        ("USER", "(SELECT min(user_id)::text FROM follows)", 1),
    ],
)
async def test_a_halt_that_is_raised_between_snapshot_and_commit_stops_the_entries_of_its_scope(
    scene: HotScene, scope: str, target: str, stored: int
) -> None:
    await scene.followers(2)
    signal = await scene.signal()
    prepared, _ = scene.plan(signal, await scene.copies.snapshot(signal, START, MARKETS))
    await scene.run(f"INSERT INTO halts (scope, target, reason) VALUES ('{scope}', {target}, 'now')")
    assert len(await scene.copies.commit(signal, OWNER, prepared, (), WINDOW)) == stored
    assert await scene.value("SELECT count(*) FROM orders") == stored
    await scene.money_adds_up()


async def test_no_halt_stops_an_exit_at_its_commit(scene: HotScene) -> None:
    await scene.followers(1)
    await scene.run(
        "INSERT INTO positions (account_id, symbol, follow_id, quantity, cost, margin, opened_at)"
        " SELECT account_id, 'BTC-USDT', id, 5, 500, 50, now() FROM follows"
    )
    signal = await scene.signal(Action.CLOSE)
    prepared, _ = scene.plan(signal, await scene.copies.snapshot(signal, START, MARKETS))
    await scene.run("INSERT INTO halts (scope, target, reason) VALUES ('PLATFORM', '', 'now')")
    assert len(await scene.copies.commit(signal, OWNER, prepared, (), WINDOW)) == 1


@pytest.mark.parametrize(("left", "renewed"), [("0.0004", True), ("0.001", False)])
async def test_what_is_bought_beside_less_than_a_step_is_opened_now(
    scene: HotScene, left: str, renewed: bool
) -> None:
    await scene.followers(1)
    await scene.run(
        "INSERT INTO positions (account_id, symbol, follow_id, quantity, cost, margin, opened_at)"
        " SELECT account_id, 'BTC-USDT', id, :left, 1, 0, now() - interval '1 day' FROM follows",
        left=D(left),
    )
    assert await scene.copy(await scene.signal())
    assert renewed is await scene.value("SELECT opened_at > now() - interval '1 hour' FROM positions")


async def test_an_exit_that_was_planned_before_an_entry_committed_is_planned_again(scene: HotScene) -> None:
    """A follower's own close is in a line of its own: the leader's entry may commit between its plan and its commit."""
    await scene.followers(1)
    await scene.copy(await scene.signal())
    [cid] = await scene.cids()
    told = await scene.report(cid, OrderStatus.FILLED, "5")
    await book(scene, Evidence(cid, report=told, fills=(await scene.fill(cid, "e1", "5"),)))
    later = await scene.signal()
    close = await scene.signal(Action.CLOSE)
    prepared, _ = scene.plan(close, await scene.copies.snapshot(close, START, MARKETS))
    assert len(prepared) == 1
    assert await scene.copy(later)
    assert await scene.copies.commit(close, OWNER, prepared, (), WINDOW) == frozenset()
    await scene.copy(close)
    assert await scene.rows("SELECT outcome, code FROM decisions WHERE signal_id = :id", id=close.id) == [
        ("DEFERRED", "ENTRY_STILL_OPEN")
    ]
