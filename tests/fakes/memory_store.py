"""Tables in memory with transactions: reads see their own writes, and a commit on stale rows is refused."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar, cast

from app.domain.shared.errors import ConcurrencyConflict
from app.domain.shared.events import Event

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True)
class Table(Generic[K, V]):
    """The name of a table, with the types of its keys and values. Values are never changed in place."""

    name: str


@dataclass(slots=True)
class Store:
    """What was committed. Numbers are handed out once, whether or not their transaction commits."""

    rows: dict[tuple[str, Hashable], object] = field(default_factory=dict)
    news: list[tuple[Event, str]] = field(default_factory=list)
    last_number: int = 0

    def number(self) -> int:
        self.last_number += 1
        return self.last_number


class Transaction:
    """One transaction on a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._before: dict[tuple[str, Hashable], object | None] = {}
        self._after: dict[tuple[str, Hashable], object | None] = {}

    def number(self) -> int:
        return self._store.number()

    def get(self, table: Table[K, V], key: K) -> V | None:
        place = (table.name, key)
        value = self._after[place] if place in self._after else self._store.rows.get(place)
        return cast("V | None", value)

    def put(self, table: Table[K, V], key: K, value: V | None) -> None:
        """Store a value; None removes the row."""
        place = (table.name, key)
        self._before.setdefault(place, self._store.rows.get(place))
        self._after[place] = value

    def all(self, table: Table[K, V], wanted: Callable[[V], bool] = lambda value: True) -> Iterator[V]:
        """The table's values in the order in which they were first stored."""
        places = [place for place in {**self._store.rows, **self._after} if place[0] == table.name]
        for place in places:
            value = self.get(table, cast("K", place[1]))
            if value is not None and wanted(value):
                yield value

    def keys(self, table: Table[K, V]) -> Iterator[K]:
        for name, key in {**self._store.rows, **self._after}:
            if name == table.name and self.get(table, cast("K", key)) is not None:
                yield cast("K", key)

    def commit(self, news: list[tuple[Event, str]]) -> None:
        """Make the writes durable, or raise ConcurrencyConflict when a row that they replace has changed meanwhile."""
        for place, before in self._before.items():
            if self._store.rows.get(place) is not before:
                raise ConcurrencyConflict("It was changed by someone else in the meantime.", table=place[0])
        for place, value in self._after.items():
            if value is None:
                self._store.rows.pop(place, None)
            else:
                self._store.rows[place] = value
        self._store.news.extend(news)
