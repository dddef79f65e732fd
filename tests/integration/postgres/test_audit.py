"""The audit on real books: a real flow is clean, and each check bites on books that are doctored to break it and no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.trading.audit import AuditBounds
from app.infrastructure.postgres.audit import PostgresAuditor
from app.infrastructure.postgres.audit_question import Question
from app.infrastructure.postgres.audit_sql import QUESTIONS
from app.infrastructure.postgres.engine import make_engine
from tests.integration.postgres.audited_flow import a_real_flow
from tests.support.servers import Databases, database_name, in_thread

FIRST_FILLED = (
    "(SELECT follow_id, signal_id, leg FROM trades WHERE state = 'FILLED' AND leg = 'ENTRY' LIMIT 1)"
)
ONE_FILLED = f"(follow_id, signal_id, leg) = {FIRST_FILLED}"
WAITING = "state = 'WAITING'"
WAITING_EXIT = "t.state = 'WAITING' AND t.leg = 'EXIT'"


def protection(
    of: str,
    *,
    state: str,
    size: str = "CASE WHEN p.quantity = 0 THEN 1 ELSE p.quantity END",
    side: str = "SELL",
    attempt: int = 0,
    look_at: str = "now()",
) -> str:
    """Put a stop beside one position, as if an hour ago; nothing else happened to the position since."""
    return (
        "INSERT INTO protections (follow_id, symbol, rung, attempt, account_id, venue, client_order_id, signal_id, kind,"
        " side, trigger, quantity, state, signed_ms, valid_ms, look_at, created_at)"
        f" SELECT p.follow_id, p.symbol, 'SL', {attempt}, p.account_id, 'BINANCE_USDM', 'p{attempt}',"
        f" gen_random_uuid(), 'STOP_LOSS', '{side}', 1, {size}, '{state}', 0, 0, {look_at}, now() - interval '1 hour'"
        f" FROM positions p WHERE {of} ORDER BY p.follow_id LIMIT 1;"
        " UPDATE positions SET updated_at = now() - interval '1 hour';"
    )


# name -> what breaks that check and no other one
DOCTORED = {
    "held": "UPDATE funds SET held = held + 1 WHERE account_id = (SELECT max(account_id) FROM funds)",
    "hold-of-settled": f"UPDATE trades SET hold_left = 1 WHERE {ONE_FILLED}",
    "hold-freed-early": f"UPDATE trades SET hold = 1 WHERE {WAITING}",
    "wallet": "UPDATE funds SET wallet = wallet + 1 WHERE account_id = (SELECT max(account_id) FROM funds)",
    "margin": "UPDATE funds SET margin = margin + 1 WHERE account_id = (SELECT max(account_id) FROM funds)",
    "fill-ledger": "UPDATE ledger_entries SET entry_key = 'other', kind = 'ADJUSTMENT' WHERE (account_id, entry_key) ="
    " (SELECT account_id, entry_key FROM ledger_entries WHERE kind = 'FEE' LIMIT 1)",
    "entry-beyond-intent": f"UPDATE trades SET quantity = executed / 2 WHERE {ONE_FILLED}",
    "order-beyond-quantity": f"UPDATE orders SET quantity = executed / 2 WHERE {ONE_FILLED}",
    "older-attempt-live": "UPDATE orders o SET state = 'UNKNOWN', look_at = now() FROM trades t WHERE o.attempt < t.attempt"
    " AND (o.follow_id, o.signal_id, o.leg) = (t.follow_id, t.signal_id, t.leg)",
    "dead-order-executed": "UPDATE orders SET state = 'ABSENT' FROM (SELECT o.client_order_id AS cid FROM orders o"
    " JOIN trades t USING (follow_id, signal_id, leg) WHERE t.state = 'FILLED' AND t.leg = 'ENTRY' LIMIT 1) x"
    " WHERE client_order_id = x.cid; UPDATE trades t SET state = 'ABANDONED' FROM orders o WHERE o.state = 'ABSENT'"
    " AND (o.follow_id, o.signal_id, o.leg) = (t.follow_id, t.signal_id, t.leg)",
    "trade-executed": f"UPDATE orders SET executed = executed / 2 WHERE {ONE_FILLED}",
    "trade-booked": f"UPDATE trades SET booked = booked / 2, settled = false WHERE {ONE_FILLED}",
    "fill-of-no-trade": f"UPDATE trades SET side = 'SELL' WHERE {ONE_FILLED}",
    "position": "UPDATE positions SET quantity = quantity * 2 WHERE quantity <> 0",
    "flat-position": "UPDATE positions SET cost = 1 WHERE quantity = 0",
    "exit-beyond-position": "UPDATE fills SET at = at - interval '1 day' WHERE leg = 'EXIT' AND trade_id ="
    " (SELECT min(trade_id) FROM fills WHERE leg = 'EXIT')",
    "trade-state": f"UPDATE orders SET state = 'CANCELED' WHERE {ONE_FILLED}",
    "settled": f"UPDATE trades SET settled = false WHERE {ONE_FILLED}",
    "order-of-no-trade": "INSERT INTO orders (follow_id, signal_id, leg, attempt, account_id, client_order_id, state,"
    " signed_ms, valid_ms, quantity) VALUES (999, gen_random_uuid(), 'EXIT', 0, 1, 'lonely', 'NOT_SENT', 0, 0, 1)",
    "doubt-not-looked-up": "UPDATE orders o SET state = 'UNKNOWN', look_at = NULL FROM trades t WHERE t.state = 'WAITING'"
    " AND o.attempt = t.attempt AND (o.follow_id, o.signal_id, o.leg) = (t.follow_id, t.signal_id, t.leg);"
    " UPDATE trades SET state = 'WORKING' WHERE state = 'WAITING'",
    "waiting-for-nothing": f"UPDATE trades SET retry_at = NULL WHERE {WAITING}",
    "decision-of-no-signal": "INSERT INTO decisions (follow_id, signal_id, outcome, code, reason, inputs)"
    " VALUES (999, gen_random_uuid(), 'SKIPPED', 'X', 'x', '{}')",
    "copied-without-trade": "UPDATE decisions SET outcome = 'COPIED' WHERE outcome = 'SKIPPED'",
    "trade-without-decision": f"UPDATE decisions SET outcome = 'SKIPPED' WHERE (follow_id, signal_id) ="
    f" (SELECT follow_id, signal_id FROM trades WHERE {WAITING})",
    "unsettled-too-long": f"UPDATE trades SET created_at = now() - interval '1 hour' WHERE {WAITING}",
    "in-doubt-too-long": "UPDATE orders o SET state = 'UNKNOWN', look_at = now(), created_at = now() - interval '1 hour'"
    " FROM trades t WHERE t.state = 'WAITING' AND o.attempt = t.attempt AND (o.follow_id, o.signal_id, o.leg) = (t.follow_id, t.signal_id, t.leg);"
    " UPDATE trades SET state = 'WORKING' WHERE state = 'WAITING'",
    "deferred-too-long": "UPDATE decisions SET outcome = 'DEFERRED', decided_at = now() - interval '1 hour'"
    " WHERE outcome = 'SKIPPED'",
    "absent-and-held": "UPDATE orders o SET state = 'ABSENT' FROM trades t WHERE t.state = 'WAITING'"
    " AND o.attempt = t.attempt AND (o.follow_id, o.signal_id, o.leg) = (t.follow_id, t.signal_id, t.leg);"
    " UPDATE trades SET state = 'ABSENT' WHERE state = 'WAITING'",
    "exit-given-up": f"UPDATE orders o SET state = 'REJECTED', look_at = NULL FROM trades t WHERE {WAITING_EXIT}"
    " AND (o.follow_id, o.signal_id, o.leg, o.attempt) = (t.follow_id, t.signal_id, t.leg, t.attempt);"
    " UPDATE decisions d SET outcome = 'FAILED', code = 'VENUE_REFUSED', decided_at = now() - interval '1 hour' FROM trades t"
    f" WHERE {WAITING_EXIT} AND (d.follow_id, d.signal_id) = (t.follow_id, t.signal_id);"
    " UPDATE positions p SET opened_at = now() - interval '2 hours' WHERE p.quantity <> 0;"
    f" UPDATE trades t SET state = 'REJECTED', settled = true WHERE {WAITING_EXIT}",
    "ledger-of-no-fill": "INSERT INTO ledger_entries (account_id, entry_key, kind, amount, at)"
    " SELECT account_id, k, 'FEE', a, now() FROM funds, (VALUES ('FEE:X:1', 1), ('FEE:X:2', -1)) v(k, a)"
    " WHERE account_id = (SELECT max(account_id) FROM funds)",
    "protection-left-behind": protection("p.quantity = 0", state="RESTING"),
    "protection-without-exit": protection("p.quantity <> 0", state="TRIGGERED"),
    "protection-twice": protection("p.quantity <> 0", state="RESTING", size="p.quantity / 4")
    + protection("p.quantity <> 0", state="RESTING", size="p.quantity / 4", attempt=1),
    "protection-beyond-position": protection("p.quantity <> 0", state="RESTING", size="p.quantity * 2"),
    "protection-on-the-wrong-side": protection("p.quantity <> 0", state="RESTING", side="BUY"),
    "protection-not-looked-up": protection("p.quantity <> 0", state="RESTING", look_at="NULL"),
    "protection-in-doubt-too-long": protection("p.quantity <> 0", state="UNKNOWN"),
    "position-unprotected": "INSERT INTO protection_marks (follow_id, symbol, opened_at, best, bare_since)"
    " SELECT follow_id, symbol, opened_at, 1, now() - interval '1 hour' FROM positions WHERE quantity <> 0",
    "parked-event": "INSERT INTO outbox (name, payload, parked) VALUES ('x', '{}', true)",
}


@pytest.fixture(scope="module")
def real_books(databases: Databases, migrated_template: str) -> Iterator[str]:
    """The name of a database that a real flow went through."""
    dsn = databases.create("audited", template=migrated_template)

    async def fill() -> None:
        engine = make_engine(dsn, pool_size=4, application_name="tests")
        await a_real_flow(engine)
        await engine.dispose()

    in_thread(lambda: asyncio.run(fill()))
    yield database_name(dsn)
    databases.drop(dsn)


@pytest.fixture
async def books(databases: Databases, real_books: str) -> AsyncIterator[AsyncEngine]:
    """Books of the test's own, with the flow in them."""
    dsn = databases.create("case", template=real_books)
    engine = make_engine(dsn, pool_size=2, application_name="tests")
    yield engine
    await engine.dispose()
    databases.drop(dsn)


