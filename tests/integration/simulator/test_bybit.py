"""The Bybit dialect over real HTTP: strangers' signatures are accepted, orders are acknowledged before they are matched,
windows and limits are kept.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tests.integration.simulator.bybit_client import Client
from tests.integration.simulator.test_vectors import load
from tests.support.simulator import ROOT, SimulatorProcess

VECTORS = ROOT.parent / "shared/data/exchange_vectors/signed_requests/bybit.json"
BAD_SIGN, BAD_TIME, BAD_KEY = 10004, 10002, 10003


@pytest.fixture
async def client(
    simulator: SimulatorProcess, session: aiohttp.ClientSession, request: pytest.FixtureRequest
) -> AsyncIterator[Client]:
    row = simulator.operator.open_account(f"bybit-{request.node.name}")
    yield Client(session, simulator, row["account_id"], row["api_key"], row["api_secret"])
    simulator.operator.settings(
        matching_delay_ms=0, limits={"requests_per_uid": 1_000_000, "requests_per_5s": 10_000_000}
    )


async def test_every_third_party_signature_is_accepted_and_a_touched_one_is_not(
    session: aiohttp.ClientSession,
) -> None:
    vectors = load(VECTORS)
    keys = vectors["credentials"]
    signed = [case for case in vectors["cases"] if case["signature_rechecked"] == "ok"]
    assert signed
    account = {"label": "v", "balance": "10000", "api_key": keys["apiKey"], "api_secret": keys["secret"]}
    with SimulatorProcess(config={"accounts": [account]}) as process:
        for case in signed:
            skew = case["timestamp_ms"] + 500 - int(time.time() * 1000)
            process.operator.settings(clock_skew_ms=skew)
            for touched in (False, True):
                url, body = case["url"].replace("https://api.bybit.com", process.base_url), case["body"]
                if touched and body:
                    body = body.replace("}", " }")
                elif touched:
                    url += "&x=1"
                async with session.request(
                    case["method"], URL(url, encoded=True), data=body, headers=case["headers"]
                ) as reply:
                    if reply.status == 404:
                        break  # an endpoint that is not simulated
                    code = (await reply.json())["retCode"]
                assert (code in {BAD_SIGN, BAD_TIME, BAD_KEY}) == touched, (case["id"], code)


async def test_an_order_is_acknowledged_before_it_is_matched(client: Client) -> None:
    client.process.operator.settings(matching_delay_ms=300)
    answer = await client.market("late")
    assert set(answer["result"]) == {"orderId", "orderLinkId"}
    (row,) = await client.find("late")
    assert (row["orderStatus"], row["cumExecQty"]) == ("New", "0")
    assert await client.find("late", "/v5/order/history") == []
    async with asyncio.timeout(10):
        while (await client.find("late"))[0]["orderStatus"] != "Filled":
            pass
    (ended,) = await client.find("late", "/v5/order/history")
    assert ended["cumExecQty"] == "0.01"


async def test_an_order_cancelled_before_matching_executes_nothing(client: Client) -> None:
    client.process.operator.settings(matching_delay_ms=200)
    await client.market("gone")
    cancelled = await client.call(
        "POST", "/v5/order/cancel", category="linear", symbol="BTCUSDT", orderLinkId="gone"
    )
    assert cancelled["retCode"] == 0
    await client.market("next")
    async with asyncio.timeout(10):
        while (await client.find("next"))[0]["orderStatus"] != "Filled":
            pass
    assert (await client.find("gone"))[0]["orderStatus"] == "Cancelled"
    assert len(client.process.operator.ledger("fills", client.account_id)) == 1


async def test_two_exits_acknowledged_at_once_never_turn_the_position(client: Client) -> None:
    await client.market("entry")
    client.process.operator.settings(matching_delay_ms=100)
    for link in ("exit-1", "exit-2"):
        assert (await client.market(link, "Sell", reduceOnly=True))["retCode"] == 0
    async with asyncio.timeout(10):
        while [(await client.find(link))[0]["orderStatus"] for link in ("exit-1", "exit-2")] != [
            "Filled",
            "Cancelled",
        ]:
            pass
    answer = await client.call("GET", "/v5/position/list", category="linear", symbol="BTCUSDT")
    assert [row["size"] for row in answer["result"]["list"]] == ["0"]


async def test_an_id_is_never_free_again(client: Client) -> None:
    assert (await client.market("once"))["retCode"] == 0
    assert (await client.find("once"))[0]["orderStatus"] == "Filled"
    assert (await client.market("once"))["retCode"] == 110072


@pytest.mark.parametrize(
    ("age_ms", "window", "code"), [(0, 5000, 0), (-900, 5000, 0), (-1500, 5000, 10002), (3000, 2000, 10002)]
)
async def test_the_window_is_kept(client: Client, age_ms: int, window: int, code: int) -> None:
    answer = await client.call("GET", "/v5/user/query-api", age_ms=age_ms, window=window)
    assert answer["retCode"] == code


async def test_the_account_limit_is_told_and_kept_and_the_address_is_banned(client: Client) -> None:
    client.process.operator.settings(limits={"requests_per_uid": 3})
    answers = [await client.market(f"fast-{number}") for number in range(4)]
    assert [answer["retCode"] for answer in answers] == [0, 0, 0, 10006]
    assert [answer["headers"]["X-Bapi-Limit-Status"] for answer in answers] == ["2", "1", "0", "0"]
    assert {answer["headers"]["X-Bapi-Limit"] for answer in answers} == {"3"}
    client.process.operator.settings(limits={"requests_per_5s": 1})
    url = client.process.base_url + "/v5/market/time"
    statuses = []
    for _ in range(3):
        async with client.session.get(url) as reply:
            statuses.append(reply.status)
    assert statuses == [200, 403, 403]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"qty": "0"}, 10001), ({"qty": "0.0005"}, 10001), ({"qty": "0.001"}, 110094), ({"qty": "50"}, 110007),
        ({"symbol": "NOUSDT"}, 10001), ({"side": "BUY"}, 10001), ({"category": "option"}, 10001),
        ({"reduceOnly": True}, 110017), ({"positionIdx": 1}, 10001), ({"triggerPrice": "1"}, 10001),
        ({"orderType": "Limit", "price": "1000"}, 110003), ({"orderLinkId": "x" * 37}, 10001),
    ],
)  # fmt: skip
async def test_a_refusal_has_the_venues_number(client: Client, change: dict[str, Any], code: int) -> None:
    fields = {
        "category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0.01", "orderLinkId": "no",
        **change,
    }  # fmt: skip
    answer = await client.call("POST", "/v5/order/create", **fields)
    assert answer["retCode"] == code
    assert client.process.operator.ledger("orders", client.account_id) == []


async def test_the_private_stream_wants_a_login_and_tells_each_topic(client: Client) -> None:
    async with client.session.ws_connect(f"{client.process.ws_url}/v5/private") as stranger:
        await stranger.send_json({"op": "subscribe", "args": ["order"]})
        assert not (await stranger.receive_json(timeout=5))["success"]
        await stranger.send_json(
            {"op": "auth", "args": [client.key, int(time.time() * 1000) + 5000, "0" * 64]}
        )
        assert not (await stranger.receive_json(timeout=5))["success"]
    socket = await client.log_in()
    await socket.send_json({"op": "ping", "req_id": "7"})
    pong = await socket.receive_json(timeout=5)
    assert (pong["op"], pong["req_id"]) == ("pong", "7")
    await socket.send_json({"op": "subscribe", "args": ["order.linear", "execution", "position", "wallet"]})
    assert (await socket.receive_json(timeout=5))["success"]
    await client.market("told")
    topics: dict[str, Any] = {}
    while (
        set(topics) != {"order.linear", "execution", "position", "wallet"}
        or topics["order.linear"]["orderStatus"] != "Filled"
    ):
        heard = await socket.receive_json(timeout=5)
        topics[heard["topic"]] = heard["data"][0]
    assert (topics["execution"]["orderLinkId"], topics["execution"]["leavesQty"]) == ("told", "0")
    assert topics["position"]["size"] == "0.01"
    await socket.close()


async def test_tickers_come_whole_first_and_then_as_changes(client: Client) -> None:
    socket = await client.session.ws_connect(f"{client.process.ws_url}/v5/public/linear")
    await socket.send_json({"op": "subscribe", "args": ["tickers.BTCUSDT"]})
    assert (await socket.receive_json(timeout=5))["success"]
    whole = await socket.receive_json(timeout=5)
    assert (whole["type"], whole["data"]["markPrice"]) == ("snapshot", "64000.0")
    client.process.operator.set_prices(BTCUSDT="64100.0")
    change = await socket.receive_json(timeout=5)
    assert (change["type"], change["data"]["markPrice"]) == ("delta", "64100.0")
    await socket.send_json({"op": "subscribe", "args": ["tickers.NOUSDT"]})
    assert not (await socket.receive_json(timeout=5))["success"]
    await socket.close()
