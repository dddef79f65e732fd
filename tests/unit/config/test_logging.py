"""Log lines are whole, and no secret leaves in one, wherever it stands."""

from __future__ import annotations

import io
import json
import logging
import sys
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any
from uuid import UUID

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from app.config.logging import MASK, configure_logging, mask, redact

TOKEN = "ct_Canary-" + "x" * 33
VENUE_KEY = "Canary0123456789" * 4


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """The pipeline, writing to memory; logging is as it was afterwards."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, structlog.get_config()
    made = io.StringIO()
    configure_logging(level="debug", stream=made)
    yield made
    root.handlers[:], level = before[0], before[1]
    root.setLevel(level)
    structlog.configure(**before[2])
    structlog.contextvars.clear_contextvars()
    logging.captureWarnings(False)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_our_lines_and_those_of_libraries_have_one_form(stream: io.StringIO) -> None:
    structlog.contextvars.bind_contextvars(trace_id="t-1", worker="feed")
    structlog.get_logger("ours").info("order.sent", symbol="BTC-USDT")
    logging.getLogger("theirs").warning("pool of %d is full", 3)
    ours, theirs = lines(stream)
    assert (ours["event"], ours["symbol"], ours["logger"]) == ("order.sent", "BTC-USDT", "ours")
    assert (theirs["event"], theirs["level"], theirs["logger"]) == ("pool of 3 is full", "warning", "theirs")
    for line in (ours, theirs):
        assert (line["trace_id"], line["worker"]) == ("t-1", "feed")
        at = datetime.fromisoformat(line["timestamp"])
        assert at.tzinfo == UTC
        assert line["timestamp"].endswith("Z")


def test_the_level_and_the_last_configuration_count(stream: io.StringIO) -> None:
    logger = structlog.get_logger("ours")
    second = io.StringIO()
    configure_logging(level="WARNING", stream=second)
    logger.info("quiet")
    logger.warning("loud")
    assert stream.getvalue() == ""
    assert [line["event"] for line in lines(second)] == ["loud"]


class Colour(IntEnum):
    RED = 1


def test_values_of_any_type_become_json(stream: io.StringIO) -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError("secret=Canary")

    nested: dict[str, object] = {}
    nested["self"] = nested
    configure_logging(
        level="debug", stream=stream
    )  # without the test runner's handler, which shows raw values
    structlog.get_logger("x").info(
        "values",
        amount=Decimal("1.50"),
        id=UUID(int=1),
        at=datetime(2026, 1, 5, tzinfo=UTC),
        rank=Colour.RED,
        raw=b"Canary",
        broken=Broken(),
        nested=nested,
        many={1, 2},
        share=0.5,
    )
    [line] = lines(stream)
    assert line["amount"] == "1.50"
    assert line["id"] == str(UUID(int=1))
    assert line["raw"] == "<6 bytes>"
    assert line["broken"] == "<Broken: RuntimeError>"
    assert line["many"] == [1, 2]
    assert line["share"] == 0.5
    assert "Canary" not in stream.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        "secret",
        "api_secret",
        "token",
        "refresh_token",
        "password",
        "PASSWORD",
        "passphrase",
        "authorization",
        "Authorization",
        "api_key",
        "apiKey",
        "X-MBX-APIKEY",
        "signature",
        "cookie",
        "sealed",
        "vault_key",
        "listenKey",
    ],
)
@pytest.mark.parametrize("value", ["Canary", b"Canary", ["Canary"], {"a": "Canary"}, 7777777, None])
def test_a_field_with_a_secrets_name_is_masked(stream: io.StringIO, name: str, value: object) -> None:
    log = structlog.get_logger("x")
    log.info("top", **{name: value})
    log.info("nested", request={"headers": [{name: value}]})
    assert "Canary" not in stream.getvalue()
    assert "7777777" not in stream.getvalue()
    if value is not None:
        assert lines(stream)[0][name] == MASK


SECRET_TEXTS = [
    f"caller {TOKEN} refused",
    f"key_{TOKEN}",
    f"Authorization: Bearer {TOKEN}",
    "Authorization: Basic Canary=",
    "authorization='Bearer Canary'",
    "GET /fapi/v1/order?symbol=BTCUSDT&signature=Canary&timestamp=1",
    "signature=Canary",
    "{'X-MBX-APIKEY': 'Canary'}",
    "X-MBX-APIKEY: Canary",
    "('X-MBX-APIKEY', 'Canary')",
    "(b'x-mbx-apikey', b'Canary')",
    '{"apiKey": "Canary", "secret":"Canary","passphrase" : "Can Canary ary"}',
    "password=Canary",
    "api_secret = Canary",
    "listenKey=Canary",
    "postgresql+asyncpg://copytrade:Canary@127.0.0.1:5432/copytrade",
    "redis://:Canary@127.0.0.1:6379/0",
    f"the key is {VENUE_KEY}",
]


@pytest.mark.parametrize("text", SECRET_TEXTS)
def test_what_looks_like_a_secret_is_masked_in_every_position(stream: io.StringIO, text: str) -> None:
    log = structlog.get_logger("x")
    log.info(text)
    log.info("field", note=text, deep=[{"note": [text]}], error=ValueError(text))
    log.info("key", **{text: 1})
    log.info("as argument %s", text)
    library = logging.getLogger("library")
    library.info("%s and %r", text, text)
    library.info(text)
    structlog.contextvars.bind_contextvars(note=text)
    log.info("bound")
    try:
        try:
            raise KeyError(text)
        except KeyError as error:
            raise ValueError(text) from error
    except ValueError:
        log.exception("failed")
        library.exception("failed too")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(text, stacklevel=1)
    found = stream.getvalue()
    assert len(lines(stream)) >= 9
    for canary in ("Canary", VENUE_KEY, TOKEN):
        assert canary not in found
    assert MASK in found


@pytest.mark.parametrize(
    "text",
    [
        "connect_timeout product_id=7 direct_order",
        "the order 0123456789 of BTC-USDT was filled at 60000.1",
        "http://127.0.0.1:8000/v1/signals?limit=5",
        "c0ab1cd2ef3gh4ij5kl6mn7op8e0",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "0f" * 16,
    ],
)
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert mask(text) == text


@given(st.text(max_size=200))
def test_masking_ends_and_masking_twice_changes_nothing_more(text: str) -> None:
    once = mask(text)
    assert mask(once) == once


def test_a_log_call_with_wrong_arguments_costs_its_text_only(
    stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(level="debug", stream=stream)  # without the handlers of the test runner, which raise
    logging.getLogger("library").info("%d coins", "Canary")
    logging.getLogger("library").info("and on")
    failed, went_on = lines(stream)
    assert failed["event"] == "log_call_failed"
    assert "test_logging.py" in failed["where"]
    assert went_on["event"] == "and on"
    assert "Canary" not in stream.getvalue() + "".join(capsys.readouterr())


def test_a_closed_stream_does_not_reach_the_program(stream: io.StringIO) -> None:
    stream.close()
    structlog.get_logger("x").info("nobody hears")


@pytest.mark.parametrize(("as_json", "is_terminal"), [(True, True), (False, False), (True, False)])
def test_lines_are_json_unless_a_person_asked_for_text_at_a_terminal(
    stream: io.StringIO, as_json: bool, is_terminal: bool
) -> None:
    target = terminal() if is_terminal else io.StringIO()
    configure_logging(as_json=as_json, stream=target)
    structlog.get_logger("x").info("hello", secret="Canary")
    assert json.loads(target.getvalue())["secret"] == MASK


def terminal() -> io.StringIO:
    made = io.StringIO()
    made.isatty = lambda: True  # type: ignore[method-assign]  # a terminal in memory
    return made


def test_a_person_at_a_terminal_reads_masked_text(stream: io.StringIO) -> None:
    target = terminal()
    configure_logging(as_json=False, stream=target)
    try:
        raise ValueError(f"signature=Canary {TOKEN}")
    except ValueError:
        structlog.get_logger("x").exception("hello", secret="Canary")
    assert "hello" in target.getvalue()
    assert "Canary" not in target.getvalue()


def test_without_a_stream_lines_go_to_standard_error(
    stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(stream=None)
    structlog.get_logger("x").info("hello")
    assert '"hello"' in capsys.readouterr().err
    assert sys.stderr is not stream


def test_redaction_leaves_an_event_without_secrets_alone() -> None:
    event = {"event": "order.sent", "symbol": "BTC-USDT", "ok": True, "count": 3}
    assert redact(None, "info", dict(event)) == event
