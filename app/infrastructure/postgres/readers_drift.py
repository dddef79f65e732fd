"""Our side of the comparison with a venue: which accounts can be asked for, what they hold, what rests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import Text

from app.application.trading.drift import AccountBooks, AccountToCompare
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Symbol, Venue
from app.domain.trading.order import OrderState
from app.infrastructure.postgres.arrays import arrays
from app.infrastructure.postgres.outage import translated

_ACCOUNTS: Final = text("""
SELECT a.id, a.venue, a.label, a.sealed FROM accounts a
 WHERE a.key_state = 'VERIFIED' AND NOT EXISTS (SELECT FROM whales w WHERE w.account_id = a.id)
   AND (EXISTS (SELECT FROM follows f WHERE f.account_id = a.id AND f.state <> 'STOPPED')
        OR EXISTS (SELECT FROM positions p WHERE p.account_id = a.id AND p.quantity <> 0)
        OR EXISTS (SELECT FROM trades t WHERE t.account_id = a.id AND NOT t.settled))
 ORDER BY a.id
""")
_POSITIONS: Final = text("""
SELECT symbol, sum(quantity) AS quantity FROM positions WHERE account_id = :account
 GROUP BY symbol HAVING sum(quantity) <> 0
""")
_ORDERS: Final = arrays(
    """
SELECT client_order_id, o.state FROM orders o
  JOIN trades t USING (follow_id, signal_id, leg)
 WHERE t.account_id = :account AND NOT t.settled AND o.state IN ('OPEN', 'PARTIAL')
UNION
SELECT client_order_id, o.state FROM orders o
 WHERE o.client_order_id = ANY(:cids) AND o.account_id = :account
""",
    cids=Text,
)


class PostgresDriftBook:
    """DriftBook."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def accounts(self) -> Sequence[AccountToCompare]:
        """Return the verified followers' accounts that follow, hold or have something open."""
        async with translated(), self._engine.connect() as connection:
            return [
                AccountToCompare(AccountId(row.id), Venue(row.venue), row.label, row.sealed)
                for row in await connection.execute(_ACCOUNTS)
            ]

    async def books(self, account: AccountId, client_order_ids: Sequence[str]) -> AccountBooks:
        """Return what we hold, our orders that rest, and our orders of these ids."""
        async with translated(), self._engine.connect() as connection:
            snapshot = await connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            held = await snapshot.execute(_POSITIONS, {"account": account})
            sent = await snapshot.execute(_ORDERS, {"account": account, "cids": list(client_order_ids)})
            return AccountBooks(
                positions={Symbol(row.symbol): row.quantity for row in held},
                orders={row.client_order_id: OrderState(row.state) for row in sent},
            )
