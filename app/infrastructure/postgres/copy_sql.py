"""The hot path's statements: who still needs a decision, and the reservation of a whole chunk."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, text
from sqlalchemy.types import BigInteger, Boolean, Numeric, SmallInteger, Text

from app.infrastructure.postgres.arrays import arrays
from app.infrastructure.postgres.entry_gate import ENTRY_GATE, MAY_ENTER
from app.infrastructure.postgres.protection_sql import BESIDE, MAY_SELL, OVERSELLS, SPOT_VENUES

# Signals after an exit that is copied now: none as a rule, and then nothing is looked for.
SNAPSHOT: Final = arrays(
    f"""
WITH later AS MATERIALIZED (
  SELECT s.id, s.seq, s.source, s.fraction FROM signals own JOIN signals s ON s.whale_id = own.whale_id AND s.seq > own.seq
   WHERE own.id = :signal AND own.is_exit AND split_part(s.symbol, '-', 1) = split_part(own.symbol, '-', 1) AND NOT (s.is_exit AND s.source = 'LEADER' AND s.scope IS NOT NULL))
SELECT f.id AS follow_id, a.venue, f.account_id, f.mode, f.value, f.leverage_max, f.order_notional_max, f.drift_max, f.sides,
       f.symbols_allowed, f.symbols_denied, f.tiny, f.tiny_factor_max, f.state AS follow_state,
       u.state AS user_state, a.key_state, a.sealed, a.hedged,
       m.wallet, m.wallet - m.held - m.margin AS free, m.high_water, m.risk_version,
       CASE WHEN m.realised_day = :today THEN m.realised_today ELSE 0 END AS realised_today,
       coalesce(p.quantity, 0) AS lot,
       coalesce(o.unbooked, 0) AS unbooked, coalesce(o.exit_pending, 0) AS exit_pending,
       coalesce(o.entry_open, false) AS entry_open, coalesce(o.entry_absent, false) AS entry_absent,
       coalesce(o.exit_open, false) OR EXISTS (
         SELECT FROM decisions d JOIN signals w ON w.id = d.signal_id
          WHERE d.follow_id = f.id AND d.outcome = 'DEFERRED' AND d.code IN ('VENUE_AWAY', 'PROTECTION_STILL_RESTS', 'MARKET_UNLISTED')
            AND split_part(w.symbol, '-', 1) = split_part(mk.symbol, '-', 1)
            AND w.seq < (SELECT s.seq FROM signals s WHERE s.id = :signal)) AS exit_open,
       coalesce(o.symbol_coming, 0) AS symbol_coming, coalesce(o.total_coming, 0) AS total_coming,
       coalesce(h.symbol_cost, 0) AS symbol_cost, coalesce(h.total_cost, 0) AS total_cost,
       (SELECT count(*) FROM (
          SELECT x.symbol FROM positions x WHERE x.account_id = f.account_id AND x.quantity <> 0
          UNION
          SELECT t.symbol FROM trades t WHERE t.account_id = f.account_id AND NOT t.settled AND t.leg = 'ENTRY') held
       ) AS positions,
       coalesce(h.other_quantity, 0) + coalesce(o.other_coming, 0) AS other_quantity,
       k.leverage AS leverage_set,
       l.order_notional_max AS own_order, l.symbol_notional_max AS own_symbol, l.total_notional_max AS own_total,
       l.daily_loss_max AS own_daily, l.drawdown_max AS own_drawdown, l.leverage_max AS own_leverage,
       l.positions_max AS own_positions,
       EXISTS (SELECT FROM halts x WHERE (x.scope = 'PLATFORM') OR (x.scope = 'VENUE' AND x.target = a.venue)
               OR (x.scope = 'USER' AND x.target = f.user_id::text)) AS halted,
       EXISTS (SELECT FROM drift_marks x
                WHERE x.account_id = f.account_id AND x.what = mk.symbol AND x.frozen) AS market_frozen,
       NOT :enters AND (a.venue IN ({SPOT_VENUES}) OR {BESIDE.format(of="f", symbol="mk.symbol", follow="f.id")})
       AND EXISTS (
         SELECT FROM protections x WHERE x.account_id = f.account_id AND x.symbol = mk.symbol AND x.follow_id = f.id
            AND {MAY_SELL}) AS protection_may_sell,
       :enters AND {OVERSELLS.format(of="f", symbol="mk.symbol", follow="f.id", side=":side")} AS other_may_oversell,
       n.sides AS later_sides, n.exits AS later_exits, n.executed AS later_executed, n.fractions AS later_fractions
  FROM follows f
  JOIN users u ON u.id = f.user_id
  JOIN accounts a ON a.id = f.account_id
  JOIN funds m ON m.account_id = f.account_id
  JOIN unnest(:venues, :symbols) AS mk(venue, symbol) ON mk.venue = a.venue
  LEFT JOIN positions p ON p.account_id = f.account_id AND p.symbol = mk.symbol AND p.follow_id = f.id
  LEFT JOIN account_markets k ON k.account_id = f.account_id AND k.symbol = mk.symbol
  LEFT JOIN user_limits l ON l.user_id = f.user_id
  LEFT JOIN LATERAL (
       SELECT sum((t.executed - t.booked) * CASE t.side WHEN 'BUY' THEN 1 ELSE -1 END)
                FILTER (WHERE mine) AS unbooked,
              sum(t.quantity - t.executed) FILTER (WHERE mine AND is_exit AND is_open) AS exit_pending,
              bool_or(mine AND NOT is_exit AND is_open) AS entry_open,
              bool_or(mine AND NOT is_exit AND t.state = 'ABSENT') AS entry_absent,
              bool_or(mine AND is_exit AND is_open) AS exit_open,
              sum((t.quantity - t.booked) * CASE t.side WHEN 'BUY' THEN 1 ELSE -1 END)
                FILTER (WHERE t.symbol = mk.symbol AND NOT is_exit AND t.follow_id <> f.id) AS other_coming,
              sum((t.quantity - t.booked) * t.reference_price)
                FILTER (WHERE t.symbol = mk.symbol AND NOT is_exit) AS symbol_coming,
              sum((t.quantity - t.booked) * t.reference_price) FILTER (WHERE NOT is_exit) AS total_coming
         FROM (SELECT t.*, t.follow_id = f.id AND t.symbol = mk.symbol AS mine, t.leg = 'EXIT' AS is_exit,
                      t.state IN ('WAITING', 'WORKING') AS is_open
                 FROM trades t WHERE t.account_id = f.account_id AND NOT t.settled) t) o ON true
  LEFT JOIN LATERAL (
       SELECT sum(x.cost) FILTER (WHERE x.symbol = mk.symbol) AS symbol_cost, sum(x.cost) AS total_cost,
              sum(x.quantity) FILTER (WHERE x.symbol = mk.symbol AND x.follow_id <> f.id) AS other_quantity
         FROM positions x WHERE x.account_id = f.account_id AND x.quantity <> 0) h ON true
  LEFT JOIN LATERAL (
       SELECT array_agg(t.side ORDER BY w.seq) AS sides, array_agg(t.leg = 'EXIT' ORDER BY w.seq) AS exits,
              array_agg(t.executed ORDER BY w.seq) AS executed,
              array_agg(CASE WHEN t.leg = 'EXIT' AND w.source IN ('LEADER', 'OPERATOR', 'FOLLOWER')
                             THEN w.fraction * CASE WHEN t.state IN ('WAITING', 'WORKING') THEN 1
                                                    ELSE t.executed / t.quantity END END ORDER BY w.seq) AS fractions
         FROM later w JOIN trades t ON t.follow_id = f.id AND t.signal_id = w.id AND t.symbol = mk.symbol
        WHERE EXISTS (SELECT FROM later)) n ON true
 WHERE f.whale_id = :whale
   AND (CAST(:scope AS bigint) IS NULL OR f.id = CAST(:scope AS bigint))
   AND (f.state <> 'STOPPED' OR p.quantity <> 0 OR o.unbooked <> 0 OR o.exit_pending > 0 OR o.entry_open OR o.entry_absent
        OR EXISTS (SELECT FROM decisions d WHERE d.follow_id = f.id AND d.signal_id = :signal AND d.outcome = 'DEFERRED'))
   AND NOT EXISTS (SELECT FROM decisions d
                    WHERE d.follow_id = f.id AND d.signal_id = :signal AND d.outcome <> 'DEFERRED')
 ORDER BY f.id
