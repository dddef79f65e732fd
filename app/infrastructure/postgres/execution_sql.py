"""The statements by which executions are read and written, each for a whole batch."""

from __future__ import annotations

from typing import Final

from sqlalchemy.types import BigInteger, Boolean, DateTime, Numeric, SmallInteger, Text, Uuid

from app.infrastructure.postgres.arrays import arrays

ATTEMPT_COLUMNS: Final = """
  o.follow_id, o.signal_id, o.leg, o.attempt, o.account_id, t.venue, t.symbol, t.side, t.reduce_only,
  o.client_order_id, o.state AS order_state, o.signed_ms, o.valid_ms, o.quantity AS order_quantity,
  o.executed AS order_executed, o.venue_order_id, o.looks, t.state AS trade_state, t.attempt AS trade_attempt,
  t.quantity AS trade_quantity, t.executed AS trade_executed, t.booked AS trade_booked, t.leverage, t.hold, t.hold_left, o.look_at, t.retry_at
"""

LOCK: Final = arrays(
    """
SELECT m.account_id FROM funds m
 WHERE m.account_id IN (SELECT o.account_id FROM orders o WHERE o.client_order_id = ANY(:cids))
 ORDER BY m.account_id FOR UPDATE
""",
    cids=Text,
)
ATTEMPTS: Final = arrays(
    f"""
SELECT {ATTEMPT_COLUMNS}
  FROM orders o JOIN trades t ON t.follow_id = o.follow_id AND t.signal_id = o.signal_id AND t.leg = o.leg
 WHERE o.client_order_id = ANY(:cids)
""",
    cids=Text,
)
SEEN: Final = arrays(
    """
SELECT f.account_id, f.symbol, f.trade_id
  FROM fills f JOIN unnest(:account, :symbol, :trade) AS v(account_id, symbol, trade_id)
    USING (account_id, symbol, trade_id)
""",
    account=BigInteger,
    symbol=Text,
    trade=Text,
)
POSITIONS: Final = arrays(
    """
SELECT p.* FROM positions p JOIN unnest(:account, :symbol, :follow) AS v(account_id, symbol, follow_id)
    USING (account_id, symbol, follow_id)
""",
    account=BigInteger,
    symbol=Text,
    follow=BigInteger,
)
ORDERS: Final = arrays(
    """
UPDATE orders o
   SET state = v.state, venue_order_id = coalesce(v.venue_order_id, o.venue_order_id), executed = v.executed,
       average_price = coalesce(v.average_price, o.average_price), code = coalesce(v.code, o.code),
       message = coalesce(v.message, o.message), looks = v.looks, look_at = v.look_at,
       acked_at = CASE WHEN v.acked THEN coalesce(o.acked_at, clock_timestamp()) ELSE o.acked_at END
  FROM unnest(:follow, :signal, :leg, :attempt, :state, :venue_order_id, :executed, :average, :code, :message, :looks,
              :look_at, :acked)
    AS v(follow_id, signal_id, leg, attempt, state, venue_order_id, executed, average_price, code, message, looks,
         look_at, acked)
 WHERE o.follow_id = v.follow_id AND o.signal_id = v.signal_id AND o.leg = v.leg AND o.attempt = v.attempt
""",
    follow=BigInteger,
    signal=Uuid,
    leg=Text,
    attempt=SmallInteger,
    state=Text,
    venue_order_id=Text,
    executed=Numeric,
    average=Numeric,
    code=Text,
    message=Text,
    looks=SmallInteger,
    look_at=DateTime(timezone=True),
    acked=Boolean,
)
TRADES: Final = arrays(
    """
UPDATE trades t
   SET state = v.state, executed = v.executed, booked = v.booked, hold_left = v.hold_left, settled = v.settled,
       retry_at = v.retry_at, updated_at = now(), version = t.version + 1
  FROM unnest(:follow, :signal, :leg, :state, :executed, :booked, :hold_left, :settled, :retry_at)
    AS v(follow_id, signal_id, leg, state, executed, booked, hold_left, settled, retry_at)
 WHERE t.follow_id = v.follow_id AND t.signal_id = v.signal_id AND t.leg = v.leg
""",
    follow=BigInteger,
    signal=Uuid,
    leg=Text,
    state=Text,
    executed=Numeric,
    booked=Numeric,
    hold_left=Numeric,
    settled=Boolean,
    retry_at=DateTime(timezone=True),
)
FUNDS: Final = arrays(
    """
UPDATE funds m
   SET wallet = m.wallet + v.wallet, held = m.held + v.held, margin = m.margin + v.margin,
       high_water = greatest(m.high_water, m.wallet + v.wallet),
       realised_today = CASE WHEN m.realised_day = :today THEN m.realised_today ELSE 0 END + v.realised,
       realised_day = :today
  FROM unnest(:account, :wallet, :held, :margin, :realised) AS v(account_id, wallet, held, margin, realised)
 WHERE m.account_id = v.account_id
""",
    account=BigInteger,
    wallet=Numeric,
    held=Numeric,
    margin=Numeric,
    realised=Numeric,
)
FILLS: Final = arrays(
    """
INSERT INTO fills (account_id, symbol, trade_id, follow_id, signal_id, leg, side, price, quantity, fee, realised,
                   base_fee, at)
SELECT * FROM unnest(:account, :symbol, :trade, :follow, :signal, :leg, :side, :price, :quantity, :fee, :realised,
                     :base_fee, :at)
""",
    account=BigInteger,
    symbol=Text,
    trade=Text,
    follow=BigInteger,
    signal=Uuid,
    leg=Text,
    side=Text,
    price=Numeric,
    quantity=Numeric,
    fee=Numeric,
    realised=Numeric,
    base_fee=Numeric,
    at=DateTime(timezone=True),
)
STORE_POSITIONS: Final = arrays(
    """
INSERT INTO positions AS p (account_id, symbol, follow_id, quantity, cost, margin, realised, fees, funding, opened_at)
SELECT v.*, now()
  FROM unnest(:account, :symbol, :follow, :quantity, :cost, :margin, :realised, :fees, :funding)
    AS v(account_id, symbol, follow_id, quantity, cost, margin, realised, fees, funding)
ON CONFLICT (account_id, symbol, follow_id) DO UPDATE
   SET quantity = excluded.quantity, cost = excluded.cost, margin = excluded.margin, realised = excluded.realised,
       fees = excluded.fees, funding = excluded.funding, version = p.version + 1, updated_at = now(),
       opened_at = CASE WHEN p.quantity = 0 OR p.quantity * excluded.quantity < 0 THEN now() ELSE p.opened_at END
""",
    account=BigInteger,
    symbol=Text,
    follow=BigInteger,
    quantity=Numeric,
    cost=Numeric,
    margin=Numeric,
    realised=Numeric,
    fees=Numeric,
    funding=Numeric,
)
LEDGER: Final = arrays(
    """
INSERT INTO ledger_entries (account_id, entry_key, kind, amount, symbol, at)
SELECT * FROM unnest(:account, :key, :kind, :amount, :symbol, :at)
""",
    account=BigInteger,
    key=Text,
    kind=Text,
    amount=Numeric,
    symbol=Text,
    at=DateTime(timezone=True),
)
DECISIONS: Final = arrays(
    """
UPDATE decisions d SET outcome = v.outcome, code = v.code, reason = v.reason, decided_at = now()
  FROM unnest(:follow, :signal, :outcome, :code, :reason) AS v(follow_id, signal_id, outcome, code, reason)
 WHERE d.follow_id = v.follow_id AND d.signal_id = v.signal_id AND d.outcome IN ('COPIED', 'REDUCED', 'FAILED')
""",
    follow=BigInteger,
    signal=Uuid,
    outcome=Text,
    code=Text,
    reason=Text,
)
REOPEN: Final = arrays(
    """
UPDATE signals s SET state = 'PENDING', version = s.version + 1
 WHERE s.state IN ('DONE', 'EXPIRED')
   AND s.id IN (SELECT d.signal_id FROM decisions d WHERE d.outcome = 'DEFERRED' AND d.follow_id = ANY(:follow))
RETURNING s.id, s.lane
""",
    follow=BigInteger,
)
# A signal of the leader that is for one follow alone is the exit of a late entry: no news of the leader. What a protection or
# the venue closed is a quantity, written as a fraction of 1: it closed nothing of what was not there.
LEFT_SINCE: Final = arrays(
    """
SELECT t.follow_id, x.fractions, s.*,
       (SELECT coalesce(sum(CASE WHEN u.state IN ('WAITING', 'WORKING') THEN u.quantity ELSE u.executed END - u.booked), 0)
          FROM trades u WHERE u.account_id = t.account_id AND NOT u.settled AND u.symbol = t.symbol
           AND u.follow_id = t.follow_id AND u.leg = 'EXIT')
       + (SELECT coalesce(sum(w.quantity), 0) FROM signals w
           WHERE w.whale_id = s.whale_id AND w.seq > s.seq AND w.scope = t.follow_id AND w.source = 'LEADER'
             AND w.side <> s.side AND w.symbol = s.symbol
             AND NOT EXISTS (SELECT FROM decisions d WHERE d.follow_id = t.follow_id AND d.signal_id = w.id
                                AND d.outcome <> 'DEFERRED')) AS exit_pending
  FROM trades t
  JOIN unnest(:follow, :signal) AS v(follow_id, signal_id) USING (follow_id, signal_id)
  JOIN signals s ON s.id = t.signal_id
  JOIN LATERAL (
    SELECT array_agg(e.fraction) AS fractions
      FROM signals e JOIN decisions d ON d.signal_id = e.id AND d.follow_id = t.follow_id
     WHERE e.whale_id = s.whale_id AND e.seq > s.seq AND e.is_exit AND e.side <> s.side
       AND (e.symbol = s.symbol
            OR (t.venue <> s.venue AND split_part(e.symbol, '-', 1) = split_part(s.symbol, '-', 1)))
       AND (e.source IN ('LEADER', 'OPERATOR', 'FOLLOWER') OR e.action = 'CLOSE')
       AND d.outcome <> 'DEFERRED' AND NOT (e.source = 'LEADER' AND e.scope IS NOT NULL)) x ON x.fractions IS NOT NULL
 WHERE t.leg = 'ENTRY'
""",
    follow=BigInteger,
    signal=Uuid,
)
LOCK_ACCOUNTS_OF_TRADES: Final = arrays(
    """
SELECT m.account_id FROM funds m
 WHERE m.account_id IN (SELECT t.account_id FROM trades t
                          JOIN unnest(:follow, :signal, :leg) AS v(follow_id, signal_id, leg)
                            USING (follow_id, signal_id, leg))
 ORDER BY m.account_id FOR UPDATE
""",
    follow=BigInteger,
    signal=Uuid,
    leg=Text,
)
