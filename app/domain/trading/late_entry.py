"""An entry that appears after its follow has left: how much of what the follow holds must be closed for it. Pure.

An entry whose absence was proven is given up, and the leader's next exit closes what is held without it. A venue may
show it all the same, hours later. It is booked, for it is real; and what the exits since would have closed of it is
closed now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.shared.market import Side
from app.domain.shared.money import Quantity, settle_up


@dataclass(frozen=True, slots=True)
class LateEntry:
    """What appeared, and what happened without it.

    `held` is signed and counts what appeared; `exit_pending` is what exits on their way, or asked for, will still close.
    `fractions` are those of the exits decided since the entry, each of what was held then.
    """

    side: Side
    appeared: Quantity
    held: Decimal
    exit_pending: Quantity
    fractions: Sequence[Decimal]


@dataclass(frozen=True, slots=True)
class WayOut:
    """What is to be closed: base units, and the same as a fraction (0 < f <= 1) of what no other exit will close."""

    quantity: Quantity
    fraction: Decimal


def way_out(late: LateEntry) -> WayOut | None:
    """Return what must be closed; None when there is nothing to close."""
    kept = Decimal(1)
    for fraction in late.fractions:
        kept *= 1 - fraction
    closable = late.side.sign * late.held - late.exit_pending
    wanted = min(settle_up(late.appeared * (1 - kept)), closable)
    if wanted <= 0:
        return None
    return WayOut(Quantity(wanted), settle_up(wanted / closable))
