"""The hot path's two statements: who still needs a decision, and the reservation of a whole chunk.

The reservation is one statement: it locks the accounts in order (so that two signals never deadlock), holds funds only
where they suffice and where nobody reserved since the snapshot, and stores trade, first attempt and decision of
exactly those accounts. What it does not return must not be sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import orjson
from sqlalchemy import bindparam, text
from sqlalchemy.engine import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import BigInteger, Boolean, Numeric, SmallInteger, Text

from app.application.trading.ports import Candidate, Prepared, Window
from app.domain.risk.exposure import Exposure
from app.domain.risk.limits import Limits, tightest
from app.domain.shared.errors import ConcurrencyConflict
from app.domain.shared.ids import AccountId, FollowId
from app.domain.shared.market import Side, Symbol
from app.domain.shared.money import Money, Quantity, Ratio
from app.domain.shared.terms import CopyMode, CopyTerms, TinyPolicy
from app.domain.signals.signal import Signal
from app.domain.trading.copying import Follower
from app.domain.trading.decision import Decision
from app.infrastructure.postgres.arrays import arrays
from app.infrastructure.postgres.engine import retrying

_SNAPSHOT: Final = text("""
SELECT f.id AS follow_id, f.account_id, f.mode, f.value, f.leverage_max, f.order_notional_max, f.drift_max, f.sides,
       f.symbols_allowed, f.symbols_denied, f.tiny, f.tiny_factor_max, f.state AS follow_state,
       u.state AS user_state, a.key_state, a.sealed,
       m.wallet, m.wallet - m.held - m.margin AS free, m.high_water, m.risk_version,
       CASE WHEN m.realised_day = :today THEN m.realised_today ELSE 0 END AS realised_today,
       coalesce(p.quantity, 0) AS lot,
       coalesce(o.unbooked, 0) AS unbooked, coalesce(o.exit_pending, 0) AS exit_pending,
       coalesce(o.entry_open, false) AS entry_open, coalesce(o.exit_open, false) AS exit_open,
       coalesce(o.symbol_coming, 0) AS symbol_coming, coalesce(o.total_coming, 0) AS total_coming,
       coalesce(h.symbol_cost, 0) AS symbol_cost, coalesce(h.total_cost, 0) AS total_cost,
       coalesce(h.positions, 0) AS positions, coalesce(h.other_quantity, 0) AS other_quantity,
       k.leverage AS leverage_set,
       l.order_notional_max AS own_order, l.symbol_notional_max AS own_symbol, l.total_notional_max AS own_total,
       l.daily_loss_max AS own_daily, l.drawdown_max AS own_drawdown, l.leverage_max AS own_leverage,
       l.positions_max AS own_positions,
       EXISTS (SELECT FROM halts x WHERE (x.scope = 'PLATFORM') OR (x.scope = 'VENUE' AND x.target = :venue)
               OR (x.scope = 'USER' AND x.target = f.user_id::text)) AS halted
  FROM follows f
  JOIN users u ON u.id = f.user_id
  JOIN accounts a ON a.id = f.account_id
  JOIN funds m ON m.account_id = f.account_id
  LEFT JOIN positions p ON p.account_id = f.account_id AND p.symbol = :symbol AND p.follow_id = f.id
  LEFT JOIN account_markets k ON k.account_id = f.account_id AND k.symbol = :symbol
  LEFT JOIN user_limits l ON l.user_id = f.user_id
  LEFT JOIN LATERAL (
       SELECT sum((t.executed - t.booked) * CASE t.side WHEN 'BUY' THEN 1 ELSE -1 END)
                FILTER (WHERE mine) AS unbooked,
              sum(t.quantity - t.executed) FILTER (WHERE mine AND is_exit AND is_open) AS exit_pending,
              bool_or(mine AND NOT is_exit AND is_open) AS entry_open,
              bool_or(mine AND is_exit AND is_open) AS exit_open,
              sum((t.quantity - t.booked) * t.reference_price)
                FILTER (WHERE t.symbol = :symbol AND NOT is_exit) AS symbol_coming,
              sum((t.quantity - t.booked) * t.reference_price) FILTER (WHERE NOT is_exit) AS total_coming
         FROM (SELECT t.*, t.follow_id = f.id AND t.symbol = :symbol AS mine, t.leg = 'EXIT' AS is_exit,
                      t.state IN ('WAITING', 'WORKING') AS is_open
                 FROM trades t WHERE t.account_id = f.account_id AND NOT t.settled) t) o ON true
  LEFT JOIN LATERAL (
       SELECT sum(x.cost) FILTER (WHERE x.symbol = :symbol) AS symbol_cost, sum(x.cost) AS total_cost,
              count(DISTINCT x.symbol) AS positions,
              sum(x.quantity) FILTER (WHERE x.symbol = :symbol AND x.follow_id <> f.id) AS other_quantity
         FROM positions x WHERE x.account_id = f.account_id AND x.quantity <> 0) h ON true
 WHERE f.whale_id = :whale AND a.venue = :venue
   AND (CAST(:scope AS bigint) IS NULL OR f.id = CAST(:scope AS bigint))
   AND (f.state <> 'STOPPED' OR p.quantity <> 0 OR o.exit_pending > 0 OR o.entry_open)
   AND NOT EXISTS (SELECT FROM decisions d
                    WHERE d.follow_id = f.id AND d.signal_id = :signal AND d.outcome <> 'DEFERRED')
 ORDER BY f.id
