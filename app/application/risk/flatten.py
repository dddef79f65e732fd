"""Closing everything in the scope of a halt: the platform's emergency exit.

Each held market of each leader becomes one exit for all followers where the whole platform is left, and one for each
follow where a venue or a user is. The exits are named by the halt, so carrying it out again adds nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Protocol

from app.application.queries import HeldEverywhere
from app.application.shared.uow import UnitOfWorkFactory
from app.domain.risk.halts import HaltScope
from app.domain.shared.clock import Clock
from app.domain.shared.execution import Action
from app.domain.shared.ids import requested_signal_id
from app.domain.shared.market import Side
from app.domain.shared.money import Quantity
from app.domain.signals.ports import SignalBell
from app.domain.signals.priority import Priority
from app.domain.signals.signal import Signal, SignalSource

_BATCH: Final = 200


class HeldInScope(Protocol):
    """What there is to leave."""

    async def in_scope(self, scope: HaltScope, target: str) -> Sequence[HeldEverywhere]:
        """Return what is held or on its way in: one row a leader and market for the platform, else one a follow."""
        ...


@dataclass(frozen=True, slots=True)
class Flatten:
    """Carry out a halt that closes; see the rules above."""

    uow: UnitOfWorkFactory
    held: HeldInScope
    bell: SignalBell
    clock: Clock

    async def __call__(self, scope: HaltScope, target: str, halted_at: datetime, trace_id: str) -> int:
        """Return how many exits were still missing."""
        rows = await self.held.in_scope(scope, target)
        name = f"halt:{scope.value}:{target}:{halted_at.isoformat()}"
        exits = [self._exit(row, name, trace_id) for row in rows]
        added = 0
        for start in range(0, len(exits), _BATCH):
            async with self.uow() as work:
                new = []
                for signal in exits[start : start + _BATCH]:
                    signal.accepted()
                    if await work.signals.add(signal):
                        new.append(signal)
                await work.commit()
            for signal in new:
                await self.bell.ring(signal.id, signal.lane)
            added += len(new)
        return added

    def _exit(self, row: HeldEverywhere, name: str, trace_id: str) -> Signal:
        now, side = self.clock.now(), Side.of(row.market.quantity).opposite
        whose = f"follow:{row.follow_id}" if row.follow_id is not None else f"whale:{row.whale_id}"
        return Signal(
            id=requested_signal_id(name, f"{whose}:{row.venue.value}:{row.market.symbol}:{side.value}"),
            source=SignalSource.OPERATOR,
            whale_id=row.whale_id,
            venue=row.venue,
            symbol=row.market.symbol,
            action=Action.CLOSE,
            side=side,
            quantity=Quantity(abs(row.market.quantity)),
            fraction=Decimal(1),
            reference_price=row.market.reference_price,
            priority=Priority.HIGH,
            leader_at=now,
            created_at=now,
            trace_id=trace_id,
            scope=row.follow_id,
        )
