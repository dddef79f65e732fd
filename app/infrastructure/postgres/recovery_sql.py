"""The statements by which work that was left behind is found, hidden from others for a while, and ended."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.types import BigInteger, Numeric, SmallInteger, Text, Uuid

from app.infrastructure.postgres.arrays import arrays
from app.infrastructure.postgres.entry_gate import MAY_ENTER
from app.infrastructure.postgres.execution_sql import ATTEMPT_COLUMNS
from app.infrastructure.postgres.protection_sql import BESIDE, IS_LIVE, MAY_SELL, SPOT_VENUES

JOINS: Final = """
  FROM orders o
  JOIN trades t ON t.follow_id = o.follow_id AND t.signal_id = o.signal_id AND t.leg = o.leg
  JOIN accounts a ON a.id = o.account_id
  LEFT JOIN signals s ON s.id = o.signal_id
"""

SUPERSEDED: Final = """EXISTS (SELECT FROM signals later WHERE later.whale_id = s.whale_id AND later.venue = s.venue
                  AND later.symbol = s.symbol AND later.seq > s.seq AND later.scope IS NULL
                  AND later.action = 'CLOSE')"""
"""Whether the leader has left the market of signal `s` since."""

DOUBTS: Final = text(f"""
WITH due AS (
  SELECT follow_id, signal_id, leg, attempt FROM orders
   WHERE state IN ('SUBMITTING', 'UNKNOWN', 'ABSENT', 'OPEN', 'PARTIAL') AND look_at <= :now
   ORDER BY look_at LIMIT :limit FOR UPDATE SKIP LOCKED),
hidden AS (
  UPDATE orders o SET look_at = :hidden_until FROM due
   WHERE o.follow_id = due.follow_id AND o.signal_id = due.signal_id AND o.leg = due.leg AND o.attempt = due.attempt
  RETURNING o.*)
SELECT {ATTEMPT_COLUMNS}, a.sealed, s.expires_at, {SUPERSEDED} AS superseded,
       t.leg = 'EXIT' AND {BESIDE.format(of="t", symbol="t.symbol", follow="t.follow_id")} AS shared
{JOINS.replace("FROM orders o", "FROM hidden o")}
""")

UNBOOKED: Final = text(f"""
SELECT {ATTEMPT_COLUMNS}, a.sealed, s.expires_at, false AS superseded, false AS shared
{JOINS}
 WHERE NOT t.settled AND t.executed > t.booked AND t.updated_at <= :before AND o.executed > 0
 ORDER BY t.updated_at LIMIT :limit
""")

WAITING: Final = text(f"""
WITH due AS (
  SELECT t.follow_id, t.signal_id, t.leg FROM trades t
   WHERE t.state = 'WAITING' AND t.retry_at <= :now
     AND NOT (t.leg = 'EXIT' AND EXISTS (
       SELECT FROM protections x WHERE x.account_id = t.account_id AND x.symbol = t.symbol AND x.follow_id = t.follow_id
          AND {IS_LIVE})
       AND (t.venue IN ({SPOT_VENUES}) OR {BESIDE.format(of="t", symbol="t.symbol", follow="t.follow_id")}))
   ORDER BY t.retry_at LIMIT :limit FOR UPDATE SKIP LOCKED),
hidden AS (
  UPDATE trades t SET retry_at = :hidden_until FROM due
   WHERE t.follow_id = due.follow_id AND t.signal_id = due.signal_id AND t.leg = due.leg
  RETURNING t.*)
SELECT {ATTEMPT_COLUMNS}, a.sealed, a.hedged, s.expires_at,
       CASE WHEN t.reduce_only THEN NULL WHEN u.state <> 'ACTIVE' THEN 'USER_SUSPENDED'
            WHEN f.state = 'PAUSED' THEN 'FOLLOW_PAUSED' WHEN f.state <> 'ACTIVE' THEN 'FOLLOW_STOPPED'
            WHEN w.state <> 'ACTIVE' THEN 'WHALE_PAUSED'
            WHEN EXISTS (SELECT FROM drift_marks x WHERE x.account_id = t.account_id AND x.what = t.symbol AND x.frozen)
            THEN 'MARKET_FROZEN' END AS stopped,
       EXISTS (SELECT FROM halts x WHERE x.scope = 'PLATFORM' OR (x.scope = 'VENUE' AND x.target = a.venue)
               OR (x.scope = 'USER' AND x.target = a.user_id::text)) AS halted,
       m.wallet, m.wallet - m.held - m.margin AS free, m.high_water,
       CASE WHEN m.realised_day = :today THEN m.realised_today ELSE 0 END AS realised_today,
       l.daily_loss_max AS own_daily, l.drawdown_max AS own_drawdown,
       {SUPERSEDED} AS superseded,
       abs(coalesce((SELECT p.quantity FROM positions p
                      WHERE p.account_id = t.account_id AND p.symbol = t.symbol AND p.follow_id = t.follow_id), 0)
         + coalesce((SELECT sum((u.executed - u.booked) * CASE u.side WHEN 'BUY' THEN 1 ELSE -1 END) FROM trades u
                      WHERE u.account_id = t.account_id AND NOT u.settled AND u.symbol = t.symbol
                        AND u.follow_id = t.follow_id), 0)) AS closable
  FROM hidden t
  JOIN orders o ON o.follow_id = t.follow_id AND o.signal_id = t.signal_id AND o.leg = t.leg AND o.attempt = t.attempt
  JOIN accounts a ON a.id = t.account_id
  LEFT JOIN funds m ON m.account_id = t.account_id
  LEFT JOIN follows f ON f.id = t.follow_id
  LEFT JOIN users u ON u.id = f.user_id
  LEFT JOIN whales w ON w.id = f.whale_id
  LEFT JOIN user_limits l ON l.user_id = f.user_id
  LEFT JOIN signals s ON s.id = t.signal_id
