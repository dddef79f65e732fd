"""After the storm: wait until nothing is open any more, then count."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from app.application.trading.audit import AuditBounds
from app.infrastructure.postgres.audit import PostgresAuditor
from tests.support.books import books_differ
from tests.support.system import System, until
from tools.chaos.counts import (
    CLOSES,
    LEAKS,
    LOTS,
    OURS,
    TRADED,
    Counts,
    Leaving,
    duplicates,
    lost_closes,
    not_left,
    orphans,
)
from tools.chaos.resting import stray_and_double

OPEN: Final = """
SELECT (SELECT count(*) FROM signals WHERE state IN ('PENDING', 'DISPATCHING')) AS signals,
       (SELECT count(*) FROM decisions WHERE outcome = 'DEFERRED') AS deferred,
       (SELECT count(*) FROM trades WHERE NOT settled) AS trades,
       (SELECT count(*) FROM leader_fills WHERE whale_id = (SELECT min(id) FROM whales)) AS leader_fills
"""
UNEQUAL: Final = """
SELECT (SELECT count(*) FROM protections WHERE state IN ('PLACING', 'UNKNOWN', 'CANCELING')) AS unclear_protections,
       (SELECT count(*) FROM protections x WHERE x.state = 'RESTING' AND NOT EXISTS (
          SELECT FROM positions p WHERE p.follow_id = x.follow_id AND p.symbol = x.symbol AND p.quantity <> 0)
       ) AS protections_without_lot,
       (SELECT count(*) FROM protections x WHERE x.state = 'RESTING' AND EXISTS (
          SELECT FROM protections y WHERE y.follow_id = x.follow_id AND y.symbol = x.symbol AND y.rung = x.rung
             AND y.attempt > x.attempt AND y.state = 'RESTING')) AS replaced_protections,
       (SELECT count(*) FROM positions p JOIN follows f ON f.id = p.follow_id
         WHERE p.quantity <> 0 AND coalesce(f.protection ->> 'stop_loss', f.protection ->> 'trailing') IS NOT NULL
           AND NOT EXISTS (SELECT FROM protections x WHERE x.follow_id = p.follow_id AND x.symbol = p.symbol
                              AND x.rung = 'SL' AND x.state = 'RESTING' AND x.quantity = abs(p.quantity))
       ) AS lots_without_stop,
       (SELECT count(*) FROM drift_marks WHERE kind <> 'MANUAL_TRADE') AS open_drift
"""
"""What keeper and reconciliation have not made equal yet. They are at rest when each lot has the stop that its terms ask for,
nothing else rests, and no difference is left but what owners hold besides.
"""
_EXAMPLES: Final = """
SELECT p.follow_id, p.symbol, p.quantity AS lot, x.rung, x.attempt, x.state, x.quantity, x.trigger, x.looks, x.look_at, x.code,
       x.message, x.updated_at, now() AS now
  FROM protections x FULL JOIN positions p ON p.follow_id = x.follow_id AND p.symbol = x.symbol
 WHERE x.state IN ('PLACING', 'UNKNOWN', 'CANCELING', 'RESTING') OR (p.quantity <> 0 AND x.created_at > p.opened_at)
 ORDER BY p.follow_id, p.symbol, x.rung, x.attempt LIMIT 40
"""
EVENTS: Final = "SELECT count(*) FROM outbox"
_POLL_S: Final = 0.05
_BOOKS_S: Final = 0.5
"""To compare all books costs the machine more than what it waits for."""
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


async def at_rest(system: System, within_s: float) -> float:
    """Wait until nothing is open, every lot has its stop, and the books are the exchange's; as `converged` else.

    Events are looked at first: what one of them sets off, a flatten say, is there before the event is gone.
    """
    began = time.monotonic()
    while True:
        left: object = {"events": await system.value(EVENTS)}
        if left == {"events": 0}:
            left = await open_work(system) or dict((await system.rows(UNEQUAL))[0])
        if isinstance(left, dict):
            left = {kind: number for kind, number in left.items() if number}
        pause_s = _POLL_S
        if not left:
            left, pause_s = await books_differ(system), _BOOKS_S
        if not left:
            return time.monotonic() - began
        if time.monotonic() - began > within_s:
            examples = [dict(row) for row in await system.rows(_EXAMPLES)]
            raise AssertionError(f"not at rest within {within_s} s: {left}; {examples}")
        await asyncio.sleep(pause_s)


async def delivered(system: System, within_s: float) -> None:
    """Wait until the outbox is empty: a relay that was killed holds its events for as long as its lease runs."""
    await until(lambda: _none_left(system), within_s, what="an empty outbox")


async def _none_left(system: System) -> bool:
    return not await system.value(EVENTS)


async def count(system: System, leavings: Sequence[Leaving] = ()) -> Counts:
    """Count the breaches at the exchange's ledger, in our books and between them; `leavings` is what people were promised."""
    operator, leader = system.simulator.operator, system.leader["account_id"]
    orders, positions = [await asyncio.to_thread(operator.ledger, view) for view in ("orders", "positions")]
    theirs = [order for order in orders if order["account_id"] != leader]
    ours = await system.rows(OURS)
    strays, doubles = await stray_and_double(system)
    findings = await PostgresAuditor(system.app.engine).findings(AuditBounds())
    return Counts(
        duplicates=(*duplicates(theirs, ours), *doubles),
        lost_closes=(
            *lost_closes(positions, leader),
            *not_left(
                await system.rows(LOTS), await system.rows(CLOSES), leavings, await system.rows(TRADED)
            ),
        ),
        leaked_holds=tuple(row["label"] for row in await system.rows(LEAKS)),
        orphans=(*orphans(theirs, ours), *strays),
        books=tuple(await books_differ(system)),
        audit=tuple(f"{one.name}: {one.count} ({one.example})" for one in findings if not one.is_clean),
    )
