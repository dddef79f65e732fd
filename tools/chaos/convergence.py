"""After the storm: wait until nothing is open any more, then count."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from app.application.trading.audit import AuditBounds
from app.infrastructure.postgres.audit import PostgresAuditor
from tests.support.books import books_differ
from tests.support.system import System, until
from tools.chaos.counts import LEAKS, OURS, Counts, duplicates, lost_closes, orphans

OPEN: Final = """
SELECT (SELECT count(*) FROM signals WHERE state IN ('PENDING', 'DISPATCHING')) AS signals,
       (SELECT count(*) FROM decisions WHERE outcome = 'DEFERRED') AS deferred,
       (SELECT count(*) FROM trades WHERE NOT settled) AS trades,
       (SELECT count(*) FROM leader_fills) AS leader_fills
"""
EVENTS: Final = "SELECT count(*) FROM outbox"
_POLL_S: Final = 0.05
_AWAY: Final = (SQLAlchemyError, OSError)


async def open_work(system: System) -> dict[str, int] | None:
    """Return what is still open, by kind; None while the database is away."""
    try:
        row = dict((await system.rows(OPEN))[0])
    except _AWAY:
        return None
    leader = system.leader["account_id"]
    fills = await asyncio.to_thread(system.simulator.operator.ledger, "fills", leader)
    row["leader_fills"] = len(fills) - row["leader_fills"]
    return {kind: number for kind, number in row.items() if number}


async def converged(system: System, within_s: float) -> float:
    """Wait until nothing is open; return the seconds that it took. AssertionError, with what is open, when it takes longer."""
    began = time.monotonic()
    while (left := await open_work(system)) != {}:
        if time.monotonic() - began > within_s:
            raise AssertionError(f"not converged within {within_s} s: {left}")
        await asyncio.sleep(_POLL_S)
    return time.monotonic() - began


async def delivered(system: System, within_s: float) -> None:
    """Wait until the outbox is empty: a relay that was killed holds its events for half a minute."""
    await until(lambda: _none_left(system), within_s, what="an empty outbox")


async def _none_left(system: System) -> bool:
    return not await system.value(EVENTS)


async def count(system: System) -> Counts:
    """Count the breaches at the exchange's ledger, in our books and between them."""
    operator, leader = system.simulator.operator, system.leader["account_id"]
    orders, positions = [await asyncio.to_thread(operator.ledger, view) for view in ("orders", "positions")]
    theirs = [order for order in orders if order["account_id"] != leader]
    ours = await system.rows(OURS)
    findings = await PostgresAuditor(system.app.engine).findings(AuditBounds())
    return Counts(
        duplicates=duplicates(theirs, ours),
        lost_closes=lost_closes(positions, leader),
        leaked_holds=tuple(row["label"] for row in await system.rows(LEAKS)),
        orphans=orphans(theirs, ours),
        books=tuple(await books_differ(system)),
        audit=tuple(f"{one.name}: {one.count} ({one.example})" for one in findings if not one.is_clean),
    )
