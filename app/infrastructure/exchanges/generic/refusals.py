"""What the library's exceptions mean: never by their class alone.

An order is refused for certain only when a whole answer under HTTP 2xx or 4xx was decoded, the class is on the short
list below (or the code is in the recipe's) and the code is not known to prove nothing. Everything else leaves it unknown.
No text of the library is passed on, for it quotes addresses with their signatures.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from app.domain.exchanges.outcomes import (
    DefiniteNo,
    Duplicate,
    NotSent,
    RefusalKind,
    Unknown,
    VenueError,
    VenueRefused,
    VenueThrottled,
    VenueUnavailable,
    VenueUnsupported,
)
from app.infrastructure.exchanges import reasons
from app.infrastructure.exchanges.generic.calls import Call, Unheard
from app.infrastructure.exchanges.generic.recipe import Recipe
from app.infrastructure.exchanges.http import Reply

_CODES: Final = (
    "sCode", "label", "retCode", "err_code", "err-code", "errorCode", "code", "error", "status", "result",
)  # fmt: skip
_MESSAGES: Final = ("sMsg", "message", "msg", "retMsg", "err_msg", "err-msg", "errorMsg", "detail")
_YES: Final = frozenset({"", "0", "00000", "200", "200000", "success", "ok", "true", "placed", "1"})
_CERTAIN: Final[Mapping[str, RefusalKind]] = MappingProxyType(
    {
        "InsufficientFunds": RefusalKind.INSUFFICIENT_FUNDS,
        "InvalidOrder": RefusalKind.OTHER,
        "AuthenticationError": RefusalKind.KEY,
        "PermissionDenied": RefusalKind.KEY,
        "BadSymbol": RefusalKind.FILTER,
    }
)
"""Classes of the library that are only given to documented refusals. What an order lacked is not told apart by a class
(FILTER, NOTHING_TO_REDUCE give an exit up for good), so the recipe's codes say that."""

_THROTTLES: Final = frozenset({"RateLimitExceeded", "DDoSProtection"})
_SECOND: Final = timedelta(seconds=1)
_TEXT_MAX: Final = 200


def classes(error: BaseException) -> frozenset[str]:
    """Return the names of an exception's classes: the library need not be imported to compare them."""
    return frozenset(kind.__name__ for kind in type(error).__mro__)


def code_and_message(payload: object) -> tuple[str, str]:
    """Return the exchange's own code, empty when there is none, and its sentence; both cut and printable."""
    code, message = "", ""
    for part in _parts(payload):
        for name in _CODES:
            value = part.get(name)
            if not code and isinstance(value, str | int) and str(value).lower() not in _YES:
                code = _clean(str(value))
        for name in _MESSAGES:
            value = part.get(name)
            if not message and isinstance(value, str) and value:
                message = _clean(value)
    return code, message


def _parts(payload: object) -> list[Mapping[str, object]]:
    """Return the places where exchanges put codes, the innermost first: one order's own beats that of its envelope."""
    if not isinstance(payload, dict):
        return []
    found: list[Mapping[str, object]] = []
    for name in ("data", "sendStatus", "result", "errors"):
        inner = payload.get(name)
        if isinstance(inner, list) and inner:
            inner = inner[0]
        if isinstance(inner, dict):
            found.append(inner)
    return [*found, payload]


def _clean(value: str) -> str:
    return "".join(letter for letter in value if letter.isprintable())[:_TEXT_MAX]


def silence(reply: Reply | None) -> timedelta:
    """Return for how long the exchange wants to hear nothing: its own word, else a second."""
    stated = "" if reply is None else reply.headers.get("Retry-After", "")
    return (
        timedelta(seconds=int(stated))
        if stated.isascii() and stated.isdecimal() and len(stated) <= 6
        else _SECOND
    )


