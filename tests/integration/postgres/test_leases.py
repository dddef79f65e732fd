"""Leases on a real server: one owner at a time, and a fence against the one who lost it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.shared.errors import ConcurrencyConflict
from app.infrastructure.postgres.leases import Lease, PostgresLeases, fence
from app.infrastructure.postgres.schema import leases

TTL = timedelta(minutes=1)


async def let_lapse(engine: AsyncEngine) -> None:
    """Move the end of every lease into the past, so that no test waits."""
    async with engine.begin() as connection:
        await connection.execute(update(leases).values(until=func.now() - timedelta(seconds=1)))


async def taken(made: PostgresLeases, owner: str, ttl: timedelta = TTL) -> Lease:
    lease = await made.acquire("feed:1", owner, ttl)
    assert lease is not None
    return lease


async def test_a_lease_has_one_owner_and_its_owner_keeps_the_epoch(engine: AsyncEngine) -> None:
    made = PostgresLeases(engine)
    first = await taken(made, "a")
    assert first.epoch == 1
    assert await made.acquire("feed:1", "b", TTL) is None
    assert (await taken(made, "a")).epoch == 1
    assert (await made.acquire("feed:2", "b", TTL)) is not None


async def test_the_epoch_rises_with_each_change_of_owner(engine: AsyncEngine) -> None:
    made = PostgresLeases(engine)
    first = await taken(made, "a")
    await let_lapse(engine)
    second = await taken(made, "b")
    assert await made.release(second)
    third = await taken(made, "a")
    await let_lapse(engine)
    fourth = await taken(made, "a")  # nobody was there, but nobody can know that
    assert [lease.epoch for lease in (first, second, third, fourth)] == [1, 2, 3, 4]


async def test_a_lost_lease_is_neither_renewed_nor_released(engine: AsyncEngine) -> None:
    made = PostgresLeases(engine)
    old = await taken(made, "a")
    renewed = await made.renew(old, 2 * TTL)
    assert renewed is not None
    assert renewed.until > old.until
    assert renewed.epoch == old.epoch
    await let_lapse(engine)
    assert await made.renew(old, TTL) is None  # another may have had it in between
    new = await taken(made, "b")
    assert await made.renew(old, TTL) is None
    assert not await made.release(old)
    assert await made.renew(new, TTL) is not None


async def test_the_end_is_told_by_the_servers_clock(engine: AsyncEngine) -> None:
    lease = await taken(PostgresLeases(engine), "a")
    async with engine.connect() as connection:
        now = await connection.scalar(select(func.clock_timestamp()))
    assert now is not None
    assert timedelta(seconds=30) < lease.until - now <= TTL


async def test_of_many_at_once_one_gets_the_lease(engine: AsyncEngine) -> None:
    made = PostgresLeases(engine)
    found = await asyncio.gather(*(made.acquire("feed:1", f"owner-{number}", TTL) for number in range(8)))
    assert len([lease for lease in found if lease is not None]) == 1


async def test_the_fence_stops_who_lost_the_lease(engine: AsyncEngine) -> None:
    made = PostgresLeases(engine)
    old = await taken(made, "a")
    async with engine.begin() as connection:
        await fence(connection, old)
    await let_lapse(engine)
    async with engine.begin() as connection:
        with pytest.raises(ConcurrencyConflict):
            await fence(connection, old)
    new = await taken(made, "b")
    async with engine.begin() as connection:
        with pytest.raises(ConcurrencyConflict):
            await fence(connection, old)
        await fence(connection, new)


async def test_nobody_takes_a_lease_over_while_its_owner_acts_behind_the_fence(engine: AsyncEngine) -> None:
    made = PostgresLeases(engine)
    lease = await taken(made, "a")
    async with engine.begin() as connection:
        await fence(connection, lease)
        release = asyncio.create_task(made.release(lease))
        done, _ = await asyncio.wait([release], timeout=0.2)
        assert not done
    assert await release
