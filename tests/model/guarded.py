"""The invariants of protections on one state of their model, and when everything has come to rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from app.domain.trading.protection import IS_LIVE, PROTECTION_LIFECYCLE, ProtectionState
from tests.model.guarding import steps
from tests.model.guards import VALIDITY, Guard, World, goes_alone
from tests.model.search import Found, explore

STEPS = frozenset((source, target) for (source, _), target in PROTECTION_LIFECYCLE.table.items())
ENDED_WITHOUT = frozenset(
    {ProtectionState.CANCELED, ProtectionState.EXPIRED, ProtectionState.REJECTED, ProtectionState.NOT_SENT}
)
LUCK = ("price", "owner", "the other's")
TOLD = ("stream",)


def search(rules: Guard, *, until: str | None = None) -> Found[World]:
    """Visit every state of the protections under these rules."""
    return explore(
        rules.start(),
        partial(steps, rules=rules),
        partial(broken_by, rules=rules),
        illegal_steps,
        until=until,
    )


def broken_by(world: World, rules: Guard) -> Iterator[str]:
    """Name what a state breaks.

    P1: more is sold than was held: of the owner's, or of another follow's. P2: two rest at one price; where no bound on visibility is stated, an absence that was
    assumed excuses it. P3: the books hold other than the venue and what is still to be booked. P4: what our books call
    ended rests, or was executed. P5: a position that is not being left was laid bare by a cancellation, where it
    need not be. P6: an id left
    twice, or behind its committed deadline.
    """
    if world.position < 0:
        yield "P1"
    resting = [world.rows[one.attempt] for one in world.venue if one.standing == "resting"]
    wants = [row.want for row in resting]
    excused = not rules.visibility_bound and any(row.was_absent for row in world.rows)
    if len(wants) != len(set(wants)) and not excused:
        yield "P2"
    unbooked = sum(max(0, one.filled - world.rows[one.attempt].booked) for one in world.venue)
    executed = 1 if world.leader == "executed" else 0
    if world.held != world.position + unbooked + executed:
        yield "P3"
    for one in world.venue:
        ended = world.rows[one.attempt].state in ENDED_WITHOUT
        if ended and not rules.cancels_cross and (one.standing == "resting" or one.filled):
            yield "P4"
    if world.held and not world.leaving and not rules.shared and not goes_alone(world, rules):
        placed = {one.attempt for one in world.venue}
        if any(placed == {number} for number in world.cancels):
            yield "P5"
    gone = [number for number, _ in world.flying] + [one.attempt for one in world.venue]
    late = any(left >= 0 and left != VALIDITY - world.rows[number].age for number, left in world.flying)
    if len(gone) != len(set(gone)) or late:
        yield "P6"


def illegal_steps(before: World, after: World) -> Iterable[str]:
    """Name every change of state that the table does not hold."""
    for old, new in zip(before.rows, after.rows, strict=False):
        if old.state is not new.state and (old.state, new.state) not in STEPS:
            yield f"{old.state} to {new.state}"


def is_at_rest(world: World) -> bool:
    """Whether the leader is out, we are out, and nothing rests, flies or is in doubt any more."""
    out = world.leader == "over" and not world.held and not world.leaving
    resting = any(one.standing == "resting" for one in world.venue)
    on_its_way = world.unsent or world.flying or world.cancels or world.stale
    waits = world.other in ("asked", "coming")
    return bool(
        out
        and not waits
        and not resting
        and not on_its_way
        and not any(row.state in IS_LIVE for row in world.rows)
    )


def stuck(found: Found[World], *, by_stream: bool) -> tuple[str, ...] | None:
    """Return the shortest trace to a state from which we never come to rest, None when there is none.

    Neither a price nor an owner comes to our help; without `by_stream` no message of the stream does.
    """
    return found.stuck(is_at_rest, without=LUCK if by_stream else (*LUCK, *TOLD))
