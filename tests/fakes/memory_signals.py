"""Signals and the leader book in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from app.domain.shared.errors import ConcurrencyConflict, InvalidValue, NotFound
from app.domain.shared.events import Recorder
from app.domain.shared.execution import Action
from app.domain.shared.ids import SignalId, WhaleId
from app.domain.shared.market import Symbol
from app.domain.signals.priority import Lane
from app.domain.signals.signal import Signal, SignalState
from app.domain.whales.intent import Burst
from tests.fakes.memory_people import WHALES, Collect
from tests.fakes.memory_store import Table, Transaction

UNFINISHED = (SignalState.PENDING, SignalState.DISPATCHING)


@dataclass(frozen=True, slots=True)
class SignalRow:
    """A stored signal with what only the store knows."""

    signal: Signal
    seq: int
    owner: str | None = None
    lease_until: datetime | None = None

    def is_free(self, now: datetime) -> bool:
        state = self.signal.state
        lapsed = self.lease_until is not None and self.lease_until < now
        return state is SignalState.PENDING or (state is SignalState.DISPATCHING and lapsed)

    def waits_for(self, other: SignalRow) -> bool:
        mine, theirs = self.signal, other.signal
        return (
            other.seq < self.seq
            and theirs.state in UNFINISHED
            and _line(mine) == _line(theirs)
            and (theirs.is_exit or mine.action is not Action.CLOSE or theirs.state is SignalState.DISPATCHING)
        )


SIGNALS = Table[SignalId, SignalRow]("signals")
LEADER_POSITIONS = Table[tuple[WhaleId, Symbol], Decimal]("leader_positions")
LEADER_FILLS = Table[tuple[WhaleId, Symbol, str], datetime]("leader_fills")
WATCHES = Table[WhaleId, datetime]("watches")


def _line(signal: Signal) -> tuple[object, ...]:
    return signal.whale_id, signal.venue, signal.symbol, signal.scope


def _moved(row: SignalRow, state: SignalState, owner: str | None, until: datetime | None) -> SignalRow:
    signal = replace(row.signal, state=state, version=row.signal.version + 1, events=Recorder())
    return SignalRow(signal, row.seq, owner, until)


class MemorySignals:
    def __init__(self, transaction: Transaction, collect: Collect) -> None:
        self._transaction = transaction
        self._collect = collect

    async def add(self, signal: Signal) -> bool:
        if self._transaction.get(SIGNALS, signal.id) is not None:
            return False
        if self._transaction.get(WHALES, signal.whale_id) is None:
            raise NotFound("There is no such whale.")
        row = SignalRow(replace(signal, events=Recorder()), self._transaction.number())
        self._transaction.put(SIGNALS, signal.id, row)
        self._collect(signal.events, signal.trace_id)
        return True

    async def get(self, signal_id: SignalId) -> Signal:
        row = self._transaction.get(SIGNALS, signal_id)
        if row is None:
            raise NotFound("There is no such signal.", id=str(signal_id))
        return replace(row.signal, events=Recorder())

    async def claim(
        self, now: datetime, lease: timedelta, owner: str, lanes: Sequence[Lane], only: SignalId | None = None
    ) -> Signal | None:
        rows = tuple(self._transaction.all(SIGNALS))
        free = [
            row
            for row in rows
            if row.is_free(now)
            and row.signal.lane in lanes
            and only in (None, row.signal.id)
            and not any(row.waits_for(other) for other in rows)
        ]
        if not free:
            return None
        first = min(free, key=lambda row: (not row.signal.is_exit, row.signal.priority, row.seq))
        taken = _moved(first, SignalState.DISPATCHING, owner, now + lease)
        self._transaction.put(SIGNALS, taken.signal.id, taken)
        return replace(taken.signal, events=Recorder())

    async def extend(self, signal_id: SignalId, owner: str, until: datetime) -> bool:
        row = self._claimed(signal_id, owner)
        if row is not None:
            self._transaction.put(SIGNALS, signal_id, replace(row, lease_until=until))
        return row is not None

    async def finish(self, signal_id: SignalId, owner: str, state: SignalState) -> bool:
        if state is SignalState.DISPATCHING:
            raise InvalidValue("A claim ends as DONE, EXPIRED or PENDING.")
        row = self._claimed(signal_id, owner)
        if row is not None:
            self._transaction.put(SIGNALS, signal_id, _moved(row, state, None, None))
        return row is not None

    async def superseded(self, signal: Signal) -> bool:
        mine = self._transaction.get(SIGNALS, signal.id)
        if mine is None:
            return False
        line = _line(signal)[:3]
        return any(
            row.seq > mine.seq
            and row.signal.action is Action.CLOSE
            and row.signal.scope is None
            and _line(row.signal)[:3] == line
            for row in self._transaction.all(SIGNALS)
        )

    async def waiting(self, now: datetime, older_than: timedelta) -> Sequence[tuple[SignalId, Lane]]:
        rows = [
            row
            for row in self._transaction.all(SIGNALS)
            if row.is_free(now)
            and (row.signal.state is SignalState.DISPATCHING or row.signal.created_at < now - older_than)
        ]
        return tuple((row.signal.id, row.signal.lane) for row in sorted(rows, key=lambda row: row.seq))

    def _claimed(self, signal_id: SignalId, owner: str) -> SignalRow | None:
        row = self._transaction.get(SIGNALS, signal_id)
        held = row is not None and row.signal.state is SignalState.DISPATCHING and row.owner == owner
        return row if held else None


class MemoryLeaderBook:
    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def position(self, whale: WhaleId, sym: Symbol) -> Decimal:
        quantity = self._transaction.get(LEADER_POSITIONS, (whale, sym))
        # Written back unchanged: whoever else decides on this position meanwhile conflicts at commit.
        await self.set_position(whale, sym, Decimal(0) if quantity is None else quantity)
        return Decimal(0) if quantity is None else quantity

    async def unseen(self, whale: WhaleId, burst: Burst) -> Burst | None:
        fresh = {
            fill.trade_id: fill
            for fill in burst.fills
            if self._transaction.get(LEADER_FILLS, (whale, burst.symbol, fill.trade_id)) is None
        }
        return replace(burst, fills=tuple(fresh.values())) if fresh else None

    async def consume(self, whale: WhaleId, burst: Burst, after: Decimal, signal: SignalId | None) -> None:
        for fill in burst.fills:
            key = (whale, burst.symbol, fill.trade_id)
            if self._transaction.get(LEADER_FILLS, key) is not None:
                raise ConcurrencyConflict("Another feeder took these fills first.")
            self._transaction.put(LEADER_FILLS, key, fill.at)
        await self.set_position(whale, burst.symbol, after)

    async def set_position(self, whale: WhaleId, sym: Symbol, quantity: Decimal) -> None:
        self._transaction.put(LEADER_POSITIONS, (whale, sym), quantity)

    async def newest_fills(self, whale: WhaleId) -> dict[Symbol, datetime]:
        found: dict[Symbol, datetime] = {}
        for key in self._transaction.keys(LEADER_FILLS):
            at = self._transaction.get(LEADER_FILLS, key)
            if key[0] == whale and at is not None:
                found[key[1]] = max(at, found.get(key[1], at))
        return found

    async def watched_since(self, whale: WhaleId) -> datetime | None:
        return self._transaction.get(WATCHES, whale)

    async def begin_watch(self, whale: WhaleId, at: datetime) -> None:
        if self._transaction.get(WATCHES, whale) is not None:
            raise ConcurrencyConflict("This leader is watched already.")
        self._transaction.put(WATCHES, whale, at)
