"""The venue's "no": which texts prove that an order was refused before it could trade, and what each means.

The venue has no codes, only texts; the documentation names the errors of orders (Tick, MinTradeNtl, ...), and those names
are our codes. Only a text that begins as listed is definite; every other one, and everything that is not a whole answer,
leaves it unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NamedTuple

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
from app.infrastructure.exchanges.hyperliquid.wire.answer import refusal_of

ADDRESS_SPENT: Final = "CumulativeRequests"
"""The account has used up its actions: it gets one in ten seconds until it has traded more."""

ACCOUNT_THROTTLES: Final = frozenset({ADDRESS_SPENT})
MISSING_ORDER: Final = "MissingOrder"
_NONCE: Final = "Nonce"
_EXPIRED: Final = "Expired"
_UNLISTED: Final = "Unlisted"
_ADDRESS_WAIT: Final = timedelta(seconds=10)
_THROTTLED_STATUS: Final = 429
_UNPROCESSABLE: Final = 422
_TEXT_MAX: Final = 200
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")


class Known(NamedTuple):
    """One refusal: our code, its kind, and how the venue's text begins."""

    code: str
    kind: RefusalKind
    text: str


_K = RefusalKind
REFUSALS: Final[tuple[Known, ...]] = (
    Known("Tick", _K.FILTER, "Price must be divisible by tick size"),
    Known("MinTradeNtl", _K.FILTER, "Order must have minimum value of"),
    Known("Size", _K.FILTER, "Order has invalid size"),
    Known("ZeroSize", _K.FILTER, "Order has zero size"),
    Known("Price", _K.FILTER, "Order has invalid price"),
    Known("FarPrice", _K.FILTER, "Order price cannot be more than"),
    Known("Oracle", _K.FILTER, "Order price too far from oracle"),
    Known("PerpMargin", _K.INSUFFICIENT_FUNDS, "Insufficient margin to place order"),
    Known("SpotBalance", _K.INSUFFICIENT_FUNDS, "Insufficient spot balance"),
    Known("Deposit", _K.INSUFFICIENT_FUNDS, "Must deposit before performing actions"),
    Known("ReduceOnly", _K.NOTHING_TO_REDUCE, "Reduce only order would increase position"),
    Known("BadTriggerPx", _K.WOULD_TRIGGER, "Invalid TP/SL price"),
    Known("BadAloPx", _K.OTHER, "Post only order would have immediately matched"),
    Known("IocCancel", _K.OTHER, "Order could not immediately match against any resting orders"),
    Known("MarketOrderNoLiquidity", _K.OTHER, "No liquidity available for market order"),
    Known("OpenInterestCap", _K.OTHER, "Order would increase open interest"),
    Known("TooAggressive", _K.OTHER, "Order rejected due to price more aggressive than oracle"),
    Known("PerpMaxPosition", _K.OTHER, "Order would cause position to exceed margin tier limit"),
    Known("Wallet", _K.KEY, "User or API Wallet"),
    Known("Wallet", _K.KEY, "L1 error: User or API Wallet"),
    Known("Vault", _K.KEY, "Vault not registered"),
    Known(ADDRESS_SPENT, _K.THROTTLED, "Too many cumulative requests sent"),
    # Of leverage alone: the margin mode is fixed while there is a position.
    Known("LeverageType", _K.MODE, "Cannot switch leverage type"),
    # Cancellations alone: no order is answered so.
    Known(MISSING_ORDER, _K.OTHER, "Order was never placed, already canceled, or filled"),
    # The documentation says that an action is refused after its expiresAfter, and not in which words.
    Known(_EXPIRED, _K.CLOCK, "Action expired"),
    Known(_EXPIRED, _K.CLOCK, "Order expired"),
    Known(_EXPIRED, _K.CLOCK, "expiresAfter"),
    # A used nonce may have been used by this very order.
    Known(_NONCE, _K.CLOCK, "Invalid nonce"),
)


def known(text: str) -> Known | None:
    """Return the refusal that a text is, None when it is not listed."""
    return next((row for row in REFUSALS if text.startswith(row.text)), None)


def told(text: str) -> str:
    """Return the venue's words as they may be written down: without addresses, which name accounts and their keys."""
    return _ADDRESS.sub("0x..", text)[:_TEXT_MAX]


def silence(headers: Mapping[str, str]) -> timedelta:
    """Return for how long an address over its limit is silent: as the venue says, or ten seconds of the minute in which
    it counts.
    """
    text = headers.get("Retry-After", "")
    fits = text.isascii() and text.isdecimal() and len(text) <= 6
    return timedelta(seconds=int(text)) if fits else _ADDRESS_WAIT


def refused_order(
    status: int, body: bytes, headers: Mapping[str, str]
) -> DefiniteNo | Duplicate | Unknown | None:
    """Classify the answer to the POST of an order; None when it says yes."""
    if status == _THROTTLED_STATUS:
        return DefiniteNo(RefusalKind.THROTTLED, str(status), "The venue asks for silence.", silence(headers))
    if status == _UNPROCESSABLE and body.startswith(b"Failed to deserialize"):
        return DefiniteNo(RefusalKind.OTHER, str(status), "The venue could not read the order.")
    if status != 200:
        return Unknown(f"HTTP {status}")
    text = refusal_of(body)
    if text is None:
        return None
    row = known(text)
    if row is None or row.code == MISSING_ORDER:
        return Unknown(f"refused in words that are not listed: {told(text)}")
    if row.code == _NONCE:
        return Duplicate(row.code, told(text))
    wait = _ADDRESS_WAIT if row.kind is RefusalKind.THROTTLED else None
    return DefiniteNo(row.kind, row.code, told(text), wait)


def refused_read(status: int, body: bytes, headers: Mapping[str, str]) -> VenueError | None:
    """Return the error to raise for the answer to anything but an order; None when it is an answer."""
    if status == _THROTTLED_STATUS:
        return VenueThrottled("The venue asks for silence.", silence(headers))
    if status == _UNPROCESSABLE:
        return VenueRefused("The venue could not read the request.", RefusalKind.OTHER, str(status))
    if status != 200:
        return VenueUnavailable(f"The venue answered HTTP {status}.", status=status)
    text = refusal_of(body)
    if text is None:
        return None
    row = known(text)
    kind, code = (row.kind, row.code) if row is not None else (RefusalKind.OTHER, _UNLISTED)
    if kind is RefusalKind.THROTTLED:
        return VenueThrottled("The account has used up its actions.", _ADDRESS_WAIT)
    return VenueRefused(f"The venue refused: {told(text)}", kind, code)
