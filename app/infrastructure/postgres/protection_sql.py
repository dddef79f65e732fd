"""The statements of protections: what is guarded, what may still sell, what is due, and the exit that a trigger becomes."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.types import BigInteger, Text, Uuid

from app.domain.exchanges.venue import CAPABILITIES
from app.domain.shared.market import MarketKind
from app.infrastructure.postgres.arrays import arrays

_LIVE: Final = "('PLACING', 'UNKNOWN', 'RESTING', 'CANCELING')"
_LOOKED_AT: Final = "('PLACING', 'UNKNOWN', 'RESTING', 'CANCELING', 'ABSENT')"

SPOT_VENUES: Final = ", ".join(
    f"'{venue.value}'" for venue, can in CAPABILITIES.items() if can.kind is MarketKind.SPOT
)

IS_LIVE: Final = f"x.state IN {_LIVE}"
"""Whether the protection `x` may rest at its venue or come to rest there."""

MAY_SELL: Final = f"""({IS_LIVE} OR x.state = 'TRIGGERED' AND EXISTS (
    SELECT FROM trades became WHERE became.follow_id = x.follow_id AND became.signal_id = x.signal_id
       AND became.leg = 'EXIT' AND NOT became.settled))"""
"""Whether the protection `x` is not proven over: neither ended nor, where it triggered, booked."""

BESIDE: Final = """(
  EXISTS (SELECT FROM positions beside WHERE beside.account_id = {of}.account_id AND beside.symbol = {symbol}
             AND beside.follow_id <> {follow} AND beside.quantity <> 0)
  OR EXISTS (SELECT FROM trades coming WHERE coming.account_id = {of}.account_id AND NOT coming.settled
                AND coming.symbol = {symbol} AND coming.follow_id <> {follow} AND coming.leg = 'ENTRY'))"""
"""Whether another follow of the account holds a lot of the market, or has one coming: of the same side, for there is no other."""

OVERSELLS: Final = f"""EXISTS (
  SELECT FROM (
    SELECT x.follow_id, x.quantity FROM protections x
     WHERE x.account_id = {{of}}.account_id AND x.symbol = {{symbol}} AND x.follow_id <> {{follow}} AND x.side <> {{side}}
       AND {IS_LIVE}
    UNION ALL
    SELECT t.follow_id, CASE WHEN t.state IN ('WAITING', 'WORKING') THEN t.quantity ELSE t.executed END - t.booked
      FROM trades t
     WHERE t.account_id = {{of}}.account_id AND NOT t.settled AND t.symbol = {{symbol}} AND t.follow_id <> {{follow}}
       AND t.side <> {{side}} AND t.leg = 'EXIT') out
   GROUP BY out.follow_id
  HAVING sum(out.quantity) > coalesce((
    SELECT abs(p.quantity) FROM positions p
     WHERE p.account_id = {{of}}.account_id AND p.symbol = {{symbol}} AND p.follow_id = out.follow_id), 0))"""
"""Whether the protections and exits of another follow could together close more than it holds: then also what is bought now."""

_AWAITED: Final = """EXISTS (
  SELECT FROM decisions d JOIN signals w ON w.id = d.signal_id JOIN follows other ON other.id = d.follow_id
   WHERE d.outcome = 'DEFERRED' AND d.code = 'OTHER_MAY_OVERSELL' AND d.follow_id <> {of}.follow_id
     AND other.account_id = {of}.account_id AND split_part(w.symbol, '-', 1) = split_part({of}.symbol, '-', 1))"""

_WAITS: Final = """
  d.outcome = 'DEFERRED' AND d.code = 'PROTECTION_STILL_RESTS' AND split_part(w.symbol, '-', 1) = split_part({symbol}, '-', 1)"""

_EXIT_WAITS: Final = f"""EXISTS (
    SELECT FROM decisions d JOIN signals w ON w.id = d.signal_id
     WHERE d.follow_id = {{of}}.follow_id AND {_WAITS.format(symbol="{of}.symbol")})"""

_LEAVING: Final = f"""(
  EXISTS (SELECT FROM trades t WHERE t.account_id = {{of}}.account_id AND NOT t.settled AND t.follow_id = {{of}}.follow_id
             AND t.symbol = {{of}}.symbol AND t.leg = 'EXIT')
  OR {_EXIT_WAITS})"""

GUARDED: Final = text(f"""
WITH held AS (
  SELECT p.follow_id, p.symbol, p.account_id, p.quantity, p.cost, p.opened_at
    FROM positions p JOIN follows f ON f.id = p.follow_id
   WHERE p.quantity <> 0 AND f.protection <> '{{}}'),
