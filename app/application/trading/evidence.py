"""Evidence: what was learned about one attempt, from a reply, a query or a stream, in one shape.

All ways of learning meet here, so that the rules of booking exist once and the order in which news arrive does not
matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.domain.exchanges.outcomes import (
    Accepted,
    DefiniteNo,
    Duplicate,
    NotSent,
    Outcome,
    RefusalKind,
    Unknown,
)
from app.domain.shared.execution import Fill, OrderReport
from app.domain.trading.order import OrderEvent

_FIRST_LOOK: Final = timedelta(milliseconds=500)
_SOON: Final = timedelta(milliseconds=250)
_RESTING_FIRST: Final = timedelta(seconds=2)
_LATER_MAX: Final = timedelta(seconds=60)
_FOR_GOOD: Final = frozenset({RefusalKind.FILTER, RefusalKind.NOTHING_TO_REDUCE})
_PASSING: Final = frozenset({RefusalKind.THROTTLED, RefusalKind.CLOCK})


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of news on one attempt.

    Either `report` (the venue's word on the order) or `event` (what happened instead) or neither; `fills` are
    executions with the venue's trade ids. `retry_at` is when a trade of which nothing left may be sent again,
    `look_at` when an attempt in doubt is looked up next, `resend` whether a proven absence or failure lets the trade
    try again, `forget` that the attempt is looked up no more, `nothing_left` that the venue refused since there was nothing
    to reduce.
    """

    client_order_id: str
    report: OrderReport | None = None
    event: OrderEvent | None = None
    fills: tuple[Fill, ...] = ()
    code: str | None = None
    message: str | None = None
    retry_at: datetime | None = None
    look_at: datetime | None = None
    looks: int | None = None
    resend: bool = False
    forget: bool = False
    acked: bool = False
    nothing_left: bool = False


def of_outcome(
    client_order_id: str, outcome: Outcome, now: datetime, *, is_exit: bool, attempt: int
) -> Evidence:
    """Turn the outcome of one placement into evidence.

    A refusal that will pass (throttled, clock) leaves the trade waiting, for the order never reached the engine. An
    exit that was refused for any reason but "nothing to reduce" or a filter is tried again, ever more slowly: no
    close is lost.
    """
    if isinstance(outcome, Accepted):
        return Evidence(client_order_id, report=outcome.report, acked=True)
    if isinstance(outcome, NotSent):
        pause = outcome.retry_after or backoff(attempt)
        return Evidence(
            client_order_id,
            event=OrderEvent.NEVER_LEFT,
            code="NOT_SENT",
            message=outcome.reason,
            retry_at=now + pause,
        )
    if isinstance(outcome, Unknown):
        return Evidence(
            client_order_id,
            event=OrderEvent.LOST,
            code="UNKNOWN",
            message=outcome.reason,
            look_at=now + _FIRST_LOOK,
        )
    if isinstance(outcome, Duplicate):
        return Evidence(
            client_order_id,
            event=OrderEvent.LOST,
            code=outcome.code,
            message=outcome.message,
            look_at=now,
            acked=True,
        )
    return _of_refusal(client_order_id, outcome, now, is_exit=is_exit, attempt=attempt)


def _of_refusal(
    client_order_id: str, no: DefiniteNo, now: datetime, *, is_exit: bool, attempt: int
) -> Evidence:
    if no.kind in _PASSING or (is_exit and no.kind not in _FOR_GOOD):
        pause = no.retry_after or backoff(attempt)
        return Evidence(
            client_order_id,
            event=OrderEvent.NEVER_LEFT,
            code=no.code,
            message=no.message,
            retry_at=now + pause,
            acked=True,
        )
    return Evidence(
        client_order_id,
        event=OrderEvent.REFUSED,
        code=no.code,
        message=no.message,
        acked=True,
        nothing_left=no.kind is RefusalKind.NOTHING_TO_REDUCE,
    )


def resting_pause(looks: int) -> timedelta:
    """Return when an order that rests at the venue is looked up, should the stream's news of it be lost."""
    return min(_RESTING_FIRST * (1 << min(looks, 10)), _LATER_MAX)


def backoff(attempt: int) -> timedelta:
    """Return how long a trade waits before its next attempt: longer each time, at most a minute."""
    return min(_SOON * (1 << min(attempt, 10)), _LATER_MAX)