""",
    venues=Text,
    symbols=Text,
).bindparams(bindparam("enters", type_=Boolean), bindparam("side", type_=Text))


_DECISION_UPSERT: Final = """
  ON CONFLICT (follow_id, signal_id) DO UPDATE
     SET outcome = excluded.outcome, code = excluded.code, reason = excluded.reason, inputs = excluded.inputs,
         decided_at = excluded.decided_at
   WHERE decisions.outcome = 'DEFERRED'
"""

COMMIT: Final = arrays(
    f"""
WITH v AS (
  SELECT * FROM unnest(:follow, :account, :side, :quantity, :leverage, :hold, :version, :cid, :first, :exit_pending, :held, :outcome, :code, :reason,
                       :inputs)
    AS v(follow_id, account_id, side, quantity, leverage, hold, version, cid, first, exit_pending, lot, outcome, code, reason,
         inputs)),
held AS (
  UPDATE funds m SET held = m.held + v.hold, risk_version = m.risk_version + 1
    FROM v
   WHERE :is_entry AND m.account_id = v.account_id AND m.risk_version = v.version
     AND m.wallet - m.held - m.margin >= v.hold
     AND NOT EXISTS (SELECT FROM trades t WHERE t.follow_id = v.follow_id AND t.signal_id = :signal AND t.leg = :leg)
     AND {MAY_ENTER.format(follow="v.follow_id")}
     AND NOT {OVERSELLS.format(of="v", symbol=":symbol", follow="v.follow_id", side="v.side")}
  RETURNING v.follow_id),
