"""What leaders hold, and which of their fills are already part of a signal, in PostgreSQL.

Invariants: a fill is consumed once, by whichever feeder commits first; the row of a leader's position is locked while
a decision on it is taken, so that two feeders cannot read the same position and both act on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.shared.errors import ConcurrencyConflict
from app.domain.shared.execution import Fill
from app.domain.shared.ids import SignalId, WhaleId
from app.domain.shared.market import Symbol
from app.domain.whales.intent import Burst
from app.infrastructure.postgres.schema import leader_fills, leader_positions, whales

_FILLS_PER_STATEMENT: Final = 1000  # nine parameters each, of the 32767 that one statement takes


class PostgresLeaderBook:
    """LeaderBook."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def position(self, whale: WhaleId, sym: Symbol) -> Decimal:
        """Return the leader's signed position as of the last consumed fill, locked until the transaction ends."""
        table = leader_positions
        # Without a row there would be nothing to lock.
        await self._connection.execute(
            insert(table).values(whale_id=whale, symbol=sym).on_conflict_do_nothing()
        )
        statement = (
            select(table.c.quantity).where(table.c.whale_id == whale, table.c.symbol == sym).with_for_update()
        )
        quantity: Decimal = (await self._connection.execute(statement)).scalar_one()
        return quantity

    async def unseen(self, whale: WhaleId, burst: Burst) -> Burst | None:
        """Return the burst without fills that were consumed before, None when all were."""
        table = leader_fills
        seen: set[str] = set()
        for fills in _chunks(burst.fills):
            statement = select(table.c.trade_id).where(
                table.c.whale_id == whale,
                table.c.symbol == burst.symbol,
                table.c.trade_id.in_([fill.trade_id for fill in fills]),
            )
            seen.update((await self._connection.execute(statement)).scalars())
        fresh = tuple({fill.trade_id: fill for fill in burst.fills if fill.trade_id not in seen}.values())
        return replace(burst, fills=fresh) if fresh else None

    async def consume(self, whale: WhaleId, burst: Burst, after: Decimal, signal: SignalId | None) -> None:
        """Mark the burst's fills as consumed and store the position after them.

        ConcurrencyConflict when another feeder consumed one of them: nothing of this transaction may stand then.
        """
        for fills in _chunks(burst.fills):
            statement = (
                insert(leader_fills)
                .values([_fill_values(whale, burst.symbol, fill, signal) for fill in fills])
                .on_conflict_do_nothing()
                .returning(leader_fills.c.trade_id)
            )
            stored = (await self._connection.execute(statement)).scalars().all()
            if len(stored) != len(fills):
                raise ConcurrencyConflict(
                    "Another feeder took these fills first.", whale_id=whale, order_id=burst.order_id
                )
        await self.set_position(whale, burst.symbol, after)

    async def set_position(self, whale: WhaleId, sym: Symbol, quantity: Decimal) -> None:
        """Store a leader's signed position: after a decision, or what the venue says when the watch begins."""
        table = leader_positions
        statement = insert(table).values(whale_id=whale, symbol=sym, quantity=quantity)
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[table.c.whale_id, table.c.symbol],
                set_={"quantity": quantity, "updated_at": func.now()},
            )
        )

    async def newest_fills(self, whale: WhaleId) -> dict[Symbol, datetime]:
        """Return per symbol the venue's time of the newest consumed fill; symbols without one are absent."""
        table = leader_fills
        statement = (
            select(table.c.symbol, func.max(table.c.at).label("newest"))
            .where(table.c.whale_id == whale)
            .group_by(table.c.symbol)
        )
        rows = await self._connection.execute(statement)
        return {Symbol(row.symbol): row.newest for row in rows}

    async def watched_since(self, whale: WhaleId) -> datetime | None:
        """Return when the watch of this leader first began, None when it never did."""
        since: datetime | None = await self._connection.scalar(
            select(whales.c.watched_since).where(whales.c.id == whale)
        )
        return since

    async def begin_watch(self, whale: WhaleId, at: datetime) -> None:
        """Remember that from `at` on, what the leader does is copied; ConcurrencyConflict when it is watched already.

        A second beginning would overwrite positions that decisions were based on. The whale's version stays: the watch
        is no change that its owner made.
        """
        statement = (
            update(whales)
            .where(whales.c.id == whale, whales.c.watched_since.is_(None))
            .values(watched_since=at)
        )
        if (await self._connection.execute(statement)).rowcount != 1:
            raise ConcurrencyConflict("This leader is watched already.", whale_id=whale)


def _chunks(fills: Sequence[Fill]) -> Iterator[Sequence[Fill]]:
    rest = iter(fills)
    while chunk := tuple(islice(rest, _FILLS_PER_STATEMENT)):
        yield chunk


def _fill_values(whale: WhaleId, sym: Symbol, fill: Fill, signal: SignalId | None) -> dict[str, object]:
    return {
        "whale_id": whale,
        "symbol": sym,
        "trade_id": fill.trade_id,
        "order_id": fill.order_id,
        "side": fill.side.value,
        "price": fill.price,
        "quantity": fill.quantity,
        "at": fill.at,
        "signal_id": signal,
    }
