"""Sending protections and looking them up: committed first, sent once, resolved by evidence and never by a timer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from app.application.shared.lanes import in_lanes
from app.application.shared.telemetry import Metrics
from app.application.trading.evidence import resting_pause
from app.application.trading.ports import Quotes, VenueClock
from app.application.trading.protect_ports import WITHDRAWN, Guarded, Looked, ProtectionBook, StoredProtection
from app.application.trading.protection_evidence import ProtectionDesk
from app.domain.exchanges.outcomes import NotSent
from app.domain.exchanges.ports import GatewayFactory
from app.domain.exchanges.protection import PlaceProtection, ProtectionOutcome
from app.domain.exchanges.requests import PositionMode
from app.domain.exchanges.venue import FenceRule
from app.domain.shared.clock import Clock, from_epoch_ms
from app.domain.shared.errors import DomainError
from app.domain.shared.execution import Leg
from app.domain.shared.ids import client_order_id, requested_signal_id
from app.domain.shared.market import Instrument, Venue
from app.domain.trading.protection import ProtectionEvent, ProtectionState, Wanted

_BATCH: Final = 200
_HIDE: Final = timedelta(seconds=10)
_AT_ONCE: Final = 16
_AGAIN: Final = timedelta(seconds=1)
_VANISHED_AFTER: Final = 5
_HORIZON: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class ProtectionSender:
    """Places, cancels and looks up protections."""

    book: ProtectionBook
    desk: ProtectionDesk
    gateways: GatewayFactory
    quotes: Quotes
    venue_clock: VenueClock
    clock: Clock
    metrics: Metrics
    id_secret: bytes
    fences: Callable[[Venue], FenceRule]

    async def place(self, position: Guarded, instrument: Instrument, want: Wanted, attempt: int) -> None:
        """Commit one attempt and send it, unless another worker has it."""
        fence = self.fences(position.venue)
        signal_id = requested_signal_id(
            f"protection:{position.follow_id}",
            f"{position.symbol}:{position.opened_at}:{want.rung}:{attempt}",
        )
        row = StoredProtection(
            follow_id=position.follow_id,
            symbol=position.symbol,
            rung=want.rung,
            attempt=attempt,
            account_id=position.account_id,
            venue=position.venue,
            client_order_id=client_order_id(self.id_secret, signal_id, position.follow_id, Leg.EXIT, 0),
            signal_id=signal_id,
            kind=want.kind,
            side=want.side,
            trigger=want.trigger,
            quantity=want.quantity,
            state=ProtectionState.PLACING,
            signed_ms=self.venue_clock.now_ms(position.venue),
            valid_ms=fence.validity // timedelta(milliseconds=1),
            look_at=self.clock.now() + fence.validity,
        )
        if row.client_order_id not in await self.book.begin([row]):
            return
        await self.desk.reply(row, await self._send(position, instrument, row))

    async def _send(
        self, position: Guarded, instrument: Instrument, row: StoredProtection
    ) -> ProtectionOutcome:
        try:
            gateway = self.gateways.gateway(position.account_id, position.venue, position.sealed)
        except DomainError as error:
            return NotSent(f"{error.code}: {error.message}")
        return await gateway.protect(
            PlaceProtection(
                instrument=instrument,
                side=row.side,
                kind=row.kind,
                trigger=row.trigger,
                quantity=row.quantity,
                client_order_id=row.client_order_id,
                signed_ms=row.signed_ms,
                valid_ms=row.valid_ms,
                position_mode=PositionMode.HEDGE if position.hedged else PositionMode.ONE_WAY,
            )
        )

    async def cancel(self, sealed: bytes, instrument: Instrument, row: StoredProtection) -> None:
        """Cancel one; what the venue does not answer is asked again by the look-up."""
        look_at = self.clock.now() + _AGAIN
        asked = replace(row, state=ProtectionState.CANCELING, code=WITHDRAWN, look_at=look_at)
        if not await self.book.change(asked, row.state):
            return
        gateway = self.gateways.gateway(row.account_id, row.venue, sealed)
        report = await gateway.cancel_protection(instrument, row.client_order_id)
        if report is not None:
            await self.desk.told(asked, report)

    async def look(self) -> int:
        """Look up what is due; return how many were."""
        due = await self.book.due(self.clock.now(), _BATCH, _HIDE)
        await in_lanes([self._look(looked) for looked in due], _AT_ONCE)
        return len(due)

    async def _look(self, looked: Looked) -> None:
        row = looked.row
        try:
            instrument = await self.quotes.instrument(row.venue, row.symbol)
            gateway = self.gateways.gateway(row.account_id, row.venue, looked.sealed)
            report = await gateway.protection(instrument, row.client_order_id)
            if report is None:
                await self._not_found(row)
                return
            await self.desk.told(row, report)
            if row.state is ProtectionState.CANCELING and not report.status.is_final:
                again = await gateway.cancel_protection(instrument, row.client_order_id)
                if again is not None:
                    await self.desk.told(row, again)
        except DomainError as error:
            self.metrics.count("lookup_failed", code=error.code)

    async def _not_found(self, row: StoredProtection) -> None:
        """Judge an answer of "not found": evidence, and proof only beyond the fence and several times over."""
        if row.state is ProtectionState.TRIGGERED:
            await self.desk.unnumbered(row)
            return
        now, fence = self.clock.now(), self.fences(row.venue)
        venue_now = from_epoch_ms(self.venue_clock.now_ms(row.venue))
        open_until = from_epoch_ms(row.signed_ms) + fence.first_look_after
        looks = row.looks + 1 if venue_now >= open_until else 0
        if row.state in (ProtectionState.PLACING, ProtectionState.UNKNOWN):
            if row.state is ProtectionState.PLACING:
                await self.desk.happened(row, ProtectionEvent.LOST, code="NO_REPLY", looks=looks)
                return
            if looks >= fence.answers:
                await self.desk.happened(
                    row,
                    ProtectionEvent.PROVEN_ABSENT,
                    code="ABSENT",
                    looks=looks,
                    look_at=now + resting_pause(looks),
                )
                return
            pause = max(fence.spread, min(open_until - venue_now, _HIDE))
            await self.desk.happened(row, ProtectionEvent.LOST, looks=looks, look_at=now + pause)
            return
        if row.state is ProtectionState.ABSENT:
            # It may appear late, and would outlive its position if nobody looked: ever more seldom, until the horizon.
            look_at = min(now + resting_pause(row.looks), from_epoch_ms(row.signed_ms) + _HORIZON)
            later = replace(row, looks=row.looks + 1, look_at=look_at if look_at > now else None)
            await self.book.change(later, row.state)
            return
        if looks < _VANISHED_AFTER:
            await self.book.change(replace(row, looks=looks, look_at=now + _AGAIN), row.state)
            return
        # It did rest: the venue has forgotten how it ended. An execution of it would be found as a fill of its order.
        self.metrics.count("protections_vanished", rung=row.rung)
        ended = (
            ProtectionEvent.SEEN_CANCELED
            if row.state is ProtectionState.CANCELING
            else ProtectionEvent.SEEN_EXPIRED
        )
        await self.desk.happened(row, ended, code="VANISHED", looks=looks)
