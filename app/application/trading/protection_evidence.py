"""What was learned of one protection, from a reply, a query or a stream, meets here and changes its row. Pure but for
the book that stores it. An exit that waited for the protection to be over is put back in line by the news that it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from app.application.shared.telemetry import Metrics
from app.application.trading.evidence import resting_pause
from app.application.trading.protect_ports import ProtectionBook, StoredProtection
from app.domain.exchanges.outcomes import DefiniteNo, NotSent
from app.domain.exchanges.protection import Protected, ProtectionOutcome, ProtectionReport
from app.domain.shared.clock import Clock
from app.domain.shared.triggers import ProtectionStatus
from app.domain.signals.ports import SignalBell
from app.domain.trading.protection import (
    EVENT_OF_STATUS,
    IS_LIVE,
    PROTECTION_LIFECYCLE,
    ProtectionEvent,
    ProtectionState,
)

VENUE_REJECTED: Final = "VENUE_REJECTED"
"""The code of one that the venue took, and refused later: often the order that its trigger was to make."""
FIRST_LOOK: Final = timedelta(milliseconds=500)
RESTING_LOOK: Final = timedelta(seconds=60)
_TRIES: Final = 3
_LOOKS_COUNTED: Final = 100


@dataclass(frozen=True, slots=True)
class ProtectionDesk:
    """Applies news to protections: the newest state that the lifecycle allows, once."""

    book: ProtectionBook
    clock: Clock
    metrics: Metrics
    bell: SignalBell | None = None
    """Rung for exits that may go now; without it they are found by the beat."""

    async def reply(self, row: StoredProtection, outcome: ProtectionOutcome) -> None:
        """Book what came of placing one."""
        now = self.clock.now()
        if isinstance(outcome, Protected):
            await self.told(row, outcome.report)
        elif isinstance(outcome, NotSent):
            await self.happened(row, ProtectionEvent.NEVER_LEFT, code="NOT_SENT", message=outcome.reason)
        elif isinstance(outcome, DefiniteNo):
            await self.happened(
                row,
                ProtectionEvent.REFUSED,
                code=outcome.kind.value,
                message=f"{outcome.code} {outcome.message}",
            )
        else:
            reason = getattr(outcome, "reason", None) or "the venue knows this id already"
            await self.happened(
                row, ProtectionEvent.LOST, code="UNKNOWN", message=reason, look_at=now + FIRST_LOOK
            )

    async def told(self, row: StoredProtection, report: ProtectionReport) -> None:
        """Book the venue's word on one."""
        known = replace(
            row,
            protection_id=row.protection_id or report.protection_id,
            order_id=report.order_id or row.order_id,
        )
        if row.state is ProtectionState.TRIGGERED:
            await self._number(row, report)
            return
        code = VENUE_REJECTED if report.status is ProtectionStatus.REJECTED else None
        await self.happened(known, EVENT_OF_STATUS[report.status], code=code, looks=0)

    async def heard(self, report: ProtectionReport) -> None:
        """Book the word of a stream; what is not ours is left alone."""
        row = await self.book.by_client_id(report.client_order_id)
        if row is not None:
            await self.told(row, report)

    async def happened(
        self,
        row: StoredProtection,
        event: ProtectionEvent,
        *,
        code: str | None = None,
        message: str | None = None,
        looks: int | None = None,
        look_at: datetime | None = None,
    ) -> None:
        """Move one on, unless something newer is known already."""
        for _ in range(_TRIES):
            if not PROTECTION_LIFECYCLE.allows(row.state, event):
                return
            state = PROTECTION_LIFECYCLE.after(row.state, event)
            after = replace(
                row,
                state=state,
                code=code or row.code,
                message=message or row.message,
                looks=row.looks if looks is None else looks,
                look_at=self._next_look(state, look_at, numbered=row.order_id is not None),
            )
            if state is ProtectionState.TRIGGERED:
                stored = await self.book.trigger(after, row.state, self.clock.now())
            else:
                stored = await self.book.change(after, row.state)
            if stored:
                if state is not row.state:
                    self.metrics.count("protections", state=state.value, rung=row.rung)
                await self._let_exits_go(after)
                return
            newer = await self.book.by_client_id(row.client_order_id)
            if newer is None:
                return
            row = replace(
                newer,
                protection_id=newer.protection_id or row.protection_id,
                order_id=row.order_id or newer.order_id,
            )
            if (
                newer.state is ProtectionState.TRIGGERED
                and newer.order_id is None
                and row.order_id is not None
            ):
                await self.book.number(row, self.clock.now())
                return

    async def _number(self, row: StoredProtection, report: ProtectionReport) -> None:
        """Keep the number of the order that it became, which some venues tell later than the trigger."""
        if row.order_id is not None:
            return
        if report.order_id is not None:
            await self.book.number(replace(row, order_id=report.order_id), self.clock.now())
            return
        await self.unnumbered(row)

    async def unnumbered(self, row: StoredProtection) -> None:
        """Look for the number of what triggered again, ever more seldom, while its exit is not booked."""
        looks = min(row.looks + 1, _LOOKS_COUNTED)
        look_at = self.clock.now() + resting_pause(looks)
        await self.book.change(replace(row, looks=looks, look_at=look_at), row.state)

    async def _let_exits_go(self, row: StoredProtection) -> None:
        if row.state in IS_LIVE:
            return
        for signal_id, lane in await self.book.reopen(row):
            if self.bell is not None:
                await self.bell.ring(signal_id, lane)

    def _next_look(
        self, state: ProtectionState, asked: datetime | None, *, numbered: bool
    ) -> datetime | None:
        if state is ProtectionState.TRIGGERED and not numbered:
            return self.clock.now() + FIRST_LOOK
        if state is ProtectionState.RESTING:
            return self.clock.now() + RESTING_LOOK
        if state in (ProtectionState.PLACING, ProtectionState.UNKNOWN, ProtectionState.CANCELING):
            return asked or self.clock.now() + FIRST_LOOK
        return asked if state is ProtectionState.ABSENT else None
