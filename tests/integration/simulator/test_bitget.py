"""The Bitget v2 dialect over real sockets: what it refuses, how it books, and how it counts."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
from yarl import URL

from tests.integration.simulator.bitget_client import (
    DETAIL,
    LINE,
    PLACE,
    SPOT_PLACE,
    BitgetTrader,
    open_trader,
)
from tests.integration.simulator.test_vectors import load
from tests.support.simulator import ROOT, SimulatorProcess

VECTORS = ROOT.parent / "shared/data/exchange_vectors/signed_requests/bitget.json"


@pytest.fixture
def trader(simulator: SimulatorProcess, session: aiohttp.ClientSession) -> BitgetTrader:
    return open_trader(simulator, session, balances={"BTC": "1"})


@pytest.fixture
async def limited(session: aiohttp.ClientSession) -> AsyncIterator[SimulatorProcess]:
    with SimulatorProcess(seed=12, generous=False) as process:
        yield process


async def test_an_order_is_acknowledged_then_filled_and_booked(trader: BitgetTrader) -> None:
    placed = (await trader.place(clientOid="mine-1")).data
    assert placed["clientOid"] == "mine-1"
    row = await trader.settled(placed["orderId"])
    assert (row["state"], row["baseVolume"], row["clientOid"]) == ("filled", "0.01", "mine-1")
    by_name = (await trader.get(DETAIL, **LINE, clientOid="mine-1")).data
    assert by_name["orderId"] == placed["orderId"]
    fills = (await trader.get("/api/v2/mix/order/fills", **LINE)).data["fillList"]
    assert float(fills[0]["feeDetail"][0]["totalFee"]) < 0
    assert await trader.positions() == [("long", "0.01")]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"ACCESS-KEY": "nobody"}, "40006"), ({"ACCESS-KEY": ""}, "40001"), ({"ACCESS-SIGN": "AAAA"}, "40009"),
        ({"ACCESS-PASSPHRASE": "wrong"}, "40012"), ({"ACCESS-TIMESTAMP": "soon"}, "40005"),
        ({"ACCESS-TIMESTAMP": "1600000000000"}, "40008"),
    ],
)  # fmt: skip
async def test_a_request_that_proves_nothing_is_refused(
    trader: BitgetTrader, headers: dict[str, str], code: str
) -> None:
    got = await trader.call("GET", "/api/v2/mix/account/accounts?productType=USDT-FUTURES", **headers)
    assert (got.status, got.code) == (400, code)


async def test_every_third_party_signature_is_accepted(session: aiohttp.ClientSession) -> None:
    vectors = load(VECTORS)
    keys = vectors["credentials"]
    signed = [case for case in vectors["cases"] if case["signature_rechecked"] == "ok"]
    account = {"label": "v", "balance": "10000", "api_key": keys["apiKey"], "api_secret": keys["secret"]}
    with SimulatorProcess(config={"accounts": [account]}) as process:
        for case in signed:
            process.operator.settings(clock_skew_ms=case["timestamp_ms"] + 500 - int(time.time() * 1000))
            url = case["url"].replace("https://api.bitget.com", process.base_url)
            for headers, code in (
                (
                    case["headers"],
                    "40012",
                ),  # the signature holds: only their passphrase is not this exchange's
                ({**case["headers"], "ACCESS-SIGN": "AAAA"}, "40009"),
            ):
                async with session.request(
                    case["method"], URL(url, encoded=True), data=case["body"], headers=headers
                ) as reply:
                    if reply.status != 404:  # an endpoint that is not simulated
                        assert (await reply.json())["code"] == code, case["id"]


async def test_a_signature_covers_query_and_body(trader: BitgetTrader) -> None:
    stamp = str(int(time.time() * 1000))
    proof = trader.proof(f"{stamp}GET/api/v2/mix/account/accounts?productType=USDT-FUTURES")
    changed = await trader.call(
        "GET", "/api/v2/mix/account/accounts?productType=usdt-futures",
        **{"ACCESS-TIMESTAMP": stamp, "ACCESS-SIGN": proof},
    )  # fmt: skip
    assert changed.code == "40009"


@pytest.mark.parametrize(
    ("skew_ms", "code"), [(-29_000, "00000"), (-31_000, "40008"), (29_000, "00000"), (31_000, "40008")]
)
async def test_a_request_is_good_for_thirty_seconds(trader: BitgetTrader, skew_ms: int, code: str) -> None:
    trader.skew_ms = skew_ms
    assert (await trader.get("/api/v2/spot/account/info")).code == code


async def test_a_spot_order_dies_with_the_window_it_states(
    trader: BitgetTrader, simulator: SimulatorProcess
) -> None:
    now = int(time.time() * 1000)
    order = {"symbol": "BTCUSDT", "side": "sell", "orderType": "market", "size": "0.01"}
    late = await trader.post(SPOT_PLACE, **order, requestTime=str(now - 6000), receiveWindow="5000")
    assert late.code == "40911"
    wide = await trader.post(SPOT_PLACE, **order, requestTime=str(now), receiveWindow="61000")
    assert wide.code == "40079"
    simulator.operator.settings(latency_ms=700)
    slow = await trader.post(
        SPOT_PLACE, **order, requestTime=str(int(time.time() * 1000)), receiveWindow="500"
    )
    assert slow.code == "40911"
    assert simulator.operator.ledger("orders", trader.account_id) == []


async def test_an_id_is_unique_among_open_orders_only(trader: BitgetTrader) -> None:
    resting = (await trader.limit("61000", clientOid="same")).data["orderId"]
    assert (await trader.limit("61000", clientOid="same")).code == "40786"
    cancelled = (await trader.post("/api/v2/mix/order/cancel-order", **LINE, clientOid="same")).data
    assert cancelled["orderId"] == resting
    assert (await trader.limit("61000", clientOid="same")).code == "00000"
    assert (await trader.limit("61000", clientOid="x" * 51)).code == "40305"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"size": "0.0001"}, "40808"), ({"size": "0.001"}, "45110"), ({"size": "100"}, "40762"), ({"size": "x"}, "40017"),
        ({"symbol": "NOPEUSDT"}, "40034"), ({"marginMode": "isolated"}, "40808"), ({"side": None}, "40017"),
        ({"reduceOnly": "YES"}, "22002"), ({"productType": "COIN-FUTURES"}, "40017"), ({"size": None}, "40019"),
        ({"orderType": "limit", "price": "64000.05"}, "40808"), ({"orderType": "limit", "price": "90000"}, "40815"),
        ({"presetStopLossPrice": "1"}, "40017"),
    ],
)  # fmt: skip
async def test_what_the_market_forbids_has_its_code(
    trader: BitgetTrader, change: dict[str, object], code: str
) -> None:
    got = await trader.place(**change)  # type: ignore[arg-type]  # a test names any field
    assert (got.status, got.code) == (400, code)


async def test_in_hedge_mode_the_side_names_the_position(trader: BitgetTrader) -> None:
    mode = {"productType": "USDT-FUTURES", "posMode": "hedge_mode"}
    assert (await trader.post("/api/v2/mix/account/set-position-mode", **mode)).data[
        "posMode"
    ] == "hedge_mode"
    assert (await trader.place()).code == "40774"
    await trader.fill("buy", tradeSide="open")
    await trader.fill("sell", size="0.02", tradeSide="open")
    assert await trader.positions() == [("long", "0.01"), ("short", "0.02")]
    row = await trader.fill("buy", size="0.05", tradeSide="close")  # more than there is closes what there is
    assert (row["side"], row["tradeSide"], row["baseVolume"]) == ("buy", "close", "0.01")
    assert await trader.positions() == [("short", "0.02")]
    assert (await trader.place("buy", tradeSide="close")).code == "22002"
    back = await trader.post("/api/v2/mix/account/set-position-mode", **{**mode, "posMode": "one_way_mode"})
    assert back.code == "40920"


async def test_in_one_way_mode_the_trade_side_is_ignored(trader: BitgetTrader) -> None:
    await trader.fill("buy", tradeSide="close")
    assert await trader.positions() == [("long", "0.01")]
    # Which is why a closing order says `reduceOnly` besides.
    assert (await trader.place("buy", tradeSide="close", reduceOnly="YES")).code == "22002"


async def test_a_reduce_only_order_displaces_older_ones_and_is_acknowledged_without_its_id(
    trader: BitgetTrader,
) -> None:
    await trader.fill("buy")
    older = (await trader.limit("66000", "sell", reduceOnly="YES")).data["orderId"]
    placed = (await trader.limit("66500", "sell", reduceOnly="YES", clientOid="newer")).data
    assert placed == {"clientOid": "newer"}
    assert (await trader.settled(older))["state"] == "canceled"
    assert (await trader.get(DETAIL, **LINE, clientOid="newer")).data["state"] == "live"


async def test_an_order_that_is_not_visible_yet_is_not_found(
    trader: BitgetTrader, simulator: SimulatorProcess
) -> None:
    simulator.operator.settings(visibility_lag_ms=60_000)
    placed = (await trader.place(clientOid="hidden")).data
    assert (await trader.get(DETAIL, **LINE, orderId=placed["orderId"])).code == "40109"
    assert len(simulator.operator.ledger("orders", trader.account_id)) == 1


async def test_lists_come_in_pages_newest_first(trader: BitgetTrader) -> None:
    for number in range(5):
        await trader.limit(f"61{number}00", clientOid=f"page-{number}")
    path = "/api/v2/mix/order/orders-pending"
    first = (await trader.get(path, **LINE, limit=2)).data
    assert [row["clientOid"] for row in first["entrustedList"]] == ["page-4", "page-3"]
    second = (await trader.get(path, **LINE, limit=2, idLessThan=first["endId"])).data
    assert [row["clientOid"] for row in second["entrustedList"]] == ["page-2", "page-1"]
    nothing = await trader.get("/api/v2/mix/order/fills", **LINE, startTime=1)
    assert nothing.code == "40704"


async def test_rights_are_told_and_kept(simulator: SimulatorProcess, session: aiohttp.ClientSession) -> None:
    reader = open_trader(
        simulator,
        session,
        permissions={"futures": False, "spot": True, "withdrawals": True, "ip_restricted": True},
    )
    info = (await reader.get("/api/v2/spot/account/info")).data
    assert {"stow", "wwow"} <= set(info["authorities"])
    assert "coow" not in info["authorities"]
    assert info["ips"]
    assert (await reader.place()).code == "40014"


async def test_an_account_has_so_many_orders_a_second(
    limited: SimulatorProcess, session: aiohttp.ClientSession
) -> None:
    limited.operator.settings(limits={"requests_per_uid": 3, "uid_window_ms": 60_000})
    trader = open_trader(limited, session)
    got = [await trader.limit("61000") for _ in range(4)]
    assert [answer.headers.get("x-mbx-used-remain-limit") for answer in got] == ["2", "1", "0", None]
    assert (got[-1].status, got[-1].code) == (429, "429")
    limited.operator.settings(limits={"requests_per_5s": 1})
    refused = [await trader.get("/api/v2/public/time") for _ in range(2)][-1]
    assert (refused.status, refused.body) == (429, b"Too Many Requests")


async def test_faults_pass_through_the_door(trader: BitgetTrader, simulator: SimulatorProcess) -> None:
    simulator.operator.add_fault(f"POST {PLACE}", "http_status", status=503, times=1, executes=True)
    assert (await trader.place(clientOid="lost")).status == 503
    row = (await trader.get(DETAIL, **LINE, clientOid="lost")).data
    assert row["clientOid"] == "lost"
