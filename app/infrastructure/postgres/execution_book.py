"""The execution book: opens sessions, and finds work that was left behind by a crash, a lost reply or a wait.

Whatever it hands out is hidden from other workers for a while by moving the row's own time forward: no lock is
held while the venue is asked, and a worker that dies gives its work back by doing nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import BigInteger, Numeric, SmallInteger, Text, Uuid

from app.application.trading.ports import (
    AttemptKey,
    Doubt,
    ExecutionSession,
    LedgerEntry,
    Resend,
    WaitingTrade,
    Window,
)
from app.domain.shared.clock import Clock
from app.domain.shared.ids import AccountId, ClientOrderId, SignalId
from app.domain.shared.market import Symbol
from app.domain.shared.money import Money, Quantity
from app.domain.signals.priority import Lane
from app.infrastructure.postgres import execution_sql as sql
from app.infrastructure.postgres.arrays import arrays
from app.infrastructure.postgres.execution_session import PostgresExecutionSession, stored_attempt
from app.infrastructure.postgres.outage import translated
from app.infrastructure.postgres.wallet_sql import BOOK_FUNDING, BOOK_TRANSFER, LEVERAGE, SYNC_WALLET

_JOINS: Final = """
  FROM orders o
  JOIN trades t ON t.follow_id = o.follow_id AND t.signal_id = o.signal_id AND t.leg = o.leg
  JOIN accounts a ON a.id = o.account_id
  LEFT JOIN signals s ON s.id = o.signal_id
"""

_DOUBTS: Final = text(f"""
WITH due AS (
  SELECT follow_id, signal_id, leg, attempt FROM orders
   WHERE state IN ('SUBMITTING', 'UNKNOWN', 'ABSENT') AND look_at <= :now
   ORDER BY look_at LIMIT :limit FOR UPDATE SKIP LOCKED),
hidden AS (
  UPDATE orders o SET look_at = :hidden_until FROM due
   WHERE o.follow_id = due.follow_id AND o.signal_id = due.signal_id AND o.leg = due.leg AND o.attempt = due.attempt
  RETURNING o.*)
SELECT {sql.ATTEMPT_COLUMNS}, a.sealed, s.expires_at
{_JOINS.replace("FROM orders o", "FROM hidden o")}
""")

_UNBOOKED: Final = text(f"""
SELECT {sql.ATTEMPT_COLUMNS}, a.sealed, s.expires_at
{_JOINS}
 WHERE NOT t.settled AND t.executed > t.booked AND t.updated_at <= :before AND o.executed > 0
 ORDER BY t.updated_at LIMIT :limit
""")

_WAITING: Final = text(f"""
WITH due AS (
  SELECT follow_id, signal_id, leg FROM trades
   WHERE state = 'WAITING' AND retry_at <= :now ORDER BY retry_at LIMIT :limit FOR UPDATE SKIP LOCKED),
hidden AS (
  UPDATE trades t SET retry_at = :hidden_until FROM due
   WHERE t.follow_id = due.follow_id AND t.signal_id = due.signal_id AND t.leg = due.leg
  RETURNING t.*)
SELECT {sql.ATTEMPT_COLUMNS}, a.sealed, s.expires_at,
       EXISTS (SELECT FROM signals later WHERE later.whale_id = s.whale_id AND later.venue = s.venue
                  AND later.symbol = s.symbol AND later.seq > s.seq AND later.scope IS NULL
                  AND later.action = 'CLOSE') AS superseded,
       greatest(0, coalesce((SELECT abs(p.quantity) FROM positions p
                              WHERE p.account_id = t.account_id AND p.symbol = t.symbol
                                AND p.follow_id = t.follow_id), 0)) AS closable
  FROM hidden t
  JOIN orders o ON o.follow_id = t.follow_id AND o.signal_id = t.signal_id AND o.leg = t.leg AND o.attempt = t.attempt
  JOIN accounts a ON a.id = t.account_id
  LEFT JOIN signals s ON s.id = t.signal_id
""")

_RESUBMIT: Final = arrays(
    """
WITH v AS (
  SELECT * FROM unnest(:follow, :signal, :leg, :attempt, :cid, :quantity)
    AS v(follow_id, signal_id, leg, attempt, cid, quantity)),
mine AS (
  UPDATE trades t SET state = 'WORKING', attempt = v.attempt, retry_at = NULL, updated_at = now(),
         version = t.version + 1
    FROM v
   WHERE t.follow_id = v.follow_id AND t.signal_id = v.signal_id AND t.leg = v.leg AND t.state = 'WAITING'
     AND t.attempt = v.attempt - 1
  RETURNING t.follow_id, t.signal_id, t.leg, t.account_id)
