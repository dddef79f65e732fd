"""An engine on a database of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.infrastructure.postgres.engine import make_engine
from tests.fakes.clock import FakeClock


@pytest.fixture
async def engine(database_dsn: str) -> AsyncIterator[AsyncEngine]:
    made = make_engine(database_dsn, pool_size=10, application_name="copytrade tests")
    yield made
    await made.dispose()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
