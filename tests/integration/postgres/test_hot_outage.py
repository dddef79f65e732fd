"""A database that is away is said to be away, in one word of the domain, wherever it is asked."""

from __future__ import annotations

import pytest

from app.domain.shared.errors import StorageUnavailable
from app.domain.shared.ids import UserId
from app.infrastructure.clock import SystemClock
from app.infrastructure.embedded.processes import free_port
from app.infrastructure.postgres.engine import make_engine
from app.infrastructure.postgres.execution_book import PostgresExecutionBook
from app.infrastructure.postgres.readers_health import PostgresHealthReader
from app.infrastructure.postgres.uow import PostgresUnitOfWork

AWAY = "The database"


async def test_every_way_to_a_database_that_is_away_says_so() -> None:
    engine = make_engine(
        f"postgresql://nobody:secret@127.0.0.1:{free_port()}/none", pool_size=1, application_name="tests"
    )
    clock = SystemClock()
    with pytest.raises(StorageUnavailable, match=AWAY):
        async with PostgresUnitOfWork(engine, clock) as uow:
            await uow.users.get(UserId(1))
    with pytest.raises(StorageUnavailable, match=AWAY):
        async with PostgresExecutionBook(engine, clock).session() as session:
            await session.attempts(["c"])
    with pytest.raises(StorageUnavailable, match=AWAY):
        await PostgresHealthReader(engine).backlog()
    await engine.dispose()
