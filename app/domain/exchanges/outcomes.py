"""What came of placing an order: five classes, and what each allows.

ACCEPTED: the venue has the order. DEFINITE_NO: the venue refused it before its engine saw it; only codes on a
venue's allow-list are of this class. DUPLICATE: the venue knows the client id, so the order may well be live: it is
looked up, never counted as a failure. UNKNOWN: everything else, a lost reply above all: the hold stays and evidence
decides. NOT_SENT: not one byte left, so trying again is safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TypeAlias

from app.domain.shared.errors import DomainError
from app.domain.shared.execution import OrderReport


class RefusalKind(StrEnum):
    """Why a venue said no, as far as it changes what we do next."""

    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    FILTER = "FILTER"
    KEY = "KEY"
    CLOCK = "CLOCK"
    THROTTLED = "THROTTLED"
    NOTHING_TO_REDUCE = "NOTHING_TO_REDUCE"
    WOULD_TRIGGER = "WOULD_TRIGGER"
    MODE = "MODE"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The venue has the order; `report` is its first word on it."""

    report: OrderReport


@dataclass(frozen=True, slots=True)
class DefiniteNo:
    """The venue refused the order before matching. `code` is the venue's own."""

    kind: RefusalKind
    code: str
    message: str
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The venue has seen this client order id."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say whether the order exists; `reason` says what was seen instead of an answer."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """The request never left."""

    reason: str
    retry_after: timedelta | None = None


Outcome: TypeAlias = Accepted | DefiniteNo | Duplicate | Unknown | NotSent


class VenueError(DomainError):
    """Base of what a read from a venue may raise. An error is not an answer: it says nothing about orders."""

    code = "venue_error"


class VenueUnavailable(VenueError):
    """No usable answer: network, timeout, 5xx, nonsense, or an open circuit. Reads may be repeated."""

    code = "venue_unavailable"


class VenueThrottled(VenueError):
    """The venue asked for silence; `retry_after` says for how long."""

    code = "venue_throttled"

    def __init__(self, message: str, retry_after: timedelta) -> None:
        super().__init__(message, retry_after_seconds=retry_after.total_seconds())
        self.retry_after = retry_after


class VenueUnsupported(VenueError):
    """The venue has no such thing (leverage at a spot market, hedge mode where positions net): nothing was asked."""

    code = "venue_unsupported"


class VenueRefused(VenueError):
    """The venue understood and said no; `kind` and `venue_code` say why."""

    code = "venue_refused"

    def __init__(self, message: str, kind: RefusalKind, venue_code: str) -> None:
        super().__init__(message, kind=kind.value, venue_code=venue_code)
        self.kind = kind
        self.venue_code = venue_code
