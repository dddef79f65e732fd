"""Strangers' stock clients trade on the Bybit dialect: what they understand is not only what we meant."""

from __future__ import annotations

import asyncio
import queue
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from typing import Any

import ccxt.async_support as ccxt
import pytest

from tests.integration.simulator.test_ccxt import rebased
from tests.support.simulator import SimulatorProcess

pybit = pytest.importorskip("pybit.unified_trading")
refusals = pytest.importorskip("pybit.exceptions")
SYMBOL = "BTC/USDT:USDT"


@pytest.fixture
def account(simulator: SimulatorProcess, request: pytest.FixtureRequest) -> Any:
    return simulator.operator.open_account(f"client-{request.node.name}", balances={"BTC": "1"})


@pytest.fixture
async def stock(simulator: SimulatorProcess, account: Any) -> AsyncIterator[Any]:
    opened = ccxt.bybit({"apiKey": account["api_key"], "secret": account["api_secret"]})
    opened.urls["api"] = rebased(opened.urls["api"], simulator.base_url)
    opened.has["fetchCurrencies"] = False
    yield opened
    await opened.close()


@pytest.fixture
def official(simulator: SimulatorProcess, account: Any) -> Any:
    """The venue's own client; it blocks."""
    opened = pybit.HTTP(
        api_key=account["api_key"], api_secret=account["api_secret"], max_retries=1, retry_delay=0
    )
    opened.endpoint = simulator.base_url
    return opened


async def test_ccxt_loads_every_kind_of_market(stock: Any) -> None:
    markets = await stock.load_markets()
    linear, spot, inverse = markets[SYMBOL], markets["BTC/USDT"], markets["BTC/USD:BTC"]
    assert (linear["linear"], linear["active"]) == (True, True)
    assert (linear["precision"]["price"], linear["precision"]["amount"]) == (0.1, 0.001)
    assert (spot["spot"], spot["limits"]["cost"]["min"]) == (True, 5)
    assert (inverse["inverse"], inverse["settle"], inverse["contractSize"]) == (True, "BTC", 1)


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


async def test_ccxt_stops_a_position(simulator: SimulatorProcess, stock: Any) -> None:
    await stock.create_order(SYMBOL, "market", "buy", 0.02)
    params = {"stopLossPrice": 63000, "reduceOnly": True, "clientOrderId": "stop-1"}
    stop = await stock.create_order(SYMBOL, "market", "sell", 0.02, None, params)
    waiting = await stock.fetch_open_orders(SYMBOL, None, None, {"trigger": True})
    assert [row["id"] for row in waiting] == [stop["id"]]
    simulator.operator.set_prices(BTCUSDT="62990.0")
    async with asyncio.timeout(10):
        while [row for row in await stock.fetch_positions([SYMBOL]) if row["contracts"]]:
            pass
    assert (await stock.fetch_closed_order(stop["id"], SYMBOL))["clientOrderId"] == "stop-1"


async def test_ccxt_buys_and_sells_coins(stock: Any) -> None:
    await stock.load_markets()
    bought = await stock.create_order("BTC/USDT", "market", "buy", 0.01)
    async with asyncio.timeout(10):
        while (found := await stock.fetch_closed_order(bought["id"], "BTC/USDT"))["status"] != "closed":
            pass
    assert found["filled"] == 0.01
    (trade,) = await stock.fetch_my_trades("BTC/USDT")
    assert trade["fee"]["currency"] == "BTC"
    assert (await stock.fetch_balance())["BTC"]["total"] == 1.009995
    await stock.create_order("BTC/USDT", "limit", "sell", 0.5, 65000)
    assert (await stock.fetch_balance())["BTC"]["used"] == 0.5


async def test_ccxt_trades_an_inverse_contract(stock: Any) -> None:
    placed = await stock.create_order("BTC/USD:BTC", "market", "buy", 640)
    async with asyncio.timeout(10):
        while not (rows := await stock.fetch_my_trades("BTC/USD:BTC")):
            pass
    assert (rows[0]["order"], rows[0]["fee"]["currency"]) == (placed["id"], "BTC")
    (position,) = await stock.fetch_positions(["BTC/USD:BTC"])
    assert (position["contracts"], position["side"]) == (640, "long")


