"""The keeper: makes what rests at the exchange equal to what each position wants, a pass at a time. Rules.

- Nothing is sent that is not committed first, with the timestamp that it is signed with; each attempt is sent once.
- A replacement rests before the old one is cancelled, so that a position is never bare in between. Where another follow
of the account holds the market, or is about to, the old one goes first, for two that trigger would close more than is this
follow's. So it does at spot, which locks the coins of what rests. In both, the take-profits beside a stop are watched from here.
- While an exit is on its way, or waits, nothing new is placed, and in those two what rests is cancelled: the exit goes when
nothing may sell beside it. When the position is gone everything left is cancelled.
- A trigger that the price has passed already cannot rest: the follow leaves at once, by an exit named after it. When that is
over and left some of the lot, as what was bought after it was asked for, a stop asks again.
- A position that lacks its stop for too long is told, and left where its terms say so.
- Where nothing can rest, the keeper watches the mark itself and leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from app.application.shared.lanes import in_lanes
from app.application.shared.telemetry import Metrics
from app.application.trading.evidence import backoff
from app.application.trading.ports import Quotes, VenueClock
from app.application.trading.protect_ports import WITHDRAWN, Guarded, ProtectionBook, StoredProtection
from app.application.trading.protect_send import ProtectionSender
from app.domain.exchanges.venue import CAPABILITIES
from app.domain.shared.clock import Clock
from app.domain.shared.errors import DomainError
from app.domain.shared.execution import Action
from app.domain.shared.ids import SignalId, requested_signal_id
from app.domain.shared.market import Instrument, MarketKind, Side
from app.domain.shared.money import Price, Quantity
from app.domain.shared.protection_terms import UnprotectedPolicy
from app.domain.signals.ports import SignalBell
from app.domain.signals.priority import Priority
from app.domain.signals.signal import Signal, SignalSource
from app.domain.trading.protection import (
    IS_LIVE,
    STOP_RUNG,
    ProtectionState,
    Wanted,
    best_mark,
    is_moved,
    is_reached,
    wanted,
)

_AT_ONCE: Final = 16
_ASKED_MAX: Final = 20
_REACHED: Final = "reached:"
_ENDED_BADLY: Final = frozenset(
    {ProtectionState.REJECTED, ProtectionState.NOT_SENT, ProtectionState.CANCELED, ProtectionState.EXPIRED}
)


@dataclass(frozen=True, slots=True)
class KeepProtection:
    """One pass over every guarded position; see the rules above."""

    book: ProtectionBook
    sender: ProtectionSender
    quotes: Quotes
    venue_clock: VenueClock
    bell: SignalBell
    clock: Clock
    metrics: Metrics
    bare_max: timedelta

    async def __call__(self) -> int:
        """Return how many positions are guarded."""
        positions = await self.book.guarded()
        asked = await self.book.asked([name for position in positions for name in _ladder(position).values()])
        await in_lanes([self._keep(position, asked) for position in positions], _AT_ONCE)
        return len(positions)

    async def _keep(self, position: Guarded, asked: frozenset[SignalId] = frozenset()) -> None:
        try:
            instrument = await self.quotes.instrument(position.venue, position.symbol)
            entry = position.entry if position.quantity else None
            withdrawn = entry is None or (position.leaving and _sells_alone(position))
            if withdrawn:  # an exit waits for no price
                await self._cancel(
                    position, instrument, [row for row in position.rows if row.state in IS_LIVE]
                )
            if entry is None:
                return
            mark = await self.quotes.mark(position.venue, position.symbol)
            best = best_mark(position.quantity, position.best, entry, mark)
            done = _done(position, asked)
            wants = wanted(position.quantity, entry, position.terms, best, instrument, done)
            await self._watch_bareness(position, wants, best)
            if not withdrawn:
                await self._make_equal(position, instrument, wants, mark)
        except DomainError as error:
            self.metrics.count("lookup_failed", code=error.code)
        except Exception:  # noqa: BLE001  # whatever it is, the other positions must still be guarded
            self.metrics.count("protection_failed", venue=position.venue.value)

    async def _make_equal(
        self, position: Guarded, instrument: Instrument, wants: Sequence[Wanted], mark: Price
    ) -> None:
        alone = _sells_alone(position)
        rungs = {want.rung for want in wants}
        if alone and STOP_RUNG in rungs:
            rungs = {STOP_RUNG}
        await self._cancel(
            position,
            instrument,
            [row for row in position.rows if row.rung not in rungs and row.state in IS_LIVE],
        )
        for want in wants:
            mine = [row for row in position.rows if row.rung == want.rung]
            live = [row for row in mine if row.state in IS_LIVE]
            newest = max(live, key=lambda row: row.attempt, default=None)
            if newest is not None and newest.state is ProtectionState.RESTING:
                older = [row for row in live if row.attempt < newest.attempt]
                await self._cancel(position, instrument, older)
            if newest is not None and _stands(newest, want):
                continue
            if position.leaving or (newest is not None and newest.state is not ProtectionState.RESTING):
                continue
            if is_reached(want, mark):
                await self._leave(position, want, f"{_REACHED}{want.rung}", mark)
                continue
            if want.rung not in rungs or not CAPABILITIES[position.venue].protects:
                continue
            if newest is not None and alone:
                await self._cancel(position, instrument, [newest])
            elif self._may_try(mine):
                await self.sender.place(position, instrument, want, position.newest.get(want.rung, -1) + 1)

    def _may_try(self, mine: Sequence[StoredProtection]) -> bool:
        last = max(mine, key=lambda row: row.attempt, default=None)
        if last is None or not _ended_badly(last) or last.updated_at is None:
            return True
        failed = sum(_ended_badly(row) for row in mine)
        return self.clock.now() >= last.updated_at + backoff(failed)

    async def _cancel(
        self, position: Guarded, instrument: Instrument, rows: Sequence[StoredProtection]
    ) -> None:
        for row in rows:
            if row.state is ProtectionState.RESTING:
                await self.sender.cancel(position.sealed, instrument, row)

    async def _watch_bareness(self, position: Guarded, wants: Sequence[Wanted], best: Price) -> None:
        stop = next((want for want in wants if want.rung == STOP_RUNG), None)
        resting = any(row.rung == STOP_RUNG and row.state is ProtectionState.RESTING for row in position.rows)
        bare = stop is not None and not resting and CAPABILITIES[position.venue].protects
        since = (position.bare_since or self.clock.now()) if bare else None
        if best != position.best or since != position.bare_since:
            await self.book.remember(position, best, since)
        if stop is None or since is None or self.clock.now() - since < self.bare_max:
            return
        self.metrics.count("positions_unprotected", venue=position.venue.value)
        if position.terms.unprotected is UnprotectedPolicy.CLOSE and not position.leaving:
            await self._leave(position, stop, "unprotected", best)

    async def _leave(self, position: Guarded, want: Wanted, why: str, mark: Price) -> None:
        share = min(want.quantity / abs(position.quantity), Decimal(1)).quantize(Decimal("0.000001"))
        whole = want.rung == STOP_RUNG or share == 1
        for number in range(_ASKED_MAX):
            name = why if number == 0 else f"{why}:{number}"
            signal = _exit(position, name, Decimal(1) if whole else share, mark, self.clock.now())
            added = await self.book.leave(signal)
            if added is not None:
                self.metrics.count("protective_exits", why=why.partition(":")[0])
                await self.bell.ring(*added)
                return
            if want.rung != STOP_RUNG:  # a rung of the ladder sells its share once
                return
            spent_at = await self.book.spent(signal)
            if spent_at is None or self.clock.now() < spent_at + backoff(number):
                return


def _sells_alone(position: Guarded) -> bool:
    """Return whether no two orders of the position may be out that together could sell more than it is."""
    return position.shared or CAPABILITIES[position.venue].kind is MarketKind.SPOT


def _done(position: Guarded, asked: frozenset[SignalId]) -> frozenset[str]:
    """Return the rungs that sold their share, at the venue or by an exit from here."""
    triggered = {row.rung for row in position.rows if row.state is ProtectionState.TRIGGERED}
    return frozenset(triggered | {rung for rung, exit_id in _ladder(position).items() if exit_id in asked})


def _ladder(position: Guarded) -> dict[str, SignalId]:
    """Return by rung of the ladder the exit that is asked for where its trigger is reached and nothing rests."""
    return {
        rung: requested_signal_id(_purpose(position), _key(position, f"{_REACHED}{rung}"))
        for rung in (f"TP{number}" for number in range(1, len(position.terms.take_profits) + 1))
    }


def _purpose(position: Guarded) -> str:
    return f"protection:{position.follow_id}"


def _key(position: Guarded, why: str) -> str:
    opened = "" if position.opened_at is None else position.opened_at.isoformat()
    return f"{position.symbol}:{opened}:{why}"


def _ended_badly(row: StoredProtection) -> bool:
    return row.state in _ENDED_BADLY and row.code != WITHDRAWN


def _stands(row: StoredProtection, want: Wanted) -> bool:
    return row.quantity == want.quantity and row.side is want.side and not is_moved(row.trigger, want)


def _exit(position: Guarded, why: str, fraction: Decimal, mark: Price, now: datetime) -> Signal:
    key = _key(position, why)
    return Signal(
        id=requested_signal_id(_purpose(position), key),
        source=SignalSource.PROTECTION,
        whale_id=position.whale_id,
        venue=position.venue,
        symbol=position.symbol,
        action=Action.CLOSE if fraction == 1 else Action.REDUCE,
        side=Side.of(position.quantity).opposite,
        quantity=Quantity(abs(position.quantity)),
        fraction=fraction,
        reference_price=mark,
        priority=Priority.HIGH,
        leader_at=now,
        created_at=now,
        trace_id=key,
        scope=position.follow_id,
    )