async def found(engine: AsyncEngine, bounds: AuditBounds = AuditBounds()) -> dict[str, int | None]:
    findings = await PostgresAuditor(engine).findings(bounds)
    assert [finding.name for finding in findings] == list(QUESTIONS)
    assert all((finding.example is None) == (finding.count == 0) for finding in findings)
    return {finding.name: finding.count for finding in findings if not finding.is_clean}


async def test_books_that_a_real_flow_went_through_are_clean(books: AsyncEngine) -> None:
    assert await found(books) == {}
    async with books.connect() as connection:
        states = set((await connection.execute(text("SELECT leg || state FROM trades"))).scalars())
        outcomes = set((await connection.execute(text("SELECT outcome FROM decisions"))).scalars())
        resent = await connection.scalar(text("SELECT count(*) FROM orders WHERE attempt = 1"))
    assert states == {"ENTRYFILLED", "ENTRYREJECTED", "ENTRYENDED", "EXITFILLED", "EXITWAITING"}
    assert outcomes == {"COPIED", "FAILED", "SKIPPED"}
    assert resent == 2


async def test_empty_books_are_clean(database_dsn: str) -> None:
    engine = make_engine(database_dsn, pool_size=1, application_name="tests")
    assert await found(engine) == {}
    await engine.dispose()


