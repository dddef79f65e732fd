"""Bad input: what a client gets for each, with a code and a request id, and never a 5xx or an echo."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest

from tests.integration.api.conftest import Api
from tests.integration.api.problems import checked

CANARY: Final = "canary7f3a"
GOOD: Final[dict[str, Any]] = {
    "whale_id": 1,
    "symbol": "BTC-USDT",
    "action": "OPEN",
    "side": "BUY",
    "quantity": "0.5",
    "reference_price": "64000",
}


def with_quantity(raw: str) -> bytes:
    return json.dumps(GOOD).replace('"0.5"', raw).encode()


def with_field(name: str, raw: str) -> bytes:
    body = {key: value for key, value in GOOD.items() if key != name}
    return (json.dumps(body)[:-1] + f', "{name}": {raw}}}').encode()


NUMBERS: Final = {
    "NaN": ("NaN", 400),
    "Infinity": ("Infinity", 400),
    "minus infinity": ("-Infinity", 400),
    "a literal beyond floats": ("1e400", 422),
    "a text beyond floats": ('"1e400"', 422),
    "a huge exponent": ('"1E+999999"', 422),
    "NaN as text": ('"NaN"', 422),
    "sNaN as text": ('"sNaN"', 422),
    "a negative text": ('"-1"', 422),
    "a negative literal": ("-1", 422),
    "minus zero": ('"-0"', 422),
    "zero": ('"0"', 422),
    "zero with a point": ('"0.000"', 422),
    "true": ("true", 422),
    "null": ("null", 422),
    "full-width digits": ('"\uff11\uff12\uff13"', 422),
    "an Arabic digit": ('"\u0663"', 422),
    "an underscore": ('"1_000"', 422),
    "blanks": ('" 1 "', 422),
    "a line end": ('"1\\n"', 422),
    "a plus": ('"+1"', 422),
    "hex": ('"0x10"', 422),
    "a comma": ('"1,5"', 422),
    "nothing": ('""', 422),
    "a bare point": ('".5"', 422),
    "19 digits": ('"1234567890123456789"', 422),
    "19 decimals": ('"0.1234567890123456789"', 422),
    "a number": ("0.5", 422),
    "a list": ('["0.5"]', 422),
    "an object": ('{"value": "0.5"}', 422),
    "4000 digits": ("1" * 4000, 400),
    "5000 digits": ("1" * 5000, 400),
}
TEXTS: Final = {
    "Cyrillic": ('"\u0412\u0422\u0421-USDT"', 422),
    "markup": ('"<script>alert(1)</script>"', 422),
    "SQL": ('"\' OR 1=1 --"', 422),
    "a lone surrogate": ('"\\ud800"', 400),
    "NUL": ('"BTC\\u0000-USDT"', 400),
    "a line end": ('"BTC-USDT\\n"', 422),
    "lower case": ('"btc-usdt"', 422),
    "nothing": ('""', 422),
    "a thousand letters": (json.dumps("A" * 1000), 422),
    "a number": ("7", 422),
    "null": ("null", 422),
}
BODIES: Final = {
    "a duplicate key": (b'{"quantity": "1", "quantity": "1000000"}', 400),
    "a nested duplicate key": (b'{"a": {"b": 1, "b": 2}}', 400),
    "33 levels": (b"[" * 33 + b"]" * 33, 400),
    "30000 levels": (b"[" * 30_000, 400),
    "not UTF-8": (b'{"symbol": "\xff"}', 400),
    "UTF-16": ('{"symbol": "BTC-USDT"}'.encode("utf-16"), 400),
    "a byte order mark": (b"\xef\xbb\xbf{}", 400),
    "half an object": (b'{"symbol":', 400),
    "trailing text": (b"{} {}", 400),
    "a comment": (b"{} // why", 400),
    "single quotes": (b"{'a': 1}", 400),
    "nothing": (b"", 422),
    "a blank": (b" ", 400),
    "null": (b"null", 422),
    "an array": (b"[]", 422),
    "a text": (b'"x"', 422),
    "a number": (b"1", 422),
    "an empty object": (b"{}", 422),
    "one byte too many": (b'"' + b"a" * (64 * 1024 - 1) + b'"', 413),
    "ten megabytes": (b"[" + b"1," * 5_000_000 + b"1]", 413),
}


async def post(api: Api, body: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
    answer = await api.client.post(
        "/v1/signals",
        content=body,
        headers={
            **api.scene.operator.headers,
            "Content-Type": "application/json",
            "Idempotency-Key": "bad-input-1",
            **headers,
        },
    )
    return answer.status_code, checked(answer.json(), answer.headers)


@pytest.mark.parametrize(("raw", "status"), NUMBERS.values(), ids=NUMBERS)
async def test_a_number_that_is_not_a_plain_decimal_is_refused(
    shared_api: Api, raw: str, status: int
) -> None:
    assert (await post(shared_api, with_quantity(raw)))[0] == status


@pytest.mark.parametrize(("raw", "status"), TEXTS.values(), ids=TEXTS)
async def test_a_symbol_that_is_not_one_is_refused(shared_api: Api, raw: str, status: int) -> None:
    assert (await post(shared_api, with_field("symbol", raw)))[0] == status


@pytest.mark.parametrize(("body", "status"), BODIES.values(), ids=BODIES)
async def test_a_body_that_is_not_one_sane_object_is_refused(
    shared_api: Api, body: bytes, status: int
) -> None:
    assert (await post(shared_api, body))[0] == status


async def test_a_body_that_never_ends_is_cut_off_at_the_limit(shared_api: Api) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 4096
            yield b" " * 4096
            if sent > 10_000_000:
                return

    answer = await shared_api.client.post(
        "/v1/signals",
        content=endless(),
        headers={**shared_api.scene.operator.headers, "Content-Type": "application/json"},
    )
    assert answer.status_code == 413
    assert sent <= 2 * 64 * 1024


@pytest.mark.parametrize(
    "header",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": ""},
        {"Content-Encoding": "gzip"},
    ],
    ids=lambda header: "".join(header.values()) or "none",
)
async def test_a_body_of_another_type_is_refused(shared_api: Api, header: dict[str, str]) -> None:
    status, problem = await post(shared_api, json.dumps(GOOD).encode(), **header)
    assert (status, problem["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "changes",
    [
        {"leverage_max": 0},
        {"leverage_max": 126},
        {"leverage_max": 1.5},
        {"leverage_max": "10"},
        {"leverage_max": True},
        {"mode": "GUESS"},
        {"mode": "MULTIPLIER", "value": "101"},
        {"drift_max": "0.11"},
        {"sides": []},
        {"sides": ["UP"]},
        {"symbols_allowed": ["btc"]},
        {"symbols_denied": ["BTC-USDT"] * 201},
        {"tiny_factor_max": "0.5"},
        {"user_id": 1},
        {"id": 1},
    ],
    ids=str,
)
async def test_terms_that_break_a_rule_are_refused(shared_api: Api, changes: dict[str, Any]) -> None:
    scene = shared_api.scene
    terms = {"mode": "FIXED_AMOUNT", "value": "250", **changes}
    answer = await shared_api.client.put(
        f"/v1/follows/{scene.owner.follow_id}/terms", json=terms, headers=scene.owner.headers
    )
    assert answer.status_code == 422
    checked(answer.json(), answer.headers)


@pytest.mark.parametrize(
    "key", ["", "short", "x" * 101, "with blank", "line\\nend", "\u043a\u043b\u044e\u0447" * 2]
)
async def test_an_unusable_idempotency_key_is_refused(shared_api: Api, key: str) -> None:
    headers = [(name.encode(), value.encode()) for name, value in shared_api.scene.operator.headers.items()]
    headers.append((b"Idempotency-Key", key.encode()))
    answer = await shared_api.client.post("/v1/signals", json=GOOD, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "header.Idempotency-Key"


async def test_a_missing_idempotency_key_is_named(shared_api: Api) -> None:
    scene = shared_api.scene
    for person, path, body in (
        (scene.operator, "/v1/signals", GOOD),
        (scene.owner, "/v1/positions/close", {"follow_id": scene.owner.follow_id, "symbol": "BTC-USDT"}),
    ):
        answer = await shared_api.client.post(path, json=body, headers=person.headers)
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json()["errors"]] == ["header.Idempotency-Key"]


@pytest.mark.parametrize(
    "body",
    [
        {"venue": "binance-usdm", "label": "x", "api_key": {"key": "k"}, CANARY: "y"},
        {"venue": CANARY, "label": "x", "api_key": {"key": "k", "secret": "s"}},
        {"venue": "binance-usdm", "label": "x", "api_key": CANARY},
        {"venue": "binance-usdm", "label": "x", "api_key": {"key": f"{CANARY}\n", "secret": "s"}},
        {"venue": "binance-usdm", "label": f"{CANARY}\x07", "api_key": {"key": "k", "secret": "s"}},
        {"venue": "binance-usdm", "label": "x", "api_key": {"key": "k", "secret": "s", CANARY: CANARY}},
        {"venue": "binance-usdm", "label": "x", "api_key": {"key": [CANARY], "secret": {"a": CANARY}}},
    ],
)
async def test_a_refusal_repeats_nothing_that_was_sent(shared_api: Api, body: dict[str, Any]) -> None:
    answer = await shared_api.client.post("/v1/accounts", json=body, headers=shared_api.scene.owner.headers)
    assert answer.status_code == 422
    assert CANARY not in answer.text
    assert checked(answer.json(), answer.headers)["errors"]


async def test_a_body_may_not_say_who_asks(shared_api: Api) -> None:
    scene = shared_api.scene
    terms = {"mode": "FIXED_AMOUNT", "value": "250"}
    body = {"whale_id": 1, "account_id": 1, "terms": terms, "user_id": scene.operator.user_id}
    answer = await shared_api.client.post("/v1/follows", json=body, headers=scene.owner.headers)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "body", "code": "unknown_field", "message": "A field here is not known."}
    ]


@pytest.mark.parametrize(
    ("given", "is_kept"),
    [
        ("abcDEF12-_", True),
        ("short", False),
        ("x" * 65, False),
        ("with blank in", False),
        ("<b>tags</b>", False),
    ],
)
async def test_a_sane_request_id_is_kept_and_another_replaced(
    shared_api: Api, given: str, is_kept: bool
) -> None:
    answer = await shared_api.client.get("/healthz", headers={"X-Request-Id": given})
    assert (answer.headers["x-request-id"] == given) == is_kept
    assert len(answer.headers["x-request-id"]) >= 8
