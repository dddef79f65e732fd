"""The settler: evidence goes into the books in natural batches.

Whatever has arrived while the last batch was written makes the next one: no timer, so an idle system writes at once
and a busy one writes in bulk. A batch that cannot be written is tried piece by piece, so that one bad piece stops
nobody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from app.application.shared.ending import end
from app.application.shared.telemetry import Metrics
from app.application.trading.booking import Booking, positions_touched
from app.application.trading.evidence import Evidence
from app.application.trading.execution_ports import ExecutionBook, StoredAttempt
from app.application.trading.late_entries import close_late_entries
from app.domain.shared.clock import Clock
from app.domain.shared.errors import ConcurrencyConflict, StorageUnavailable
from app.domain.shared.execution import Leg
from app.domain.shared.ids import FollowId, SignalId
from app.domain.signals.ports import SignalBell
from app.domain.signals.priority import Lane

_BATCH_MAX: Final = 500
_AWAY_PAUSE_S: Final = 0.5
_MEETINGS_MAX: Final = 10

Alarm = Callable[[str, Evidence], None]


class Settler:
    """Takes evidence, books it, and rings for signals that waited for it."""

    def __init__(
        self, book: ExecutionBook, bell: SignalBell, clock: Clock, metrics: Metrics, alarm: Alarm
    ) -> None:
        self._book = book
        self._bell = bell
        self._clock = clock
        self._metrics = metrics
        self._alarm = alarm
        self._queue: list[Evidence] = []
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None

    def submit(self, evidence: Evidence) -> None:
        """Queue one piece; it is booked soon. Needs `start` to have been called."""
        self._queue.append(evidence)
        self._idle.clear()
        self._wake.set()

    async def drained(self) -> None:
        """Wait until everything that was submitted is booked."""
        await self._idle.wait()

    def start(self) -> None:
        """Begin to book in the background."""
        self._task = asyncio.create_task(self._run(), name="settler")

    async def stop(self) -> None:
        """Book what is queued, then end."""
        await self.drained()
        if self._task is not None:
            await end(self._task)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                batch, self._queue = self._queue[:_BATCH_MAX], self._queue[_BATCH_MAX:]
                await self._apply_or_split(batch)
            self._idle.set()

    async def _apply_or_split(self, batch: Sequence[Evidence]) -> None:
        try:
            await self._apply_patiently(batch)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, the other pieces must still be booked
            if len(batch) == 1:
                self._metrics.count("settle_failed")
                self._alarm(f"Evidence could not be booked; reconciliation will: {error!r}", batch[0])
                return
            for piece in batch:
                await self._apply_or_split([piece])

    async def _apply_patiently(self, batch: Sequence[Evidence]) -> None:
        """Book one batch; wait while the database is away, and try a few times more where transactions met."""
        met = 0
        while True:
            try:
                return await self.apply(batch)
            except StorageUnavailable:
                self._metrics.count("settle_failed")
                await asyncio.sleep(_AWAY_PAUSE_S)
            except ConcurrencyConflict:
                met += 1
                if met == _MEETINGS_MAX:
                    raise

    async def apply(self, batch: Sequence[Evidence]) -> None:
        """Book one batch in one transaction; raises what the database raises."""
        reopened: Sequence[tuple[SignalId, Lane]] = ()
        async with self._book.session() as session:
            attempts = await session.attempts([piece.client_order_id for piece in batch])
            if not attempts:
                return
            batch, later = _one_attempt_each(batch, attempts)
            with_fills = [
                attempts[p.client_order_id] for p in batch if p.fills and p.client_order_id in attempts
            ]
            fill_keys = [
                (attempts[piece.client_order_id].account_id, fill.symbol, fill.trade_id)
                for piece in batch
                if piece.client_order_id in attempts
                for fill in piece.fills
            ]
            booking = Booking(
                attempts=attempts,
                seen=await session.seen(fill_keys) if fill_keys else frozenset(),
                positions=await session.positions(positions_touched(with_fills)) if with_fills else {},
                now=self._clock.now(),
            )
            for piece in batch:
                booking.take(piece)
            changes = booking.changes()
            await session.write(changes)
            known = booking.outcomes_known()
            if known:
                reopened = await session.reopen(known)
            late = await close_late_entries(session, attempts, changes, self._clock.now())
        for piece in later:
            self.submit(piece)
        for piece, reason in booking.quarantined:
            self._metrics.count("evidence_quarantined")
            self._alarm(reason, piece)
        self._metrics.count("evidence_booked", len(batch))
        if late:
            self._metrics.count("late_entries_left", len(late))
        await _each(self._bell.ring, [*reopened, *late])


def _one_attempt_each(
    batch: Sequence[Evidence], attempts: Mapping[str, StoredAttempt]
) -> tuple[Sequence[Evidence], Sequence[Evidence]]:
    """Split off evidence on a second attempt of the same trade: two work sheets of one trade would not add up."""
    first: dict[tuple[FollowId, SignalId, Leg], str] = {}
    now: list[Evidence] = []
    later: list[Evidence] = []
    for piece in batch:
        stored = attempts.get(piece.client_order_id)
        if stored is None:
            continue
        trade = (stored.key.follow_id, stored.key.signal_id, stored.key.leg)
        mine = first.setdefault(trade, piece.client_order_id) == piece.client_order_id
        (now if mine else later).append(piece)
    return now, later


async def _each(
    ring: Callable[[SignalId, Lane], Awaitable[None]], signals: Sequence[tuple[SignalId, Lane]]
) -> None:
    for signal_id, lane in signals:
        await ring(signal_id, lane)