stored AS (
  INSERT INTO trades (follow_id, signal_id, leg, account_id, venue, symbol, side, reduce_only, quantity, leverage,
                      reference_price, hold, hold_left, state, attempt)
  SELECT v.follow_id, :signal, :leg, v.account_id, :venue, :symbol, v.side, NOT :is_entry, v.quantity, v.leverage,
         :price, v.hold, v.hold, 'WORKING', 0
    FROM v
   WHERE CASE WHEN :is_entry THEN v.follow_id IN (SELECT follow_id FROM held)
              ELSE v.exit_pending = (SELECT coalesce(sum(t.quantity - t.executed), 0) FROM trades t
                                      WHERE t.account_id = v.account_id AND NOT t.settled AND t.symbol = :symbol
                                        AND t.follow_id = v.follow_id AND t.leg = 'EXIT'
                                        AND t.state IN ('WAITING', 'WORKING'))
                   AND v.lot = coalesce((SELECT p.quantity FROM positions p
                                          WHERE p.account_id = v.account_id AND p.symbol = :symbol
                                            AND p.follow_id = v.follow_id), 0)
                             + (SELECT coalesce(sum((t.executed - t.booked) * CASE t.side WHEN 'BUY' THEN 1 ELSE -1 END), 0)
                                  FROM trades t WHERE t.account_id = v.account_id AND NOT t.settled
                                   AND t.symbol = :symbol AND t.follow_id = v.follow_id)
                   AND NOT EXISTS (SELECT FROM trades t WHERE t.account_id = v.account_id AND NOT t.settled
                                      AND t.symbol = :symbol AND t.follow_id = v.follow_id AND t.leg = 'ENTRY'
                                      AND t.state IN ('WAITING', 'WORKING'))
                   AND NOT ((:is_spot OR {BESIDE.format(of="v", symbol=":symbol", follow="v.follow_id")}) AND EXISTS (
                     SELECT FROM protections x WHERE x.account_id = v.account_id AND x.symbol = :symbol
                        AND x.follow_id = v.follow_id AND {MAY_SELL})) END
  ON CONFLICT DO NOTHING
  RETURNING follow_id),
attempts AS (
  INSERT INTO orders (follow_id, signal_id, leg, attempt, account_id, client_order_id, state, signed_ms, valid_ms,
                      quantity, look_at)
  SELECT v.follow_id, :signal, :leg, 0, v.account_id, v.cid, 'SUBMITTING', :signed_ms, :valid_ms, v.first, :look_at
    FROM v JOIN stored USING (follow_id)),
opened_anew AS (
  UPDATE positions p SET opened_at = now()
    FROM v JOIN stored USING (follow_id)
   WHERE :is_entry AND p.quantity <> 0 AND abs(p.quantity) < :step AND p.account_id = v.account_id AND p.symbol = :symbol AND p.follow_id = v.follow_id),
decided AS (
  INSERT INTO decisions (follow_id, signal_id, outcome, code, reason, inputs)
  SELECT v.follow_id, :signal, v.outcome, v.code, v.reason, v.inputs::jsonb
    FROM v JOIN stored USING (follow_id)
  {_DECISION_UPSERT})
SELECT follow_id FROM stored
""",
    follow=BigInteger,
    account=BigInteger,
    side=Text,
    quantity=Numeric,
    leverage=SmallInteger,
    hold=Numeric,
    version=BigInteger,
    cid=Text,
    first=Numeric,
    exit_pending=Numeric,
    held=Numeric,
    outcome=Text,
    code=Text,
    reason=Text,
    inputs=Text,
).bindparams(
    bindparam("is_entry", type_=Boolean),
    bindparam("is_spot", type_=Boolean),
    bindparam("step", type_=Numeric),
)

LOCK_ACCOUNTS: Final = arrays(
    f"""
WITH gate AS MATERIALIZED (SELECT CASE WHEN :enters THEN pg_advisory_xact_lock_shared({ENTRY_GATE}) END)
SELECT m.account_id FROM gate, funds m WHERE m.account_id = ANY(:account) ORDER BY m.account_id FOR UPDATE OF m
""",
    account=BigInteger,
).bindparams(bindparam("enters", type_=Boolean))

CLAIM_HELD: Final = text(
    "SELECT true FROM signals WHERE id = :signal AND owner = :owner AND state = 'DISPATCHING' FOR SHARE"
)

DECIDE: Final = arrays(
    f"""
INSERT INTO decisions (follow_id, signal_id, outcome, code, reason, inputs)
SELECT v.follow_id, :signal, v.outcome, v.code, v.reason, v.inputs::jsonb
  FROM unnest(:follow, :outcome, :code, :reason, :inputs) AS v(follow_id, outcome, code, reason, inputs)
{_DECISION_UPSERT}
""",
    follow=BigInteger,
    outcome=Text,
    code=Text,
    reason=Text,
    inputs=Text,
)
