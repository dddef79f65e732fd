"""State machines as data: a table of (state, event) -> state; whatever the table lacks is illegal."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Generic, TypeVar

from app.domain.shared.errors import IllegalTransition

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


class Lifecycle(Generic[S, E]):
    """One aggregate's transition table.

    `after(state, event)` returns the next state or raises IllegalTransition; `allows` asks without raising.
    States with no way out are terminal.
    """

    __slots__ = ("_name", "_table")

    def __init__(self, name: str, table: Mapping[tuple[S, E], S]) -> None:
        self._name = name
        self._table = MappingProxyType(dict(table))

    @property
    def table(self) -> Mapping[tuple[S, E], S]:
        """The whole table, read-only: documents and tests are made from it."""
        return self._table

    def allows(self, state: S, event: E) -> bool:
        """Return whether `event` may happen in `state`."""
        return (state, event) in self._table

    def after(self, state: S, event: E) -> S:
        """Return the state that follows, or raise IllegalTransition."""
        try:
            return self._table[(state, event)]
        except KeyError:
            raise IllegalTransition(
                f"A {self._name} that is {state.value} cannot take {event.value}.",
                aggregate=self._name,
                state=state.value,
                event=event.value,
            ) from None

    def sources(self, event: E) -> frozenset[S]:
        """Return the states in which `event` is legal, for guards in set-based SQL."""
        return frozenset(state for state, candidate in self._table if candidate is event)

    def is_terminal(self, state: S) -> bool:
        """Return whether no event leads out of `state`."""
        return all(source is not state for source, _ in self._table)
