"""The invariants of the order life cycle on one state of the protocol's model, and when its books have come right."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from app.domain.trading.trade import TradeState
from tests.model.books import illegal_steps
from tests.model.protocol import start, steps
from tests.model.rules import VALIDITY, Rules, State
from tests.model.search import Found, explore

NEGATIVE = (TradeState.REJECTED, TradeState.ABANDONED)


def search(rules: Rules, *, until: str | None = None) -> Found[State]:
    """Visit every state of the protocol under these rules."""
    return explore(
        start(rules),
        partial(steps, rules=rules),
        partial(broken_by, rules=rules),
        lambda before, after: illegal_steps(before.books, after.books),
        until=until,
    )


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


def is_converged(state: State) -> bool:
    """Whether nothing is on its way, the trade is settled, and our books hold exactly what the venue executed."""
    on_its_way = state.unsent or state.flying or any(order.live for order in state.venue)
    return bool(not on_its_way and state.books.settled and state.books.booked == state.executed)


def stuck(found: Found[State], *, by_stream: bool) -> tuple[str, ...] | None:
    """Return the shortest trace to a state from which the books can never come right again, None when there is none.

    Without `by_stream` no message of the stream and no late reply helps: recovery must manage alone.
    """
    return found.stuck(is_converged, without=() if by_stream else ("stream", "reply"))