INSERT INTO orders (follow_id, signal_id, leg, attempt, account_id, client_order_id, state, signed_ms, valid_ms,
                    quantity, look_at)
SELECT v.follow_id, v.signal_id, v.leg, v.attempt, mine.account_id, v.cid, 'SUBMITTING', :signed_ms, :valid_ms,
       v.quantity, :look_at
  FROM v JOIN mine USING (follow_id, signal_id, leg)
RETURNING client_order_id
""",
    follow=BigInteger,
    signal=Uuid,
    leg=Text,
    attempt=SmallInteger,
    cid=Text,
    quantity=Numeric,
)

_ABANDON: Final = arrays(
    """
WITH v AS (
  SELECT * FROM unnest(:follow, :signal, :leg, :code, :reason) AS v(follow_id, signal_id, leg, code, reason)),
locked AS MATERIALIZED (
  SELECT t.follow_id, t.signal_id, t.leg, t.account_id, t.hold_left FROM trades t JOIN v USING (follow_id, signal_id, leg)
   WHERE t.state IN ('WAITING', 'ABSENT') ORDER BY t.account_id FOR UPDATE OF t),
given AS (
  UPDATE trades t SET state = 'ABANDONED', hold_left = 0, settled = true, retry_at = NULL, updated_at = now(),
         version = t.version + 1
    FROM locked l WHERE t.follow_id = l.follow_id AND t.signal_id = l.signal_id AND t.leg = l.leg),
silent AS (
  UPDATE orders o SET look_at = NULL
    FROM locked l WHERE o.follow_id = l.follow_id AND o.signal_id = l.signal_id AND o.leg = l.leg),
freed AS (
  UPDATE funds m SET held = m.held - l.hold_left
    FROM (SELECT account_id, sum(hold_left) AS hold_left FROM locked GROUP BY account_id) l
   WHERE m.account_id = l.account_id)
UPDATE decisions d SET outcome = 'FAILED', code = v.code, reason = v.reason, decided_at = now()
  FROM v JOIN locked l USING (follow_id, signal_id, leg)
 WHERE d.follow_id = v.follow_id AND d.signal_id = v.signal_id AND d.outcome IN ('COPIED', 'REDUCED')
""",
    follow=BigInteger,
    signal=Uuid,
    leg=Text,
    code=Text,
    reason=Text,
)

_DEFERRED: Final = text("""
UPDATE signals s SET state = 'PENDING', version = s.version + 1
 WHERE s.state IN ('DONE', 'EXPIRED') AND s.id IN (
   SELECT d.signal_id FROM decisions d
     JOIN follows f ON f.id = d.follow_id
     JOIN signals w ON w.id = d.signal_id
    WHERE d.outcome = 'DEFERRED'
      AND NOT EXISTS (SELECT FROM trades t WHERE t.account_id = f.account_id AND NOT t.settled
                         AND t.follow_id = d.follow_id AND t.symbol = w.symbol AND t.state IN ('WAITING', 'WORKING'))
    LIMIT :limit)
RETURNING s.id, s.lane
""")

_KNOWN: Final = text("""
SELECT o.venue_order_id FROM orders o
  JOIN trades t ON t.follow_id = o.follow_id AND t.signal_id = o.signal_id AND t.leg = o.leg
 WHERE o.follow_id IN (SELECT id FROM follows WHERE account_id = :account)
   AND t.symbol = :symbol AND o.venue_order_id IS NOT NULL AND o.created_at >= :since
