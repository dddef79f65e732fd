"""The statements of reconciling: an account's books of one moment, its marks, and the exits that were not ours."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.types import BigInteger, Numeric, Text, Uuid

from app.infrastructure.postgres.arrays import arrays

LOTS: Final = text("""
SELECT symbol, follow_id, quantity, opened_at FROM positions
 WHERE account_id = :account AND quantity <> 0
   AND (CAST(:symbol AS text) IS NULL OR symbol = CAST(:symbol AS text))
 ORDER BY symbol, opened_at, follow_id
""")

BUSY: Final = text("""
SELECT DISTINCT symbol FROM trades
 WHERE account_id = :account AND NOT settled AND (state = 'WORKING' OR executed <> booked)
""")

FUNDS: Final = text("""
SELECT m.wallet,
       (SELECT coalesce(sum(p.cost), 0) FROM positions p WHERE p.account_id = m.account_id) AS coins_cost,
       NOT EXISTS (SELECT FROM trades t WHERE t.account_id = m.account_id AND NOT t.settled) AS settled
  FROM funds m WHERE m.account_id = :account
""")

MARKS: Final = text("SELECT * FROM drift_marks WHERE account_id = :account")

BOOKED: Final = arrays(
    """
SELECT split_part(trade_id, '~', 1) AS trade_id,
       sum(CASE side WHEN 'BUY' THEN 1 ELSE -1 END * (quantity - base_fee)) AS moved
  FROM fills WHERE account_id = :account AND symbol = :symbol AND split_part(trade_id, '~', 1) = ANY(:trades)
 GROUP BY 1
""",
    trades=Text,
)

ORDERS: Final = arrays(
    """
SELECT o.venue_order_id, o.client_order_id FROM orders o
  JOIN trades t ON t.follow_id = o.follow_id AND t.signal_id = o.signal_id AND t.leg = o.leg
  JOIN signals s ON s.id = o.signal_id
 WHERE o.follow_id IN (SELECT id FROM follows WHERE account_id = :account)
   AND t.symbol = :symbol AND s.source <> 'EXTERNAL' AND o.venue_order_id = ANY(:orders)
""",
    orders=Text,
)

OURS: Final = arrays(
    """
SELECT client_order_id FROM orders WHERE client_order_id = ANY(:cids) AND account_id = :account
UNION
SELECT client_order_id FROM protections WHERE client_order_id = ANY(:cids) AND account_id = :account
""",
    cids=Text,
)

PROTECTIONS: Final = text("""
SELECT * FROM protections
 WHERE account_id = :account AND symbol = :symbol AND state IN ('PLACING', 'UNKNOWN', 'RESTING', 'CANCELING')
 ORDER BY follow_id, rung, attempt
""")

ACCEPTED_UNTIL: Final = text("""
SELECT max(at) FROM fills WHERE account_id = :account AND symbol = :symbol AND starts_with(trade_id, :mark)
""")

IN_DOUBT: Final = text("""
SELECT o.client_order_id FROM trades t JOIN orders o USING (follow_id, signal_id, leg)
 WHERE t.account_id = :account AND t.symbol = :symbol AND NOT t.settled AND o.attempt = t.attempt
UNION ALL
SELECT client_order_id FROM protections
 WHERE account_id = :account AND symbol = :symbol AND state IN ('PLACING', 'UNKNOWN', 'CANCELING')
ORDER BY 1
""")

LOCK_ACCOUNT: Final = text("SELECT wallet, high_water FROM funds WHERE account_id = :account FOR UPDATE")

OUT: Final = text("SELECT EXISTS (SELECT FROM trades WHERE account_id = :account AND NOT settled)")

_EXITS: Final = """
  FROM unnest(:follow, :signal, :account, :venue, :symbol, :side, :quantity, :price, :cid, :order, :code, :reason, :notes,
              :at_ms)
    AS v(follow_id, signal_id, account_id, venue, symbol, side, quantity, price, cid, order_id, code, reason, notes,
         at_ms)
"""
_TYPES: Final = {
    "follow": BigInteger,
    "signal": Uuid,
    "account": BigInteger,
    "venue": Text,
    "symbol": Text,
    "side": Text,
    "quantity": Numeric,
    "price": Numeric,
    "cid": Text,
    "order": Text,
    "code": Text,
    "reason": Text,
    "notes": Text,
    "at_ms": BigInteger,
}

ADOPT: Final = arrays(
    f"""
WITH v AS MATERIALIZED (SELECT * {_EXITS}),
signalled AS (
  INSERT INTO signals (id, source, whale_id, venue, symbol, action, is_exit, side, quantity, fraction,
                       reference_price, priority, lane, leader_at, created_at, scope, flip, trace_id, state, done_at)
  SELECT v.signal_id, 'EXTERNAL', f.whale_id, v.venue, v.symbol, 'REDUCE', true, v.side, v.quantity, 1, v.price, 0,
         'signals.exits', to_timestamp(v.at_ms / 1000.0), :now, f.id, false, 'external:' || v.order_id, 'DONE', :now
    FROM v JOIN follows f ON f.id = v.follow_id),
decided AS (
  INSERT INTO decisions (follow_id, signal_id, outcome, code, reason, inputs)
  SELECT v.follow_id, v.signal_id, 'COPIED', v.code, v.reason,
         jsonb_build_object('venue_order_id', v.order_id, 'quantity', trim_scale(v.quantity)::text) || v.notes::jsonb
    FROM v),
stored AS (
  INSERT INTO trades (follow_id, signal_id, leg, account_id, venue, symbol, side, reduce_only, quantity, leverage,
                      reference_price, hold, hold_left, state, attempt)
  SELECT v.follow_id, v.signal_id, 'EXIT', v.account_id, v.venue, v.symbol, v.side, true, v.quantity,
         coalesce(k.leverage, 1), v.price, 0, 0, 'WORKING', 0
    FROM v LEFT JOIN account_markets k ON k.account_id = v.account_id AND k.symbol = v.symbol)
INSERT INTO orders (follow_id, signal_id, leg, attempt, account_id, client_order_id, state, signed_ms, valid_ms,
                    quantity, venue_order_id)
SELECT v.follow_id, v.signal_id, 'EXIT', 0, v.account_id, v.cid, 'OPEN', v.at_ms, 0, v.quantity, v.order_id FROM v
""",
    **_TYPES,
)

MARK: Final = text("""
INSERT INTO drift_marks (account_id, what, kind, ours, theirs, looks, frozen, since, looked_at)
VALUES (:account, :what, :kind, :ours, :theirs, :looks, :frozen, :since, :looked_at)
ON CONFLICT (account_id, what) DO UPDATE
   SET kind = excluded.kind, ours = excluded.ours, theirs = excluded.theirs, looks = excluded.looks,
       frozen = excluded.frozen, since = excluded.since, looked_at = excluded.looked_at
""")

UNMARK: Final = arrays(
    "DELETE FROM drift_marks WHERE account_id = :account AND what = ANY(:what)",
    what=Text,
)

KEEP_HIGH_WATER: Final = text("""
UPDATE funds SET high_water = greatest(:high_water + wallet - :was, 0) WHERE account_id = :account
""")
