"""Breadth-first search of every state of a model, so that the first trace to a violation is a shortest one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

S = TypeVar("S", bound=Hashable)


@dataclass
class Found(Generic[S]):
    """The graph that was searched: states by number, where each came from, and the first trace to each broken invariant.

    `edges` are the steps out of each state, each with its number among `names`.
    """

    states: list[S] = field(default_factory=list)
    came_from: list[tuple[int, str]] = field(default_factory=list)
    edges: list[list[tuple[int, int]]] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    broken: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def trace(self, number: int) -> tuple[str, ...]:
        """The steps from the start to a state."""
        steps_back: list[str] = []
        while number:
            number, name = self.came_from[number]
            steps_back.append(name)
        return tuple(reversed(steps_back))

    @property
    def size(self) -> str:
        """How large the proof is."""
        return f"{len(self.states)} states, {sum(map(len, self.edges))} steps"

    def told(self) -> str:
        """What is broken, each with its shortest trace."""
        return "\n".join(f"{name}: {' | '.join(trace)}" for name, trace in self.broken.items())

    def stuck(
        self, converged: Callable[[S], bool], *, without: tuple[str, ...] = ()
    ) -> tuple[str, ...] | None:
        """Return the shortest trace to a state from which no converged one can be reached, None when there is none.

        Steps whose names begin with one of `without` do not help: the rest must manage alone.
        """
        helps = [not name.startswith(without) for name in self.names]
        backwards: list[list[int]] = [[] for _ in self.states]
        for here, out in enumerate(self.edges):
            for there, name in out:
                if helps[name]:
                    backwards[there].append(here)
        good = [converged(state) for state in self.states]
        waiting = [number for number, fine in enumerate(good) if fine]
        while waiting:
            for before in backwards[waiting.pop()]:
                if not good[before]:
                    good[before] = True
                    waiting.append(before)
        first = next((number for number, fine in enumerate(good) if not fine), None)
        return None if first is None else self.trace(first)


def explore(
    start: S,
    steps: Callable[[S], Iterable[tuple[str, S]]],
    broken_by: Callable[[S], Iterable[str]],
    broken_by_step: Callable[[S, S], Iterable[str]],
    *,
    until: str | None = None,
    most: int = 1_000_000,
) -> Found[S]:
    """Visit every state that can be reached, or all until an invariant is seen broken.

    Raises AssertionError beyond `most` states.
    """
    found: Found[S] = Found()
    numbers: dict[S, int] = {}

    def number_of(state: S, parent: int, name: str) -> int:
        known = numbers.get(state)
        if known is None:
            known = numbers[state] = len(found.states)
            found.states.append(state)
            found.came_from.append((parent, name))
            found.edges.append([])
            waiting.append(known)
            for invariant in broken_by(state):
                found.broken.setdefault(invariant, found.trace(known))
        return known

    waiting: deque[int] = deque()
    number_of(start, 0, "")
    while waiting and until not in found.broken:
        here = waiting.popleft()
        state = found.states[here]
        for name, after in steps(state):
            there = number_of(after, here, name)
            found.edges[here].append((there, found.names.setdefault(name, len(found.names))))
            for what in broken_by_step(state, after):
                found.broken.setdefault("I11", (*found.trace(here), name, what))
        assert len(found.states) <= most, "the model is larger than it was meant to be"
    return found


def can_be_taken(start: S, steps: Callable[[S], Iterable[tuple[str, S]]], wanted: Iterable[str]) -> bool:
    """Whether these steps, in this order, can be taken."""
    states = {start}
    for name in wanted:
        states = {after for state in states for step, after in steps(state) if step == name}
    return bool(states)