orphaned AS (
  SELECT DISTINCT x.follow_id, x.symbol, x.account_id FROM protections x
   WHERE x.state IN {_LIVE}
     AND NOT EXISTS (SELECT FROM held h WHERE h.follow_id = x.follow_id AND h.symbol = x.symbol)),
guarded AS (
  SELECT * FROM held
  UNION ALL
  SELECT o.follow_id, o.symbol, o.account_id, coalesce(p.quantity, 0), coalesce(p.cost, 0), p.opened_at
    FROM orphaned o LEFT JOIN positions p ON p.account_id = o.account_id AND p.symbol = o.symbol
                                         AND p.follow_id = o.follow_id)
SELECT g.follow_id, g.symbol, g.account_id, g.quantity, g.cost, g.opened_at, f.whale_id, f.protection, a.venue, a.sealed,
       a.hedged, m.best, m.bare_since,
       {_LEAVING.format(of="g")} AS leaving,
       {BESIDE.format(of="g", symbol="g.symbol", follow="g.follow_id")} OR {_AWAITED.format(of="g")}
       OR {_EXIT_WAITS.format(of="g")} AS shared
  FROM guarded g
  JOIN follows f ON f.id = g.follow_id
  JOIN accounts a ON a.id = g.account_id
  LEFT JOIN protection_marks m ON m.follow_id = g.follow_id AND m.symbol = g.symbol AND m.opened_at = g.opened_at
 WHERE octet_length(a.sealed) > 0
 ORDER BY g.follow_id, g.symbol
""")

ROWS: Final = arrays(
    f"""
SELECT x.*, v.opened_at AS since FROM protections x
  JOIN unnest(:follow, :symbol) AS k(follow_id, symbol) USING (follow_id, symbol)
  LEFT JOIN positions v ON v.account_id = x.account_id AND v.symbol = x.symbol AND v.follow_id = x.follow_id
 WHERE x.state IN {_LIVE} OR v.opened_at IS NULL OR x.created_at >= v.opened_at
 ORDER BY x.rung, x.attempt
""",
    follow=BigInteger,
    symbol=Text,
)

NEWEST: Final = arrays(
    """
SELECT follow_id, symbol, rung, max(attempt) AS attempt FROM protections
  JOIN unnest(:follow, :symbol) AS k(follow_id, symbol) USING (follow_id, symbol)
 GROUP BY follow_id, symbol, rung
""",
    follow=BigInteger,
    symbol=Text,
)

MAY_PLACE: Final = text(f"""
SELECT NOT (CAST(:is_spot AS boolean) OR {BESIDE.format(of="p", symbol="p.symbol", follow="p.follow_id")})
    OR (NOT {_LEAVING.format(of="p")}
        AND abs(p.quantity) >= CAST(:quantity AS numeric) + (
            SELECT coalesce(sum(x.quantity), 0) FROM protections x
             WHERE x.account_id = p.account_id AND x.symbol = p.symbol AND x.follow_id = p.follow_id AND {IS_LIVE}))
  FROM positions p WHERE p.account_id = :account_id AND p.symbol = :symbol AND p.follow_id = :follow_id
