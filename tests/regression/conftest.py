"""A scene on a database of the test's own, and the hot path's parts on fakes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app.infrastructure.postgres.engine import make_engine
from tests.fakes.clock import FakeClock
from tests.integration.postgres.drift_scene import DriftScene
from tests.unit.application.trading.crew import Crew


@pytest.fixture
async def scene(database_dsn: str) -> AsyncIterator[DriftScene]:
    engine = make_engine(database_dsn, pool_size=4, application_name="copytrade tests")
    yield DriftScene(engine, FakeClock())
    await engine.dispose()


@pytest.fixture
def crew() -> Crew:
    return Crew()
