"""The envelope of every answer: a code, a text, the result and the venue's time; and the scalars inside.

The venue answers HTTP 200 to refusals too: only `retCode` 0 is a yes.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Generic, TypeVar

import msgspec

from app.infrastructure.exchanges.reading import Milliseconds, Unreadable, read

T = TypeVar("T")
_MS_MAX: Final = 253_402_300_799_999
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CURSOR: Final = re.compile(r"[A-Za-z0-9%._~:,=|-]{0,1024}")


class Answer(msgspec.Struct, Generic[T], frozen=True, rename="camel"):
    """An answer with a result."""

    ret_code: int
    result: T
    time: Milliseconds = 0
    ret_msg: str = ""


class Page(msgspec.Struct, Generic[T], frozen=True, rename="camel"):
    """One page of a list; an empty cursor says that it is the last."""

    rows: Annotated[list[T], msgspec.Meta(max_length=1000)] = msgspec.field(name="list")
    next_page_cursor: str | None = ""


class _Head(msgspec.Struct, frozen=True, rename="camel"):
    ret_code: int
    ret_msg: str = ""
    time: Milliseconds = 0


_HEAD: Final = msgspec.json.Decoder(_Head)


def read_head(body: bytes) -> tuple[int, str, int] | None:
    """Return code, text and time in ms (0: not said) of an answer, None when the body is none."""
    try:
        found = read(_HEAD, body)
    except Unreadable:
        return None
    return found.ret_code, found.ret_msg[:200], found.time


def result_of(decoder: msgspec.json.Decoder[Answer[T]], body: bytes) -> tuple[T, int]:
    """Return the result and the venue's time in ms of an answer that says yes; Unreadable for every other."""
    found = read(decoder, body)
    if found.ret_code != 0:
        raise Unreadable("an answer that says no")
    return found.result, found.time


def cursor_of(page: Page[T]) -> str:
    """Return the cursor of the next page as the venue wants it back, empty after the last page."""
    cursor = page.next_page_cursor or ""
    if not _CURSOR.fullmatch(cursor):
        raise Unreadable("a senseless cursor")
    return cursor


def name_of(text: str, what: str) -> str:
    """Read an id that the venue gave: an order's or an execution's."""
    if not _ID.fullmatch(text):
        raise Unreadable(f"{what} is no id")
    return text


def milliseconds(text: str, what: str) -> int:
    """Read a time in epoch ms, which the venue writes as text."""
    if not text.isascii() or not text.isdecimal() or len(text) > 15 or int(text) > _MS_MAX:
        raise Unreadable(f"{what} is no time")
    return int(text)