async def test_ccxt_with_too_little_money_or_a_wrong_secret_is_refused(stock: Any) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        await stock.create_order(SYMBOL, "market", "buy", 100)
    with pytest.raises(ccxt.InsufficientFunds):
        await stock.create_order("BTC/USDT", "limit", "sell", 5, 64000)
    stock.secret = "0" * 64
    with pytest.raises(ccxt.AuthenticationError):
        await stock.create_order(SYMBOL, "market", "buy", 0.02)


@pytest.mark.parametrize(
    ("category", "symbol", "qty"), [("linear", "BTCUSDT", "0.01"), ("inverse", "BTCUSD", "640")]
)
def test_the_official_client_trades_contracts(official: Any, category: str, symbol: str, qty: str) -> None:
    where = {"category": category, "symbol": symbol}
    placed = official.place_order(
        **where, side="Buy", orderType="Market", qty=qty, orderLinkId=f"o-{category}"
    )
    assert placed["retCode"] == 0
    rows: list[Any] = []
    while not rows or rows[0]["orderStatus"] != "Filled":
        rows = official.get_open_orders(**where, orderLinkId=f"o-{category}")["result"]["list"]
    (position,) = official.get_positions(**where)["result"]["list"]
    assert (position["size"], position["side"]) == (qty, "Buy")
    assert official.set_leverage(**where, buyLeverage="7", sellLeverage="7")["retCode"] == 0
    assert official.get_fee_rates(**where)["result"]["list"][0]["takerFeeRate"] == "0.0005"
    rest = official.place_order(
        **where, side="Buy", orderType="Limit", qty=qty, price="63000", orderLinkId="rest"
    )
    official.cancel_order(**where, orderId=rest["result"]["orderId"])
    (ended,) = official.get_order_history(**where, orderLinkId="rest")["result"]["list"]
    assert ended["orderStatus"] == "Cancelled"


def test_the_official_client_trades_coins_and_switches_modes(official: Any) -> None:
    where = {"category": "spot", "symbol": "BTCUSDT"}
    official.place_order(**where, side="Sell", orderType="Market", qty="0.01", orderLinkId="sale")
    rows: list[Any] = []
    while not rows:
        rows = official.get_executions(**where)["result"]["list"]
    assert (rows[0]["feeCurrency"], rows[0]["execQty"]) == ("USDT", "0.01")
    (wallet,) = official.get_wallet_balance(accountType="UNIFIED", coin="BTC")["result"]["list"]
    assert wallet["coin"][0]["walletBalance"] == "0.99000000"
    assert official.switch_position_mode(category="linear", coin="USDT", mode=3)["retCode"] == 0
    assert official.set_margin_mode(setMarginMode="ISOLATED_MARGIN")["result"]["reasons"] == []
    assert official.get_account_info()["result"]["marginMode"] == "ISOLATED_MARGIN"


def test_the_official_client_with_a_wrong_secret_is_refused(official: Any) -> None:
    official.api_secret = "0" * 36
    with pytest.raises(refusals.InvalidRequestError, match="10004"):
        official.get_positions(category="linear", symbol="BTCUSDT")


@pytest.fixture
def heard(
    simulator: SimulatorProcess, account: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[queue.SimpleQueue[Any]]:
    """What the venue's own client hears on its private socket."""
    monkeypatch.setattr(pybit, "PRIVATE_WSS", f"{simulator.ws_url}/v5/private")
    socket = pybit.WebSocket(
        "private", testnet=False, api_key=account["api_key"], api_secret=account["api_secret"], private_auth_expire=5
    )  # fmt: skip
    # The client sends a request before it notes it, and an answer that is quicker than the note would end it.
    socket.subscriptions = defaultdict(str)
    messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for listen in (
        socket.order_stream,
        socket.execution_stream,
        socket.wallet_stream,
        socket.position_stream,
    ):
        listen(callback=messages.put)
    yield messages
    socket.exit()


def test_the_official_client_hears_its_orders(official: Any, heard: queue.SimpleQueue[Any]) -> None:
    seen: dict[str, Any] = {}
    number = 0
    while (
        set(seen) < {"order", "execution", "wallet", "position"} or seen["order"]["orderStatus"] != "Filled"
    ):
        if heard.empty() and not seen:  # its subscriptions are on their way
            number += 1
            official.place_order(
                category="linear", symbol="BTCUSDT", side="Buy", orderType="Market", qty="0.01", orderLinkId=f"h-{number}"
            )  # fmt: skip
        message = heard.get(timeout=10)
        seen[message["topic"]] = message["data"][0]
    assert seen["execution"]["orderLinkId"].startswith("h-")
    assert float(seen["position"]["size"]) >= 0.01
