"""Strangers' clients trade on the Hyperliquid dialect: stock ccxt, and the venue's own Python SDK with its socket."""

from __future__ import annotations

import asyncio
import itertools
import queue
from collections.abc import AsyncIterator
from typing import Any

import ccxt.async_support as ccxt
import pytest
from eth_account import Account
from hyperliquid.exchange import Exchange  # type: ignore[import-untyped]  # it has no types
from hyperliquid.info import Info  # type: ignore[import-untyped]  # it has no types
from hyperliquid.utils.types import Cloid  # type: ignore[import-untyped]  # it has no types

from tests.integration.simulator.test_ccxt import rebased
from tests.support.simulator import Json, SimulatorProcess

SYMBOL = "BTC/USDC:USDC"
CLOID = "0x0000000000000000000000000000c0de"
_numbers = itertools.count(1)


def open_row(simulator: SimulatorProcess) -> Json:
    number = next(_numbers)
    return simulator.operator.open_account(
        f"client-{number}",
        api_key=f"0x{0xAB << 64 | number:040x}",
        api_secret=f"0x{0xCAFE << 64 | number:064x}",
    )


def stock_client(process: SimulatorProcess, address: str, secret: str) -> Any:
    """ccxt without what it would sign for itself: its builder's fee and its referrer."""
    client = ccxt.hyperliquid(
        {
            "walletAddress": address,
            "privateKey": secret,
            "options": {
                "approvedBuilderFee": True, "builderFee": False, "refSet": True, "fetchMarkets": {"types": ["swap"]},
                "enableUnifiedMargin": False,
            },
        }
    )  # fmt: skip
    client.urls["api"] = rebased(client.urls["api"], process.base_url)
    client.has["fetchCurrencies"] = False
    return client


@pytest.fixture
async def client(simulator: SimulatorProcess) -> AsyncIterator[Any]:
    row = open_row(simulator)
    opened = stock_client(simulator, row["api_key"], row["api_secret"])
    yield opened
    await opened.close()


async def test_ccxt_loads_the_markets(client: Any) -> None:
    market = (await client.load_markets())[SYMBOL]
    assert (market["linear"], market["settle"], market["contractSize"]) == (True, "USDC", 1)
    assert market["precision"]["amount"] == 0.001


async def test_ccxt_places_finds_and_closes(client: Any) -> None:
    placed = await client.create_order(SYMBOL, "market", "buy", 0.02, 64000, {"clientOrderId": CLOID})
    found = await client.fetch_order(None, SYMBOL, {"clientOrderId": CLOID})
    assert (found["id"], found["clientOrderId"], found["status"]) == (placed["id"], CLOID, "closed")
    position = (await client.fetch_positions([SYMBOL]))[0]
    assert (position["contracts"], position["side"]) == (0.02, "long")
    (trade,) = await client.fetch_my_trades(SYMBOL)
    assert (trade["order"], trade["fee"]["currency"]) == (placed["id"], "USDC")
    await client.create_order(SYMBOL, "market", "sell", 0.02, 64000, {"reduceOnly": True})
    assert await client.fetch_positions([SYMBOL]) == []
    balance = (await client.fetch_balance())["USDC"]
    assert 9990 < balance["total"] < 10000


async def test_ccxt_rests_and_cancels_orders_and_stops(client: Any) -> None:
    placed = await client.create_order(SYMBOL, "limit", "buy", 0.01, 63000)
    assert [order["id"] for order in await client.fetch_open_orders(SYMBOL)] == [placed["id"]]
    await client.cancel_order(placed["id"], SYMBOL)
    assert await client.fetch_open_orders(SYMBOL) == []
    await client.create_order(SYMBOL, "market", "buy", 0.01, 64000)
    more = {"stopLossPrice": 60000, "reduceOnly": True, "clientOrderId": CLOID}
    await client.create_order(SYMBOL, "market", "sell", 0.01, 60000, more)
    (stop,) = await client.fetch_open_orders(SYMBOL)
    assert (stop["triggerPrice"], stop["clientOrderId"]) == (60000, CLOID)
    await client.cancel_order(CLOID, SYMBOL, {"clientOrderId": CLOID})
    assert await client.fetch_open_orders(SYMBOL) == []


async def test_ccxt_sets_leverage(client: Any) -> None:
    await client.set_leverage(7, SYMBOL, {"marginMode": "cross"})
    await client.create_order(SYMBOL, "market", "buy", 0.01, 64000)
    assert (await client.fetch_positions([SYMBOL]))[0]["leverage"] == 7


async def test_ccxt_with_another_key_is_refused(simulator: SimulatorProcess) -> None:
    row = open_row(simulator)
    stranger = stock_client(simulator, row["api_key"], f"0x{0xDEAD:064x}")
    try:
        with pytest.raises(ccxt.InvalidOrder, match="does not exist"):
            await stranger.create_order(SYMBOL, "market", "buy", 0.01, 64000)
    finally:
        await stranger.close()
    assert simulator.operator.ledger("orders", row["account_id"]) == []


