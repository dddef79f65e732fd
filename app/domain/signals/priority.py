"""Which signal is served first.

Exits always outrank entries: they have a lane of their own. Entries are HIGH, MEDIUM or LOW by the leader's tier
and by how large the trade is for the leader; among equals the oldest goes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Final

from app.domain.shared.execution import Action

_LARGE_SHARE: Final = Decimal("0.20")


class Priority(IntEnum):
    """The rank of a signal; lower is served first, as the broker counts."""

    HIGH = 0
    MEDIUM = 3
    LOW = 6


class Lane(StrEnum):
    """The queue in which a signal waits for a worker."""

    EXITS = "signals.exits"
    HIGH = "signals.high"
    MEDIUM = "signals.medium"
    LOW = "signals.low"


_ENTRY_LANES: Final[Mapping[Priority, Lane]] = MappingProxyType(
    {Priority.HIGH: Lane.HIGH, Priority.MEDIUM: Lane.MEDIUM, Priority.LOW: Lane.LOW}
)


def priority_of(action: Action, tier_rank: int, leader_share: Decimal | None) -> Priority:
    """Rank one signal.

    `tier_rank` is 0 for the best tier, 1 for the middle and 2 for the rest. `leader_share` is the trade's notional
    over the leader's equity (None when unknown): a fifth of the account or more lifts an entry by one.
    """
    if action.is_exit:
        return Priority.HIGH
    lifted = tier_rank - (1 if leader_share is not None and leader_share >= _LARGE_SHARE else 0)
    return (Priority.HIGH, Priority.MEDIUM, Priority.LOW)[min(max(lifted, 0), 2)]


def lane_of(action: Action, priority: Priority) -> Lane:
    """Return the queue for a signal: exits have their own, so that no burst of entries can stand before them."""
    return Lane.EXITS if action.is_exit else _ENTRY_LANES[priority]
