"""The envelope of every answer: a code, a text, the data and the venue's time; and the scalars inside.

Refusals come under HTTP 400 mostly, but 200 too: only code "00000" is a yes.
"""

from __future__ import annotations

import re
from typing import Final, Generic, TypeVar

import msgspec

from app.infrastructure.exchanges.reading import Unreadable, read

T = TypeVar("T")
SUCCESS: Final = "00000"
PAGE_ROWS: Final = 100
"""The most rows that the venue puts on a page."""

_MS_MAX: Final = 253_402_300_799_999
_ID: Final = re.compile(r"[A-Za-z0-9_:#-]{1,64}")


class Answer(msgspec.Struct, Generic[T], frozen=True, rename="camel"):
    """An answer with data; some write their time as text, some leave it out."""

    code: str
    data: T
    request_time: int | str | None = None


class _Head(msgspec.Struct, frozen=True, rename="camel"):
    code: str | int
    msg: str | None = ""
    message: str | None = ""


_HEAD: Final = msgspec.json.Decoder(_Head)


def read_head(body: bytes) -> tuple[str, str] | None:
    """Return code and text of an answer, None when the body is none."""
    try:
        found = read(_HEAD, body)
    except Unreadable:
        return None
    return str(found.code), (found.msg or found.message or "")[:200]


def data_of(decoder: msgspec.json.Decoder[Answer[T]], body: bytes) -> tuple[T, int]:
    """Return the data and the venue's time in ms (0: not said) of an answer that says yes; Unreadable for others."""
    found = read(decoder, body)
    if found.code != SUCCESS:
        raise Unreadable("an answer that says no")
    at = found.request_time
    return found.data, milliseconds(str(at), "the time of the answer") if at else 0


def name_of(text: str | None, what: str) -> str:
    """Read an id that the venue gave: an order's or an execution's."""
    if text is None or not _ID.fullmatch(text):
        raise Unreadable(f"{what} is no id")
    return text


def milliseconds(text: str, what: str) -> int:
    """Read a time in epoch ms, which the venue writes as text."""
    if not text.isascii() or not text.isdecimal() or len(text) > 15 or int(text) > _MS_MAX:
        raise Unreadable(f"{what} is no time")
    return int(text)
