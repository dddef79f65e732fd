"""What the readers share: a page of a keyset query, and the restriction to what a viewer owns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, RowMapping, Select, true
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.queries import Keyset, Page
from app.application.readers import Viewer
from app.domain.shared.errors import NotFound
from app.infrastructure.postgres.outage import translated
from app.infrastructure.postgres.schema import follows

T = TypeVar("T")

Query: TypeAlias = Select[*tuple[Any, ...]]
"""A query of any columns; rows are read by name."""


class Reader:
    """Base of the readers: one engine, one short connection for each answer, nothing is ever written."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def all(self, query: Query) -> Sequence[RowMapping]:
        """Return every row of a query that is bounded by its nature."""
        async with translated(), self._engine.connect() as connection:
            return (await connection.execute(query)).mappings().all()

    async def page(
        self,
        query: Query,
        limit: int,
        row: Callable[[RowMapping], T],
        key: Callable[[RowMapping], Keyset],
    ) -> Page[T]:
        """Run an ordered query for one row more than the page holds: its presence says that a next page exists."""
        found = await self.all(query.limit(limit + 1))
        shown = found[:limit]
        return Page([row(each) for each in shown], key(shown[-1]) if len(found) > limit else None)

    async def one(self, query: Query, what: str) -> RowMapping:
        """Return the query's only row, or raise NotFound in the words for an absent `what`."""
        found = await self.all(query)
        if not found:
            raise NotFound(f"There is no such {what}.")
        return found[0]


def owned(user_id: ColumnElement[int], viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that a row is the viewer's own; always true for an operator."""
    return true() if viewer is None else user_id == viewer


def followed(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that a joined row of `follows` is the viewer's own."""
    return owned(follows.c.user_id, viewer)