""")

RESUBMIT: Final = arrays(
    f"""
WITH v AS (
  SELECT * FROM unnest(:follow, :signal, :leg, :attempt, :cid, :quantity)
    AS v(follow_id, signal_id, leg, attempt, cid, quantity)),
mine AS (
  UPDATE trades t SET state = 'WORKING', attempt = v.attempt, retry_at = NULL, updated_at = now(),
         version = t.version + 1
    FROM v
   WHERE t.follow_id = v.follow_id AND t.signal_id = v.signal_id AND t.leg = v.leg AND t.state = 'WAITING'
     AND t.attempt = v.attempt - 1 AND (t.reduce_only OR {MAY_ENTER.format(follow="t.follow_id")})
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

ABANDON: Final = arrays(
    """
WITH v AS (
  SELECT * FROM unnest(:follow, :signal, :leg, :code, :reason) AS v(follow_id, signal_id, leg, code, reason)),
locked AS MATERIALIZED (
  SELECT t.follow_id, t.signal_id, t.leg, t.account_id, t.hold_left, t.executed FROM trades t JOIN v USING (follow_id, signal_id, leg)
   WHERE t.state IN ('WAITING', 'ABSENT') ORDER BY t.account_id FOR UPDATE OF t),
given AS (
  UPDATE trades t SET state = 'ABANDONED', hold_left = 0, settled = t.executed <= t.booked, retry_at = NULL,
         updated_at = now(), version = t.version + 1
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
 WHERE l.executed = 0 AND d.follow_id = v.follow_id AND d.signal_id = v.signal_id AND d.outcome IN ('COPIED', 'REDUCED')
""",
    follow=BigInteger,
    signal=Uuid,
    leg=Text,
    code=Text,
    reason=Text,
)

DEFERRED: Final = text(f"""
UPDATE signals s SET state = 'PENDING', version = s.version + 1
 WHERE s.state IN ('DONE', 'EXPIRED') AND s.id IN (
   SELECT d.signal_id FROM decisions d
     JOIN follows f ON f.id = d.follow_id
     JOIN signals w ON w.id = d.signal_id
    WHERE d.outcome = 'DEFERRED'
      AND (d.code <> 'MARKET_UNLISTED' OR d.decided_at < now() - interval '30 seconds')
      AND NOT EXISTS (SELECT FROM trades t WHERE t.account_id = f.account_id AND NOT t.settled
                         AND t.follow_id = d.follow_id
                         AND split_part(t.symbol, '-', 1) = split_part(w.symbol, '-', 1)
                         AND (t.state IN ('WAITING', 'WORKING') OR (t.state = 'ABSENT' AND d.code = 'ENTRY_STILL_OPEN')))
      AND NOT (d.code = 'PROTECTION_STILL_RESTS' AND EXISTS (
        SELECT FROM protections x WHERE x.account_id = f.account_id AND x.follow_id = d.follow_id
           AND split_part(x.symbol, '-', 1) = split_part(w.symbol, '-', 1) AND {MAY_SELL}))
    ORDER BY d.decided_at LIMIT :limit)
RETURNING s.id, s.lane
""")

KNOWN: Final = text("""
SELECT o.venue_order_id FROM orders o
  JOIN trades t ON t.follow_id = o.follow_id AND t.signal_id = o.signal_id AND t.leg = o.leg
 WHERE o.follow_id IN (SELECT id FROM follows WHERE account_id = :account)
   AND t.symbol = :symbol AND o.venue_order_id IS NOT NULL AND o.created_at >= :since
""")

HELD: Final = text("""
SELECT CASE WHEN EXISTS (SELECT FROM trades t WHERE t.account_id = :account AND NOT t.settled AND t.symbol = :symbol
                            AND t.leg = 'ENTRY' AND t.state = 'WORKING') THEN NULL ELSE
       coalesce((SELECT sum(quantity) FROM positions WHERE account_id = :account AND symbol = :symbol), 0)
     + coalesce((SELECT sum((t.executed - t.booked) * CASE t.side WHEN 'BUY' THEN 1 ELSE -1 END) FROM trades t
                  WHERE t.account_id = :account AND NOT t.settled AND t.symbol = :symbol), 0) END
""")
"""What all follows of an account hold on a market, with executions that the venue told of and whose fills are not booked yet;
NULL while an entry may be executing.
"""
