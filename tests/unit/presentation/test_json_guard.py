"""The guard of raw JSON: what is sane passes, what parsers disagree about does not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.presentation.api.json_guard import DEPTH_MAX, NUMBER_LENGTH_MAX, BadJson, check_json

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
SANE = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@given(SANE, st.booleans())
def test_whatever_is_sane_passes(value: object, ascii_only: bool) -> None:
    check_json(json.dumps(value, ensure_ascii=ascii_only).encode())


@given(st.binary(max_size=200))
def test_no_bytes_do_more_than_pass_or_be_refused(body: bytes) -> None:
    try:
        check_json(body)
    except BadJson:
        return
    json.loads(body)


@given(TEXT, SANE, SANE)
def test_a_key_that_comes_twice_is_refused_wherever_it_stands(
    key: str, first: object, second: object
) -> None:
    name = json.dumps(key)
    twice = f"{{{name}: {json.dumps(first)}, {name}: {json.dumps(second)}}}"
    for body in (twice, f"[{twice}]", f'{{"outer": {twice}}}'):
        with pytest.raises(BadJson, match="twice"):
            check_json(body.encode())


def test_nesting_is_allowed_to_the_limit_and_brackets_in_texts_do_not_count() -> None:
    check_json(nested(DEPTH_MAX))
    check_json(json.dumps("[" * 1000 + '\\"{').encode())
    with pytest.raises(BadJson, match="deeper"):
        check_json(nested(DEPTH_MAX + 1))


def test_a_number_is_allowed_to_the_limit_of_its_length() -> None:
    check_json(b"1" * NUMBER_LENGTH_MAX)
    for long in (b"1" * (NUMBER_LENGTH_MAX + 1), b"0." + b"1" * NUMBER_LENGTH_MAX):
        with pytest.raises(BadJson, match="longer"):
            check_json(long)


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "\\udfff", "x\\udc00\\ud800"])
def test_an_illegal_character_is_refused_in_values_and_in_keys(text: str) -> None:
    for body in (f'"{text}"', f'{{"{text}": 1}}', f'[["{text}"]]'):
        with pytest.raises(BadJson, match="NUL or half"):
            check_json(body.encode())


def test_a_surrogate_pair_is_one_character_and_passes() -> None:
    check_json(b'"\\ud83d\\ude00"')
