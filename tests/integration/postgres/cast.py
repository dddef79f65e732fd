"""Whales in a real database, for tests that need many signals."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.shared.ids import WhaleId
from app.domain.users.user import Role
from app.domain.whales.whale import WhaleTier
from app.infrastructure.postgres.uow import PostgresUnitOfWork
from tests.contract.persistence.world import VENUE
from tests.fakes.clock import FakeClock


async def make_whales(engine: AsyncEngine, clock: FakeClock, number: int) -> list[WhaleId]:
    made: list[WhaleId] = []
    async with PostgresUnitOfWork(engine, clock) as unit:
        user = await unit.users.add("Ahab", Role.OPERATOR)
        for index in range(number):
            account = await unit.accounts.add(user.id, VENUE, f"leader {index}")
            whale = await unit.whales.add(f"whale {index}", VENUE, account.id, WhaleTier.STANDARD)
            made.append(whale.id)
        await unit.commit()
    return made
