"""The protections of one rung beside a leader's close, as a graph of states: keeper, sender, look-up, network, venue, stream.

Parties: two workers, of which the second acts on what it saw before; the network, which delays and drops; the venue, at
which prices move and owners cancel by hand. What is told may be told late, twice or never. Rows move by the program's own
table; test_guarding.py shows that the keeper's steps are those of the program's keeper.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.domain.trading.protection import IS_LIVE, PROTECTION_LIFECYCLE, ProtectionEvent
from tests.model.guards import (
    ANSWERS,
    EVENT,
    GONE,
    HORIZON,
    STATE,
    VALIDITY,
    AtVenue,
    Guard,
    Row,
    World,
    decisions,
)

CROSSINGS = frozenset({(STATE.CANCELED, EVENT.SEEN_TRIGGERED), (STATE.EXPIRED, EVENT.SEEN_TRIGGERED)})

Step = tuple[str, World]


def steps(world: World, rules: Guard) -> Iterator[Step]:
    """Every step that may come next, by name; the beginning of a name says whose it is."""
    yield _tick(world, rules)
    yield from _keeper(world, rules)
    yield from _sender(world, rules)
    yield from _network(world, rules)
    yield from _prices_and_owners(world, rules)
    yield from _told(world, rules)
    yield from _look(world, rules)
    yield from _exits(world, rules)
    yield from _other(world, rules)


def _keeper(world: World, rules: Guard) -> Iterator[Step]:
    seen = decisions(world, rules)
    for what in seen:
        yield from _act("worker 1", world, what, rules)
        if rules.two_workers and world.stale is None:
            yield f"worker 2 means to {what[0]} {what[1]}", world._replace(stale=what)
    if world.stale is not None:
        late = world._replace(stale=None)
        yield from _act("worker 2", late, world.stale, rules)
        yield "worker 2 comes too late or dies", late
    if world.want < rules.moves and world.held:
        yield "the stop is to move", world._replace(want=world.want + 1)


def _act(who: str, world: World, what: tuple[str, int], rules: Guard) -> Iterator[Step]:
    verb, number = what
    if verb == "place":
        # Asked for under the account's lock: does an exit go or wait, and are the coins still held?
        live = sum(row.state in IS_LIVE for row in world.rows)
        told = rules.is_apart(world) and rules.asks_before_placing and (world.leaving or live >= world.held)
        if number == len(world.rows) and not told:  # else another worker stored this attempt first
            rows = (*world.rows, Row(STATE.PLACING, world.want))
            yield f"{who} commits {number}", world._replace(rows=rows, unsent=(*world.unsent, number))
    elif world.rows[number].state is STATE.RESTING:  # else another worker changed it first
        asked = _happens(world, number, EVENT.CANCEL)
        yield f"{who} cancels {number}", asked._replace(cancels=tuple(sorted((*world.cancels, number))))
        yield f"{who} crashes before cancelling {number}", asked


def _happens(
    world: World, number: int, event: ProtectionEvent, *, looks: int | None = None, rules: Guard | None = None
) -> World:
    """Move one row on, unless the table forbids it; a trigger becomes an exit, once."""
    row = world.rows[number]
    if rules is not None and not rules.believes_a_crossing and (row.state, event) in CROSSINGS:
        return world
    if PROTECTION_LIFECYCLE.allows(row.state, event):
        after = PROTECTION_LIFECYCLE.after(row.state, event)
        traded = 1 if after is STATE.TRIGGERED else 0
        row = row._replace(
            state=after,
            trades=row.trades + traded,
            was_absent=row.was_absent or after is STATE.ABSENT,
            looks=row.looks if looks is None else looks,
        )
    elif rules is not None and not rules.becomes_one_exit and event is EVENT.SEEN_TRIGGERED:
        row = row._replace(trades=min(row.trades + 1, 2))
    return world._replace(rows=(*world.rows[:number], row, *world.rows[number + 1 :]))


def _put(world: World, one: AtVenue) -> World:
    kept = tuple(other for other in world.venue if other.attempt != one.attempt)
    return world._replace(venue=tuple(sorted((*kept, one))))


def _tick(world: World, rules: Guard) -> Step:
    rows = tuple(row._replace(age=min(row.age + 1, HORIZON)) for row in world.rows)
    venue = tuple(
        (one._replace(visible=True) if rules.visibility_bound or rows[one.attempt].age >= HORIZON else one)
        for one in world.venue
    )
    flying = tuple((number, max(GONE, left - 1)) for number, left in world.flying)
    return "tick", world._replace(rows=rows, venue=venue, flying=flying)


def _sender(world: World, rules: Guard) -> Iterator[Step]:
    for number in world.unsent:
        kept = world._replace(unsent=tuple(other for other in world.unsent if other != number))
        left = VALIDITY - world.rows[number].age if rules.committed_timestamp else VALIDITY
        flying = tuple(sorted((*world.flying, (number, max(GONE, left)))))
        yield f"{number} is sent", kept._replace(flying=flying)
        yield f"crash before {number} is sent", kept
    for number, row in enumerate(world.rows):
        if row.state is STATE.PLACING and number not in world.unsent:
            yield f"no reply to {number}", _happens(world, number, EVENT.LOST)


def _network(world: World, rules: Guard) -> Iterator[Step]:
    for place, (number, left) in enumerate(world.flying):
        arrived = world._replace(flying=world.flying[:place] + world.flying[place + 1 :])
        locked = sum(one.standing == "resting" for one in world.venue)
        if left < 0:
            yield f"{number} arrives too late, refused", _happens(arrived, number, EVENT.NEVER_LEFT)
            yield f"{number} arrives too late, reply lost", arrived
            continue
        if rules.spot and world.position + rules.owner - locked < 1:
            yield f"{number} arrives, no coins", _happens(arrived, number, EVENT.REFUSED)
            yield f"{number} arrives, no coins, reply lost", arrived
            continue
        yield f"{number} arrives, accepted, reply lost", _put(arrived, AtVenue(number))
        rests = _put(arrived, AtVenue(number, visible=True))  # what a venue acknowledged it also shows
        yield f"{number} arrives, accepted", _happens(rests, number, EVENT.SEEN_RESTING)
        yield f"{number} arrives, refused", _happens(arrived, number, EVENT.REFUSED)
        yield f"{number} arrives, refused, reply lost", arrived
    for place, number in enumerate(world.cancels):
        arrived = world._replace(cancels=world.cancels[:place] + world.cancels[place + 1 :])
        one = world.at_venue(number)
        assert one is not None, "only what rested is cancelled"
        crossed = rules.cancels_cross and one.standing == "triggered"
        if one.standing == "resting":
            one = one._replace(standing="canceled")
            arrived = _put(arrived, one)
        yield f"cancel of {number} arrives, reply lost", arrived
        event = EVENT.SEEN_CANCELED if crossed else _event(one)
        yield f"cancel of {number} arrives", _happens(arrived, number, event, rules=rules)


def _event(one: AtVenue) -> ProtectionEvent:
    return {
        "resting": EVENT.SEEN_RESTING,
        "triggered": EVENT.SEEN_TRIGGERED,
        "canceled": EVENT.SEEN_CANCELED,
    }[one.standing]


def _prices_and_owners(world: World, rules: Guard) -> Iterator[Step]:
    for one in world.venue:
        if one.standing == "resting":
            limited = rules.reduce_only and not rules.spot  # coins that it locked are sold whoever's they are
            filled = min(1, max(0, world.position + world.beside)) if limited else 1
            sold = world._replace(position=world.position - filled)
            yield f"price triggers {one.attempt}", _put(
                sold, one._replace(standing="triggered", filled=filled)
            )
            yield f"owner cancels {one.attempt}", _put(world, one._replace(standing="canceled"))
        if not one.visible:
            yield f"{one.attempt} becomes visible", _put(world, one._replace(visible=True))


def _told(world: World, rules: Guard) -> Iterator[Step]:
    """Every message that was ever sent may come at any time, any number of times."""
    for one in world.venue:
        rested = _happens(world, one.attempt, EVENT.SEEN_RESTING, rules=rules)
        yield f"stream tells that {one.attempt} rests", rested
        if one.standing != "resting":
            now = _happens(world, one.attempt, _event(one), rules=rules)
            yield f"stream tells that {one.attempt} is {one.standing}", now


def _look(world: World, rules: Guard) -> Iterator[Step]:
    for number, row in enumerate(world.rows):
        due = row.state in IS_LIVE and (row.state is not STATE.PLACING or row.age >= VALIDITY)
        if not due and not (rules.looks_at_the_absent and row.state is STATE.ABSENT):
            continue
        one = world.at_venue(number)
        if one is not None and one.visible:
            seen = _happens(world, number, _event(one), rules=rules)
            yield f"look finds {number}", seen
            again = row.state is STATE.CANCELING and one.standing == "resting" and rules.asks_again_to_cancel
            if again and number not in world.cancels:
                cancels = tuple(sorted((*world.cancels, number)))
                yield f"look finds {number} and cancels again", seen._replace(cancels=cancels)
        elif row.state is STATE.PLACING:
            yield f"look misses {number}", _happens(world, number, EVENT.LOST, looks=0)
        elif row.state is STATE.UNKNOWN:
            looks = row.looks + 1 if row.age >= rules.counts_from else 0
            event = EVENT.PROVEN_ABSENT if looks >= ANSWERS else EVENT.LOST
            yield f"look misses {number}", _happens(world, number, event, looks=looks)


def _exits(world: World, rules: Guard) -> Iterator[Step]:
    for number, row in enumerate(world.rows):
        one = world.at_venue(number)
        if row.trades > row.booked and one is not None and one.standing == "triggered":
            # An exit of which nothing was executed is given up: there is nothing left to close.
            booked = row._replace(booked=row.booked + 1)
            rows = (*world.rows[:number], booked, *world.rows[number + 1 :])
            yield f"exit of {number} is booked", world._replace(rows=rows, held=world.held - one.filled)
    if world.leader == "in":
        if rules.leader_stays:
            return
        yield "leader closes", world._replace(leader="asked")
    elif world.leader in ("asked", "waits", "going"):
        locked = sum(one.standing == "resting" for one in world.venue)
        commits = (rules.spot or rules.shared) and world.leader != "going"
        if world.held <= 0 or (world.position + world.beside <= 0 and not rules.spot):
            yield "leader's exit is given up: nothing to close", world._replace(leader="over")
        elif rules.spot and world.position + rules.owner - locked < 1:
            yield "leader's exit is refused: coins are locked", world
        elif commits and rules.exit_goes_last and rules.is_apart(world) and world.may_sell:
            yield "leader's exit is put off", world._replace(leader="waits")
        elif commits and rules.exit_goes_last and world.leader == "waits" and world.may_sell:
            return  # it is taken up when nothing may sell beside it any more, alone or not
        elif commits:
            yield "leader's exit is committed", world._replace(leader="going")
        else:
            yield "leader's exit executes", world._replace(leader="executed", position=world.position - 1)
    elif world.leader == "executed":
        yield "leader's exit is booked", world._replace(leader="over", held=world.held - 1)


def _other(world: World, rules: Guard) -> Iterator[Step]:
    if world.other == "out":
        yield "the other's leader opens", world._replace(other="asked")
    elif world.other == "asked":
        if not rules.entry_waits or world.may_sell <= world.held:
            yield "other's entry is committed", world._replace(other="coming")
        yield "the other's entry expires", world._replace(other="out")
    elif world.other == "coming":
        yield "other's entry executes", world._replace(other="in")
    elif world.other == "in":
        yield "the other's leader closes", world._replace(other="out")
