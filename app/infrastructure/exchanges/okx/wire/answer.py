"""The envelope of every answer: a code, a text and a list of rows; and the scalars inside, all written as text.

The venue answers HTTP 200 to most refusals. What became of one order stands in its row's own `sCode`, with the
envelope's code 1 when it failed.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Generic, TypeVar

import msgspec

from app.infrastructure.exchanges.reading import Unreadable, read

T = TypeVar("T")
_MS_MAX: Final = 253_402_300_799_999
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CODE: Final = re.compile(r"[0-9]{1,6}")
YES: Final = "0"


class Answer(msgspec.Struct, Generic[T], frozen=True):
    """An answer with its rows."""

    code: str
    data: Annotated[list[T], msgspec.Meta(max_length=5000)]
    msg: str = ""


class _Head(msgspec.Struct, frozen=True):
    code: str
    msg: str = ""
    data: msgspec.Raw = msgspec.Raw(b"[]")


class _Item(msgspec.Struct, frozen=True):
    s_code: str = msgspec.field(name="sCode", default="")
    s_msg: str = msgspec.field(name="sMsg", default="")


_HEAD: Final = msgspec.json.Decoder(_Head)
_ITEMS: Final = msgspec.json.Decoder(list[_Item])


def verdict(body: bytes) -> tuple[str, str] | None:
    """Return code and text of an answer, None when the body is none. A row's own refusal comes before the envelope's."""
    try:
        head = read(_HEAD, body)
    except Unreadable:
        return None
    if not _CODE.fullmatch(head.code):
        return None
    try:
        items = read(_ITEMS, bytes(head.data))
    except Unreadable:
        items = []
    for item in items:
        if item.s_code not in {"", YES}:
            return (item.s_code, item.s_msg[:200]) if _CODE.fullmatch(item.s_code) else None
    return head.code, head.msg[:200]


def rows_of(decoder: msgspec.json.Decoder[Answer[T]], body: bytes) -> list[T]:
    """Return the rows of an answer that says yes; Unreadable for every other."""
    found = read(decoder, body)
    if found.code != YES:
        raise Unreadable("an answer that says no")
    return found.data


def only_row(decoder: msgspec.json.Decoder[Answer[T]], body: bytes) -> T:
    """Return the one row of an answer that must have exactly one."""
    rows = rows_of(decoder, body)
    if len(rows) != 1:
        raise Unreadable(f"{len(rows)} rows instead of one")
    return rows[0]


def name_of(text: str, what: str) -> str:
    """Read an id that the venue gave: an order's, an execution's or a bill's."""
    if not _ID.fullmatch(text):
        raise Unreadable(f"{what} is no id")
    return text


def milliseconds(text: str, what: str) -> int:
    """Read a time in epoch ms."""
    if not text.isascii() or not text.isdecimal() or len(text) > 15 or int(text) > _MS_MAX:
        raise Unreadable(f"{what} is no time")
    return int(text)
