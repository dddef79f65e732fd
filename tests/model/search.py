"""Breadth-first search of every state, so that the first trace to a violation is a shortest one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.domain.trading.trade import TradeState
from tests.model.books import illegal_steps
from tests.model.protocol import VALIDITY, Rules, State, start, steps

NEGATIVE = (TradeState.REJECTED, TradeState.ABANDONED)


@dataclass
class Found:
    """The graph that was searched: states by number, where each came from, and the first trace to each broken invariant."""

    states: list[State] = field(default_factory=list)
    came_from: list[tuple[int, str]] = field(default_factory=list)
    edges: list[list[tuple[int, bool]]] = field(default_factory=list)
    broken: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def trace(self, number: int) -> tuple[str, ...]:
        """The steps from the start to a state."""
        steps_back: list[str] = []
        while number:
            number, name = self.came_from[number]
            steps_back.append(name)
        return tuple(reversed(steps_back))


def search(rules: Rules, *, until: str | None = None, most: int = 1_000_000) -> Found:
    """Visit every state that can be reached, or all until an invariant is seen broken.

    Raises AssertionError beyond `most` states.
    """
    found = Found()
    numbers: dict[State, int] = {}

    def number_of(state: State, parent: int, name: str) -> int:
        known = numbers.get(state)
        if known is None:
            known = numbers[state] = len(found.states)
            found.states.append(state)
            found.came_from.append((parent, name))
            found.edges.append([])
            waiting.append(known)
            for invariant in broken_by(state, rules):
                found.broken.setdefault(invariant, found.trace(known))
        return known

    waiting: deque[int] = deque()
    number_of(start(rules), 0, "")
    while waiting and until not in found.broken:
        here = waiting.popleft()
        state = found.states[here]
        for name, after in steps(state, rules):
            there = number_of(after, here, name)
            found.edges[here].append((there, name.startswith(("stream", "reply"))))
            for what in illegal_steps(state.books, after.books):
                found.broken.setdefault("I11", (*found.trace(here), name, what))
        assert len(found.states) <= most, "the model is larger than it was meant to be"
    return found


def broken_by(state: State, rules: Rules) -> Iterator[str]:
    """Name the invariants of the life cycle that a state breaks."""
    books, executed = state.books, state.executed
    may_execute = sum(order.quantity - order.filled for order in state.venue if order.live)
    if not rules.is_exit:
        if executed + may_execute > rules.lots:
            yield "I1"
        if books.trade in NEGATIVE and executed + may_execute:
            yield "I2"
        if books.hold + books.booked < executed + may_execute:
            yield "I3"
    quiet = not (may_execute or state.flying or state.unsent)
    # Where an order may become visible at any time, an exit that was sent again may have executed unseen.
    is_sure = not rules.is_exit or rules.visibility_bound
    if is_sure and books.settled and quiet and books.booked != executed:
        yield "I5"
    if books.hold < 0 or (books.settled and books.hold):
        yield "I3"
    if books.booked > executed:
        yield "I6"
    if rules.is_exit and (books.booked > rules.held or executed > rules.held):
        yield "I7"
    for attempt, left in state.flying:
        if left >= 0 and left != VALIDITY - books.rows[attempt].age:
            yield "I10"


def is_converged(state: State, rules: Rules) -> bool:
    """Whether nothing is on its way, the trade is settled, and our books hold exactly what the venue executed."""
    on_its_way = state.unsent or state.flying or any(order.live for order in state.venue)
    return bool(not on_its_way and state.books.settled and state.books.booked == state.executed)


def stuck(found: Found, rules: Rules, *, by_stream: bool) -> tuple[str, ...] | None:
    """Return the shortest trace to a state from which the books can never come right again, None when there is none.

    Without `by_stream` no message of the stream and no late reply helps: recovery must manage alone.
    """
    backwards: list[list[int]] = [[] for _ in found.states]
    for here, out in enumerate(found.edges):
        for there, is_stream in out:
            if by_stream or not is_stream:
                backwards[there].append(here)
    good = [is_converged(state, rules) for state in found.states]
    waiting = [number for number, fine in enumerate(good) if fine]
    while waiting:
        for before in backwards[waiting.pop()]:
            if not good[before]:
                good[before] = True
                waiting.append(before)
    first = next((number for number, fine in enumerate(good) if not fine), None)
    return None if first is None else found.trace(first)
