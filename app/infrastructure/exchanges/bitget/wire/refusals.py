"""The venue's "no": which codes prove that an order never reached the matching engine, and what each means.

Only listed codes are definite. The list comes from the error-code pages of the v2 documentation; a code that is not
here (40010 "Request timed out", 40015 "System error", 40725, 45001 and 40200 above all) leaves it unknown, as does every
code under HTTP 5xx or 408.
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
from app.infrastructure.exchanges.bitget.wire.answer import SUCCESS, read_head

ORDER_UNKNOWN: Final = frozenset({"22001", "25204", "31007", "40109", "40768", "40819", "43001", "45057"})
"""There is no such order, or it is done: which, only a look-up tells."""

PLAN_UNKNOWN: Final = ORDER_UNKNOWN | {"43020", "43025"}
ACCOUNT_THROTTLES: Final = frozenset({"429"})
"""The venue's own word for one account's limit at one endpoint, which is stated per account and second."""

_DUPLICATE_IDS: Final = frozenset({"40786", "43118", "45034"})
_VERIFICATION: Final = "40808"
_FAULTS: Final = frozenset({"40010", "40015", "40200", "40400", "40725", "40910", "43059", "45001"})
_SECOND: Final = timedelta(seconds=1)
_MINUTE: Final = timedelta(minutes=1)
_FORBIDDEN: Final = 403

_CODES_OF: Final[Mapping[RefusalKind, str]] = MappingProxyType(
    {
        RefusalKind.INSUFFICIENT_FUNDS: "40711 40712 40754 40762 40798 43012 43132 45002",
        RefusalKind.FILTER: (
            "40017 40019 40020 40034 40108 40304 40305 40706 40735 40737 40739 40741 40787 40797 40808 40811 40812 40813"
            " 40815 40816 40820 40821 40829 40831 40833 40835 41101 41103 41117 43006 43007 43008 43009 43010 43011 43027"
            " 43028 43037 43038 43039 43040 43041 43042 45035 45064 45065 45066 45067 45103 45104 45110 45111 45112 45113"
            " 45114 45115 400172"
        ),
        RefusalKind.KEY: (
            "40001 40002 40003 40006 40009 40011 40012 40014 40016 40018 40022 40023 40025 40026 40036 40037 40038 40040"
            " 40041 40085"
        ),
        RefusalKind.CLOCK: "40004 40005 40008 40078 40911",
        RefusalKind.THROTTLED: "429 30007",
        RefusalKind.NOTHING_TO_REDUCE: "22002 25227 40709 40757 40837 40838 40891 43043 45003 45005 45006",
        RefusalKind.WOULD_TRIGGER: (
            "40736 40738 40740 40742 40830 40832 40834 40836 40915 40917 43013 43014 43015 43016 43034 43035 45060 45061"
            " 45062 45122"
        ),
        RefusalKind.MODE: "40774 40920 45117",
        RefusalKind.OTHER: (
            "22004 22005 40102 40308 40309 40723 40761 40824 40844 40845 40889 41113 41114 43005 43115 43119 43120 43128"
            " 45116 45118 45123"
        ),
    }
)

DEFINITE: Final[Mapping[str, RefusalKind]] = MappingProxyType(
    {code: kind for kind, codes in _CODES_OF.items() for code in codes.split()}
)


def silence(code: str, headers: Mapping[str, str]) -> timedelta:
    """Return for how long the venue wants to hear nothing.

    Limits are counted per second, except that of the address as a whole, which is counted per minute: a reply that is
    not in the venue's envelope speaks of that one. `Retry-After` overrides both.
    """
    stated = headers.get("Retry-After")
    if stated is not None and stated.isascii() and stated.isdecimal() and len(stated) <= 6:
        return timedelta(seconds=int(stated))
    return _SECOND if code in DEFINITE else _MINUTE


def _kind_of(code: str, message: str) -> RefusalKind | None:
    # One code for everything that a check of the parameters finds: only its text names the margin mode.
    if code == _VERIFICATION and "margin mode" in message.lower():
        return RefusalKind.MODE
    return DEFINITE.get(code)


def _address_limited(status: int, code: str | None) -> bool:
    """Whether the reply tells of the address's limit: by its status alone, with no word of the venue that we know."""
    if status == _FORBIDDEN:
        return code is None
    return status in {418, 429} and (code is None or code not in DEFINITE)


def _carries_no_answer(status: int) -> bool:
    return not 200 <= status < 500 or 300 <= status < 400 or status == 408


def refused_order(
    status: int, body: bytes, headers: Mapping[str, str]
) -> DefiniteNo | Duplicate | Unknown | None:
    """Classify the answer to a POST of an order or a protection; None when it says yes."""
    head = read_head(body)
    if _address_limited(status, head[0] if head is not None else None):
        name = f"http_{status}"
        return DefiniteNo(RefusalKind.THROTTLED, name, "The venue asks for silence.", silence(name, headers))
    if head is None or _carries_no_answer(status):
        return Unknown(f"HTTP {status}" + (f", code {head[0][:12]}" if head is not None else ""))
    code, message = head
    if code == SUCCESS:
        return None if status < 300 else Unknown(f"HTTP {status} with a yes")
    if code in _DUPLICATE_IDS:
        return Duplicate(code, message)
    kind = _kind_of(code, message)
    if kind is None:
        return Unknown(f"HTTP {status}, code {code[:12]}")
    wait = silence(code, headers) if kind is RefusalKind.THROTTLED else None
    return DefiniteNo(kind, code, message, wait)


def refused_read(status: int, body: bytes, headers: Mapping[str, str]) -> VenueError | None:
    """Return the error to raise for the answer to anything but an order; None when it says yes."""
    head = read_head(body)
    if _address_limited(status, head[0] if head is not None else None):
        return VenueThrottled("The venue asks for silence.", silence(f"http_{status}", headers))
    if head is None or _carries_no_answer(status):
        return VenueUnavailable(f"The venue answered HTTP {status}.", status=status)
    code, message = head
    if code == SUCCESS:
        return None if status < 300 else VenueUnavailable(f"The venue answered HTTP {status}.", status=status)
    kind = _kind_of(code, message)
    if kind is RefusalKind.THROTTLED:
        return VenueThrottled("The venue asks for silence.", silence(code, headers))
    if code in _FAULTS:
        return VenueUnavailable(f"The venue has a fault: code {code}.", code=code)
    return VenueRefused(f"The venue refused: {message}", kind or RefusalKind.OTHER, code[:12])
