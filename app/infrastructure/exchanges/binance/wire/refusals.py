"""The venue's "no": what a reply that is not 2xx says of an order, and which error a read raises.

Only listed codes (`codes.py`) are definite. A code that is not there, and every code under HTTP 5xx or 408, leaves the
outcome unknown ("NOT a failure; could have been a success").
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
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
from app.infrastructure.exchanges.binance.wire.codes import TEXTS, Definite
from app.infrastructure.exchanges.reading import Unreadable, read

ORDER_UNKNOWN_ON_QUERY: Final = "-2013"
ORDER_UNKNOWN_ON_CANCEL: Final = "-2011"
MARGIN_MODE_UNCHANGED: Final = "-4046"
POSITION_MODE_UNCHANGED: Final = "-4059"
LISTEN_KEY_UNKNOWN: Final = "-1125"
ACCOUNT_THROTTLES: Final = frozenset({"-1015"})
"""Codes that silence one account (its order count), not the address."""

DUPLICATE_ID: Final = -4116
_REJECTED_WITH_TEXT: Final = -2010
_THROTTLED_STATUSES: Final = frozenset({418, 429})
_SILENCE_DEFAULT_S: Final = 10


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


def refused_order(
    status: int, body: bytes, retry_header: str | None, codes: Definite
) -> DefiniteNo | Duplicate | Unknown:
    """Classify the reply (not 2xx) to a POST of an order; `codes` are the definite ones."""
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
    kind = codes.get(error.code)
    if kind is None:
        return Unknown(f"HTTP {status}, code {error.code}")
    wait = retry_after(retry_header) if kind is RefusalKind.THROTTLED else None
    return DefiniteNo(kind, str(error.code), error.message, wait)


def _by_text(error: VenueNo) -> DefiniteNo | Duplicate | Unknown:
    # -2010 says "new order rejected" for many causes; the words alone tell them apart.
    words = error.message.lower()
    if "duplicate order" in words:
        return Duplicate(str(error.code), error.message)
    kind = next((kind for text, kind in TEXTS.items() if text in words), None)
    if kind is None:
        return Unknown(f"code {error.code} without a known reason")
    return DefiniteNo(kind, str(error.code), error.message)


def refused_read(status: int, body: bytes, retry_header: str | None, codes: Definite) -> VenueError:
    """Return the error to raise for a reply (not 2xx) to anything but an order."""
    error = read_error(body)
    throttled = error is not None and 400 <= status < 500 and error.code in {-1003, -1015}
    if status in _THROTTLED_STATUSES or throttled:
        return VenueThrottled("The venue asks for silence.", retry_after(retry_header))
    if error is None or not 400 <= status < 500 or status == 408:
        return VenueUnavailable(f"The venue answered HTTP {status}.", status=status)
    kind = codes.get(error.code, RefusalKind.OTHER)
    return VenueRefused(f"The venue refused: {error.message}", kind, str(error.code))
