"""What an answer to an order proves: only a listed refusal is a refusal."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.exchanges.outcomes import (
    Accepted,
    DefiniteNo,
    Duplicate,
    Outcome,
    RefusalKind,
    Unknown,
    VenueRefused,
    VenueThrottled,
    VenueUnavailable,
)
from app.domain.exchanges.protection import PlaceProtection, Protected
from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.clock import epoch_ms
from app.domain.shared.execution import OrderStatus
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Side
from app.domain.shared.money import price, quantity
from app.domain.shared.triggers import TriggerKind
from app.infrastructure.exchanges.okx.wire import orders, protections
from app.infrastructure.exchanges.okx.wire.refusals import ACCOUNT_THROTTLES, DEFINITE, refused_read
from app.infrastructure.exchanges.okx.wire.terms import SWAP
from tests.unit.infrastructure.exchanges.okx.okx_rows import SWAP_BTC, acknowledged, answer, failed, load

ID = ClientOrderId("mine")
ORDER = PlaceOrder(SWAP_BTC, Side.BUY, quantity("0.01"), False, ID, 1763800000123, 5000)
STOP = PlaceProtection(
    SWAP_BTC, Side.SELL, TriggerKind.STOP_LOSS, price("60000"), quantity("0.01"), ID, 1763800000123, 5000
)


def outcome(status: int, body: bytes, **headers: str) -> Outcome:
    return orders.outcome(
        ORDER, SWAP, status, body, {name.replace("_", "-"): text for name, text in headers.items()}
    )


def test_an_acknowledged_order_is_open_until_more_is_told() -> None:
    got = outcome(200, answer(acknowledged()))
    assert isinstance(got, Accepted)
    report = got.report
    assert (report.order_id, report.status, report.executed) == (
        "312269865356374016", OrderStatus.OPEN, quantity(0),
    )  # fmt: skip
    assert epoch_ms(report.at) == 1695190491421


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("51008", RefusalKind.INSUFFICIENT_FUNDS), ("51020", RefusalKind.FILTER), ("51121", RefusalKind.FILTER),
        ("51169", RefusalKind.NOTHING_TO_REDUCE), ("50113", RefusalKind.KEY), ("50105", RefusalKind.KEY),
        ("50120", RefusalKind.KEY), ("50102", RefusalKind.CLOCK), ("50036", RefusalKind.CLOCK),
        ("50037", RefusalKind.CLOCK), ("51280", RefusalKind.WOULD_TRIGGER), ("51010", RefusalKind.MODE),
        ("50061", RefusalKind.THROTTLED), ("51112", RefusalKind.OTHER), ("51022", RefusalKind.OTHER),
    ],
)  # fmt: skip
@pytest.mark.parametrize("in_row", [True, False])
def test_listed_refusals_are_definite_wherever_the_code_stands(
    code: str, kind: RefusalKind, in_row: bool
) -> None:
    body = failed(code) if in_row else answer(code=code, msg="no")
    for status in (200, 400, 401):
        got = outcome(status, body)
        assert isinstance(got, DefiniteNo)
        assert (got.kind, got.code, got.message) == (kind, code, "no")


def test_a_wrong_position_side_is_a_matter_of_the_mode() -> None:
    got = outcome(200, failed("51000", "Parameter posSide  error "))
    assert isinstance(got, DefiniteNo)
    assert got.kind is RefusalKind.MODE
    other = outcome(200, failed("51000", "Parameter sz  error "))
    assert isinstance(other, DefiniteNo)
    assert other.kind is RefusalKind.FILTER


@pytest.mark.parametrize("code", ["51016", "51065", "51068", "50071"])
def test_an_id_that_the_venue_knows_is_a_duplicate(code: str) -> None:
    assert isinstance(outcome(200, failed(code)), Duplicate)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, answer(code="50004")), (400, answer(code="50004")), (503, answer(code="50001")), (200, answer(code="50013")),
        (429, answer(code="50013")), (500, answer(code="50026")), (200, answer(code="50026")), (500, failed("51149")),
        (200, failed("51149")), (500, answer(code="51054")), (410, answer(code="50005")), (200, failed("99999")),
        (200, answer(code="1")), (500, failed("51008")), (408, failed("51008")), (302, failed("51008")), (200, b""),
        (200, b"<html>"), (200, b"{}"), (200, answer()), (200, answer(acknowledged(), acknowledged())),
        (200, answer(acknowledged(clOrdId="another"))), (200, answer(acknowledged(ordId=""))), (404, answer(code="404")),
        (400, answer(acknowledged())), (200, answer(acknowledged(sCode="x"))), (200, answer(code="0x")),
    ],
)  # fmt: skip
def test_everything_else_is_unknown(status: int, body: bytes) -> None:
    assert isinstance(outcome(status, body), Unknown)


def test_silence_is_kept_as_long_as_the_venue_says() -> None:
    told = outcome(429, b"slow down", Retry_After="7")
    assert isinstance(told, DefiniteNo)
    assert (told.kind, told.retry_after, told.code) == (RefusalKind.THROTTLED, timedelta(seconds=7), "429")
    address = outcome(429, answer(code="50011"))
    assert isinstance(address, DefiniteNo)
    assert (address.code in ACCOUNT_THROTTLES, address.retry_after) == (False, timedelta(seconds=2))
    account = outcome(200, answer(code="50011"))
    assert isinstance(account, DefiniteNo)
    assert account.code in ACCOUNT_THROTTLES


def test_a_protection_is_judged_alike() -> None:
    good = answer(
        {"algoId": "12345", "algoClOrdId": "mine", "clOrdId": "", "sCode": "0", "sMsg": "", "tag": ""}
    )
    got = protections.outcome(STOP, SWAP, 200, good, {})
    assert isinstance(got, Protected)
    assert (got.report.protection_id, got.report.order_id) == ("12345", None)
    recorded = load("nautilus_recorded/okx/http_place_algo_order_response.json")
    body = answer(*recorded["data"])
    assert isinstance(protections.outcome(STOP, SWAP, 200, body, {}), Unknown)  # about another id than ours
    assert isinstance(protections.outcome(STOP, SWAP, 200, answer(), {}), Unknown)
    refused = protections.outcome(STOP, SWAP, 200, failed("51280"), {})
    assert isinstance(refused, DefiniteNo)
    assert refused.kind is RefusalKind.WOULD_TRIGGER


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, failed("51603"), VenueRefused), (401, answer(code="50111"), VenueRefused),
        (200, answer(code="58001", msg="Incorrect trade password"), VenueRefused),
        (429, answer(code="50011"), VenueThrottled), (200, answer(code="50011"), VenueThrottled), (429, b"{}", VenueThrottled),
        (429, answer(code="50013"), VenueUnavailable), (503, answer(code="50001"), VenueUnavailable),
        (400, answer(code="50004"), VenueUnavailable), (200, b"", VenueUnavailable), (502, b"<html>", VenueUnavailable),
        (200, answer(code="1"), VenueUnavailable), (301, answer(), VenueUnavailable),
    ],
)  # fmt: skip
def test_reads_raise_what_the_answer_means(status: int, body: bytes, error: type[Exception]) -> None:
    assert type(refused_read(status, body, {})) is error


def test_a_yes_raises_nothing() -> None:
    assert refused_read(200, answer(), {}) is None


def test_no_code_of_unknown_outcome_is_listed() -> None:
    assert not DEFINITE.keys() & {0, 1, 2, 50001, 50004, 50005, 50013, 50026, 51016, 51054, 51149}


def test_examples_of_refusals_are_read() -> None:
    for row in load("ccxt_payload_examples/okx.json"):
        payload = row["payload"]
        if row["function"] in {"close_position", "handle_errors"} and payload["code"] == "1":
            got = outcome(200, answer(*payload["data"], code="1"))
            assert isinstance(got, DefiniteNo)
