"""The API in this process on a database of the test's own, or on one that a module's tests share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
import pytest

from app.infrastructure.postgres.engine import make_engine
from app.presentation.api.app import create_app
from tests.integration.api.scene import Scene, make_scene
from tests.integration.api.services import Outside, make_services
from tests.support.servers import Databases, in_thread


@dataclass(frozen=True, slots=True)
class Api:
    """A client of the API, the stored scene, and the world outside."""

    client: httpx2.AsyncClient
    scene: Scene
    outside: Outside


@asynccontextmanager
async def serving(dsn: str, scene: Scene | None) -> AsyncIterator[Api]:
    engine = make_engine(dsn, pool_size=4, application_name="api tests")
    outside = Outside()
    try:
        stored = scene if scene is not None else await make_scene(engine)
        transport = httpx2.ASGITransport(create_app(make_services(engine, outside)))
        async with httpx2.AsyncClient(transport=transport, base_url="http://api") as client:
            yield Api(client, stored, outside)
    finally:
        await engine.dispose()


@pytest.fixture
async def api(database_dsn: str) -> AsyncIterator[Api]:
    """The API on this test's own scene."""
    async with serving(database_dsn, None) as made:
        yield made


@pytest.fixture(scope="module")
def shared(databases: Databases, migrated_template: str) -> Iterator[tuple[str, Scene]]:
    """A database with one scene for all tests of a module."""
    dsn = databases.create("api", template=migrated_template)

    async def fill() -> Scene:
        engine = make_engine(dsn, pool_size=1, application_name="api tests")
        try:
            return await make_scene(engine)
        finally:
            await engine.dispose()

    yield dsn, in_thread(lambda: asyncio.run(fill()))
    databases.drop(dsn)


@pytest.fixture
async def shared_api(shared: tuple[str, Scene]) -> AsyncIterator[Api]:
    """The API on the module's scene: for tests that break nothing for each other."""
    async with serving(*shared) as made:
        yield made
