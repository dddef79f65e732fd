"""What Bybit's answer to an order means: a table over statuses and codes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

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
from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.execution import OrderStatus
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, Side, Symbol, Venue
from app.domain.shared.money import money, price, quantity
from app.infrastructure.exchanges.bybit.wire.codes import DEFINITE
from app.infrastructure.exchanges.bybit.wire.orders import outcome, read_order
from app.infrastructure.exchanges.bybit.wire.refusals import refused_read
from app.infrastructure.exchanges.reading import Unreadable

BTC = Instrument(
    venue=Venue.BYBIT_LINEAR, symbol=Symbol("BTC-USDT"), venue_symbol="BTCUSDT", tick=price("0.1"),
    step=quantity("0.001"), quantity_min=quantity("0.001"), quantity_max=quantity(120), notional_min=money(5),
)  # fmt: skip
ID = ClientOrderId("c0000000000000000000000000")
ORDER = PlaceOrder(BTC, Side.BUY, quantity("0.010"), False, ID, 1_700_000_000_000, 5000)
EXIT = PlaceOrder(BTC, Side.SELL, quantity("0.010"), True, ID, 1_700_000_000_000, 5000)
TIME = 1_700_000_000_001
VENUE_ID = "1321003749386327552"
KINDS = RefusalKind


def answer(result: object, code: int = 0, text: str = "OK") -> bytes:
    return json.dumps(
        {"retCode": code, "retMsg": text, "result": result, "retExtInfo": {}, "time": TIME}
    ).encode()


def error(code: int, text: str = "words") -> bytes:
    return answer({}, code, text)


ACK = answer({"orderId": VENUE_ID, "orderLinkId": ID})
ROW: dict[str, object] = {
    "symbol": "BTCUSDT", "orderId": VENUE_ID, "orderLinkId": ID, "side": "Buy", "orderStatus": "Filled", "qty": "0.010",
    "cumExecQty": "0.010", "avgPrice": "64000.1", "reduceOnly": False, "updatedTime": str(TIME), "leavesQty": "0",
}  # fmt: skip


def test_an_acknowledgement_says_open_and_nothing_executed() -> None:
    got = outcome(ORDER, 200, ACK, {})
    assert isinstance(got, Accepted)
    report = got.report
    assert (report.order_id, report.status, report.executed, report.average_price) == (
        VENUE_ID, OrderStatus.OPEN, quantity(0), None
    )  # fmt: skip
    assert (report.side, report.quantity, report.reduce_only) == (Side.BUY, quantity("0.010"), False)


@pytest.mark.parametrize(
    "result",
    [
        {}, None, [], {"orderId": VENUE_ID}, {"orderLinkId": ID}, {"orderId": "", "orderLinkId": ID},
        {"orderId": 5, "orderLinkId": ID}, {"orderId": VENUE_ID, "orderLinkId": "other"},
        {"orderId": "a b", "orderLinkId": ID}, {"orderId": "x" * 65, "orderLinkId": ID},
    ],
)  # fmt: skip
def test_a_yes_that_does_not_prove_our_order_is_unknown(result: object) -> None:
    assert isinstance(outcome(ORDER, 200, answer(result), {}), Unknown)


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"[]", b"OK", b"\xff\xfe", b'{"retCode":"0"}'])
@pytest.mark.parametrize("status", [200, 400, 404, 408, 500, 502, 504])
def test_no_answer_at_all_is_unknown(status: int, body: bytes) -> None:
    assert isinstance(outcome(ORDER, status, body, {}), Unknown)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (110004, KINDS.INSUFFICIENT_FUNDS), (110007, KINDS.INSUFFICIENT_FUNDS), (110012, KINDS.INSUFFICIENT_FUNDS),
        (110044, KINDS.INSUFFICIENT_FUNDS), (110094, KINDS.FILTER), (110003, KINDS.FILTER), (10001, KINDS.FILTER),
        (10002, KINDS.CLOCK), (10003, KINDS.KEY), (10004, KINDS.KEY), (10005, KINDS.KEY), (10010, KINDS.KEY),
        (33004, KINDS.KEY), (-2015, KINDS.KEY), (110020, KINDS.OTHER), (110074, KINDS.OTHER), (110090, KINDS.OTHER),
        (110034, KINDS.NOTHING_TO_REDUCE), (110092, KINDS.WOULD_TRIGGER), (110093, KINDS.WOULD_TRIGGER),
        (110024, KINDS.MODE), (110028, KINDS.MODE), (170131, KINDS.INSUFFICIENT_FUNDS), (170033, KINDS.INSUFFICIENT_FUNDS),
        (170140, KINDS.FILTER), (170136, KINDS.FILTER), (170137, KINDS.FILTER), (170134, KINDS.FILTER),
        (170121, KINDS.FILTER), (170810, KINDS.OTHER), (170217, KINDS.OTHER), (110101, KINDS.OTHER),
    ],
)  # fmt: skip
@pytest.mark.parametrize("status", [200, 400, 401])
def test_a_listed_code_is_a_definite_no(status: int, code: int, kind: RefusalKind) -> None:
    assert outcome(ORDER, status, error(code), {}) == DefiniteNo(kind, str(code), "words")


def test_an_order_for_the_other_position_mode_is_told_by_its_text_alone() -> None:
    got = outcome(ORDER, 200, error(10001, "params error: position idx not match position mode"), {})
    assert isinstance(got, DefiniteNo)
    assert got.kind is KINDS.MODE


def test_at_spot_a_sale_reduces_by_nature() -> None:
    spot = replace(BTC, venue=Venue.BYBIT_SPOT)
    for side, reduces in ((Side.BUY, False), (Side.SELL, True)):
        got = outcome(replace(ORDER, instrument=spot, side=side), 200, ACK, {})
        assert isinstance(got, Accepted)
        assert (got.report.venue, got.report.reduce_only) == (Venue.BYBIT_SPOT, reduces)


def test_a_quantity_cut_to_zero_means_what_the_order_was() -> None:
    for order, kind in ((EXIT, KINDS.NOTHING_TO_REDUCE), (ORDER, KINDS.FILTER)):
        assert outcome(order, 200, error(110017), {}) == DefiniteNo(kind, "110017", "words")


@pytest.mark.parametrize("code", sorted(DEFINITE))
@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_no_code_is_definite_under_a_status_that_leaves_it_open(code: int, status: int) -> None:
    assert isinstance(outcome(ORDER, status, error(code), {}), Unknown)


@pytest.mark.parametrize(
    "code",
    [
        10000,
        10016,
        10019,
        10014,
        10017,
        110001,
        110008,
        110079,
        170001,
        170007,
        170032,
        170035,
        170146,
        170149,
        170210,
        170213,
        170234,
        -1,
        1,
        999,
        429,
    ],
)
def test_a_code_that_is_not_listed_is_unknown(code: int) -> None:
    assert isinstance(outcome(ORDER, 200, error(code), {}), Unknown)


@pytest.mark.parametrize("code", [110072, 170141])
def test_a_known_client_id_is_a_duplicate(code: int) -> None:
    assert outcome(ORDER, 200, error(code, "OrderLinkedID is duplicate"), {}) == Duplicate(
        str(code), "OrderLinkedID is duplicate"
    )


@pytest.mark.parametrize(
    ("status", "body", "headers", "code", "wait"),
    [
        (200, error(10006), {"X-Bapi-Limit-Reset-Timestamp": str(TIME + 740)}, "10006", timedelta(milliseconds=740)),
        (200, error(10006), {}, "10006", timedelta(seconds=1)),
        (200, error(10006), {"X-Bapi-Limit-Reset-Timestamp": "soon"}, "10006", timedelta(seconds=1)),
        (200, error(10006), {"X-Bapi-Limit-Reset-Timestamp": "9" * 15}, "10006", timedelta(seconds=1)),
        (200, error(10018), {}, "10018", timedelta(seconds=5)),
        (200, error(170222), {}, "170222", timedelta(seconds=1)),
        (429, error(10429), {"Retry-After": "7"}, "10429", timedelta(seconds=7)),
        (403, b"403, access too frequent", {}, "403", timedelta(minutes=10)),
    ],
)  # fmt: skip
def test_throttling_is_a_definite_no_with_its_wait(
    status: int, body: bytes, headers: dict[str, str], code: str, wait: timedelta
) -> None:
    got = outcome(ORDER, status, body, headers)
    assert isinstance(got, DefiniteNo)
    assert (got.kind, got.code, got.retry_after) == (KINDS.THROTTLED, code, wait)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, error(110001), VenueRefused), (200, error(10003), VenueRefused), (401, error(10003), VenueRefused),
        (200, error(10006), VenueThrottled), (403, b"", VenueThrottled), (429, b"{}", VenueThrottled),
        (200, error(10000), VenueUnavailable), (200, error(10016), VenueUnavailable), (500, error(0), VenueUnavailable),
        (200, b"<html>", VenueUnavailable), (302, b"", VenueUnavailable), (404, b"", VenueUnavailable),
        (200, ACK, type(None)),
    ],
)  # fmt: skip
def test_a_read_says_whether_the_venue_spoke(status: int, body: bytes, kind: type[Exception]) -> None:
    assert type(refused_read(status, body, {})) is kind


def orders(*rows: dict[str, object]) -> bytes:
    return answer({"list": rows, "nextPageCursor": "", "category": "linear"})


def test_an_empty_list_says_that_there_is_no_such_order() -> None:
    assert read_order(BTC, client_order_id=ID, body=orders()) is None


def test_the_order_asked_for_is_found_among_duplicates_and_no_other_is_taken() -> None:
    found = read_order(
        BTC,
        client_order_id=ID,
        body=orders({**ROW, "orderLinkId": "other"}, ROW, {**ROW, "orderStatus": "New"}),
    )
    assert found is not None
    assert (found.status, found.average_price) == (OrderStatus.FILLED, price("64000.1"))
    with pytest.raises(Unreadable):
        read_order(BTC, client_order_id=ID, body=orders({**ROW, "symbol": "ETHUSDT"}))


@pytest.mark.parametrize(
    "change",
    [
        {"side": "None"}, {"orderStatus": "Done"}, {"cumExecQty": "0"}, {"cumExecQty": "0.011"}, {"qty": "NaN"},
        {"qty": "1e3"}, {"qty": 0.01}, {"updatedTime": "soon"}, {"updatedTime": "9" * 15}, {"orderId": ""},
        {"avgPrice": "Infinity"}, {"reduceOnly": "false"},
    ],
)  # fmt: skip
def test_a_contradictory_order_is_no_answer(change: dict[str, object]) -> None:
    with pytest.raises(Unreadable):
        read_order(BTC, client_order_id=ID, body=orders({**ROW, **change}))
