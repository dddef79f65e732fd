"""One transaction on a connection of its own, with a failpoint before and after its commit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.infrastructure.failpoints import failpoint


@asynccontextmanager
async def transaction(engine: AsyncEngine, point: str) -> AsyncIterator[AsyncConnection]:
    """Yield a connection; leaving without an error commits, leaving with one rolls back.

    The points are `POINT.commit.before` (nothing is durable yet) and `POINT.commit.after` (everything is, and nobody was
    told). The name is a literal of its own at each place, which an architecture test asks for.
    """
    async with engine.connect() as connection:
        yield connection
        failpoint(f"{point}.commit.before")
        await connection.commit()
        failpoint(f"{point}.commit.after")