@pytest.mark.parametrize("name", DOCTORED)
async def test_a_check_bites_on_the_row_that_breaks_it_and_no_other_check_does(
    books: AsyncEngine, name: str
) -> None:
    async with books.begin() as connection:
        for statement in filter(str.strip, DOCTORED[name].split(";")):
            await connection.execute(text(statement))
    broken = await found(books)
    assert broken.keys() == {name}
    assert broken[name]


def test_every_check_is_seen_to_bite() -> None:
    assert DOCTORED.keys() == QUESTIONS.keys()


async def test_what_is_within_its_bounds_is_not_late(books: AsyncEngine) -> None:
    assert await found(books, AuditBounds(unsettled=timedelta(0))) == {"unsettled-too-long": 1}


async def test_a_check_that_takes_too_long_has_no_count_and_stops_no_other(books: AsyncEngine) -> None:
    slow = Question("It sleeps.", "SELECT pg_sleep(30)::text AS example")
    quick = Question("It finds.", "SELECT 'this' AS example")
    auditor = PostgresAuditor(
        books, timeout=timedelta(milliseconds=50), questions={"slow": slow, "quick": quick}
    )
    first, second = await auditor.findings(AuditBounds())
    assert (first.count, first.is_clean) == (None, False)
    assert (second.count, second.example) == (1, "this")


async def test_a_check_cannot_write(books: AsyncEngine) -> None:
    writing = Question(
        "It writes.",
        "SELECT nextval(pg_get_serial_sequence('outbox', 'id'))::text AS example",
    )
    with pytest.raises(Exception, match="read-only transaction"):
        await PostgresAuditor(books, questions={"writing": writing}).findings(AuditBounds())