""")


_DECISION_UPSERT: Final = """
  ON CONFLICT (follow_id, signal_id) DO UPDATE
     SET outcome = excluded.outcome, code = excluded.code, reason = excluded.reason, inputs = excluded.inputs,
         decided_at = excluded.decided_at
   WHERE decisions.outcome = 'DEFERRED'
"""

_COMMIT: Final = arrays(
    f"""
WITH v AS (
  SELECT * FROM unnest(:follow, :account, :side, :quantity, :leverage, :hold, :version, :cid, :first, :outcome, :code, :reason,
                       :inputs)
    AS v(follow_id, account_id, side, quantity, leverage, hold, version, cid, first, outcome, code, reason,
         inputs)),
locked AS MATERIALIZED (
  SELECT m.account_id FROM funds m WHERE m.account_id = ANY(:account) ORDER BY m.account_id FOR UPDATE),
held AS (
  UPDATE funds m SET held = m.held + v.hold, risk_version = m.risk_version + 1
    FROM v JOIN locked USING (account_id)
   WHERE :is_entry AND m.account_id = v.account_id AND m.risk_version = v.version
     AND m.wallet - m.held - m.margin >= v.hold
     AND NOT EXISTS (SELECT FROM trades t WHERE t.follow_id = v.follow_id AND t.signal_id = :signal AND t.leg = :leg)
  RETURNING v.follow_id),
stored AS (
  INSERT INTO trades (follow_id, signal_id, leg, account_id, venue, symbol, side, reduce_only, quantity, leverage,
                      reference_price, hold, hold_left, state, attempt)
  SELECT v.follow_id, :signal, :leg, v.account_id, :venue, :symbol, v.side, NOT :is_entry, v.quantity, v.leverage,
         :price, v.hold, v.hold, 'WORKING', 0
    FROM v WHERE NOT :is_entry OR v.follow_id IN (SELECT follow_id FROM held)
  ON CONFLICT DO NOTHING
  RETURNING follow_id),
attempts AS (
  INSERT INTO orders (follow_id, signal_id, leg, attempt, account_id, client_order_id, state, signed_ms, valid_ms,
                      quantity, look_at)
  SELECT v.follow_id, :signal, :leg, 0, v.account_id, v.cid, 'SUBMITTING', :signed_ms, :valid_ms, v.first, :look_at
    FROM v JOIN stored USING (follow_id)),
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
    outcome=Text,
    code=Text,
    reason=Text,
    inputs=Text,
).bindparams(bindparam("is_entry", type_=Boolean))

_CLAIM_HELD: Final = text(
    "SELECT true FROM signals WHERE id = :signal AND owner = :owner AND state = 'DISPATCHING' FOR SHARE"
)

