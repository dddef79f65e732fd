"""The venue's answers to an order: only what is listed is a no, only a whole yes is a yes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta

import pytest

from app.domain.exchanges.outcomes import (
    DefiniteNo,
    Duplicate,
    RefusalKind,
    Unknown,
    VenueRefused,
    VenueThrottled,
    VenueUnavailable,
)
from app.domain.exchanges.protection import PlaceProtection, Protected
from app.domain.shared.execution import OrderStatus
from app.domain.shared.market import Side
from app.domain.shared.money import NO_QUANTITY, price, quantity
from app.domain.shared.triggers import TriggerKind
from app.infrastructure.exchanges.bitget.wire.orders import Acknowledged, accepted, acknowledged
from app.infrastructure.exchanges.bitget.wire.products import FUTURES
from app.infrastructure.exchanges.bitget.wire.protections import protected
from app.infrastructure.exchanges.bitget.wire.refusals import DEFINITE, refused_order, refused_read
from tests.unit.infrastructure.exchanges.bitget.bitget_rows import AT_MS, ID, MARKET, PERPETUAL, answer

NO_HEADERS: Mapping[str, str] = {}


def refusal(code: str, text: str = "no") -> bytes:
    return json.dumps({"code": code, "msg": text, "requestTime": AT_MS, "data": None}).encode()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("40762", RefusalKind.INSUFFICIENT_FUNDS), ("43012", RefusalKind.INSUFFICIENT_FUNDS),
        ("45110", RefusalKind.FILTER), ("45111", RefusalKind.FILTER), ("40808", RefusalKind.FILTER),
        ("45115", RefusalKind.FILTER), ("40008", RefusalKind.CLOCK), ("40005", RefusalKind.CLOCK),
        ("40911", RefusalKind.CLOCK), ("40006", RefusalKind.KEY), ("40009", RefusalKind.KEY), ("40012", RefusalKind.KEY),
        ("40014", RefusalKind.KEY), ("22002", RefusalKind.NOTHING_TO_REDUCE), ("40774", RefusalKind.MODE),
        ("45117", RefusalKind.MODE), ("40917", RefusalKind.WOULD_TRIGGER), ("45122", RefusalKind.WOULD_TRIGGER),
    ],
)  # fmt: skip
def test_a_listed_code_is_a_definite_no(code: str, kind: RefusalKind) -> None:
    for status in (200, 400):
        got = refused_order(status, refusal(code), NO_HEADERS)
        assert isinstance(got, DefiniteNo)
        assert (got.kind, got.code) == (kind, code)


@pytest.mark.parametrize(
    "code", ["40010", "40015", "40200", "40725", "45001", "99999", "", "1", "00001", "40708"]
)
def test_every_other_code_leaves_it_unknown(code: str) -> None:
    assert isinstance(refused_order(400, refusal(code), NO_HEADERS), Unknown)
    assert code not in DEFINITE


@pytest.mark.parametrize("status", [100, 301, 408, 500, 502, 503, 504])
def test_no_code_is_believed_under_a_status_that_answers_nothing(status: int) -> None:
    for code in ("40762", "00000", "40786"):
        assert isinstance(refused_order(status, refusal(code), NO_HEADERS), Unknown)


@pytest.mark.parametrize("code", ["40786", "43118", "45034"])
def test_a_used_id_is_a_duplicate(code: str) -> None:
    assert isinstance(refused_order(400, refusal(code), NO_HEADERS), Duplicate)


def test_a_check_of_the_margin_mode_is_a_matter_of_modes() -> None:
    got = refused_order(
        400, refusal("40808", "Parameter verification exception margin mode == FIXED"), NO_HEADERS
    )
    assert isinstance(got, DefiniteNo)
    assert got.kind is RefusalKind.MODE


@pytest.mark.parametrize(
    ("status", "body", "headers", "code", "wait"),
    [
        (429, refusal("429"), {}, "429", 1), (400, refusal("30007"), {}, "30007", 1),
        (429, b"Too Many Requests", {}, "http_429", 60), (403, b"<html>", {}, "http_403", 60),
        (429, b"{}", {"Retry-After": "7"}, "http_429", 7), (429, refusal("30007"), {"Retry-After": "30"}, "30007", 30),
        (429, refusal("429"), {"Retry-After": "soon"}, "429", 1),
    ],
)  # fmt: skip
def test_a_limit_says_how_long(
    status: int, body: bytes, headers: dict[str, str], code: str, wait: int
) -> None:
    got = refused_order(status, body, headers)
    assert isinstance(got, DefiniteNo)
    assert (got.kind, got.code, got.retry_after) == (RefusalKind.THROTTLED, code, timedelta(seconds=wait))
    read = refused_read(status, body, headers)
    assert isinstance(read, VenueThrottled)
    assert read.retry_after == timedelta(seconds=wait)


def test_a_forbidden_request_with_an_unknown_word_is_no_limit() -> None:
    assert isinstance(refused_order(403, refusal("99999"), NO_HEADERS), Unknown)


def test_reads_tell_a_fault_from_a_no() -> None:
    for code in ("40010", "40015", "40200", "40725", "45001"):
        assert isinstance(refused_read(400, refusal(code), NO_HEADERS), VenueUnavailable)
    got = refused_read(400, refusal("40109"), NO_HEADERS)
    assert isinstance(got, VenueRefused)
    assert got.venue_code == "40109"
    assert isinstance(refused_read(200, b"<html>", NO_HEADERS), VenueUnavailable)
    assert isinstance(refused_read(503, answer([]), NO_HEADERS), VenueUnavailable)
    assert refused_read(200, answer([]), NO_HEADERS) is None


def test_an_acknowledged_order_is_open_with_nothing_executed() -> None:
    found = acknowledged(ID, 200, answer({"orderId": "123", "clientOid": ID}), NO_HEADERS)
    assert found == Acknowledged("123", AT_MS)
    report = accepted(FUTURES, MARKET, "123", AT_MS).report
    assert (report.status, report.executed, report.order_id) == (OrderStatus.OPEN, NO_QUANTITY, "123")


@pytest.mark.parametrize(
    "data", [{"clientOid": ID}, {"orderId": None, "clientOid": ID}, {"orderId": "", "clientOid": ID}]
)
def test_an_acknowledgement_may_lack_the_orders_id(data: dict[str, object]) -> None:
    assert acknowledged(ID, 200, answer(data), NO_HEADERS) == Acknowledged(None, AT_MS)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"null", b"[]", b"\xff", b'{"code":"00000"}', answer(None), answer({}), answer([]),
        answer({"orderId": "1", "clientOid": "other"}), answer({"orderId": "1"}),
        answer({"orderId": "1 2", "clientOid": ID}), answer({"orderId": 1, "clientOid": ID}),
    ],
)  # fmt: skip
def test_half_a_yes_is_unknown(body: bytes) -> None:
    assert isinstance(acknowledged(ID, 200, body, NO_HEADERS), Unknown)


def test_a_protection_without_an_id_is_unknown() -> None:
    stop = PlaceProtection(
        PERPETUAL, Side.SELL, TriggerKind.STOP_LOSS, price(1), quantity(1), ID, AT_MS, 5000
    )
    assert isinstance(protected(FUTURES, stop, Acknowledged(None, 0)), Unknown)
    got = protected(FUTURES, stop, Acknowledged("9", 0))
    assert isinstance(got, Protected)
    assert got.report.protection_id == "9"
