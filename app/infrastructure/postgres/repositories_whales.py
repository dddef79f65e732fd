"""Leaders in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import exists, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.shared.ids import AccountId, WhaleId
from app.domain.shared.market import Venue
from app.domain.users.follow import FollowState
from app.domain.whales.whale import Whale, WhaleState, WhaleTier
from app.infrastructure.postgres.entry_gate import shut_entry_gate
from app.infrastructure.postgres.repositories_saving import Collect, found, insert_row, save_versioned
from app.infrastructure.postgres.rows import whale_of, whale_values
from app.infrastructure.postgres.schema import follows, positions, trades, whales


class PostgresWhales:
    """WhaleRepository."""

    def __init__(self, connection: AsyncConnection, collect: Collect) -> None:
        self._connection = connection
        self._collect = collect

    async def add(self, name: str, venue: Venue, account: AccountId, tier: WhaleTier) -> Whale:
        """Store a new whale; AlreadyExists when the account is a whale already."""
        statement = insert(whales).values(
            name=name,
            venue=venue.value,
            account_id=account,
            tier=tier.value,
            state=WhaleState.ACTIVE.value,
        )
        return whale_of(await insert_row(self._connection, statement, whales))

    async def get(self, whale_id: WhaleId) -> Whale:
        """Return the whale, or raise NotFound."""
        result = await self._connection.execute(select(whales).where(whales.c.id == whale_id))
        return whale_of(found(result.mappings().one_or_none(), "whale", whale_id))

    async def save(self, whale: Whale) -> None:
        """Store the whale under its version, or raise ConcurrencyConflict.

        Where it is not active no entry of its follows commits after this transaction.
        """
        if whale.state is not WhaleState.ACTIVE:
            await shut_entry_gate(self._connection)
        await save_versioned(self._connection, whales, whale.id, whale, whale_values(whale))
        self._collect(whale.events, "")

    async def watched(self) -> Sequence[Whale]:
        """Return the whales that are not banned, or that someone still follows or holds something of, oldest first.

        A trade that is not settled counts as held: its execution may still become a position.
        """
        followed = exists().where(
            follows.c.whale_id == whales.c.id, follows.c.state != FollowState.STOPPED.value
        )
        held = exists().where(
            follows.c.whale_id == whales.c.id,
            positions.c.follow_id == follows.c.id,
            positions.c.quantity != 0,
        )
        working = exists().where(
            follows.c.whale_id == whales.c.id, trades.c.follow_id == follows.c.id, ~trades.c.settled
        )
        statement = (
            select(whales)
            .where(or_(whales.c.state != WhaleState.BANNED.value, followed, held, working))
            .order_by(whales.c.id)
        )
        result = await self._connection.execute(statement)
        return tuple(whale_of(row) for row in result.mappings())