class Sdk:
    """The venue's own library, which blocks: each call runs in a thread."""

    def __init__(self, process: SimulatorProcess, row: Json, secret: str = "") -> None:
        self.address = row["api_key"]
        wallet = Account.from_key(secret or row["api_secret"])
        self.exchange = Exchange(
            wallet, base_url=process.base_url, account_address=row["api_key"], timeout=10
        )
        self.info = Info(process.base_url, skip_ws=True, timeout=10)


@pytest.fixture
async def sdk(simulator: SimulatorProcess) -> Sdk:
    row = open_row(simulator)
    return await asyncio.to_thread(Sdk, simulator, row)


async def test_the_sdk_places_finds_and_closes(sdk: Sdk) -> None:
    def trade() -> None:
        opened = sdk.exchange.market_open("BTC", True, 0.02, cloid=Cloid(CLOID))
        filled = opened["response"]["data"]["statuses"][0]["filled"]
        assert filled["totalSz"] == "0.02"
        found = sdk.info.query_order_by_cloid(sdk.address, Cloid(CLOID))
        assert found["order"]["order"]["oid"] == filled["oid"]
        assert sdk.info.query_order_by_oid(sdk.address, filled["oid"]) == found
        (position,) = sdk.info.user_state(sdk.address)["assetPositions"]
        assert position["position"]["szi"] == "0.02"
        assert sdk.exchange.market_close("BTC")["status"] == "ok"
        assert sdk.info.user_state(sdk.address)["assetPositions"] == []
        assert len(sdk.info.user_fills(sdk.address)) == 2

    await asyncio.to_thread(trade)


async def test_the_sdk_rests_triggers_and_cancels(sdk: Sdk) -> None:
    def trade() -> None:
        resting = sdk.exchange.order("BTC", True, 0.01, 63000, {"limit": {"tif": "Gtc"}}, cloid=Cloid(CLOID))
        assert resting["response"]["data"]["statuses"][0]["resting"]["cloid"] == CLOID
        assert sdk.exchange.cancel_by_cloid("BTC", Cloid(CLOID))["response"]["data"]["statuses"] == [
            "success"
        ]
        sdk.exchange.market_open("BTC", True, 0.01)
        stop = {"trigger": {"triggerPx": 60000, "isMarket": True, "tpsl": "sl"}}
        placed = sdk.exchange.order("BTC", False, 0.01, 54000, stop, reduce_only=True)
        oid = placed["response"]["data"]["statuses"][0]["resting"]["oid"]
        assert [row["oid"] for row in sdk.info.frontend_open_orders(sdk.address)] == [oid]
        sdk.exchange.cancel("BTC", oid)
        assert sdk.info.open_orders(sdk.address) == []

    await asyncio.to_thread(trade)


async def test_the_sdk_sets_leverage_and_an_expiry(sdk: Sdk) -> None:
    def trade() -> None:
        assert sdk.exchange.update_leverage(5, "BTC", is_cross=False)["status"] == "ok"
        sdk.exchange.set_expires_after(1)
        assert (
            "expired" in sdk.exchange.order("BTC", True, 0.01, 63000, {"limit": {"tif": "Gtc"}})["response"]
        )
        sdk.exchange.set_expires_after(None)
        assert sdk.info.user_fees(sdk.address)["userCrossRate"] == "0.0005"

    await asyncio.to_thread(trade)


async def test_the_sdk_with_another_key_is_refused(simulator: SimulatorProcess) -> None:
    row = open_row(simulator)
    stranger = await asyncio.to_thread(Sdk, simulator, row, f"0x{0xDEAD:064x}")
    answer = await asyncio.to_thread(stranger.exchange.market_open, "BTC", True, 0.01)
    assert answer["response"].endswith("does not exist.")
    assert simulator.operator.ledger("orders", row["account_id"]) == []


async def test_the_sdk_hears_fills_and_orders(simulator: SimulatorProcess, sdk: Sdk) -> None:
    heard: queue.Queue[Any] = queue.Queue()

    def listen() -> list[Any]:
        info = Info(simulator.base_url, timeout=10)
        try:
            info.subscribe({"type": "userFills", "user": sdk.address}, heard.put)
            info.subscribe({"type": "orderUpdates", "user": sdk.address}, heard.put)
            first = heard.get(timeout=10)  # the snapshot, which comes once the socket is open
            assert first["data"]["isSnapshot"]
            sdk.exchange.market_open("BTC", True, 0.01)
            return [heard.get(timeout=10) for _ in range(3)]
        finally:
            info.disconnect_websocket()

    messages = await asyncio.to_thread(listen)
    assert {message["channel"] for message in messages} == {"userFills", "orderUpdates"}
