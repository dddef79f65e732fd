"""The leader's order of signals: what an exit that was put off may still close. Pure.

An exit closes what was opened by signals not later than itself. Put off, it may come hours after the leader has opened
anew, and the follow holds one net quantity. What the later signals have left of it is theirs; the rest is the exit's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from app.domain.shared.market import Side
from app.domain.shared.money import ZERO, Quantity


@dataclass(frozen=True, slots=True)
class LaterTrade:
    """One trade of the follow on the market, of a signal later than the exit. `executed` is in base units.

    `fraction` is what an exit takes of all that was held, as far as it has been or will be done; None for an exit
    that is told as a quantity (a protection, the owner's own sale) and for entries.
    """

    side: Side
    is_exit: bool
    executed: Quantity
    fraction: Decimal | None = None


def opened_later(trades: Iterable[LaterTrade]) -> Decimal:
    """Return what the later signals have left, signed; `trades` are in the leader's order.

    An exit told as a quantity is taken from what is newest: what is older was mostly not there yet, or the exit that
    was put off would have closed it.
    """
    left = ZERO
    for trade in trades:
        if not trade.is_exit:
            left += trade.side.sign * trade.executed
        elif left * trade.side.sign < 0:
            if trade.fraction is not None:
                left *= 1 - trade.fraction
            else:
                left += trade.side.sign * min(trade.executed, abs(left))
    return left


def opened_earlier(held: Decimal, later: Decimal) -> Decimal:
    """Return the part of what is held, signed, that is not the later signals'; never more than is held."""
    earlier = held - later
    if earlier * held <= 0:
        return ZERO
    return held if abs(earlier) > abs(held) else earlier
