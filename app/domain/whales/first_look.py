"""Which executions a leader's first positions already hold, told by the venue's own figures and not by a clock.

When the watch begins the positions are taken as they stand. An execution of about that instant is either part of them
or the first thing to copy: what a position has moved by since is the sum of the executions that came after the look.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from app.domain.shared.execution import Fill
from app.domain.shared.money import ZERO


def held_at_first(
    fills: Sequence[Fill], moved: Decimal, looked_at: datetime, uncertainty: timedelta
) -> Sequence[Fill] | None:
    """Return the executions, of all since some earlier time and oldest first, that came before the look.

    `moved` is the position now less the position at the look. Where several parts explain it (a round trip), the one
    that begins nearest to `looked_at`, the look by our estimate of the venue's clock, which errs by less than `uncertainty`;
    None when no part explains it that may be of that instant.
    """
    found: list[tuple[timedelta, int]] = []
    later = ZERO
    for first_later in range(len(fills), -1, -1):
        if first_later < len(fills):
            later += _moved_by(fills[first_later])
        distance = _distance(fills, first_later, looked_at)
        if later == moved and distance < uncertainty:
            found.append((distance, first_later))
    return fills[: min(found)[1]] if found else None


def _moved_by(fill: Fill) -> Decimal:
    return fill.quantity * fill.side.sign - fill.base_fee


def _distance(fills: Sequence[Fill], first_later: int, looked_at: datetime) -> timedelta:
    """How far the instant is from the pause between the last execution before the cut and the first one after it."""
    before = fills[first_later - 1].at - looked_at if first_later else timedelta(0)
    after = looked_at - fills[first_later].at if first_later < len(fills) else timedelta(0)
    return max(before, after, timedelta(0))
