"""The Bybit dialect over real HTTP: a stranger's stock client trades on it, strangers' signatures are accepted, and it
acknowledges before it matches.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import aiohttp
import ccxt.async_support as ccxt
import pytest
from yarl import URL

from tests.integration.simulator.test_ccxt import rebased
from tests.integration.simulator.test_vectors import load
from tests.support.simulator import ROOT, SimulatorProcess

SYMBOL = "BTC/USDT:USDT"
VECTORS = ROOT.parent / "shared/data/exchange_vectors/signed_requests/bybit.json"
BAD_SIGN, BAD_TIME, BAD_KEY = 10004, 10002, 10003


@dataclass
class Client:
    """A plain signed client, written against the venue's documents and not against the simulator."""

    session: aiohttp.ClientSession
    process: SimulatorProcess
    account_id: str
    key: str
    secret: str = field(repr=False)

    def sign(self, text: str) -> str:
        return hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()

    async def call(
        self, method: str, path: str, *, age_ms: int = 0, window: int = 5000, **params: Any
    ) -> Any:
        stamp = int(time.time() * 1000) - age_ms
        payload = urlencode(params) if method == "GET" else json.dumps(params)
        headers = {
            "X-BAPI-API-KEY": self.key, "X-BAPI-TIMESTAMP": str(stamp), "X-BAPI-RECV-WINDOW": str(window),
            "X-BAPI-SIGN": self.sign(f"{stamp}{self.key}{window}{payload}"), "Content-Type": "application/json",
        }  # fmt: skip
        target = f"{self.process.base_url}{path}" + (f"?{payload}" if method == "GET" and payload else "")
        data = payload if method == "POST" else None
        async with self.session.request(
            method, URL(target, encoded=True), data=data, headers=headers
        ) as reply:
            assert reply.status == 200
            return {**await reply.json(), "headers": dict(reply.headers)}

    async def market(self, link: str, side: str = "Buy", qty: str = "0.01", **more: Any) -> Any:
        return await self.call(
            "POST", "/v5/order/create", category="linear", symbol="BTCUSDT", side=side, orderType="Market", qty=qty,
            orderLinkId=link, **more,
        )  # fmt: skip

    async def find(self, link: str, path: str = "/v5/order/realtime") -> list[Any]:
        answer = await self.call("GET", path, category="linear", symbol="BTCUSDT", orderLinkId=link)
        assert answer["retCode"] == 0
        rows: list[Any] = answer["result"]["list"]
        return rows

    async def log_in(self) -> aiohttp.ClientWebSocketResponse:
        socket = await self.session.ws_connect(f"{self.process.ws_url}/v5/private")
        expires = int(time.time() * 1000) + 5000
        await socket.send_json(
            {"op": "auth", "args": [self.key, expires, self.sign(f"GET/realtime{expires}")]}
        )
        assert (await socket.receive_json(timeout=5))["success"]
        return socket


@pytest.fixture
async def client(
    simulator: SimulatorProcess, session: aiohttp.ClientSession, request: pytest.FixtureRequest
) -> AsyncIterator[Client]:
    row = simulator.operator.open_account(f"bybit-{request.node.name}")
    yield Client(session, simulator, row["account_id"], row["api_key"], row["api_secret"])
    simulator.operator.settings(
        matching_delay_ms=0, limits={"requests_per_uid": 1_000_000, "requests_per_5s": 10_000_000}
    )


@pytest.fixture
async def stock(simulator: SimulatorProcess, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    row = simulator.operator.open_account(f"stock-bybit-{request.node.name}")
    opened = ccxt.bybit({"apiKey": row["api_key"], "secret": row["api_secret"]})
    opened.urls["api"] = rebased(opened.urls["api"], simulator.base_url)
    opened.has["fetchCurrencies"] = False
    yield opened
    await opened.close()


async def test_ccxt_loads_the_markets(stock: Any) -> None:
    market = (await stock.load_markets())[SYMBOL]
    assert (market["linear"], market["active"]) == (True, True)
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.1, 0.001)


async def test_ccxt_places_finds_and_closes(stock: Any) -> None:
    placed = await stock.create_order(SYMBOL, "market", "buy", 0.02, None, {"clientOrderId": "stock-1"})
    found = await stock.fetch_closed_order(placed["id"], SYMBOL)
    assert (found["clientOrderId"], found["status"], found["filled"]) == ("stock-1", "closed", 0.02)
    (position,) = await stock.fetch_positions([SYMBOL])
    assert (position["contracts"], position["side"]) == (0.02, "long")
    (trade,) = await stock.fetch_my_trades(SYMBOL)
    assert (trade["order"], trade["fee"]["currency"]) == (placed["id"], "USDT")
    await stock.create_order(SYMBOL, "market", "sell", 0.02, None, {"reduceOnly": True})
    held = [row for row in await stock.fetch_positions([SYMBOL]) if row["contracts"]]
    assert held == []
    balance = (await stock.fetch_balance())["USDT"]
    assert 9990 < balance["total"] < 10000


async def test_ccxt_rests_and_cancels_and_sets_leverage(stock: Any) -> None:
    await stock.load_markets()
    await stock.set_leverage(5, SYMBOL)
    placed = await stock.create_order(SYMBOL, "limit", "buy", 0.01, 63000)
    assert [row["id"] for row in await stock.fetch_open_orders(SYMBOL)] == [placed["id"]]
    await stock.cancel_order(placed["id"], SYMBOL)
    assert await stock.fetch_open_orders(SYMBOL) == []
    assert (await stock.fetch_ticker(SYMBOL))["last"] == 64000


async def test_ccxt_with_too_little_money_or_a_wrong_secret_is_refused(stock: Any) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        await stock.create_order(SYMBOL, "market", "buy", 100)
    stock.secret = "0" * 64
    with pytest.raises(ccxt.AuthenticationError):
        await stock.create_order(SYMBOL, "market", "buy", 0.02)


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
        ({"symbol": "NOUSDT"}, 10001), ({"side": "BUY"}, 10001), ({"category": "spot"}, 10001),
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
