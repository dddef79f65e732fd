"""The venue's "no": which codes prove that an order never reached the matching engine, and what each means.

Only listed codes are definite. The list comes from the error-code page of the v5 documentation; a code that is not
here (50001, 50004 "does not mean success or failure", 50013, 50026, 51054 and 51149 "timed out" above all) and every
code under HTTP 5xx, 408 or 410 leaves it unknown.
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
from app.infrastructure.exchanges.okx.wire.answer import YES, verdict

ORDER_UNKNOWN: Final = frozenset({"51063", "51603"})
CANCEL_TOO_LATE: Final = frozenset({"51400", "51401", "51402", "51410"})
"""A cancellation came too late: the order is unknown, cancelled, completed, or being cancelled."""

MODE_IN_USE: Final = "59000"
ACCOUNT_THROTTLES: Final = frozenset({"50011", "50061"})
"""Codes that silence one account, not the address: limits of private endpoints count per user."""

_DUPLICATE_IDS: Final = frozenset({50071, 51016, 51065, 51068})
_FAULTS: Final = frozenset({50001, 50004, 50005, 50013, 50026, 51054, 51149})
_PARAMETER: Final = 51000
_TOO_MANY: Final = 429
_WINDOW: Final = timedelta(seconds=2)
"""The venue counts most requests in two seconds."""

_CODES_OF: Final[Mapping[RefusalKind, tuple[int, ...]]] = MappingProxyType(
    {
        RefusalKind.INSUFFICIENT_FUNDS: (51008, 51119, 51127, 51131, 51736, 59200, 59201),
        RefusalKind.FILTER: (
            50000, 50002, 50006, 50014, 50015, 50016, 50024, 50122, _PARAMETER, 51001, 51002, 51003, 51005, 51006,
            51007, 51015, 51020, 51031, 51033, 51101, 51116, 51118, 51120, 51121, 51122, 51123, 51132, 51135, 51136,
            51137, 51138, 51150, 51180, 51185, 51201, 51202, 51203, 51204, 51250, 51252, 51275, 51276, 59102, 59105,
        ),
        RefusalKind.KEY: (
            50008, 50030, 50035, 50100, 50101, 50103, 50104, 50105, 50106, 50107, 50108, 50109, 50110, 50111, 50113,
            50114, 50118, 50119, 50120, 50121,
        ),
        RefusalKind.CLOCK: (50036, 50037, 50102, 50112),
        RefusalKind.THROTTLED: (50011, 50040, 50061, 51113),
        RefusalKind.NOTHING_TO_REDUCE: (51023, 51058, 51169, 51170),
        RefusalKind.WOULD_TRIGGER: (51277, 51278, 51279, 51280),
        RefusalKind.MODE: (51010, 51041, 59000),
        RefusalKind.OTHER: (
            50007, 50009, 50012, 50017, 50018, 50019, 50020, 50021, 50022, 50023, 50025, 50027, 50028, 50029, 50032,
            50033, 50051, 50052, 50059, 50060, 50062, 51004, 51009, 51014, 51021, 51022, 51024, 51025, 51027, 51028,
            51029, 51030, 51032, 51037, 51038, 51087, 51102, 51103, 51104, 51105, 51106, 51107, 51108, 51109, 51110,
            51112, 51115, 51117, 51124, 51125, 51126, 51128, 51129, 51130, 51133, 51134, 51139, 51140, 51142, 51144,
            51147, 51148, 51155, 51156, 51159, 51162, 51163, 51165, 51166, 51167, 51168, 51174, 51186, 51187, 51196,
            51197, 51205, 51206, 51207, 51261, 51298, 51299,
        ),
    }
)  # fmt: skip

DEFINITE: Final[Mapping[int, RefusalKind]] = MappingProxyType(
    {code: kind for kind, codes in _CODES_OF.items() for code in codes}
)


def kind_of(code: int, message: str) -> RefusalKind | None:
    """Return what a refusal means, None for a code that proves nothing. A wrong position side is told as a parameter."""
    if code == _PARAMETER and "posSide" in message:
        return RefusalKind.MODE
    return DEFINITE.get(code)


def silence(headers: Mapping[str, str]) -> timedelta:
    """Return for how long the venue wants to hear nothing: `Retry-After`, or one of its windows."""
    text = headers.get("Retry-After", "")
    return timedelta(seconds=int(text)) if text.isascii() and text.isdecimal() and len(text) <= 6 else _WINDOW


def _is_usable(status: int) -> bool:
    return 200 <= status < 300 or (400 <= status < 500 and status not in {408, 410})


def refused_order(
    status: int, body: bytes, headers: Mapping[str, str]
) -> DefiniteNo | Duplicate | Unknown | None:
    """Classify the answer to a POST of an order or a protection; None when it says yes."""
    found = verdict(body)
    code, message = found if found is not None else ("", "The venue asks for silence.")
    number = int(code) if code else -1
    kind = kind_of(number, message) if code else None
    if status == _TOO_MANY and (found is None or kind is RefusalKind.THROTTLED):
        return DefiniteNo(RefusalKind.THROTTLED, str(_TOO_MANY), message, silence(headers))
    if found is None or not _is_usable(status):
        return Unknown(f"HTTP {status}" + (f", code {code}" if code else ""))
    if code == YES:
        return None if status < 300 else Unknown(f"HTTP {status} with a yes")
    if number in _DUPLICATE_IDS:
        return Duplicate(code, message)
    if kind is None:
        return Unknown(f"HTTP {status}, code {code}")
    return DefiniteNo(kind, code, message, silence(headers) if kind is RefusalKind.THROTTLED else None)


def refused_read(status: int, body: bytes, headers: Mapping[str, str]) -> VenueError | None:
    """Return the error to raise for the answer to anything but an order; None when it says yes."""
    found = verdict(body)
    code, message = found if found is not None else ("", "")
    number = int(code) if code else -1
    kind = kind_of(number, message) if code else None
    throttled = kind is RefusalKind.THROTTLED and _is_usable(status)
    if throttled or (status == _TOO_MANY and kind is None and number not in _FAULTS):
        return VenueThrottled("The venue asks for silence.", silence(headers))
    if found is None or not _is_usable(status) or (code == YES and status >= 300):
        return VenueUnavailable(f"The venue answered HTTP {status}.", status=status)
    if code == YES:
        return None
    if number in _FAULTS or number == 1:
        return VenueUnavailable(f"The venue has a fault: code {code}.", code=code)
    return VenueRefused(f"The venue refused: {message}", kind or RefusalKind.OTHER, code)
