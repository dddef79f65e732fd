"""Users' own limits and standing halts in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.risk.halts import Halt, HaltScope
from app.domain.risk.limits import Limits
from app.domain.shared.ids import UserId
from app.infrastructure.postgres.entry_gate import shut_entry_gate
from app.infrastructure.postgres.repositories_saving import known_breach
from app.infrastructure.postgres.rows import halt_of, halt_values, limits_of, limits_values
from app.infrastructure.postgres.schema import halts
from app.infrastructure.postgres.schema import limits as table


class PostgresLimits:
    """LimitsRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of_user(self, user_id: UserId) -> Limits:
        """Return the user's own limits; all None when none were set."""
        result = await self._connection.execute(select(table).where(table.c.user_id == user_id))
        row = result.mappings().one_or_none()
        return Limits() if row is None else limits_of(row)

    async def set_for_user(self, user_id: UserId, limits: Limits) -> None:
        """Replace the user's own limits; NotFound when there is no such user."""
        values = limits_values(limits)
        statement = insert(table).values(user_id=user_id, **values)
        try:
            async with self._connection.begin_nested():
                await self._connection.execute(
                    statement.on_conflict_do_update(index_elements=[table.c.user_id], set_=values)
                )
        except IntegrityError as error:
            raise known_breach(error) from None


class PostgresHalts:
    """HaltRepository."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def raise_halt(self, halt: Halt) -> None:
        """Store a halt; on the same target it replaces the reason and the time.

        Entries that are being committed come first; after this transaction's commit none does.
        """
        await shut_entry_gate(self._connection)
        statement = insert(halts).values(**halt_values(halt))
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[halts.c.scope, halts.c.target],
                set_={"reason": statement.excluded.reason, "at": statement.excluded.at},
            )
        )

    async def clear(self, scope: HaltScope, target: str) -> bool:
        """Remove a halt; False when there was none."""
        statement = delete(halts).where(halts.c.scope == scope.value, halts.c.target == target)
        return (await self._connection.execute(statement)).rowcount == 1

    async def standing(self) -> Sequence[Halt]:
        """Return all halts, newest first."""
        statement = select(halts).order_by(halts.c.at.desc(), halts.c.scope, halts.c.target)
        return tuple(halt_of(row) for row in (await self._connection.execute(statement)).mappings())
