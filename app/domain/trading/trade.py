"""The trade: one follower's intent for one leg of one signal; the unit of once-and-only-once.

Its identity (follow, signal, leg) is unique in the database; however often a signal is dispatched, there is one
trade. It may need more than one order (attempt), never two that can both execute: a new attempt needs the last one
to be NOT_SENT or proven ABSENT.

Invariants: the hold is kept while the outcome is in doubt and resolved exactly once; a trade is settled when it is
terminal and every execution that the venue reported is booked.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Final

from app.domain.shared.lifecycle import Lifecycle
from app.domain.trading.order import OrderState


class TradeState(StrEnum):
    """Where an intent stands.

    WAITING: held and ready, nothing is out. WORKING: an order is on its way, resting or in doubt. FILLED: executed
    in whole. ENDED: the venue ended it, executed in part or not at all. REJECTED: the venue refused it. ABSENT: the
    order is not there and is not sent again; the hold stays until the watch for a late appearance ends. ABANDONED:
    given up before anything was sent, or after that watch.
    """

    WAITING = "WAITING"
    WORKING = "WORKING"
    FILLED = "FILLED"
    ENDED = "ENDED"
    REJECTED = "REJECTED"
    ABSENT = "ABSENT"
    ABANDONED = "ABANDONED"


class TradeEvent(Enum):
    """What moves an intent on."""

    SUBMIT = "submit"
    RETURN = "return"
    FILL = "fill"
    END = "end"
    REJECT = "reject"
    GIVE_UP = "give_up"
    ABANDON = "abandon"
    REVIVE = "revive"


TRADE_LIFECYCLE: Final = Lifecycle[TradeState, TradeEvent](
    "trade",
    {
        (TradeState.WAITING, TradeEvent.SUBMIT): TradeState.WORKING,
        (TradeState.WAITING, TradeEvent.ABANDON): TradeState.ABANDONED,
        # An attempt that was taken for absent appeared while the trade waited to be sent again.
        (TradeState.WAITING, TradeEvent.REVIVE): TradeState.WORKING,
        (TradeState.WAITING, TradeEvent.FILL): TradeState.FILLED,
        (TradeState.WAITING, TradeEvent.END): TradeState.ENDED,
        (TradeState.WORKING, TradeEvent.RETURN): TradeState.WAITING,
        (TradeState.WORKING, TradeEvent.FILL): TradeState.FILLED,
        (TradeState.WORKING, TradeEvent.END): TradeState.ENDED,
        (TradeState.WORKING, TradeEvent.REJECT): TradeState.REJECTED,
        (TradeState.WORKING, TradeEvent.GIVE_UP): TradeState.ABSENT,
        (TradeState.ABSENT, TradeEvent.REVIVE): TradeState.WORKING,  # the order appeared after all
        (TradeState.ABSENT, TradeEvent.FILL): TradeState.FILLED,
        (TradeState.ABSENT, TradeEvent.END): TradeState.ENDED,
        (TradeState.ABSENT, TradeEvent.REJECT): TradeState.REJECTED,
        (
            TradeState.ABSENT,
            TradeEvent.RETURN,
        ): TradeState.WAITING,  # it did appear, and was only a part of the trade
        (TradeState.ABSENT, TradeEvent.ABANDON): TradeState.ABANDONED,
    },
)

TRADE_AFTER_ORDER: Final[Mapping[OrderState, TradeState]] = MappingProxyType(
    {
        OrderState.SUBMITTING: TradeState.WORKING,
        OrderState.NOT_SENT: TradeState.WAITING,
        OrderState.OPEN: TradeState.WORKING,
        OrderState.PARTIAL: TradeState.WORKING,
        OrderState.FILLED: TradeState.FILLED,
        OrderState.CANCELED: TradeState.ENDED,
        OrderState.REJECTED: TradeState.REJECTED,
        OrderState.UNKNOWN: TradeState.WORKING,
        OrderState.ABSENT: TradeState.ABSENT,
    }
)
"""The state of a trade given that of its newest attempt, where no policy intervenes (a proven absence may also return it)."""

HOLD_IS_OVER: Final = frozenset(
    {TradeState.FILLED, TradeState.ENDED, TradeState.REJECTED, TradeState.ABANDONED}
)
"""States in which nothing more will execute: what is left of the hold goes back once all executions are booked."""