def outcome_of_error(
    error: Exception, call: Call, recipe: Recipe
) -> DefiniteNo | Duplicate | NotSent | Unknown:
    """Say what became of an order whose placing ended in `error`."""
    if not call.left:
        return _unsent(error, call, recipe)
    reply, kinds = call.reply, classes(error)
    if reply is None:
        return Unknown(str(error) if isinstance(error, Unheard) else f"no reply: {type(error).__name__}")
    code, message = code_and_message(call.payload)
    if reply.status in recipe.silent and (
        not code or recipe.kinds.get(code) in {None, RefusalKind.THROTTLED}
    ):
        return DefiniteNo(RefusalKind.THROTTLED, code or str(reply.status), message, silence(reply))
    answered = 200 <= reply.status < 300 or (400 <= reply.status < 500 and reply.status != 408)
    if not answered or not isinstance(call.payload, dict | list):
        return Unknown(f"HTTP {reply.status}" + (f", code {code}" if code else ""))
    if code in recipe.unknown or not code:
        return Unknown(f"HTTP {reply.status}, " + (f"code {code}" if code else type(error).__name__))
    if code in recipe.duplicates or "DuplicateOrderId" in kinds:
        return Duplicate(code, message)
    kind = recipe.kinds.get(code) or _certain(kinds)
    if kind is None:
        return Unknown(f"HTTP {reply.status}, code {code}")
    return DefiniteNo(kind, code, message, silence(reply) if kind is RefusalKind.THROTTLED else None)


def _certain(kinds: frozenset[str]) -> RefusalKind | None:
    if "OrderNotFound" in kinds:
        return None  # a kind of InvalidOrder there, but no word on the order that was sent
    return next((kind for name, kind in _CERTAIN.items() if name in kinds), None)


def _unsent(error: Exception, call: Call, recipe: Recipe) -> DefiniteNo | NotSent:
    """Say why nothing left. What the library itself refuses (a size below the minimum) never leaves."""
    if call.too_late:
        return NotSent(f"{reasons.DEADLINE_PASSED}: no connection was free in time")
    if call.unsent is not None:
        return NotSent(f"{reasons.UNREACHABLE}: {call.unsent}")
    if isinstance(error, Unheard) or call.reply is not None:
        refusal = error_of_read(error, call, recipe)
        if isinstance(refusal, VenueRefused) and refusal.kind is RefusalKind.KEY:
            return DefiniteNo(refusal.kind, refusal.venue_code, refusal.message)
        return NotSent(f"{reasons.UNREACHABLE}: a preparing request failed ({refusal.code})")
    if "InvalidOrder" in classes(error):
        return DefiniteNo(RefusalKind.FILTER, "library", "The order is below what the market takes.")
    return NotSent(f"{reasons.UNSENDABLE}: {type(error).__name__}")


def is_not_found(error: Exception, call: Call) -> bool:
    """Return whether the exchange answered that there is no such order."""
    reply = call.reply
    return (
        "OrderNotFound" in classes(error)
        and (reply is None or 200 <= reply.status < 500)
        and (reply is None or isinstance(call.payload, dict | list))
    )


def error_of_read(error: Exception, call: Call, recipe: Recipe) -> VenueError:
    """Return the error to raise for a failed read."""
    if isinstance(error, VenueError):
        return error
    kinds, reply = classes(error), call.reply
    if isinstance(error, Unheard):
        return VenueUnavailable(f"The venue gave no answer ({error}).")
    code, message = code_and_message(call.payload)
    kind = recipe.kinds.get(code)
    status = 0 if reply is None else reply.status
    if status in recipe.silent or (status < 500 and (kinds & _THROTTLES or kind is RefusalKind.THROTTLED)):
        return VenueThrottled("The venue asks for silence.", silence(reply))
    if kinds & {"NotSupported", "ArgumentsRequired"} and reply is None:
        return VenueUnsupported("The venue has no such thing.")
    if reply is None and kinds & {"BadRequest", "InvalidOrder"}:
        return VenueRefused("The value lies outside what the market takes.", RefusalKind.FILTER, "library")
    if reply is None or status >= 500 or status == 408 or code in recipe.unknown:
        return VenueUnavailable(f"The venue gave no usable answer ({type(error).__name__}).", status=status)
    if code and ("ExchangeError" in kinds or kind is not None):
        return VenueRefused(
            f"The venue refused: {message or 'it gave no reason'}",
            kind or _certain(kinds) or RefusalKind.OTHER,
            code or str(status),
        )
    return VenueUnavailable(f"The venue gave no usable answer ({type(error).__name__}).", status=status)
