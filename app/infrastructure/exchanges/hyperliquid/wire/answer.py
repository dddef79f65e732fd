"""The two doors: questions to /info, and the envelope of what /exchange answers.

The venue answers HTTP 200 to most refusals: an action that is refused as a whole has the status `err` and a text, one of
an order has the status `ok` and an error among its statuses.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from app.infrastructure.exchanges.reading import Number, Unreadable, read

INFO_PATH: Final = "/info"
ROWS_MAX: Final = 20_000


class Resting(msgspec.Struct, frozen=True):
    """An order that stands in the book, or a trigger that waits."""

    oid: Number
    cloid: str | None = None


class Filled(msgspec.Struct, frozen=True, rename="camel"):
    """An order that was executed, at least in part, and is over."""

    total_sz: str
    avg_px: str
    oid: Number
    cloid: str | None = None


class Status(msgspec.Struct, frozen=True):
    """What came of one order of an action."""

    resting: Resting | None = None
    filled: Filled | None = None
    error: str | None = None


class _Data(msgspec.Struct, frozen=True):
    statuses: Annotated[list[Status | str], msgspec.Meta(max_length=1)]


class _Response(msgspec.Struct, frozen=True):
    type: str
    data: _Data | None = None


class _Envelope(msgspec.Struct, frozen=True):
    status: str
    response: _Response | str


_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)


def question(kind: str, **fields: str | int | bool) -> bytes:
    """Return the JSON body of POST /info."""
    return msgspec.json.encode({"type": kind, **fields})


def answered(body: bytes) -> Status | str | None:
    """Return what came of the one thing that an action asked for: a status, a bare word, None when all that was said is
    yes. A refusal of the whole action is a status with an error. Unreadable for what is no answer.
    """
    found = read(_ENVELOPE, body)
    if found.status == "err" and isinstance(found.response, str):
        return Status(error=found.response)
    if found.status != "ok" or isinstance(found.response, str):
        raise Unreadable("an answer that says neither yes nor no")
    if found.response.data is None:
        return None
    if not found.response.data.statuses:
        raise Unreadable("an answer without a status")
    return found.response.data.statuses[0]


def refusal_of(body: bytes) -> str | None:
    """Return the text with which the venue said no, None when it did not, or when the body is no answer at all."""
    try:
        found = answered(body)
    except Unreadable:
        return None
    return found.error if isinstance(found, Status) else None
