"""What makes a protection an order, and a venue's word on one that waits."""

from __future__ import annotations

from enum import StrEnum

from app.domain.shared.market import Side


class TriggerKind(StrEnum):
    """A stop-loss triggers when the mark price moves against the position, a take-profit when it moves in favour."""

    STOP_LOSS = "STOP_LOSS"
    TAKE_PROFIT = "TAKE_PROFIT"

    def rises(self, closing: Side) -> bool:
        """Return whether it triggers at or above its price (else at or below), given the side of the closing order."""
        return (self is TriggerKind.STOP_LOSS) == (closing is Side.BUY)


class ProtectionStatus(StrEnum):
    """A venue's word on one protection; all but RESTING are final for it."""

    RESTING = "RESTING"
    TRIGGERED = "TRIGGERED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"

    @property
    def is_final(self) -> bool:
        """True when it will not trigger any more."""
        return self is not ProtectionStatus.RESTING
