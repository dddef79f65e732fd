"""A stranger's stock client trades on the simulator, so what it understands is not only what we meant."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import ccxt.async_support as ccxt
import pytest

from tests.support.simulator import SimulatorProcess

SYMBOL = "BTC/USDT:USDT"


def rebased(urls: Any, base: str) -> Any:
    if isinstance(urls, dict):
        return {name: rebased(value, base) for name, value in urls.items()}
    return re.sub(r"^https?://[^/]+", base, urls)


def stock_client(process: SimulatorProcess, key: str, secret: str) -> Any:
    client = ccxt.binanceusdm({"apiKey": key, "secret": secret})
    client.urls["api"] = rebased(client.urls["api"], process.base_url)
    client.has["fetchCurrencies"] = False
    return client


@pytest.fixture
async def client(simulator: SimulatorProcess, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    row = simulator.operator.open_account(f"ccxt-{request.node.name}")
    opened = stock_client(simulator, row["api_key"], row["api_secret"])
    yield opened
    await opened.close()


async def test_ccxt_loads_the_markets(client: Any) -> None:
    market = (await client.load_markets())[SYMBOL]
    assert (market["linear"], market["contractSize"], market["active"]) == (True, 1, True)
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.1, 0.001)
    assert market["limits"]["cost"]["min"] == 100


async def test_ccxt_places_finds_and_closes(client: Any) -> None:
    placed = await client.create_order(SYMBOL, "market", "buy", 0.02, None, {"clientOrderId": "stock-1"})
    assert (placed["status"], placed["filled"]) == ("closed", 0.02)
    found = await client.fetch_order(None, SYMBOL, {"clientOrderId": "stock-1"})
    assert (found["id"], found["clientOrderId"], found["average"]) == (
        placed["id"],
        "stock-1",
        placed["average"],
    )
    position = (await client.fetch_positions([SYMBOL]))[0]
    assert (position["contracts"], position["side"]) == (0.02, "long")
    trades = await client.fetch_my_trades(SYMBOL)
    assert trades[0]["fee"]["currency"] == "USDT"
    await client.create_order(SYMBOL, "market", "sell", 0.02, None, {"reduceOnly": True})
    assert await client.fetch_positions([SYMBOL]) == []
    balance = (await client.fetch_balance())["USDT"]
    assert 9990 < balance["total"] < 10000
    assert balance["free"] == balance["total"]


async def test_ccxt_rests_edits_and_cancels(client: Any) -> None:
    placed = await client.create_order(SYMBOL, "limit", "buy", 0.01, 63000)
    assert [order["id"] for order in await client.fetch_open_orders(SYMBOL)] == [placed["id"]]
    edited = await client.edit_order(placed["id"], SYMBOL, "limit", "buy", 0.01, 63100)
    assert edited["price"] == 63100
    assert (await client.cancel_order(placed["id"], SYMBOL))["status"] == "canceled"
    assert await client.fetch_open_orders(SYMBOL) == []


async def test_ccxt_sets_leverage_and_places_a_stop(simulator: SimulatorProcess, client: Any) -> None:
    await client.set_leverage(5, SYMBOL)
    await client.create_order(SYMBOL, "market", "buy", 0.02)
    stop = await client.create_order(
        SYMBOL,
        "market",
        "sell",
        0.02,
        None,
        {"stopLossPrice": 63000, "reduceOnly": True, "clientOrderId": "stop-1"},
    )
    assert stop["id"]
    simulator.operator.set_prices(BTCUSDT="62990.0")
    assert await client.fetch_positions([SYMBOL]) == []


async def test_ccxt_reads_tickers_and_funding(client: Any) -> None:
    ticker = await client.fetch_ticker(SYMBOL)
    assert ticker["last"] == 64000
    assert (await client.fetch_funding_rate(SYMBOL))["markPrice"] == 64000
    assert (await client.fetch_order_book(SYMBOL))["asks"][0][0] == 64000.1


async def test_ccxt_with_a_wrong_secret_is_refused(simulator: SimulatorProcess) -> None:
    row = simulator.operator.open_account("ccxt-wrong-secret")
    client = stock_client(simulator, row["api_key"], "0" * 64)
    try:
        with pytest.raises(ccxt.BaseError, match="-1022"):
            await client.create_order(SYMBOL, "market", "buy", 0.02)
    finally:
        await client.close()
    assert simulator.operator.ledger("orders", row["account_id"]) == []
