"""The venue's "no": only codes of the allow-list are definite; any other code, and every code under HTTP 5xx or 408,
leaves it unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from app.domain.exchanges.outcomes import (
    DefiniteNo,
    Duplicate,
    RefusalKind,
    Unknown,
    VenueError,
    VenueRefused,
    VenueThrottled,
    VenueUnavailable,
)
from app.infrastructure.exchanges.bybit.wire.answer import read_head
from app.infrastructure.exchanges.bybit.wire.codes import (
    ACCOUNT_THROTTLES,
    DEFINITE,
    DUPLICATE_IDS,
    MODE_WORDS,
    NOTHING_LEFT,
    PARAMETER,
)

_ADDRESS_BANNED: Final = 403
_THROTTLED_STATUSES: Final = frozenset({_ADDRESS_BANNED, 429})
_BAN: Final = timedelta(minutes=10)
_SECOND: Final = timedelta(seconds=1)
_ADDRESS_WINDOW: Final = timedelta(seconds=5)
_DAY_MS: Final = 86_400_000
_FAULTS: Final = frozenset({10000, 10016, 10019, 170001, 170007, 170032, 170234})
"""Faults of the venue's own: no answer to a read."""


def silence(status: int, code: int, at_ms: int, headers: Mapping[str, str]) -> timedelta:
    """Return for how long the venue wants to hear nothing.

    A banned address (HTTP 403) waits ten minutes as documented, an account until its counter is reset (its own header,
    a second when that is missing or senseless), an address over its limit one window. `Retry-After` overrides all.
    """
    stated = _digits(headers.get("Retry-After"), 6)
    if stated is not None:
        return timedelta(seconds=stated)
    if status == _ADDRESS_BANNED:
        return _BAN
    if str(code) not in ACCOUNT_THROTTLES:
        return _ADDRESS_WINDOW
    resets = _digits(headers.get("X-Bapi-Limit-Reset-Timestamp"), 15)
    if resets is None or not at_ms or not 0 < resets - at_ms <= _DAY_MS:
        return _SECOND
    return timedelta(milliseconds=resets - at_ms)


def _digits(text: str | None, most: int) -> int | None:
    fits = text is not None and text.isascii() and text.isdecimal() and len(text) <= most
    return int(text) if fits and text is not None else None


def refused_order(
    status: int, body: bytes, headers: Mapping[str, str], *, reduce_only: bool
) -> DefiniteNo | Duplicate | Unknown | None:
    """Classify the answer to a POST of an order; None when it says yes."""
    head = read_head(body)
    code, message, at_ms = head if head is not None else (status, "The venue asks for silence.", 0)
    if status in _THROTTLED_STATUSES and (
        head is None or DEFINITE.get(code) in {None, RefusalKind.THROTTLED}
    ):
        return DefiniteNo(RefusalKind.THROTTLED, str(code), message, silence(status, code, at_ms, headers))
    if head is None or not 200 <= status < 500 or 300 <= status < 400 or status == 408:
        return Unknown(f"HTTP {status}" + (f", code {code}" if head is not None else ""))
    if code == 0:
        return None if status < 300 else Unknown(f"HTTP {status} with a yes")
    if code in DUPLICATE_IDS:
        return Duplicate(str(code), message)
    kind = DEFINITE.get(code)
    if kind is None:
        return Unknown(f"HTTP {status}, code {code}")
    if code == NOTHING_LEFT and not reduce_only:
        kind = RefusalKind.FILTER
    if code == PARAMETER and MODE_WORDS in message.lower():
        kind = RefusalKind.MODE
    wait = silence(status, code, at_ms, headers) if kind is RefusalKind.THROTTLED else None
    return DefiniteNo(kind, str(code), message, wait)


def refused_read(status: int, body: bytes, headers: Mapping[str, str]) -> VenueError | None:
    """Return the error to raise for the answer to anything but an order; None when it says yes."""
    head = read_head(body)
    code, message, at_ms = head if head is not None else (status, "", 0)
    kind = DEFINITE.get(code)
    throttled = kind is RefusalKind.THROTTLED and 200 <= status < 500
    if throttled or (status in _THROTTLED_STATUSES and kind is None):
        return VenueThrottled("The venue asks for silence.", silence(status, code, at_ms, headers))
    if head is None or not 200 <= status < 500 or 300 <= status < 400 or status == 408:
        return VenueUnavailable(f"The venue answered HTTP {status}.", status=status)
    if code == 0:
        return None if status < 300 else VenueUnavailable(f"The venue answered HTTP {status}.", status=status)
    if code in _FAULTS:
        return VenueUnavailable(f"The venue has a fault: code {code}.", code=code)
    return VenueRefused(f"The venue refused: {message}", kind or RefusalKind.OTHER, str(code))
