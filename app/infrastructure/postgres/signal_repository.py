"""Signals in PostgreSQL: the truth about what was asked and what is still to be done.

The line. Signals of one leader on one market form a line, in the order of `seq`; the closes that one follower asked
for on that market form a line of their own, and the two kinds do not wait for each other. In a line a signal waits for
every earlier unfinished one; a close alone outranks an entry that still waits (which is then superseded), and waits
for earlier exits and for an entry that a worker has claimed to stop: the worker looks for a later close before each
chunk, so that is soon. A reduction waits like an entry: it is a share of what the entry makes. (Were the exit planned while entries are still being committed, a follower whose entry comes a
moment later would keep a position that nobody closes.)

Invariants: a claim is one statement, so two claimers never get one signal; only the owner of a claim ends or lengthens
it; a claim whose lease ran out is anybody's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.shared.errors import InvalidValue
from app.domain.shared.execution import Action
from app.domain.shared.ids import SignalId
from app.domain.signals.priority import Lane
from app.domain.signals.signal import SIGNAL_LIFECYCLE, Signal, SignalState, SignalStep
from app.infrastructure.postgres.repositories_saving import Collect, found, known_breach
from app.infrastructure.postgres.rows import signal_of, signal_values
from app.infrastructure.postgres.schema import signals

UNFINISHED: Final = (SignalState.PENDING.value, SignalState.DISPATCHING.value)
_PENDING: Final = SignalState.PENDING.value
_DISPATCHING: Final = SignalState.DISPATCHING.value
_ENDS: Final = frozenset(
    SIGNAL_LIFECYCLE.after(SignalState.DISPATCHING, step)
    for step in (SignalStep.RELEASE, SignalStep.FINISH, SignalStep.EXPIRE)
)


class PostgresSignals:
    """SignalRepository."""

    def __init__(self, connection: AsyncConnection, collect: Collect) -> None:
        self._connection = connection
        self._collect = collect

    async def add(self, signal: Signal) -> bool:
        """Store a new signal; False when one of that id exists: then nothing changes and no news leaves."""
        statement = (
            insert(signals)
            .values(**signal_values(signal))
            .on_conflict_do_nothing(index_elements=[signals.c.id])
            .returning(signals.c.id)
        )
        try:
            async with self._connection.begin_nested():
                stored = (await self._connection.execute(statement)).scalar_one_or_none()
        except IntegrityError as error:
            raise known_breach(error) from None
        if stored is None:
            return False
        self._collect(signal.events, signal.trace_id)
        return True

    async def get(self, signal_id: SignalId) -> Signal:
        """Return the signal, or raise NotFound."""
        result = await self._connection.execute(select(signals).where(signals.c.id == signal_id))
        return signal_of(found(result.mappings().one_or_none(), "signal", signal_id))

    async def claim(
        self, now: datetime, lease: timedelta, owner: str, lanes: Sequence[Lane], only: SignalId | None = None
    ) -> Signal | None:
        """Take the most urgent signal that is free and first in its line, until `now + lease`; None when none is."""
        wanted = [_is_free(now), signals.c.lane.in_([lane.value for lane in lanes]), ~_has_earlier_in_line()]
        if only is not None:
            wanted.append(signals.c.id == only)
        chosen = (
            select(signals.c.id)
            .where(*wanted)
            .order_by(signals.c.is_exit.desc(), signals.c.priority, signals.c.seq)
            .limit(1)
            .with_for_update(skip_locked=True, of=signals)
            .cte("chosen")  # a locking CTE runs once; as a sub-select it might run again and lock another row
        )
        statement = (
            update(signals)
            .where(signals.c.id == chosen.c.id)
            .values(state=_DISPATCHING, owner=owner, lease_until=now + lease, version=signals.c.version + 1)
            .returning(signals)
        )
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else signal_of(row)

    async def extend(self, signal_id: SignalId, owner: str, until: datetime) -> bool:
        """Lengthen one's own lease; False when the claim is another's by now, or over."""
        statement = update(signals).where(*_is_claim_of(signal_id, owner)).values(lease_until=until)
        return (await self._connection.execute(statement)).rowcount == 1

    async def finish(self, signal_id: SignalId, owner: str, state: SignalState) -> bool:
        """End one's own claim: DONE, EXPIRED, or PENDING to give it back; False when the claim is another's by now."""
        if state not in _ENDS:
            raise InvalidValue("A claim ends as DONE, EXPIRED or PENDING.", state=state.value)
        statement = (
            update(signals)
            .where(*_is_claim_of(signal_id, owner))
            .values(
                state=state.value,
                owner=None,
                lease_until=None,
                done_at=None if state is SignalState.PENDING else func.now(),
                version=signals.c.version + 1,
            )
        )
        return (await self._connection.execute(statement)).rowcount == 1

    async def superseded(self, signal: Signal) -> bool:
        """Return whether a later close of the leader stands in the signal's line, in whatever state."""
        mine, later = signals.alias("mine"), signals.alias("later")
        statement = select(
            exists()
            .where(mine.c.id == signal.id)
            .where(*_same_market(later, mine), later.c.seq > mine.c.seq)
            .where(later.c.action == Action.CLOSE.value, later.c.scope.is_(None))
        )
        return bool(await self._connection.scalar(statement))

    async def waiting(self, now: datetime, older_than: timedelta) -> Sequence[tuple[SignalId, Lane]]:
        """Return signals that nobody works on: pending for longer than `older_than`, or with a lapsed lease; oldest first."""
        statement = (
            select(signals.c.id, signals.c.lane)
            .where(
                or_(
                    and_(signals.c.state == _PENDING, signals.c.created_at < now - older_than),
                    and_(signals.c.state == _DISPATCHING, signals.c.lease_until < now),
                )
            )
            .order_by(signals.c.seq)
        )
        rows = await self._connection.execute(statement)
        return tuple((SignalId(row.id), Lane(row.lane)) for row in rows)


def _is_free(now: datetime) -> ColumnElement[bool]:
    lapsed = and_(signals.c.state == _DISPATCHING, signals.c.lease_until < now)
    return or_(signals.c.state == _PENDING, lapsed)


def _has_earlier_in_line() -> ColumnElement[bool]:
    earlier = signals.alias("earlier")
    return (
        exists()
        .where(
            earlier.c.state.in_(UNFINISHED), *_same_market(earlier, signals), earlier.c.seq < signals.c.seq
        )
        .where(earlier.c.scope.is_not_distinct_from(signals.c.scope))
        .where(
            or_(earlier.c.is_exit, signals.c.action != Action.CLOSE.value, earlier.c.state == _DISPATCHING)
        )
        .correlate(signals)
    )


def _same_market(one: Any, other: Any) -> tuple[ColumnElement[bool], ...]:
    """Both are (aliases of) `signals`."""
    return (
        one.c.whale_id == other.c.whale_id,
        one.c.venue == other.c.venue,
        one.c.symbol == other.c.symbol,
    )


def _is_claim_of(signal_id: SignalId, owner: str) -> tuple[ColumnElement[bool], ...]:
    return (signals.c.id == signal_id, signals.c.owner == owner, signals.c.state == _DISPATCHING)
