"""What came of an order, by the venue's words: the table of refusals, acknowledgements, and everything that is neither."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

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
from app.domain.exchanges.protection import Protected
from app.domain.shared.execution import OrderStatus
from app.domain.shared.money import NO_QUANTITY
from app.domain.shared.triggers import ProtectionStatus, TriggerKind
from app.infrastructure.exchanges.hyperliquid.wire import orders, protections
from app.infrastructure.exchanges.hyperliquid.wire.refusals import REFUSALS, refused_read
from tests.unit.infrastructure.exchanges.hyperliquid.rows import (
    CID,
    CLOID,
    load,
    order,
    protection,
    raw,
    refused,
    said,
)

WORDS = [
    ("Price must be divisible by tick size. asset=0", RefusalKind.FILTER, "Tick"),
    ("Order must have minimum value of $10. asset=0", RefusalKind.FILTER, "MinTradeNtl"),
    ("Order has invalid size. asset=3", RefusalKind.FILTER, "Size"),
    ("Insufficient margin to place order. asset=84", RefusalKind.INSUFFICIENT_FUNDS, "PerpMargin"),
    ("Reduce only order would increase position. asset=1", RefusalKind.NOTHING_TO_REDUCE, "ReduceOnly"),
    ("Invalid TP/SL price. asset=1", RefusalKind.WOULD_TRIGGER, "BadTriggerPx"),
    ("Order could not immediately match against any resting orders. asset=0", RefusalKind.OTHER, "IocCancel"),
    ("No liquidity available for market order.", RefusalKind.OTHER, "MarketOrderNoLiquidity"),
]


@pytest.mark.parametrize(("text", "kind", "code"), WORDS)
@pytest.mark.parametrize("whole", [False, True])
def test_listed_words_are_a_definite_no(text: str, kind: RefusalKind, code: str, whole: bool) -> None:
    body = refused(text) if whole else said({"error": text})
    got = orders.outcome(order(), 200, body, {})
    assert isinstance(got, DefiniteNo)
    assert (got.kind, got.code) == (kind, code)


def test_an_unknown_wallet_is_a_key_that_does_not_fit_and_is_not_told_by_address() -> None:
    text = "User or API Wallet 0xb8a6f8b26223de27c31938d56e470a5b832703a5 does not exist."
    got = orders.outcome(order(), 200, refused(text), {})
    assert isinstance(got, DefiniteNo)
    assert (got.kind, got.message) == (RefusalKind.KEY, "User or API Wallet 0x.. does not exist.")
    error = refused_read(200, refused(text), {})
    assert isinstance(error, VenueRefused)
    assert error.kind is RefusalKind.KEY
    assert "0xb8a6" not in str(error)


def test_used_up_actions_silence_the_account() -> None:
    text = "Too many cumulative requests sent (37986 > 10436) for cumulative volume traded $437.92."
    got = orders.outcome(order(), 200, refused(text), {})
    assert got == DefiniteNo(RefusalKind.THROTTLED, "CumulativeRequests", text, timedelta(seconds=10))
    assert isinstance(refused_read(200, refused(text), {}), VenueThrottled)


@pytest.mark.parametrize(
    ("headers", "seconds"), [({}, 10), ({"Retry-After": "30"}, 30), ({"Retry-After": "x"}, 10)]
)
@pytest.mark.parametrize("body", [b"", b"null", b'{"status":"err","response":"slow down"}', b"<html>"])
def test_too_many_requests_silence_the_address(body: bytes, headers: dict[str, str], seconds: int) -> None:
    got = orders.outcome(order(), 429, body, headers)
    assert isinstance(got, DefiniteNo)
    assert (got.kind, got.retry_after) == (RefusalKind.THROTTLED, timedelta(seconds=seconds))


def test_a_used_nonce_may_be_this_orders_own() -> None:
    got = orders.outcome(order(), 200, refused("Invalid nonce: duplicate nonce 1763800000123"), {})
    assert isinstance(got, Duplicate)


@pytest.mark.parametrize("text", ["Action expired: late", "Order expired", "expiresAfter is in the past"])
def test_an_expired_action_speaks_of_clocks(text: str) -> None:
    got = orders.outcome(order(), 200, refused(text), {})
    assert isinstance(got, DefiniteNo)
    assert got.kind is RefusalKind.CLOCK


def test_a_request_of_the_wrong_form_was_never_read() -> None:
    got = orders.outcome(order(), 422, b"Failed to deserialize the JSON body into the target type", {})
    assert isinstance(got, DefiniteNo)
    assert isinstance(orders.outcome(order(), 422, b"other", {}), Unknown)


@pytest.mark.parametrize("status", [201, 301, 400, 403, 408, 500, 502, 503, 504])
@pytest.mark.parametrize(
    "body", [b"", b"{}", said({"resting": {"oid": 1}}), refused("Insufficient margin to place order.")]
)
def test_no_other_status_says_anything(status: int, body: bytes) -> None:
    assert isinstance(orders.outcome(order(), status, body, {}), Unknown)
    assert isinstance(refused_read(status, body, {}), VenueUnavailable)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b"{}", b"[]", b"garbage", refused("Something new"), said({"error": "Something new"}), said({}),
        said("waitingForTrigger"), said("success"), said({"resting": {"oid": 0}}), said({"resting": {}}),
        said({"resting": {"oid": 5, "cloid": "0x" + "1" * 32}}), raw({"status": "ok", "response": {"type": "order"}}),
        raw({"status": "ok", "response": {"type": "order", "data": {"statuses": []}}}), raw({"status": "unknownOid"}),
        said({"filled": {"totalSz": "0.02", "avgPx": "1", "oid": 5}}),
        said({"filled": {"totalSz": "0", "avgPx": "1", "oid": 5}}),
        said({"filled": {"totalSz": "0.01", "avgPx": "0", "oid": 5}}),
        refused("Order was never placed, already canceled, or filled."),
    ],
)  # fmt: skip
def test_what_is_neither_yes_nor_a_listed_no_is_unknown(body: bytes) -> None:
    assert isinstance(orders.outcome(order(), 200, body, {}), Unknown)


def test_a_filled_order_is_told_with_its_price() -> None:
    body = said({"filled": {"totalSz": "0.01", "avgPx": "87010.5", "oid": 5, "cloid": CLOID}})
    got = orders.outcome(order(), 200, body, {})
    assert isinstance(got, Accepted)
    report = got.report
    assert (report.order_id, report.client_order_id, report.status) == ("5", CID, OrderStatus.FILLED)
    assert (report.executed, report.average_price) == (Decimal("0.01"), Decimal("87010.5"))


def test_an_order_that_could_be_filled_in_part_only_is_over() -> None:
    got = orders.outcome(order(), 200, said({"filled": {"totalSz": "0.004", "avgPx": "87010", "oid": 5}}), {})
    assert isinstance(got, Accepted)
    assert (got.report.status, got.report.executed) == (OrderStatus.EXPIRED, Decimal("0.004"))


def test_a_resting_order_has_executed_nothing_yet() -> None:
    got = orders.outcome(order(price="80000"), 200, said({"resting": {"oid": 5}}), {})
    assert isinstance(got, Accepted)
    assert (got.report.status, got.report.executed, got.report.average_price) == (
        OrderStatus.OPEN, NO_QUANTITY, None,
    )  # fmt: skip


def test_a_waiting_trigger_is_a_protection_at_the_price_that_was_sent() -> None:
    asked = protection(TriggerKind.STOP_LOSS, "84000.5")
    got = protections.outcome(asked, 200, said({"resting": {"oid": 5, "cloid": CLOID}}), {})
    assert isinstance(got, Protected)
    assert got.report.trigger == Decimal(84001)
    assert (got.report.protection_id, got.report.status, got.report.order_id) == (
        "5", ProtectionStatus.RESTING, None,
    )  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        b"",
        said({"filled": {"totalSz": "0.01", "avgPx": "1", "oid": 5}}),
        said("waitingForTrigger"),
        refused("?"),
    ],
)
def test_a_protection_without_its_acknowledgement_is_unknown(body: bytes) -> None:
    got = protections.outcome(protection(TriggerKind.STOP_LOSS, "84000"), 200, body, {})
    assert isinstance(got, Unknown)


def test_no_listed_text_begins_another_one_of_another_kind() -> None:
    for row in REFUSALS:
        for other in REFUSALS:
            assert row.kind is other.kind or not other.text.startswith(row.text)


def test_refusals_that_ccxt_keeps_are_known() -> None:
    examples = [
        row["payload"]
        for row in load("ccxt_payload_examples/hyperliquid.json")
        if isinstance(row["payload"], dict) and row["payload"].get("status") == "err"
    ]
    assert len(examples) == 2
    kinds = []
    for payload in examples:
        error = refused_read(200, raw(payload), {})
        assert isinstance(error, VenueRefused)
        kinds.append(error.kind)
    assert set(kinds) == {RefusalKind.KEY, RefusalKind.OTHER}
