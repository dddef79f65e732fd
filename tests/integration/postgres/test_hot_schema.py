"""The schema as a guard: no number that is none gets in, migrations and code agree, hot statements use their indexes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import Dialect, Numeric, Table, TextClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.infrastructure.postgres import copy_sql, migrate
from app.infrastructure.postgres import execution_sql as sql
from app.infrastructure.postgres.engine import sqlstate
from app.infrastructure.postgres.schema import metadata
from tests.fakes.clock import START, FakeClock
from tests.integration.postgres.hot_scene import HotScene
from tests.unit.domain.builders import BTC

DIALECT: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # sqlalchemy leaves it untyped
NUMBERS = [
    (table, column.name)
    for table in metadata.sorted_tables
    for column in table.columns
    if isinstance(column.type, Numeric)
]
FILLERS = {
    "BIGINT": "1",
    "SMALLINT": "1",
    "INTEGER": "1",
    "TEXT": "'x'",
    "BOOLEAN": "true",
    "UUID": "gen_random_uuid()",
    "TIMESTAMP WITH TIME ZONE": "now()",
    "DATE": "current_date",
    "BYTEA": "''",
    "JSONB": "'{}'",
    "TEXT[]": "'{}'",
    "NUMERIC(38, 18)": "0.5",
}


def insertion(table: Table, name: str, value: str) -> str:
    given = {
        column.name: FILLERS[column.type.compile(DIALECT)]
        for column in table.columns
        if column.identity is None
    } | {name: f"'{value}'::numeric"}
    return f"INSERT INTO {table.name} ({', '.join(given)}) VALUES ({', '.join(given.values())})"


@pytest.fixture
async def unchained(engine: AsyncEngine) -> AsyncEngine:
    """Without foreign keys, so that one row of any table can stand alone."""
    async with engine.begin() as connection:
        for name, table in (
            await connection.execute(
                text("SELECT conname, conrelid::regclass::text FROM pg_constraint WHERE contype = 'f'")
            )
        ).all():
            await connection.execute(text(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'))
    return engine


async def refusal(connection: AsyncConnection, statement: str) -> tuple[str | None, str] | None:
    try:
        await connection.execute(text(statement))
    except DBAPIError as error:
        return sqlstate(error), str(error)
    return None


async def test_no_numeric_column_takes_what_is_no_number(unchained: AsyncEngine) -> None:
    taken = []
    for table, name in NUMBERS:
        for value in ("NaN", "Infinity", "-Infinity"):
            async with unchained.connect() as connection:
                refused = await refusal(connection, insertion(table, name, value))
                if refused is None:
                    taken.append(f"{table.name}.{name} = {value}")
                else:
                    code, words = refused
                    # 22003: NUMERIC(38,18) has no room for an infinity; 23514: a check, of this very column.
                    assert code == "22003" or (code == "23514" and name in words), words
    assert taken == []


async def test_the_guard_on_numbers_looks_at_every_table_that_has_money(unchained: AsyncEngine) -> None:
    assert {"funds", "trades", "orders", "fills", "positions", "ledger_entries"} <= {
        t.name for t, _ in NUMBERS
    }
    for table in dict.fromkeys(table for table, _ in NUMBERS):
        column = next(name for owner, name in NUMBERS if owner is table)
        async with unchained.connect() as connection:
            await connection.execute(text(insertion(table, column, "0.5")))


async def test_migrations_go_down_to_nothing_and_up_to_what_the_code_says(
    database_dsn: str, engine: AsyncEngine
) -> None:
    await asyncio.to_thread(migrate.downgrade, database_dsn, "base")
    async with engine.connect() as connection:
        left = await connection.scalar(
            text(
                "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            )
        )
    assert left == 0
    await asyncio.to_thread(migrate.upgrade, database_dsn)
    await asyncio.to_thread(migrate.check, database_dsn)
    assert await migrate.current_revision(engine) == migrate.newest_revision()


GROWN = (
    (
        "INSERT INTO trades (follow_id, signal_id, leg, account_id, venue, symbol, side, reduce_only, quantity, leverage,"
        " reference_price, hold, hold_left, state, attempt, settled, executed, booked)"
        " SELECT 100000 + n % 500, gen_random_uuid(), 'ENTRY', 100000 + n % 500, 'binance-usdm', :s, 'BUY', false, 1, 5,"
        "  100, 20, 0, 'FILLED', 0, n % 100 <> 0, 1, 1 FROM generate_series(1, 20000) n"
    ),
    (
        "INSERT INTO orders (follow_id, signal_id, leg, attempt, account_id, client_order_id, state, signed_ms, valid_ms,"
        " quantity) SELECT follow_id, signal_id, leg, 0, account_id, 'old' || row_number() OVER (), 'FILLED', 1, 1, 1"
        " FROM trades"
    ),
    (
        "INSERT INTO positions (account_id, symbol, follow_id, quantity, cost)"
        " SELECT 100000 + n, :s, 100000 + n, 1, 100 FROM generate_series(1, 20000) n"
    ),
    (
        "INSERT INTO fills (account_id, symbol, trade_id, follow_id, signal_id, leg, side, price, quantity, fee, realised, at)"
        " SELECT account_id, symbol, row_number() OVER (), follow_id, signal_id, leg, side, 1, 1, 0, 0, now() FROM trades"
    ),
    (
        "INSERT INTO decisions (follow_id, signal_id, outcome, code, reason, inputs)"
        " SELECT follow_id, signal_id, 'COPIED', 'AS_ASKED', '', '{}' FROM trades"
    ),
)
HOT = {"trades", "orders", "positions", "fills", "decisions"}


def scanned(node: dict[str, Any]) -> set[str]:
    found = {node["Relation Name"]} if node["Node Type"] == "Seq Scan" else set()
    return found.union(*(scanned(child) for child in node.get("Plans", ())))


async def test_hot_statements_read_no_large_table_from_end_to_end(scene_grown: HotScene) -> None:
    scene = scene_grown
    signal = await scene.signal()
    await scene.copy(signal)
    cids = await scene.cids()
    ours = [cid for cid in cids if not cid.startswith("old")]
    follow, account = scene.ids[0]
    snapshot = {
        "whale": scene.whale,
        "venues": ["binance-usdm"],
        "symbols": [BTC],
        "venue": "binance-usdm",
        "symbol": BTC,
        "signal": signal.id,
        "scope": None,
        "today": START.date(),
    }
    statements: dict[str, tuple[TextClause, dict[str, Any]]] = {
        "snapshot for an entry": (copy_sql.SNAPSHOT, {**snapshot, "enters": True, "side": "BUY"}),
        "snapshot for an exit": (copy_sql.SNAPSHOT, {**snapshot, "enters": False, "side": "SELL"}),
        "lock": (sql.LOCK, {"cids": ours}),
        "attempts": (sql.ATTEMPTS, {"cids": ours}),
        "seen": (sql.SEEN, {"account": [account], "symbol": [BTC], "trade": ["1"]}),
        "positions": (sql.POSITIONS, {"account": [account], "symbol": [BTC], "follow": [follow]}),
        "reopen": (sql.REOPEN, {"follow": [follow]}),
    }
    slow = {}
    async with scene.engine.begin() as connection:
        for name, (statement, values) in statements.items():
            explain = text(f"EXPLAIN (FORMAT JSON) {statement.text}").bindparams(
                *statement._bindparams.values()
            )
            plan = (await connection.execute(explain, values)).scalar_one()
            slow[name] = scanned(plan[0]["Plan"]) & HOT
        whole = text("EXPLAIN (FORMAT JSON) SELECT FROM trades WHERE quantity = 7")
        assert scanned((await connection.execute(whole)).scalar_one()[0]["Plan"]) == {"trades"}
    assert {name: tables for name, tables in slow.items() if tables} == {}


@pytest.fixture
async def scene_grown(engine: AsyncEngine, clock: FakeClock) -> HotScene:
    scene = HotScene(engine, clock)
    await scene.followers(50)
    for statement in GROWN:
        await scene.run(statement, **({"s": BTC} if ":s" in statement else {}))
    async with engine.connect() as connection:
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.execute(text("ANALYZE"))
    return scene
