"""Strangers' clients trade on the OKX dialect: stock ccxt and the venue's own SDK, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import ccxt.async_support as ccxt
import pytest

from tests.support.simulator import SimulatorProcess

SWAP, SPOT = "BTC/USDT:USDT", "BTC/USDT"
ID = "BTC-USDT-SWAP"


def stock_client(process: SimulatorProcess, key: str, secret: str) -> Any:
    client = ccxt.okx({"apiKey": key, "secret": secret, "password": "passphrase"})
    client.urls["api"] = dict.fromkeys(client.urls["api"], process.base_url)
    client.has["fetchCurrencies"] = False
    client.options["fetchMarkets"] = {"types": ["spot", "swap"]}
    return client


@pytest.fixture
async def stock(simulator: SimulatorProcess, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    row = simulator.operator.open_account(f"stock-okx-{request.node.name}", balances={"BTC": "1"})
    opened = stock_client(simulator, row["api_key"], row["api_secret"])
    yield opened
    await opened.close()


async def ended(stock: Any, symbol: str, link: str) -> Any:
    async with asyncio.timeout(10):
        while True:
            found = await stock.fetch_order(None, symbol, {"clientOrderId": link})
            if found["status"] == "closed":
                return found


async def test_ccxt_loads_the_markets(stock: Any) -> None:
    markets = await stock.load_markets()
    swap, spot = markets[SWAP], markets[SPOT]
    assert (swap["linear"], swap["contractSize"], swap["active"], swap["settle"]) == (
        True,
        0.01,
        True,
        "USDT",
    )
    assert (swap["precision"]["price"], swap["precision"]["amount"]) == (0.1, 0.1)
    assert (spot["spot"], spot["precision"]["amount"]) == (True, 0.00001)


async def test_ccxt_places_finds_and_closes_a_swap(stock: Any) -> None:
    await stock.create_order(SWAP, "market", "buy", 2, None, {"clientOrderId": "stock1"})
    found = await ended(stock, SWAP, "stock1")
    assert (found["filled"], found["clientOrderId"]) == (2, "stock1")
    (position,) = await stock.fetch_positions([SWAP])
    assert (position["contracts"], position["side"], position["contractSize"]) == (2, "long", 0.01)
    (trade,) = await stock.fetch_my_trades(SWAP)
    assert (trade["order"], trade["fee"]["currency"]) == (found["id"], "USDT")
    await stock.create_order(SWAP, "market", "sell", 2, None, {"clientOrderId": "stock2", "reduceOnly": True})
    await ended(stock, SWAP, "stock2")
    assert [row for row in await stock.fetch_positions([SWAP]) if row["contracts"]] == []
    balance = (await stock.fetch_balance())["USDT"]
    assert 9990 < balance["total"] < 10000


async def test_ccxt_trades_coins(stock: Any) -> None:
    await stock.create_order(SPOT, "market", "sell", 0.01, None, {"clientOrderId": "coin1"})
    assert (await ended(stock, SPOT, "coin1"))["filled"] == 0.01
    balance = await stock.fetch_balance()
    assert balance["BTC"]["total"] == 0.99
    assert balance["USDT"]["total"] > 10_600


async def test_ccxt_rests_cancels_and_sets_leverage(stock: Any) -> None:
    await stock.load_markets()
    await stock.set_leverage(5, SWAP, {"mgnMode": "cross"})
    placed = await stock.create_order(SWAP, "limit", "buy", 1, 63000)
    assert [row["id"] for row in await stock.fetch_open_orders(SWAP)] == [placed["id"]]
    await stock.cancel_order(placed["id"], SWAP)
    assert await stock.fetch_open_orders(SWAP) == []
    assert (await stock.fetch_ticker(SWAP))["last"] == 64000
    assert (await stock.fetch_order_book(SPOT))["asks"]


async def test_ccxt_places_a_stop_that_fires(stock: Any, simulator: SimulatorProcess) -> None:
    await stock.create_order(SWAP, "market", "buy", 1, None, {"clientOrderId": "enter"})
    await ended(stock, SWAP, "enter")
    params = {"stopLossPrice": 63000, "reduceOnly": True, "algoClOrdId": "guard"}
    placed = await stock.create_order(SWAP, "market", "sell", 1, None, params)
    assert placed["id"]
    simulator.operator.set_prices(BTCUSDT="62990.0")
    async with asyncio.timeout(10):
        while [row for row in await stock.fetch_positions([SWAP]) if row["contracts"]]:
            pass


async def test_ccxt_with_a_wrong_secret_is_refused(simulator: SimulatorProcess) -> None:
    row = simulator.operator.open_account("stock-okx-wrong")
    client = stock_client(simulator, row["api_key"], "0" * 64)
    try:
        with pytest.raises(ccxt.AuthenticationError, match="50113"):
            await client.create_order(SWAP, "market", "buy", 1)
    finally:
        await client.close()
    assert simulator.operator.ledger("orders", row["account_id"]) == []


def trades(trade: Any, account: Any) -> None:
    """Rest, find, cancel, enter, look at the account, set leverage, protect."""
    order = {"instId": ID, "tdMode": "cross", "side": "buy", "sz": "1"}
    placed = trade.place_order(**order, ordType="limit", px="63000", clOrdId="sdk1")
    assert placed["data"][0]["sCode"] == "0"
    found = trade.get_order(instId=ID, clOrdId="sdk1")["data"][0]
    assert (found["state"], found["sz"], found["px"]) == ("live", "1", "63000")
    assert trade.cancel_order(instId=ID, clOrdId="sdk1")["data"][0]["sCode"] == "0"
    assert trade.place_order(**order, ordType="market")["code"] == "0"
    while not (held := account.get_positions(instType="SWAP")["data"]):
        pass
    assert held[0]["pos"] == "1"
    assert account.get_account_balance("USDT")["data"][0]["details"][0]["ccy"] == "USDT"
    assert account.set_leverage(lever="5", mgnMode="cross", instId=ID)["data"][0]["lever"] == "5"
    stop = trade.place_algo_order(
        **{**order, "side": "sell"}, ordType="conditional", slTriggerPx="60000", slOrdPx="-1", slTriggerPxType="mark",
        reduceOnly="true", algoClOrdId="sdkstop",
    )  # fmt: skip
    assert stop["data"][0]["sCode"] == "0"


@pytest.fixture
def sdk() -> Any:
    return pytest.importorskip("okx.Trade", reason="the venue's SDK is not installed")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the SDK's own use of its HTTP client
async def test_the_venues_sdk_trades(sdk: Any, simulator: SimulatorProcess) -> None:
    accounts = pytest.importorskip("okx.Account")
    row = simulator.operator.open_account("sdk-okx")
    keys = (row["api_key"], row["api_secret"], "passphrase")

    def run() -> None:
        given = {"flag": "0", "domain": simulator.base_url, "debug": False}
        wrong = (keys[0], "0" * 64, keys[2])
        with (
            closing(sdk.TradeAPI(*keys, **given)) as trade,
            closing(accounts.AccountAPI(*keys, **given)) as account,
            closing(sdk.TradeAPI(*wrong, **given)) as stranger,
        ):
            trades(trade, account)
            assert stranger.get_order(instId=ID, clOrdId="sdk1")["code"] == "50113"

    await asyncio.to_thread(run)