_DECIDE: Final = arrays(
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


class PostgresCopyBook:
    """The copy book in PostgreSQL. `platform` are the operator's limits, which no user can widen."""

    def __init__(self, engine: AsyncEngine, platform: Limits) -> None:
        self._engine = engine
        self._platform = platform

    async def snapshot(self, signal: Signal, now: datetime) -> Sequence[Candidate]:
        """Return every follow that still needs a decision on the signal."""
        values = {
            "whale": signal.whale_id,
            "venue": signal.venue.value,
            "symbol": signal.symbol,
            "signal": signal.id,
            "scope": signal.scope,
            "today": now.date(),
        }
        async with self._engine.connect() as connection:
            rows = (await connection.execute(_SNAPSHOT, values)).mappings().all()
        return [_candidate(row, self._platform) for row in rows]

    async def whale_paused(self, signal: Signal) -> bool:
        """Return whether entries of the signal's whale are stopped."""
        async with self._engine.connect() as connection:
            state = await connection.scalar(
                text("SELECT state FROM whales WHERE id = :id"), {"id": signal.whale_id}
            )
        return bool(state != "ACTIVE")

    async def commit(
        self,
        signal: Signal,
        owner: str,
        prepared: Sequence[Prepared],
        decisions: Sequence[Decision],
        window: Window | None,
    ) -> frozenset[FollowId]:
        """Hold, store and decide a chunk; return the follows whose order is now ours to send."""

        async def attempt() -> frozenset[FollowId]:
            async with self._engine.begin() as connection:
                if not await connection.scalar(_CLAIM_HELD, {"signal": signal.id, "owner": owner}):
                    raise ConcurrencyConflict(
                        "Another worker holds the signal by now.", signal_id=str(signal.id)
                    )
                if decisions:
                    await connection.execute(_DECIDE, _decision_values(signal, decisions))
                if not prepared or window is None:
                    return frozenset()
                rows = await connection.execute(_COMMIT, _commit_values(signal, prepared, window))
                return frozenset(FollowId(follow_id) for follow_id in rows.scalars())

        return await retrying(attempt)


def _commit_values(signal: Signal, prepared: Sequence[Prepared], window: Window) -> dict[str, object]:
    orders = [item.order for item in prepared]
    made = [item.decision for item in prepared]
    return {
        "signal": signal.id,
        "leg": signal.leg.value,
        "venue": signal.venue.value,
        "symbol": signal.symbol,
        "price": signal.reference_price,
        "is_entry": not signal.is_exit,
        "signed_ms": window.signed_ms,
        "valid_ms": window.valid_ms,
        "look_at": window.look_at,
        "follow": [order.follow_id for order in orders],
        "account": [order.account_id for order in orders],
        "side": [order.side.value for order in orders],
        "quantity": [order.quantity for order in orders],
        "leverage": [order.leverage for order in orders],
        "hold": [order.hold for order in orders],
        "version": [item.risk_version for item in prepared],
        "cid": [item.client_order_id for item in prepared],
        "first": [item.first_quantity for item in prepared],
        "outcome": [item.outcome.value for item in made],
        "code": [item.code for item in made],
        "reason": [item.reason for item in made],
        "inputs": [orjson.dumps(dict(item.inputs)).decode() for item in made],
    }


def _decision_values(signal: Signal, decisions: Sequence[Decision]) -> dict[str, object]:
    return {
        "signal": signal.id,
        "follow": [item.follow_id for item in decisions],
        "outcome": [item.outcome.value for item in decisions],
        "code": [item.code for item in decisions],
        "reason": [item.reason for item in decisions],
        "inputs": [orjson.dumps(dict(item.inputs)).decode() for item in decisions],
    }


def _candidate(row: RowMapping, platform: Limits) -> Candidate:
    own = Limits(
        order_notional_max=row["own_order"],
        symbol_notional_max=row["own_symbol"],
        total_notional_max=row["own_total"],
        daily_loss_max=row["own_daily"],
        drawdown_max=row["own_drawdown"],
        leverage_max=row["own_leverage"],
        positions_max=row["own_positions"],
    )
    limits = tightest((platform, own))
    return Candidate(
        follower=_follower(row, limits),
        exposure=Exposure(
            wallet=Money(row["wallet"]),
            free=Money(row["free"]),
            high_water=Money(row["high_water"]),
            realised_today=Money(row["realised_today"]),
            symbol_notional=Money(row["symbol_cost"] + row["symbol_coming"]),
            total_notional=Money(row["total_cost"] + row["total_coming"]),
            positions=row["positions"],
            other_quantity=row["other_quantity"],
            entries_halted=row["halted"],
        ),
        limits=limits,
        sealed=row["sealed"],
        risk_version=row["risk_version"],
    )


def _follower(row: RowMapping, limits: Limits) -> Follower:
    return Follower(
        follow_id=FollowId(row["follow_id"]),
        account_id=AccountId(row["account_id"]),
        terms=CopyTerms(
            mode=CopyMode(row["mode"]),
            value=row["value"],
            leverage_max=row["leverage_max"],
            order_notional_max=(
                None if row["order_notional_max"] is None else Money(row["order_notional_max"])
            ),
            drift_max=Ratio(row["drift_max"]),
            sides=frozenset(Side(side) for side in row["sides"]),
            symbols_allowed=frozenset(Symbol(name) for name in row["symbols_allowed"]),
            symbols_denied=frozenset(Symbol(name) for name in row["symbols_denied"]),
            tiny=TinyPolicy(row["tiny"]),
            tiny_factor_max=Ratio(row["tiny_factor_max"]),
        ),
        active=row["follow_state"] == "ACTIVE",
        paused=row["follow_state"] == "PAUSED",
        user_active=row["user_state"] == "ACTIVE",
        key_usable=row["key_state"] == "VERIFIED",
        wallet=Money(row["wallet"]),
        held=row["lot"] + row["unbooked"],
        entry_open=row["entry_open"],
        exit_open=row["exit_open"],
        exit_pending=Quantity(row["exit_pending"]),
        leverage_set=row["leverage_set"],
        leverage_limit=limits.leverage_max,
    )
