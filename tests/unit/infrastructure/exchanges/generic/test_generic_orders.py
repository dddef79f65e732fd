"""How orders go out to exchanges of the library, and what their answers mean: over canned answers, one by one."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any

import pytest

from app.domain.exchanges.outcomes import (
    Accepted,
    DefiniteNo,
    Duplicate,
    NotSent,
    RefusalKind,
    Unknown,
)
from app.domain.exchanges.requests import PositionMode, TimeInForce
from app.domain.shared.execution import OrderStatus
from app.domain.shared.market import Side, Venue
from app.domain.shared.money import NO_QUANTITY
from app.infrastructure.exchanges import reasons
from app.infrastructure.exchanges.generic.recipes import RECIPES, htx_number
from app.infrastructure.exchanges.http import NeverLeft, NoReply, TooLate
from tests.unit.infrastructure.exchanges.generic.canned import CID, LISTINGS, NOW_MS, world

CREATE = {
    Venue.CCXT_GATE: "POST /api/v4/futures/usdt/orders",
    Venue.CCXT_KUCOINFUTURES: "POST /api/v1/orders",
    Venue.CCXT_KRAKENFUTURES: "POST /derivatives/api/v3/sendorder",
    Venue.CCXT_MEXC: "POST /api/v1/private/order/create",
    Venue.CCXT_BINGX: "POST /openApi/swap/v2/trade/order",
    Venue.CCXT_HTX: "POST /v5/trade/order",
}
SIZES = {
    Venue.CCXT_GATE: '"size":200', Venue.CCXT_KUCOINFUTURES: '"size":20', Venue.CCXT_KRAKENFUTURES: "size=0.02",
    Venue.CCXT_MEXC: '"vol":200.0', Venue.CCXT_BINGX: "quantity=0.02", Venue.CCXT_HTX: '"volume": "20"',
}  # fmt: skip
REDUCES = {
    Venue.CCXT_GATE: '"reduce_only":true', Venue.CCXT_KUCOINFUTURES: '"reduceOnly":true',
    Venue.CCXT_KRAKENFUTURES: "reduceOnly=true", Venue.CCXT_MEXC: '"side":4', Venue.CCXT_BINGX: "reduceOnly=true",
    Venue.CCXT_HTX: '"reduce_only": 1',
}  # fmt: skip
IMMEDIATE = {
    Venue.CCXT_GATE: '"tif":"ioc"', Venue.CCXT_KUCOINFUTURES: '"timeInForce":"IOC"',
    Venue.CCXT_KRAKENFUTURES: "orderType=ioc", Venue.CCXT_MEXC: '"type":3', Venue.CCXT_BINGX: "timeInForce=IOC",
    Venue.CCXT_HTX: '"time_in_force": "ioc"',
}  # fmt: skip
STAMPS = {
    Venue.CCXT_GATE: str(NOW_MS // 1000), Venue.CCXT_KUCOINFUTURES: str(NOW_MS),
    Venue.CCXT_KRAKENFUTURES: "processBefore=2026-09-21T14%3A13%3A25.000Z", Venue.CCXT_MEXC: str(NOW_MS),
    Venue.CCXT_BINGX: f"timestamp={NOW_MS}", Venue.CCXT_HTX: "Timestamp=2026-09-21T14%3A13%3A20",
}  # fmt: skip
BROKER = re.compile(
    r"ccxt|x-source-key|'source'|referer|channel|broker|AA03022abc|KC-API-PARTNER", re.IGNORECASE
)
VENUES = list(CREATE)
every_venue = pytest.mark.parametrize("venue", VENUES, ids=lambda venue: venue.value)


def test_every_exchange_of_the_library_is_tried_here() -> None:
    assert set(RECIPES) == set(CREATE) == set(LISTINGS)


@every_venue
async def test_an_order_goes_out_once_in_contracts_under_its_own_timestamp_and_id(venue: Venue) -> None:
    made = await world(venue)
    await made.gateway.place(await made.order())
    (sent,) = made.transport.changes
    assert f"{sent.method} {sent.path}" == CREATE[venue]
    spelled = htx_number(CID) if venue is Venue.CCXT_HTX else CID
    for needed in (SIZES[venue], STAMPS[venue], spelled):
        assert needed in sent.said


@every_venue
async def test_no_broker_of_the_library_is_named(venue: Venue) -> None:
    made = await world(venue)
    await made.gateway.place(await made.order())
    assert not [sent.said for sent in made.transport.sent if BROKER.search(sent.said)]


@every_venue
async def test_an_immediate_exit_is_immediate_and_only_reduces(venue: Venue) -> None:
    made = await world(venue)
    order = await made.order(Side.SELL, limit="63000", tif=TimeInForce.IOC, reduce_only=True)
    await made.gateway.place(order)
    (sent,) = made.transport.changes
    assert IMMEDIATE[venue] in sent.said
    assert REDUCES[venue] in sent.said
    assert "63000" in sent.said


@every_venue
@pytest.mark.parametrize(
    "answer",
    [
        (500, {"message": "oops"}), (502, b"<html>bad gateway</html>"), (408, {}), (200, b""), (200, b"<html>"),
        (200, {}), (200, []), (200, {"code": 0}), (302, b""), (400, b"nonsense"), (404, {}), (200, b'{"a":1,'),
        NoReply("ServerDisconnectedError"),
    ],
    ids=str,
)  # fmt: skip
async def test_what_is_no_answer_leaves_it_unknown(venue: Venue, answer: Any) -> None:
    made = await world(venue)
    made.transport.answers[CREATE[venue]] = answer
    assert isinstance(await made.gateway.place(await made.order()), Unknown)
    assert len(made.transport.changes) == 1


@every_venue
async def test_what_did_not_leave_is_not_sent(venue: Venue) -> None:
    for error, head in (
        (NeverLeft("refused"), reasons.UNREACHABLE),
        (TooLate("none"), reasons.DEADLINE_PASSED),
    ):
        made = await world(venue)
        made.transport.answers[CREATE[venue]] = error
        got = await made.gateway.place(await made.order())
        assert isinstance(got, NotSent)
        assert reasons.says(got.reason, head)


@every_venue
async def test_an_order_whose_window_is_over_is_not_sent(venue: Venue) -> None:
    made = await world(venue)
    got = await made.gateway.place(replace(await made.order(), signed_ms=NOW_MS - 6000))
    assert isinstance(got, NotSent)
    assert made.transport.changes == []


@pytest.mark.parametrize("venue", [venue for venue in VENUES if not RECIPES[venue].hedges])
async def test_hedge_mode_is_not_asked_for_where_it_is_not_known(venue: Venue) -> None:
    made = await world(venue)
    got = await made.gateway.place(await made.order(position_mode=PositionMode.HEDGE))
    assert isinstance(got, NotSent)
    assert reasons.says(got.reason, reasons.UNSENDABLE)


REFUSALS: list[tuple[Venue, int, Any, RefusalKind | str]] = [
    (Venue.CCXT_GATE, 400, {"label": "INSUFFICIENT_AVAILABLE", "message": "no"}, RefusalKind.INSUFFICIENT_FUNDS),
    (Venue.CCXT_GATE, 400, {"label": "SIZE_TOO_SMALL", "message": "no"}, RefusalKind.FILTER),
    (Venue.CCXT_GATE, 400, {"label": "POSITION_EMPTY", "message": "no"}, RefusalKind.NOTHING_TO_REDUCE),
    (Venue.CCXT_GATE, 403, {"label": "REQUEST_EXPIRED", "message": "no"}, RefusalKind.CLOCK),
    (Venue.CCXT_GATE, 401, {"label": "INVALID_SIGNATURE", "message": "no"}, RefusalKind.KEY),
    (Venue.CCXT_GATE, 429, {"label": "TOO_MANY_REQUESTS", "message": "no"}, RefusalKind.THROTTLED),
    (Venue.CCXT_GATE, 400, {"label": "ORDER_NOT_FOUND", "message": "no"}, "unknown"),
    (Venue.CCXT_GATE, 400, {"label": "SERVER_ERROR", "message": "no"}, "unknown"),
    (Venue.CCXT_GATE, 400, {"label": "TOO_BUSY", "message": "no"}, "unknown"),
    (Venue.CCXT_GATE, 400, {"label": "NEVER_HEARD_OF", "message": "no"}, "unknown"),
    (Venue.CCXT_KUCOINFUTURES, 200, {"code": "300003", "msg": "no"}, RefusalKind.INSUFFICIENT_FUNDS),
    (Venue.CCXT_KUCOINFUTURES, 200, {"code": "300009", "msg": "no"}, RefusalKind.NOTHING_TO_REDUCE),
    (Venue.CCXT_KUCOINFUTURES, 401, {"code": "400005", "msg": "no"}, RefusalKind.KEY),
    (Venue.CCXT_KUCOINFUTURES, 400, {"code": "400002", "msg": "no"}, RefusalKind.CLOCK),
    (Venue.CCXT_KUCOINFUTURES, 429, {"code": "429000", "msg": "no"}, RefusalKind.THROTTLED),
    (Venue.CCXT_KUCOINFUTURES, 200, {"code": "300000", "msg": "no"}, "unknown"),
    (Venue.CCXT_KUCOINFUTURES, 200, {"code": "500000", "msg": "no"}, "unknown"),
    (
        Venue.CCXT_KRAKENFUTURES, 200,
        {"result": "success", "sendStatus": {"status": "insufficientAvailableFunds"}}, RefusalKind.INSUFFICIENT_FUNDS,
    ),
    (
        Venue.CCXT_KRAKENFUTURES, 200,
        {"result": "success", "sendStatus": {"status": "wouldNotReducePosition"}}, RefusalKind.NOTHING_TO_REDUCE,
    ),
    (
        Venue.CCXT_KRAKENFUTURES, 200,
        {"result": "success", "sendStatus": {"status": "clientOrderIdAlreadyExist"}}, "duplicate",
    ),
    (Venue.CCXT_KRAKENFUTURES, 200, {"result": "error", "error": "authenticationError"}, RefusalKind.KEY),
    (Venue.CCXT_KRAKENFUTURES, 200, {"result": "error", "error": "Server Error"}, "unknown"),
    (Venue.CCXT_KRAKENFUTURES, 200, {"result": "error", "error": "unavailable"}, "unknown"),
    (Venue.CCXT_MEXC, 200, {"success": False, "code": 2005, "message": "no"}, RefusalKind.INSUFFICIENT_FUNDS),
    (Venue.CCXT_MEXC, 200, {"success": False, "code": 2009, "message": "no"}, RefusalKind.NOTHING_TO_REDUCE),
    (Venue.CCXT_MEXC, 200, {"success": False, "code": 500, "message": "no"}, "unknown"),
    (Venue.CCXT_MEXC, 200, {"success": False, "code": 600, "message": "no"}, "unknown"),
    (Venue.CCXT_BINGX, 200, {"code": 101204, "msg": "no"}, RefusalKind.INSUFFICIENT_FUNDS),
    (Venue.CCXT_BINGX, 200, {"code": 100413, "msg": "no"}, RefusalKind.KEY),
    (Venue.CCXT_BINGX, 200, {"code": 109201, "msg": "no"}, "duplicate"),
    (Venue.CCXT_BINGX, 200, {"code": 100500, "msg": "no"}, "unknown"),
    (Venue.CCXT_BINGX, 200, {"code": 80012, "msg": "no"}, "unknown"),
    (Venue.CCXT_HTX, 200, {"code": 1047, "message": "no"}, RefusalKind.INSUFFICIENT_FUNDS),
    (Venue.CCXT_HTX, 200, {"code": 1003, "message": "no"}, RefusalKind.KEY),
    (Venue.CCXT_HTX, 200, {"code": 424242, "message": "no"}, "unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("venue", "status", "payload", "meaning"), REFUSALS, ids=str)
async def test_a_refusal_is_certain_only_when_its_code_is_known_to_be(
    venue: Venue, status: int, payload: Any, meaning: RefusalKind | str
) -> None:
    made = await world(venue)
    made.transport.answers[CREATE[venue]] = (status, payload)
    got = await made.gateway.place(await made.order())
    if isinstance(meaning, RefusalKind):
        assert isinstance(got, DefiniteNo), got
        assert got.kind is meaning
    else:
        assert isinstance(got, Duplicate if meaning == "duplicate" else Unknown), got


@pytest.mark.parametrize(("venue", "status", "payload", "meaning"), REFUSALS, ids=str)
async def test_the_same_refusal_under_a_server_error_proves_nothing(
    venue: Venue, status: int, payload: Any, meaning: RefusalKind | str
) -> None:
    made = await world(venue)
    made.transport.answers[CREATE[venue]] = (503, payload)
    assert isinstance(await made.gateway.place(await made.order()), Unknown)


GATE_ORDER = {
    "id": 58828270140601928, "id_string": "58828270140601928", "contract": "BTC_USDT", "size": 200, "left": 0,
    "price": "0", "fill_price": "64000.1", "text": f"t-{CID}", "tif": "ioc", "status": "finished",
    "finish_as": "filled", "is_reduce_only": False, "create_time": 1790000000.1, "finish_time": 1790000000.2,
    "mkfr": "0.0002", "tkfr": "0.0005", "user": 1,
}  # fmt: skip


async def test_an_answer_with_both_ids_is_the_orders_first_report() -> None:
    made = await world(Venue.CCXT_GATE)
    made.transport.answers[CREATE[Venue.CCXT_GATE]] = (200, GATE_ORDER)
    order = await made.order()
    got = await made.gateway.place(order)
    assert isinstance(got, Accepted), got
    told = got.report
    assert (told.order_id, told.client_order_id, told.status) == (
        "58828270140601928",
        CID,
        OrderStatus.FILLED,
    )
    assert (told.executed, str(told.average_price)) == (order.quantity, "64000.1")


@pytest.mark.parametrize(
    "change",
    [{"id": None, "id_string": None}, {"text": "t-another"}, {"id": "", "id_string": ""}],
    ids=str,
)
async def test_an_answer_without_the_exchanges_id_or_with_anothers_is_no_order(
    change: dict[str, Any],
) -> None:
    made = await world(Venue.CCXT_GATE)
    made.transport.answers[CREATE[Venue.CCXT_GATE]] = (200, {**GATE_ORDER, **change})
    assert isinstance(await made.gateway.place(await made.order()), Unknown)


async def test_an_answer_about_another_side_or_size_is_not_believed_beyond_its_id() -> None:
    made = await world(Venue.CCXT_GATE)
    made.transport.answers[CREATE[Venue.CCXT_GATE]] = (200, {**GATE_ORDER, "size": -300})
    got = await made.gateway.place(await made.order())
    assert isinstance(got, Accepted)
    assert (got.report.status, got.report.executed) == (OrderStatus.OPEN, NO_QUANTITY)


MEXC_ORDER = {
    "orderId": "814218083416790528", "symbol": "BTC_USDT", "vol": 200, "dealVol": 200, "dealAvgPrice": 64000.1,
    "state": 3, "side": 1, "orderType": 6, "externalOid": CID, "createTime": NOW_MS, "updateTime": NOW_MS,
    "takerFee": 0.1, "makerFee": 0, "feeCurrency": "USDT", "price": 64000.1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("found", "meaning"),
    [
        (MEXC_ORDER, Accepted), ({**MEXC_ORDER, "externalOid": "another"}, Unknown),
        ({**MEXC_ORDER, "orderId": "1"}, Unknown), (None, Unknown),
    ],
    ids=["ours", "anothers", "another-order", "none"],
)  # fmt: skip
async def test_an_exchange_that_answers_with_its_own_id_alone_is_asked_whose_order_that_is(
    found: dict[str, Any] | None, meaning: type
) -> None:
    made = await world(Venue.CCXT_MEXC)
    made.transport.answers |= {
        CREATE[Venue.CCXT_MEXC]: (200, {"success": True, "code": 0, "data": {"orderId": MEXC_ORDER["orderId"], "ts": 1}}),
        f"GET /api/v1/private/order/get/{MEXC_ORDER['orderId']}": (200, {"success": True, "code": 0, "data": found}),
    }  # fmt: skip
    got = await made.gateway.place(await made.order())
    assert isinstance(got, meaning), got
    assert len(made.transport.changes) == 1


async def test_orders_of_one_account_at_once_keep_their_own_timestamps() -> None:
    made = await world(Venue.CCXT_BINGX)
    order = await made.order()
    stamps = [NOW_MS - number for number in range(20)]
    await asyncio.gather(*(made.gateway.place(replace(order, signed_ms=stamp)) for stamp in stamps))
    sent = [re.search(r"timestamp=(\d+)", made.url) for made in made.transport.changes]
    assert sorted(int(found.group(1)) for found in sent if found) == sorted(stamps)