""")


class PostgresExecutionBook:
    """The execution book in PostgreSQL."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def session(self) -> AbstractAsyncContextManager[ExecutionSession]:
        """Begin a transaction; leaving it without an error commits."""
        return self._session()

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[ExecutionSession]:
        async with translated(), self._engine.begin() as connection:
            yield PostgresExecutionSession(connection, self._clock.now())

    async def doubts(self, now: datetime, limit: int, hide_for: timedelta) -> Sequence[Doubt]:
        """Take attempts whose fate must be looked up now."""
        values = {"now": now, "limit": limit, "hidden_until": now + hide_for}
        async with self._engine.begin() as connection:
            return [_doubt(row) for row in (await connection.execute(_DOUBTS, values)).mappings()]

    async def unbooked(self, now: datetime, older_than: timedelta, limit: int) -> Sequence[Doubt]:
        """Return attempts whose executions were reported and whose fills are still missing."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(_UNBOOKED, {"before": now - older_than, "limit": limit})
            return [_doubt(row) for row in rows.mappings()]

    async def waiting(self, now: datetime, limit: int, hide_for: timedelta) -> Sequence[WaitingTrade]:
        """Take trades of which nothing is out and that may be sent now."""
        values = {"now": now, "limit": limit, "hidden_until": now + hide_for}
        async with self._engine.begin() as connection:
            rows = (await connection.execute(_WAITING, values)).mappings()
            return [
                WaitingTrade(
                    attempt=stored_attempt(row),
                    sealed=row["sealed"],
                    signal_expires_at=row["expires_at"],
                    superseded=row["superseded"],
                    closable=Quantity(row["closable"]),
                )
                for row in rows
            ]

    async def resubmit(self, ready: Sequence[Resend], window: Window) -> frozenset[ClientOrderId]:
        """Store new attempts and return those that are now ours to send."""
        keys = [item.waiting.attempt.key for item in ready]
        values = {
            "follow": [key.follow_id for key in keys],
            "signal": [key.signal_id for key in keys],
            "leg": [key.leg.value for key in keys],
            "attempt": [key.attempt + 1 for key in keys],
            "cid": [item.client_order_id for item in ready],
            "quantity": [item.quantity for item in ready],
            "signed_ms": window.signed_ms,
            "valid_ms": window.valid_ms,
            "look_at": window.look_at,
        }
        async with self._engine.begin() as connection:
            rows = await connection.execute(_RESUBMIT, values)
            return frozenset(ClientOrderId(cid) for cid in rows.scalars())

    async def abandon(self, trades: Sequence[tuple[AttemptKey, str, str]]) -> None:
        """Give trades up for good."""
        values = {
            "follow": [key.follow_id for key, _, _ in trades],
            "signal": [key.signal_id for key, _, _ in trades],
            "leg": [key.leg.value for key, _, _ in trades],
            "code": [code for _, code, _ in trades],
            "reason": [reason for _, _, reason in trades],
        }
        async with self._engine.begin() as connection:
            await connection.execute(_ABANDON, values)

    async def deferred(self, limit: int) -> Sequence[tuple[SignalId, Lane]]:
        """Put finished signals whose deferred decisions can be taken now back in line."""
        async with self._engine.begin() as connection:
            rows = await connection.execute(_DEFERRED, {"limit": limit})
            return [(SignalId(signal_id), Lane(lane)) for signal_id, lane in rows]

    async def known_order_ids(self, account: AccountId, symbol: Symbol, since: datetime) -> frozenset[str]:
        """Return the venue's ids of all orders that we know on an account's market."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(_KNOWN, {"account": account, "symbol": symbol, "since": since})
            return frozenset(rows.scalars())

    async def sync_wallet(self, account: AccountId, wallet: Money, at: datetime) -> None:
        """Set the wallet to the venue's word; the difference becomes a ledger entry."""
        values = {"account": account, "wallet": wallet, "at": at, "key": f"sync:{at.isoformat()}"}
        async with self._engine.begin() as connection:
            await connection.execute(SYNC_WALLET, values)

    async def book_funding(self, entries: Sequence[LedgerEntry]) -> None:
        """Book funding payments, each once, into wallet and position."""
        async with self._engine.begin() as connection:
            for entry in entries:
                values = {
                    "account": entry.account_id,
                    "key": entry.entry_key,
                    "amount": entry.amount,
                    "symbol": entry.symbol,
                    "at": entry.at,
                    "today": self._clock.now().date(),
                }
                await connection.execute(BOOK_FUNDING, values)

    async def holds_positions(self, account: AccountId) -> bool:
        """Return whether the account holds anything."""
        statement = text(
            "SELECT EXISTS (SELECT FROM positions WHERE account_id = :account AND quantity <> 0)"
        )
        async with self._engine.connect() as connection:
            return bool(await connection.scalar(statement, {"account": account}))

    async def book_transfer(self, entry: LedgerEntry) -> None:
        """Book a deposit or withdrawal, once."""
        values = {
            "account": entry.account_id,
            "key": entry.entry_key,
            "kind": entry.kind,
            "amount": entry.amount,
            "at": entry.at,
        }
        async with self._engine.begin() as connection:
            await connection.execute(BOOK_TRANSFER, values)

    async def leverage_is(self, told: Sequence[tuple[AccountId, Symbol, int]]) -> None:
        """Remember what the venue was told."""
        values = {
            "account": [account for account, _, _ in told],
            "symbol": [symbol for _, symbol, _ in told],
            "leverage": [leverage for _, _, leverage in told],
        }
        async with self._engine.begin() as connection:
            await connection.execute(LEVERAGE, values)


def _doubt(row: RowMapping) -> Doubt:
    return Doubt(attempt=stored_attempt(row), sealed=row["sealed"], signal_expires_at=row["expires_at"])
