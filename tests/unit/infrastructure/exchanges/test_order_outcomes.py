"""What a reply to an order means: a table over statuses and codes, and nonsense of every kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from app.infrastructure.exchanges.binance.wire.orders import outcome, read_fills, read_order
from app.infrastructure.exchanges.binance.wire.refusals import DEFINITE, refused_read, retry_after
from app.infrastructure.exchanges.reading import Unreadable

BTC = Instrument(
    venue=Venue.BINANCE_USDM, symbol=Symbol("BTC-USDT"), venue_symbol="BTCUSDT", tick=price("0.1"),
    step=quantity("0.001"), quantity_min=quantity("0.001"), quantity_max=quantity(120), notional_min=money(100),
)  # fmt: skip
ID = ClientOrderId("c0000000000000000000000000")
ORDER = PlaceOrder(BTC, Side.BUY, quantity("0.010"), False, ID, 1_700_000_000_000, 5000)
FILLED: dict[str, object] = {
    "orderId": 8886774, "symbol": "BTCUSDT", "status": "FILLED", "clientOrderId": ID, "price": "0.00",
    "avgPrice": "64000.10000", "origQty": "0.010", "executedQty": "0.010", "side": "BUY", "type": "MARKET",
    "reduceOnly": False, "updateTime": 1_700_000_000_001, "news": {"unknown": ["fields"]},
}  # fmt: skip
KINDS = RefusalKind


def error(code: int, text: str = "words") -> bytes:
    return json.dumps({"code": code, "msg": text}).encode()


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
        (-2022, KINDS.NOTHING_TO_REDUCE), (-4061, KINDS.OTHER), (-2025, KINDS.OTHER), (-2027, KINDS.OTHER),
    ],
)  # fmt: skip
def test_a_listed_code_is_a_definite_no(code: int, kind: RefusalKind) -> None:
    got = outcome(ORDER, 400, error(code), None)
    assert got == DefiniteNo(kind, str(code), "words")


@pytest.mark.parametrize("code", sorted(DEFINITE))
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


def test_the_general_rejection_is_read_by_its_words() -> None:
    got = outcome(ORDER, 400, error(-2010, "Account has insufficient balance for requested action."), None)
    assert isinstance(got, DefiniteNo)
    assert got.kind is RefusalKind.INSUFFICIENT_FUNDS


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
    assert type(refused_read(status, body, None)) is kind


def cut(text: bytes, at: int) -> bytes:
    return text[: at % (len(text) + 1)]


def flip(text: bytes, at: int) -> bytes:
    spot = at % len(text)
    return text[:spot] + bytes([text[spot] ^ (1 + at % 255)]) + text[spot + 1 :]


def double(text: bytes, at: int) -> bytes:
    spot = at % len(text)
    return text[:spot] + text[spot : spot + at % 40] + text[spot:]


MUTATIONS = st.lists(
    st.tuples(st.sampled_from([cut, flip, double]), st.integers(0, 10**6)), min_size=1, max_size=4
)
Mutations = list[tuple[Callable[[bytes, int], bytes], int]]
REPLY = json.dumps(FILLED).encode()
TRADES = json.dumps([
    {"symbol": "BTCUSDT", "id": 1, "orderId": 2, "side": "BUY", "price": "64000.1", "qty": "0.010",
     "realizedPnl": "0", "commission": "0.3", "commissionAsset": "USDT", "time": 1_700_000_000_000}
]).encode()  # fmt: skip


def mutated(body: bytes, mutations: Mutations) -> bytes:
    for mutate, at in mutations:
        body = mutate(body, at) if body else body
    return body


@settings(max_examples=5000, deadline=None)
@given(MUTATIONS)
def test_a_mutated_reply_is_never_another_order(mutations: Mutations) -> None:
    got = outcome(ORDER, 200, mutated(REPLY, mutations), None)
    assert isinstance(got, Accepted | Unknown)
    if isinstance(got, Accepted):
        report = got.report
        assert (report.client_order_id, report.symbol, report.side) == (ID, BTC.symbol, Side.BUY)
        assert report.order_id.isdecimal()
        assert quantity(0) <= report.executed <= report.quantity


@settings(max_examples=5000, deadline=None)
@given(st.integers(100, 599), MUTATIONS)
def test_a_mutated_refusal_never_becomes_an_order(status: int, mutations: Mutations) -> None:
    body = mutated(error(-2019), mutations)
    got = outcome(ORDER, status, body, None)
    assert not isinstance(got, Accepted)
    if isinstance(got, DefiniteNo) and got.kind is not RefusalKind.THROTTLED:
        assert int(got.code) in DEFINITE or got.code == "-2010"


@settings(max_examples=5000, deadline=None)
@given(MUTATIONS)
def test_mutated_trades_give_whole_fills_or_a_typed_refusal(mutations: Mutations) -> None:
    body = mutated(TRADES, mutations)
    try:
        fills = read_fills(BTC, body, {})
    except Unreadable:
        return
    for fill in fills:
        assert fill.symbol == BTC.symbol
        assert fill.quantity > 0
        assert fill.price > 0
        assert int(fill.trade_id) > 0


def test_the_reply_to_a_query_must_be_about_the_order_asked_for() -> None:
    with pytest.raises(Unreadable):
        read_order(BTC, ClientOrderId("another"), REPLY)
