"""Refuses JSON that parsers disagree about, before anything reads it.

Duplicate keys, NaN and infinities, numbers too long to be meant, nesting that exhausts a stack, NUL and lone surrogates:
each is legal or tolerated somewhere, and each has turned into a wrong amount or a 500 elsewhere. RFC 8259 sections 4,
6, 8 and 9 leave them to the implementation; this one says no.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Final, NoReturn

DEPTH_MAX: Final = 32
NUMBER_LENGTH_MAX: Final = 40

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKET: Final = re.compile(r"[\[\]{}]")
_ILLEGAL: Final = re.compile("[\x00\ud800-\udfff]")


class BadJson(ValueError):
    """The body is not JSON that we accept; the text says why and quotes nothing of it."""


def check_json(body: bytes) -> None:
    """Pass a body that is one sane JSON text in UTF-8, or raise BadJson."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadJson("The body is not UTF-8.") from None
    _check_depth(text)
    try:
        value: object = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_number,
            parse_int=_number,
            object_pairs_hook=_object,
        )
    except BadJson:
        raise
    except (ValueError, RecursionError):
        raise BadJson("The body is not JSON.") from None
    _check_text(value)


def _check_depth(text: str) -> None:
    depth = 0
    for bracket in _BRACKET.finditer(_STRING.sub("", text)):
        depth += 1 if bracket.group() in "[{" else -1
        if depth > DEPTH_MAX:
            raise BadJson(f"The body is nested deeper than {DEPTH_MAX} levels.")


def _refuse_constant(_name: str) -> NoReturn:
    raise BadJson("NaN and infinities are not JSON.")


def _number(text: str) -> Decimal:
    if len(text) > NUMBER_LENGTH_MAX:
        raise BadJson(f"A number is longer than {NUMBER_LENGTH_MAX} characters.")
    return Decimal(text)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise BadJson("An object holds the same key twice.")
    return made


def _check_text(value: object) -> None:
    if isinstance(value, str):
        if _ILLEGAL.search(value):
            raise BadJson("A text holds a NUL or half of a surrogate pair.")
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_text(key)
            _check_text(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_text(inner)
