"""What was learned of one protection, from a reply, a query or a stream, meets here and changes its row. Pure but for
the book that stores it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from app.application.shared.telemetry import Metrics
from app.application.trading.protect_ports import ProtectionBook, StoredProtection
from app.domain.exchanges.outcomes import DefiniteNo, NotSent
from app.domain.exchanges.protection import Protected, ProtectionOutcome, ProtectionReport
from app.domain.shared.clock import Clock
from app.domain.trading.protection import (
    EVENT_OF_STATUS,
    PROTECTION_LIFECYCLE,
    ProtectionEvent,
    ProtectionState,
)

FIRST_LOOK: Final = timedelta(milliseconds=500)
RESTING_LOOK: Final = timedelta(seconds=60)
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class ProtectionDesk:
    """Applies news to protections: the newest state that the lifecycle allows, once."""

    book: ProtectionBook
    clock: Clock
    metrics: Metrics

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
        await self.happened(known, EVENT_OF_STATUS[report.status], looks=0)

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
                look_at=self._next_look(state, look_at),
            )
            if state is ProtectionState.TRIGGERED:
                stored = await self.book.trigger(after, row.state, self.clock.now())
            else:
                stored = await self.book.change(after, row.state)
            if stored:
                if state is not row.state:
                    self.metrics.count("protections", state=state.value, rung=row.rung)
                return
            newer = await self.book.by_client_id(row.client_order_id)
            if newer is None:
                return
            row = replace(
                newer,
                protection_id=newer.protection_id or row.protection_id,
                order_id=row.order_id or newer.order_id,
            )

    def _next_look(self, state: ProtectionState, asked: datetime | None) -> datetime | None:
        if state is ProtectionState.RESTING:
            return self.clock.now() + RESTING_LOOK
        if state in (ProtectionState.PLACING, ProtectionState.UNKNOWN, ProtectionState.CANCELING):
            return asked or self.clock.now() + FIRST_LOOK
        return asked if state is ProtectionState.ABSENT else None
