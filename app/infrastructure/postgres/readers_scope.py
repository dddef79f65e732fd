"""What is held in the scope of a halt, with the entries that are still on their way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.queries import HeldEverywhere, HeldMarket
from app.domain.risk.halts import HaltScope
from app.domain.shared.ids import FollowId, WhaleId
from app.domain.shared.market import Symbol, Venue
from app.domain.shared.money import Price, settle_up
from app.infrastructure.postgres.outage import translated

_HELD: Final = """
WITH lots AS (
  SELECT p.follow_id, p.symbol, p.quantity, p.cost FROM positions p WHERE p.quantity <> 0
  UNION ALL
  SELECT t.follow_id, t.symbol, (t.quantity - t.booked) * CASE t.side WHEN 'BUY' THEN 1 ELSE -1 END,
         (t.quantity - t.booked) * t.reference_price
    FROM trades t WHERE NOT t.settled AND t.leg = 'ENTRY' AND t.quantity > t.booked)
SELECT f.whale_id, {follow} AS follow_id, a.venue, l.symbol, sum(l.quantity) AS quantity,
       sum(l.cost) / sum(abs(l.quantity)) AS price
  FROM lots l JOIN follows f ON f.id = l.follow_id JOIN accounts a ON a.id = f.account_id
 WHERE {scope}
 GROUP BY f.whale_id, {grouped} a.venue, l.symbol, l.quantity > 0
 ORDER BY f.whale_id, {grouped} a.venue, l.symbol
"""
OF_PLATFORM: Final = text(_HELD.format(follow="NULL::bigint", scope="CAST(:target AS text) = ''", grouped=""))
OF_VENUE: Final = text(_HELD.format(follow="f.id", scope="a.venue = :target", grouped="f.id,"))
OF_USER: Final = text(
    _HELD.format(follow="f.id", scope="f.user_id = CAST(CAST(:target AS text) AS bigint)", grouped="f.id,")
)
_BY_SCOPE: Final = {HaltScope.PLATFORM: OF_PLATFORM, HaltScope.VENUE: OF_VENUE, HaltScope.USER: OF_USER}


class PostgresHeldInScope:
    """HeldInScope."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def in_scope(self, scope: HaltScope, target: str) -> Sequence[HeldEverywhere]:
        """Return what is held or on its way in: one row a leader and market for the platform, else one a follow."""
        async with translated(), self._engine.connect() as connection:
            rows = await connection.execute(_BY_SCOPE[scope], {"target": target})
            return [
                HeldEverywhere(
                    WhaleId(row.whale_id),
                    None if row.follow_id is None else FollowId(row.follow_id),
                    Venue(row.venue),
                    HeldMarket(Symbol(row.symbol), row.quantity, Price(settle_up(row.price))),
                )
                for row in rows
            ]
