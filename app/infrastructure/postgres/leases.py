"""Fenced leases in PostgreSQL: one owner at a time of a named duty, by the database's clock.

Invariants: the epoch of a lease rises with each change of owner and with each take-up after a lapse, and never falls;
whoever acts under a lease checks its epoch in the transaction in which it acts (`fence`), so a paused owner that wakes
after its lease was taken over changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, case, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.domain.shared.errors import ConcurrencyConflict
from app.infrastructure.postgres.schema import leases
from app.infrastructure.postgres.transaction import transaction


@dataclass(frozen=True, slots=True)
class Lease:
    """A duty held until `until` (the database's time) unless renewed; `epoch` is the fencing token."""

    name: str
    owner: str
    epoch: int
    until: datetime


class PostgresLeases:
    """Takes, lengthens and gives back leases; each call is its own short transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def acquire(self, name: str, owner: str, ttl: timedelta) -> Lease | None:
        """Take the lease if it is free, lapsed or the owner's own; None while another holds it."""
        now = func.clock_timestamp()
        wanted = insert(leases).values(name=name, owner=owner, epoch=1, until=now + literal(ttl))
        still_mine = and_(leases.c.owner == owner, leases.c.until > now)
        statement = wanted.on_conflict_do_update(
            index_elements=[leases.c.name],
            set_={
                "owner": owner,
                "until": wanted.excluded.until,
                "epoch": leases.c.epoch + case((still_mine, 0), else_=1),
            },
            where=or_(leases.c.owner == owner, leases.c.until <= now),
        ).returning(leases)
        async with transaction(self._engine, "lease.acquire") as connection:
            row = (await connection.execute(statement)).one_or_none()
        return None if row is None else Lease(row.name, row.owner, row.epoch, row.until)

    async def renew(self, lease: Lease, ttl: timedelta) -> Lease | None:
        """Lengthen one's own lease; None when it lapsed or was taken over: stop acting then."""
        now = func.clock_timestamp()
        statement = (
            update(leases)
            .where(
                leases.c.name == lease.name,
                leases.c.owner == lease.owner,
                leases.c.epoch == lease.epoch,
                leases.c.until > now,
            )
            .values(until=now + literal(ttl))
            .returning(leases.c.until)
        )
        async with transaction(self._engine, "lease.renew") as connection:
            until = (await connection.execute(statement)).scalar_one_or_none()
        return None if until is None else Lease(lease.name, lease.owner, lease.epoch, until)

    async def release(self, lease: Lease) -> bool:
        """Give one's own lease back at once; False when it was another's already. The epoch is kept for the next owner."""
        statement = (
            update(leases)
            .where(leases.c.name == lease.name, leases.c.owner == lease.owner, leases.c.epoch == lease.epoch)
            .values(until=func.clock_timestamp())
        )
        async with transaction(self._engine, "lease.release") as connection:
            return (await connection.execute(statement)).rowcount == 1


async def fence(connection: AsyncConnection, lease: Lease) -> None:
    """Raise ConcurrencyConflict unless the lease still stands; nobody takes it over before the transaction ends."""
    statement = (
        select(leases.c.epoch)
        .where(
            leases.c.name == lease.name,
            leases.c.epoch == lease.epoch,
            leases.c.owner == lease.owner,
            leases.c.until > func.clock_timestamp(),
        )
        .with_for_update(read=True)
    )
    if (await connection.execute(statement)).scalar_one_or_none() is None:
        raise ConcurrencyConflict("The lease was lost; another owner acts now.", lease=lease.name)
