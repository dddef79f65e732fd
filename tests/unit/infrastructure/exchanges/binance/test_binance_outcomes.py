"""What a reply to an order means: a table over statuses and codes, and nonsense of every kind, on contracts and at spot."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from app.domain.exchanges.outcomes import (
    Accepted,
    DefiniteNo,
    Duplicate,
    RefusalKind,
    Unknown,
    VenueRefused,
    VenueThrottled,
    VenueUnavailable,
)
from app.domain.shared.execution import OrderStatus
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument
from app.domain.shared.money import price, quantity
from app.infrastructure.exchanges.binance.wire import orders, spot_orders
from app.infrastructure.exchanges.binance.wire.codes import CONTRACT_CODES, SPOT_CODES
from app.infrastructure.exchanges.binance.wire.orders import outcome, read_order
from app.infrastructure.exchanges.binance.wire.refusals import refused_read, retry_after
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.binance.binance_rows import (
    BTC,
    COIN,
    COIN_ORDER,
    ID,
    SPOT,
    SPOT_ORDER,
    buy,
    changed,
    raw,
)
from tests.unit.infrastructure.exchanges.binance.binance_rows import ORDER as FILLED

KINDS = RefusalKind
ORDER = buy(BTC, "0.010")


def error(code: int, text: str = "words") -> bytes:
    return raw({"code": code, "msg": text})


@pytest.mark.parametrize(
    ("instrument", "size", "row", "read"),
    [
        (BTC, "0.01", FILLED, orders.outcome),
        (COIN, "700", COIN_ORDER, orders.outcome),
        (SPOT, "0.01", SPOT_ORDER, spot_orders.outcome),
    ],
)
def test_the_reply_of_each_market_is_read_in_our_units(
    instrument: Instrument, size: str, row: dict[str, Any], read: Any
) -> None:
    got = read(buy(instrument, size), 200, raw(row), None)
    assert isinstance(got, Accepted)
    assert (got.report.venue, got.report.symbol) == (instrument.venue, instrument.symbol)
    assert (got.report.status, got.report.quantity, got.report.executed) == (
        OrderStatus.FILLED, quantity(size), quantity(size)
    )  # fmt: skip
    assert got.report.average_price == price("64000.1")


@pytest.mark.parametrize(
    "change",
    [
        {"orderId": None}, {"orderId": 0}, {"clientOrderId": "other"}, {"symbol": "ETHUSDT"}, {"side": "SELL"},
        {"status": "DONE"}, {"executedQty": "NaN"}, {"executedQty": "0.011"}, {"executedQty": "0"},
        {"cummulativeQuoteQty": 1.5}, {"transactTime": None}, {"type": None},
    ],
)  # fmt: skip
def test_a_spot_reply_that_does_not_prove_our_order_is_unknown(change: dict[str, object]) -> None:
    got = spot_orders.outcome(buy(SPOT, "0.01"), 200, changed(SPOT_ORDER, **change), None)
    assert isinstance(got, Unknown)


def test_a_negative_worth_means_that_the_venue_does_not_tell_it() -> None:
    body = changed(SPOT_ORDER, cummulativeQuoteQty="-1.00000000")
    got = spot_orders.outcome(buy(SPOT, "0.01"), 200, body, None)
    assert isinstance(got, Accepted)
    assert got.report.average_price is None


def test_a_cancelled_spot_order_is_known_by_its_original_id() -> None:
    body = changed(
        SPOT_ORDER, clientOrderId="cancel-1", origClientOrderId=ID, status="CANCELED", executedQty="0.00"
    )
    found = spot_orders.read_order(SPOT, ID, body)
    assert (found.client_order_id, found.status) == (ID, OrderStatus.CANCELED)
    with pytest.raises(Unreadable):
        spot_orders.read_order(SPOT, "cancel-1", body)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Account has insufficient balance for requested action.", KINDS.INSUFFICIENT_FUNDS),
        ("Order would trigger immediately.", KINDS.WOULD_TRIGGER),
        ("Stop price would trigger immediately.", KINDS.WOULD_TRIGGER),
        ("Market is closed.", KINDS.OTHER),
        ("Price * QTY is zero or less.", KINDS.FILTER),
        ("This symbol is not permitted for this account.", KINDS.OTHER),
    ],
)
def test_the_general_rejection_is_read_by_its_words(text: str, kind: RefusalKind) -> None:
    for read in (orders.outcome, spot_orders.outcome):
        assert read(ORDER, 400, error(-2010, text), None) == DefiniteNo(kind, "-2010", text)


@pytest.mark.parametrize("text", ["", "words", "Unknown order sent.", "Something new."])
def test_a_general_rejection_without_known_words_is_unknown(text: str) -> None:
    assert isinstance(spot_orders.outcome(buy(SPOT, "1"), 400, error(-2010, text), None), Unknown)


@pytest.mark.parametrize("code", sorted(CONTRACT_CODES.keys() - SPOT_CODES.keys()))
def test_a_number_that_contracts_alone_define_proves_nothing_at_spot(code: int) -> None:
    assert isinstance(spot_orders.outcome(buy(SPOT, "1"), 400, error(code), None), Unknown)


@pytest.mark.parametrize(("code", "kind"), sorted(SPOT_CODES.items()))
def test_a_spot_code_that_is_listed_is_a_definite_no(code: int, kind: RefusalKind) -> None:
    got = spot_orders.outcome(buy(SPOT, "1"), 400, error(code), None)
    assert isinstance(got, DefiniteNo)
    assert (got.kind, got.code) == (kind, str(code))


def test_a_result_with_our_id_is_accepted_with_its_execution() -> None:
    got = outcome(ORDER, 200, json.dumps(FILLED).encode(), None)
    assert isinstance(got, Accepted)
    report = got.report
    assert (report.order_id, report.status, report.executed) == (
        "8886774",
        OrderStatus.FILLED,
        quantity("0.01"),
    )
    assert report.average_price == price("64000.1")


@pytest.mark.parametrize(
    "change",
    [
        {"orderId": None}, {"orderId": 0}, {"orderId": "8886774"}, {"orderId": 2**70}, {"clientOrderId": "other"},
        {"clientOrderId": None}, {"symbol": "ETHUSDT"}, {"side": "SELL"}, {"side": "HOLD"}, {"status": "DONE"},
        {"executedQty": "NaN"}, {"executedQty": "-1"}, {"executedQty": "0.011"}, {"executedQty": "0"},
        {"executedQty": 0.01}, {"origQty": "1e3"}, {"avgPrice": "Infinity"}, {"updateTime": 10**18},
        {"updateTime": -1}, {"reduceOnly": "false"},
    ],
)  # fmt: skip
def test_a_2xx_that_does_not_prove_our_order_is_unknown(change: dict[str, object]) -> None:
    row = {name: value for name, value in {**FILLED, **change}.items() if value is not None}
    assert isinstance(outcome(ORDER, 200, json.dumps(row).encode(), None), Unknown)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"null", b"[]", b"OK", b"\xff\xfe", b'{"orderId": 10\xff', error(-2019)]
)
def test_a_2xx_with_nonsense_or_an_error_body_is_unknown(body: bytes) -> None:
    assert isinstance(outcome(ORDER, 200, body, None), Unknown)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (-2019, KINDS.INSUFFICIENT_FUNDS), (-2018, KINDS.INSUFFICIENT_FUNDS), (-4164, KINDS.FILTER),
        (-1111, KINDS.FILTER), (-4003, KINDS.FILTER), (-4005, KINDS.FILTER), (-1121, KINDS.FILTER),
        (-1022, KINDS.KEY), (-2014, KINDS.KEY), (-2015, KINDS.KEY), (-1021, KINDS.CLOCK),
        (-2022, KINDS.NOTHING_TO_REDUCE), (-4061, KINDS.MODE), (-2021, KINDS.WOULD_TRIGGER), (-2025, KINDS.OTHER),
        (-2027, KINDS.OTHER), (-4059, KINDS.MODE), (-4046, KINDS.MODE),
    ],
)  # fmt: skip
def test_a_listed_code_is_a_definite_no(code: int, kind: RefusalKind) -> None:
    got = outcome(ORDER, 400, error(code), None)
    assert got == DefiniteNo(kind, str(code), "words")


@pytest.mark.parametrize("code", sorted(CONTRACT_CODES))
@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_no_code_is_definite_under_a_status_that_leaves_it_open(code: int, status: int) -> None:
    assert isinstance(outcome(ORDER, status, error(code), None), Unknown)


@pytest.mark.parametrize("code", [-1000, -1001, -1006, -1007, -1008, -1016, -2010, -2013, -9999, 0, 200])
def test_a_code_that_is_not_listed_is_unknown(code: int) -> None:
    assert isinstance(outcome(ORDER, 400, error(code), None), Unknown)


@pytest.mark.parametrize("text", ["Service Unavailable.", "Internal error; unable to process your request."])
def test_a_503_is_unknown_whatever_it_says(text: str) -> None:
    assert isinstance(outcome(ORDER, 503, error(-1001, text), None), Unknown)


@pytest.mark.parametrize("body", [b"<html>403</html>", b"", b'{"code":"x"}'])
@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 409, 413])
def test_a_refusal_without_a_code_is_unknown(status: int, body: bytes) -> None:
    assert isinstance(outcome(ORDER, status, body, None), Unknown)


@pytest.mark.parametrize(
    ("code", "text"), [(-4116, "ClientOrderId is duplicated."), (-2010, "Duplicate order sent.")]
)
def test_a_known_client_id_is_a_duplicate(code: int, text: str) -> None:
    assert outcome(ORDER, 400, error(code, text), None) == Duplicate(str(code), text)


@pytest.mark.parametrize(("status", "body", "code"), [(429, error(-1015), "-1015"), (418, b"<html>", "418")])
def test_throttling_is_a_definite_no_with_its_wait(status: int, body: bytes, code: str) -> None:
    got = outcome(ORDER, status, body, "7")
    assert isinstance(got, DefiniteNo)
    assert (got.kind, got.code, got.retry_after) == (RefusalKind.THROTTLED, code, timedelta(seconds=7))


@pytest.mark.parametrize(
    ("header", "seconds"), [("3", 3), (None, 10), ("soon", 10), ("-5", 10), ("9" * 9, 10)]
)
def test_a_senseless_retry_after_means_ten_seconds(header: str | None, seconds: int) -> None:
    assert retry_after(header) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error(-2013), VenueRefused), (401, error(-2015), VenueRefused), (429, b"", VenueThrottled),
        (418, error(-1003), VenueThrottled), (400, error(-1003), VenueThrottled), (500, error(-2013), VenueUnavailable),
        (404, b"<html>", VenueUnavailable), (302, b"", VenueUnavailable), (408, error(-1007), VenueUnavailable),
    ],
)  # fmt: skip
def test_a_failed_read_says_whether_the_venue_spoke(status: int, body: bytes, kind: type[Exception]) -> None:
    assert type(refused_read(status, body, None, CONTRACT_CODES)) is kind


def test_the_reply_to_a_query_must_be_about_the_order_asked_for() -> None:
    with pytest.raises(Unreadable):
        read_order(BTC, ClientOrderId("another"), raw(FILLED))
