"""The venue's "no": which codes prove that an order never reached the matching engine, and what each means.

Only listed codes are definite. The list comes from the error-code page of the v5 documentation; a code that is not
here (10000 "Server Timeout", 10016 "Server error" above all) and every code under HTTP 5xx or 408 leaves it unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
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

ORDER_UNKNOWN: Final = frozenset({"110001"})
ORDER_ENDED: Final = frozenset({"110008", "110010"})
"""A cancellation came too late: the order is done."""

LEVERAGE_UNCHANGED: Final = "110043"
ACCOUNT_THROTTLES: Final = frozenset({"10006"})
"""Codes that silence one account (its requests in a second), not the address."""

_DUPLICATE_IDS: Final = frozenset({110072, 170141})
_NOTHING_LEFT: Final = 110017
"""The quantity, cut to the position, would be zero: said of reduce-only orders, and of quantities below the step."""

_ADDRESS_BANNED: Final = 403
_THROTTLED_STATUSES: Final = frozenset({_ADDRESS_BANNED, 429})
_BAN: Final = timedelta(minutes=10)
_SECOND: Final = timedelta(seconds=1)
_ADDRESS_WINDOW: Final = timedelta(seconds=5)
_DAY_MS: Final = 86_400_000

_CODES_OF: Final[Mapping[RefusalKind, tuple[int, ...]]] = MappingProxyType(
    {
        RefusalKind.INSUFFICIENT_FUNDS: (
            110004, 110006, 110007, 110012, 110014, 110044, 110045, 110051, 110052, 110053,
        ),
        RefusalKind.FILTER: (
            10001, 10029, 110003, 110032, 110049, 110092, 110093, 110094, 110108, 110109, 110120, 110121,
        ),
        RefusalKind.KEY: (10003, 10004, 10005, 10007, 10008, 10009, 10010, 10024, 10027, 10028, 33004),
        RefusalKind.CLOCK: (10002,),
        RefusalKind.THROTTLED: (10006, 10018, 10429),
        RefusalKind.NOTHING_TO_REDUCE: (_NOTHING_LEFT, 110034),
        RefusalKind.OTHER: (
            110005, 110009, 110011, 110013, 110020, 110021, 110022, 110023, 110029, 110039, 110040, 110042, 110050,
            110063, 110066, 110067, 110068, 110069, 110070, 110074, 110080, 110085, 110086, 110087, 110088, 110089,
            110090, 110095, 110096, 110097, 110098, 110099, 110100, 110103, 110118, 110123, 110124, 110125, 110131,
            110132,
        ),
    }
)  # fmt: skip

DEFINITE: Final[Mapping[int, RefusalKind]] = MappingProxyType(
    {code: kind for kind, codes in _CODES_OF.items() for code in codes}
)


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
    if code in _DUPLICATE_IDS:
        return Duplicate(str(code), message)
    kind = DEFINITE.get(code)
    if kind is None:
        return Unknown(f"HTTP {status}, code {code}")
    if code == _NOTHING_LEFT and not reduce_only:
        kind = RefusalKind.FILTER
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
    if code in {10000, 10016, 10019}:
        return VenueUnavailable(f"The venue has a fault: code {code}.", code=code)
    return VenueRefused(f"The venue refused: {message}", kind or RefusalKind.OTHER, str(code))
