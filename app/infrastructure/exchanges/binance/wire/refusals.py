"""The venue's "no": which error codes prove that an order never reached the matching engine, and what each means.

Only listed codes are definite. The lists come from the error-code page of the USD-M documentation; a code that is not
here, and every code under HTTP 5xx or 408, leaves the outcome unknown ("NOT a failure; could have been a success").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final

import msgspec

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
from app.infrastructure.exchanges.reading import Unreadable, read

ORDER_UNKNOWN_ON_QUERY: Final = -2013
ORDER_UNKNOWN_ON_CANCEL: Final = -2011
LISTEN_KEY_UNKNOWN: Final = "-1125"
ACCOUNT_THROTTLES: Final = frozenset({"-1015"})
"""Codes that silence one account (its order count), not the address."""

DUPLICATE_ID: Final = -4116
_REJECTED_WITH_TEXT: Final = -2010
_THROTTLED_STATUSES: Final = frozenset({418, 429})
_SILENCE_DEFAULT_S: Final = 10

_CODES_OF: Final[Mapping[RefusalKind, tuple[int, ...]]] = MappingProxyType(
    {
        RefusalKind.INSUFFICIENT_FUNDS: (-2018, -2019, -2028),
        RefusalKind.FILTER: (
            -1013, -1100, -1101, -1102, -1103, -1104, -1105, -1106, -1111, -1114, -1115, -1116, -1117, -1121, -1130,
            -1136, -2026, -4000, -4001, -4002, -4003, -4004, -4005, -4013, -4014, -4015, -4016, -4023, -4024, -4029,
            -4030, -4055, -4140, -4141, -4164, -4183, -4184,
        ),
        RefusalKind.KEY: (-1002, -1022, -1099, -1109, -2014, -2015),
        RefusalKind.CLOCK: (-1021, -1131),
        RefusalKind.THROTTLED: (-1003, -1015),
        RefusalKind.NOTHING_TO_REDUCE: (-2022,),
        RefusalKind.OTHER: (
            -1020, -2021, -2023, -2024, -2025, -2027, -4061, -4062, -4087, -4088, -4109, -4118, -4120, -4131, -4192,
            -4400, -5021, -5022,
        ),
    }
)  # fmt: skip

DEFINITE: Final[Mapping[int, RefusalKind]] = MappingProxyType(
    {code: kind for kind, codes in _CODES_OF.items() for code in codes}
)


class _Error(msgspec.Struct, frozen=True):
    code: int
    msg: str = ""


_DECODER: Final = msgspec.json.Decoder(_Error)


@dataclass(frozen=True, slots=True)
class VenueNo:
    """An error body: the venue's code and words."""

    code: int
    message: str


def read_error(body: bytes) -> VenueNo | None:
    """Return the error that a body states, None when it states none."""
    try:
        found = read(_DECODER, body)
    except Unreadable:
        return None
    return VenueNo(found.code, found.msg[:200])


def retry_after(header: str | None) -> timedelta:
    """Read `Retry-After` in seconds; a missing or senseless one means ten seconds."""
    if header is not None and header.isascii() and header.isdecimal() and len(header) <= 6:
        return timedelta(seconds=int(header))
    return timedelta(seconds=_SILENCE_DEFAULT_S)


def refused_order(status: int, body: bytes, retry_header: str | None) -> DefiniteNo | Duplicate | Unknown:
    """Classify the reply (not 2xx) to a POST of an order."""
    error = read_error(body)
    if status in _THROTTLED_STATUSES:
        code = str(error.code) if error else str(status)
        message = error.message if error else "The venue asks for silence."
        return DefiniteNo(RefusalKind.THROTTLED, code, message, retry_after(retry_header))
    if error is None or not 400 <= status < 500 or status == 408:
        return Unknown(f"HTTP {status}" + (f", code {error.code}" if error else ""))
    if error.code == DUPLICATE_ID:
        return Duplicate(str(error.code), error.message)
    if error.code == _REJECTED_WITH_TEXT:
        return _by_text(error)
    kind = DEFINITE.get(error.code)
    if kind is None:
        return Unknown(f"HTTP {status}, code {error.code}")
    wait = retry_after(retry_header) if kind is RefusalKind.THROTTLED else None
    return DefiniteNo(kind, str(error.code), error.message, wait)


def _by_text(error: VenueNo) -> DefiniteNo | Duplicate | Unknown:
    # -2010 says "new order rejected" for many causes; the words alone tell them apart.
    words = error.message.lower()
    if "duplicate order" in words:
        return Duplicate(str(error.code), error.message)
    if "insufficient balance" in words:
        return DefiniteNo(RefusalKind.INSUFFICIENT_FUNDS, str(error.code), error.message)
    return Unknown(f"code {error.code} without a known reason")


def refused_read(status: int, body: bytes, retry_header: str | None) -> VenueError:
    """Return the error to raise for a reply (not 2xx) to anything but an order."""
    error = read_error(body)
    throttled = error is not None and 400 <= status < 500 and error.code in {-1003, -1015}
    if status in _THROTTLED_STATUSES or throttled:
        return VenueThrottled("The venue asks for silence.", retry_after(retry_header))
    if error is None or not 400 <= status < 500 or status == 408:
        return VenueUnavailable(f"The venue answered HTTP {status}.", status=status)
    kind = DEFINITE.get(error.code, RefusalKind.OTHER)
    return VenueRefused(f"The venue refused: {error.message}", kind, str(error.code))