""")
"""Whether a protection may be placed. Of a lot that is alone always: its orders only reduce. At spot, and beside another lot,
while no exit of the follow goes or waits, and what it holds suffices for all that rests.
"""

FOR_MAY_SELL: Final = arrays(
    f"""
SELECT x.*, a.sealed FROM protections x JOIN accounts a ON a.id = x.account_id
 WHERE x.account_id IN (SELECT f.account_id FROM follows f WHERE f.id = ANY(:follow))
   AND x.symbol = :symbol AND x.follow_id = ANY(:follow) AND {MAY_SELL}
""",
    follow=BigInteger,
)

REOPEN: Final = text(f"""
UPDATE signals s SET state = 'PENDING', version = s.version + 1
 WHERE s.state IN ('DONE', 'EXPIRED')
   AND s.id IN (SELECT d.signal_id FROM decisions d JOIN signals w ON w.id = d.signal_id
                 WHERE d.follow_id = :follow AND {_WAITS.format(symbol="CAST(:symbol AS text)")})
   AND NOT EXISTS (SELECT FROM protections x WHERE x.account_id = :account AND x.symbol = :symbol
                      AND x.follow_id = :follow AND {MAY_SELL})
RETURNING s.id, s.lane
""")

REOPEN_ENTRIES: Final = text("""
UPDATE signals s SET state = 'PENDING', version = s.version + 1
 WHERE s.state IN ('DONE', 'EXPIRED')
   AND s.id IN (SELECT d.signal_id FROM decisions d
                  JOIN signals w ON w.id = d.signal_id
                  JOIN follows f ON f.id = d.follow_id
                 WHERE d.outcome = 'DEFERRED' AND d.code = 'OTHER_MAY_OVERSELL' AND d.follow_id <> :follow
                   AND f.account_id = :account
                   AND split_part(w.symbol, '-', 1) = split_part(CAST(:symbol AS text), '-', 1))
RETURNING s.id, s.lane
""")

BEGIN: Final = text("""
INSERT INTO protections (follow_id, symbol, rung, attempt, account_id, venue, client_order_id, signal_id, kind, side,
                         trigger, quantity, state, signed_ms, valid_ms, look_at)
VALUES (:follow_id, :symbol, :rung, :attempt, :account_id, :venue, :client_order_id, :signal_id, :kind, :side,
        :trigger, :quantity, :state, :signed_ms, :valid_ms, :look_at)
ON CONFLICT DO NOTHING RETURNING client_order_id
""")

CHANGE: Final = text("""
UPDATE protections
   SET state = :state, protection_id = :protection_id, order_id = :order_id, looks = :looks, look_at = :look_at,
       code = :code, message = :message, updated_at = now(), version = version + 1
 WHERE client_order_id = :client_order_id AND state = :was
RETURNING client_order_id
""")

BY_CLIENT_ID: Final = text("SELECT * FROM protections WHERE client_order_id = :client_order_id")

# One that triggered is looked up until the order that it became has a number: some venues find it by nothing else.
DUE: Final = text(f"""
WITH open AS (
  SELECT client_order_id FROM protections WHERE state IN {_LOOKED_AT} AND look_at <= :now
   ORDER BY look_at LIMIT :limit FOR UPDATE SKIP LOCKED),
nameless AS (
  SELECT x.client_order_id FROM trades t JOIN protections x ON x.signal_id = t.signal_id AND x.follow_id = t.follow_id
     AND x.account_id = t.account_id AND x.symbol = t.symbol
   WHERE NOT t.settled AND t.leg = 'EXIT' AND x.state = 'TRIGGERED' AND x.order_id IS NULL AND x.look_at <= :now
   LIMIT :limit FOR UPDATE OF x SKIP LOCKED),
due AS (SELECT client_order_id FROM open UNION ALL SELECT client_order_id FROM nameless)
UPDATE protections x SET look_at = :hidden_until
  FROM due, accounts a
 WHERE x.client_order_id = due.client_order_id AND a.id = x.account_id
