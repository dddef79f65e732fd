"""The passes of every second read what is open, however much has ever been settled: none scans a large table."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.infrastructure.postgres import execution_sql, protection_sql, readers_scope, recovery_sql
from tests.fakes.clock import START, FakeClock
from tests.integration.postgres.hot_scene import HotScene
from tests.integration.postgres.test_hot_schema import scanned
from tests.unit.domain.builders import BTC

SETTLED = (
    (
        "INSERT INTO signals (id, source, whale_id, venue, symbol, action, is_exit, side, quantity, fraction,"
        " reference_price, priority, lane, leader_at, created_at, flip, trace_id, state)"
        " SELECT gen_random_uuid(), 'LEADER', :whale, 'binance-usdm', 'BTC-USDT', 'OPEN', false, 'BUY', 1, 1, 100, 1, 'high',"
        "  now(), now(), false, 't', 'DONE' FROM generate_series(1, 20000)"
    ),
    (
        "INSERT INTO trades (follow_id, signal_id, leg, account_id, venue, symbol, side, reduce_only, quantity, leverage,"
        " reference_price, hold, hold_left, state, attempt, settled, executed, booked)"
        " SELECT 100000 + row_number() OVER () % 500, id, 'ENTRY', 100000 + row_number() OVER () % 500, venue, symbol, 'BUY',"
        "  false, 1, 5, 100, 20, 0, 'FILLED', 0, true, 1, 1 FROM signals WHERE state = 'DONE'"
    ),
    (
        "INSERT INTO orders (follow_id, signal_id, leg, attempt, account_id, client_order_id, state, signed_ms, valid_ms,"
        " quantity, created_at) SELECT follow_id, signal_id, leg, 0, account_id, 'old' || row_number() OVER (), 'FILLED',"
        "  1, 1, 1, now() - interval '9 days' FROM trades WHERE settled"
    ),
    (
        "INSERT INTO decisions (follow_id, signal_id, outcome, code, reason, inputs)"
        " SELECT follow_id, signal_id, 'COPIED', 'AS_ASKED', '', '{}' FROM trades WHERE settled"
    ),
    (
        "INSERT INTO positions (account_id, symbol, follow_id, quantity, cost, opened_at)"
        " SELECT 100000 + n, 'BTC-USDT', 100000 + n, 0, 0, now() FROM generate_series(1, 20000) n"
    ),
    (
        "INSERT INTO protections (follow_id, symbol, rung, attempt, account_id, venue, client_order_id, signal_id, kind,"
        " side, trigger, quantity, state, signed_ms, valid_ms)"
        " SELECT 100000 + n, 'BTC-USDT', 'STOP', 0, 100000 + n, 'binance-usdm', 'p' || n, gen_random_uuid(), 'STOP', 'SELL',"
        "  90, 1, 'CANCELED', 1, 1 FROM generate_series(1, 20000) n"
    ),
)
LARGE = {"trades", "orders", "positions", "decisions", "protections", "signals"}
LATER = {"now": START, "limit": 200, "hidden_until": START}
STATEMENTS: dict[str, tuple[TextClause, dict[str, Any]]] = {
    "guarded": (protection_sql.GUARDED, {}),
    "newest": (protection_sql.NEWEST, {"follow": [1], "symbol": [BTC]}),
    "deferred": (recovery_sql.DEFERRED, {"limit": 100}),
    "waiting": (recovery_sql.WAITING, {**LATER, "today": START.date()}),
    "doubts": (recovery_sql.DOUBTS, LATER),
    "unbooked": (recovery_sql.UNBOOKED, {"before": START, "limit": 200}),
    "in scope of the platform": (readers_scope.OF_PLATFORM, {"target": ""}),
    "in scope of a venue": (readers_scope.OF_VENUE, {"target": "binance-usdm"}),
    "in scope of a user": (readers_scope.OF_USER, {"target": "1"}),
    "reopen": (execution_sql.REOPEN, {"follow": [1]}),
    "reopen exits": (protection_sql.REOPEN, {"follow": 1, "account": 1, "symbol": BTC}),
    "reopen entries": (protection_sql.REOPEN_ENTRIES, {"follow": 1, "account": 1, "symbol": BTC}),
}


@pytest.fixture
async def grown(engine: AsyncEngine, clock: FakeClock) -> HotScene:
    scene = HotScene(engine, clock)
    await scene.followers(50, protection={"stop_loss": "0.1"})
    await scene.copy(await scene.signal())
    for statement in SETTLED:
        await scene.run(statement, **({"whale": scene.whale} if ":whale" in statement else {}))
    await scene.run(
        "INSERT INTO positions (account_id, symbol, follow_id, quantity, cost, opened_at)"
        " SELECT account_id, 'ETH-USDT', id, 1, 100, now() FROM follows"
    )
    async with engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.execute(text("ANALYZE"))
    return scene


async def test_no_pass_reads_what_is_settled(grown: HotScene) -> None:
    slow = {}
    async with grown.engine.begin() as connection:
        for name, (statement, values) in STATEMENTS.items():
            explain = text(f"EXPLAIN (FORMAT JSON) {statement.text}").bindparams(
                *statement._bindparams.values()
            )
            plan = (await connection.execute(explain, values)).scalar_one()
            slow[name] = scanned(plan[0]["Plan"]) & LARGE
        whole = text("EXPLAIN (FORMAT JSON) SELECT FROM positions WHERE cost = 7")
        assert scanned((await connection.execute(whole)).scalar_one()[0]["Plan"]) == {"positions"}
    assert {name: tables for name, tables in slow.items() if tables} == {}


async def test_without_its_index_the_pass_over_what_is_held_reads_everything(grown: HotScene) -> None:
    await grown.run("DROP INDEX ix_positions_held")
    async with grown.engine.begin() as connection:
        explain = text(f"EXPLAIN (FORMAT JSON) {readers_scope.OF_PLATFORM.text}").bindparams(target="")
        plan = (await connection.execute(explain)).scalar_one()
    assert "positions" in scanned(plan[0]["Plan"])