RETURNING x.*, a.sealed
""")

NUMBER: Final = text("""
UPDATE protections SET order_id = :order_id, look_at = NULL, updated_at = now(), version = version + 1
 WHERE client_order_id = :client_order_id AND state = 'TRIGGERED' AND order_id IS NULL
RETURNING client_order_id
""")

NUMBER_ORDER: Final = text("""
UPDATE orders SET venue_order_id = :order_id, look_at = :at
 WHERE client_order_id = :client_order_id AND venue_order_id IS NULL
""")

REMEMBER: Final = text("""
INSERT INTO protection_marks (follow_id, symbol, opened_at, best, bare_since)
VALUES (:follow, :symbol, :opened_at, :best, :bare_since)
ON CONFLICT (follow_id, symbol) DO UPDATE
   SET opened_at = excluded.opened_at, bare_since = excluded.bare_since,
       best = CASE WHEN protection_marks.opened_at <> excluded.opened_at THEN excluded.best
                   WHEN CAST(:is_long AS boolean) THEN greatest(protection_marks.best, excluded.best)
                   ELSE least(protection_marks.best, excluded.best) END
 WHERE protection_marks.opened_at <= excluded.opened_at
""")

ASKED: Final = arrays("SELECT s.id FROM signals s WHERE s.id = ANY(:ids)", ids=Uuid)

SPENT: Final = text("""
SELECT s.created_at FROM signals s JOIN decisions d ON d.signal_id = s.id AND d.follow_id = :follow
 WHERE s.id = :signal AND (d.outcome = 'COPIED' OR d.outcome = 'SKIPPED' AND d.code = 'OPENED_LATER')
   AND NOT EXISTS (SELECT FROM trades t WHERE t.follow_id = d.follow_id AND t.signal_id = s.id AND NOT t.settled)
""")

LOCK_ACCOUNT: Final = text("SELECT account_id FROM funds WHERE account_id = :account FOR UPDATE")

BECOMES_SIGNAL: Final = text("""
INSERT INTO signals (id, source, whale_id, venue, symbol, action, is_exit, side, quantity, fraction, reference_price,
                     priority, lane, leader_at, created_at, scope, flip, trace_id, state, done_at)
SELECT :signal, 'PROTECTION', f.whale_id, :venue, :symbol, 'REDUCE', true, :side, :quantity, 1, :trigger, 0,
       'signals.exits', :at, :at, f.id, false, :trace, 'DONE', now()
  FROM follows f WHERE f.id = :follow
ON CONFLICT DO NOTHING
""")

BECOMES_DECISION: Final = text("""
INSERT INTO decisions (follow_id, signal_id, outcome, code, reason, inputs)
VALUES (:follow, :signal, 'COPIED', :code, :reason, CAST(:inputs AS jsonb)) ON CONFLICT DO NOTHING
""")

BECOMES_TRADE: Final = text("""
INSERT INTO trades (follow_id, signal_id, leg, account_id, venue, symbol, side, reduce_only, quantity, leverage,
                    reference_price, hold, hold_left, state, attempt)
SELECT :follow, :signal, 'EXIT', :account, :venue, :symbol, :side, true, :quantity,
       coalesce((SELECT leverage FROM account_markets WHERE account_id = :account AND symbol = :symbol), 1),
       :trigger, 0, 0, 'WORKING', 0
ON CONFLICT DO NOTHING
""")

BECOMES_ORDER: Final = text("""
INSERT INTO orders (follow_id, signal_id, leg, attempt, account_id, client_order_id, state, signed_ms, valid_ms,
                    quantity, venue_order_id, look_at)
VALUES (:follow, :signal, 'EXIT', 0, :account, :client_order_id, 'OPEN', :signed_ms, :valid_ms, :quantity, :order_id, :at)
ON CONFLICT DO NOTHING
""")
