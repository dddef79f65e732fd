"""A stranger's stock client trades on the Bitget dialect, so what it understands is not only what we meant."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import ccxt.async_support as ccxt
import pytest

from tests.support.simulator import SimulatorProcess

SWAP, SPOT = "BTC/USDT:USDT", "BTC/USDT"


def rebased(urls: Any, base: str) -> Any:
    if isinstance(urls, dict):
        return {name: rebased(value, base) for name, value in urls.items()}
    return re.sub(r"^https?://[^/]+", base, urls)


def stock_client(process: SimulatorProcess, key: str, secret: str) -> Any:
    client = ccxt.bitget({"apiKey": key, "secret": secret, "password": "passphrase"})
    client.urls["api"] = rebased(client.urls["api"], process.base_url)
    client.has["fetchCurrencies"] = False
    client.options["uta"] = False
    return client


@pytest.fixture
async def client(simulator: SimulatorProcess, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    (row,) = simulator.operator.open_accounts(
        [{"label": f"bitget-{request.node.name}", "balance": "10000", "balances": {"BTC": "1"}}]
    )
    opened = stock_client(simulator, row["api_key"], row["api_secret"])
    yield opened
    await opened.close()


async def ended(client: Any, symbol: str, name: str) -> Any:
    """The order, once it has ended: it is matched after it was acknowledged."""
    while True:
        found = await client.fetch_order(None, symbol, {"clientOrderId": name})
        if found["status"] in {"closed", "canceled"}:
            return found


async def test_ccxt_loads_the_markets(client: Any) -> None:
    markets = await client.load_markets()
    swap, spot = markets[SWAP], markets[SPOT]
    assert (swap["linear"], swap["contractSize"], swap["active"]) == (True, 1, True)
    assert (swap["precision"]["price"], swap["precision"]["amount"]) == (0.1, 0.001)
    assert (spot["spot"], spot["precision"]["price"], spot["precision"]["amount"]) == (True, 0.01, 0.00001)


async def test_ccxt_places_finds_and_closes(client: Any) -> None:
    await client.create_order(SWAP, "market", "buy", 0.02, None, {"clientOrderId": "stock-1"})
    found = await ended(client, SWAP, "stock-1")
    assert (found["status"], found["filled"], found["clientOrderId"]) == ("closed", 0.02, "stock-1")
    (position,) = await client.fetch_positions([SWAP])
    assert (position["contracts"], position["side"]) == (0.02, "long")
    (trade,) = await client.fetch_my_trades(SWAP)
    assert (trade["fee"]["currency"], trade["fee"]["cost"] > 0, trade["side"]) == ("USDT", True, "buy")
    await client.create_order(
        SWAP, "market", "sell", 0.02, None, {"reduceOnly": True, "clientOrderId": "stock-2"}
    )
    await ended(client, SWAP, "stock-2")
    assert await client.fetch_positions([SWAP]) == []
    balance = (await client.fetch_balance({"type": "swap"}))["USDT"]
    assert 9990 < balance["total"] < 10000


async def test_ccxt_rests_and_cancels(client: Any) -> None:
    placed = await client.create_order(SWAP, "limit", "buy", 0.01, 63000)
    assert [order["id"] for order in await client.fetch_open_orders(SWAP)] == [placed["id"]]
    await client.cancel_order(placed["id"], SWAP)
    assert await client.fetch_open_orders(SWAP) == []
    assert (await client.fetch_order(placed["id"], SWAP))["status"] == "canceled"


async def test_ccxt_hedges(client: Any) -> None:
    await client.load_markets()
    await client.set_position_mode(True, SWAP)
    for number, side in enumerate(("buy", "sell")):
        await client.create_order(
            SWAP, "market", side, 0.02, None, {"hedged": True, "clientOrderId": f"hedge-{number}"}
        )
        await ended(client, SWAP, f"hedge-{number}")
    assert sorted(row["side"] for row in await client.fetch_positions([SWAP])) == ["long", "short"]
    await client.create_order(
        SWAP, "market", "sell", 0.02, None, {"hedged": True, "reduceOnly": True, "clientOrderId": "hedge-3"}
    )
    assert (await ended(client, SWAP, "hedge-3"))["side"] == "sell"
    assert [row["side"] for row in await client.fetch_positions([SWAP])] == ["short"]


async def test_ccxt_sets_leverage_and_margin_mode_and_places_a_stop(
    simulator: SimulatorProcess, client: Any
) -> None:
    await client.set_leverage(5, SWAP)
    await client.set_margin_mode("isolated", SWAP)
    await client.set_margin_mode("cross", SWAP)
    await client.create_order(SWAP, "market", "buy", 0.02, None, {"clientOrderId": "long-1"})
    await ended(client, SWAP, "long-1")
    params = {"stopLossPrice": 63000, "reduceOnly": True, "clientOrderId": "stop-1"}
    assert (await client.create_order(SWAP, "market", "sell", 0.02, None, params))["id"]
    waiting = await client.fetch_open_orders(SWAP, None, None, {"trigger": True, "planType": "profit_loss"})
    assert [order["clientOrderId"] for order in waiting] == ["stop-1"]
    simulator.operator.set_prices(BTCUSDT="62990.0")
    assert await client.fetch_positions([SWAP]) == []


async def test_ccxt_trades_coins(client: Any) -> None:
    await client.create_order(SPOT, "limit", "sell", 0.01, 63500, {"clientOrderId": "coin-1"})
    assert (await ended(client, SPOT, "coin-1"))["filled"] == 0.01
    await client.create_market_buy_order_with_cost(SPOT, 640.01, {"clientOrderId": "coin-2"})
    assert (await ended(client, SPOT, "coin-2"))["filled"] == 0.01
    resting = await client.create_order(SPOT, "limit", "buy", 0.01, 61500)
    assert [order["id"] for order in await client.fetch_open_orders(SPOT)] == [resting["id"]]
    await client.cancel_order(resting["id"], SPOT)
    trades = await client.fetch_my_trades(SPOT)
    assert {trade["fee"]["currency"] for trade in trades} == {"BTC", "USDT"}
    balance = await client.fetch_balance({"type": "spot"})
    assert balance["BTC"]["total"] == pytest.approx(1 - 0.01 * 0.0005)


async def test_ccxt_reads_tickers_books_and_funding(simulator: SimulatorProcess, client: Any) -> None:
    assert (await client.fetch_ticker(SWAP))["last"] == 64000
    assert (await client.fetch_ticker(SPOT))["last"] == 64000
    assert (await client.fetch_order_book(SWAP))["asks"][0][0] == 64000.1
    assert (await client.fetch_funding_rate(SWAP))["fundingRate"] == 0.0001
    await client.create_order(SWAP, "market", "buy", 0.02, None, {"clientOrderId": "fund-1"})
    await ended(client, SWAP, "fund-1")
    simulator.operator.post("/sim/funding", {"symbol": "BTCUSDT", "rate": "0.0001"})
    (paid,) = await client.fetch_funding_history(SWAP)
    assert paid["amount"] == pytest.approx(-0.128)


@pytest.mark.parametrize(
    ("field", "value", "code"), [("secret", "0" * 64, "40009"), ("password", "wrong", "40012")]
)
async def test_ccxt_with_a_wrong_proof_is_refused(
    simulator: SimulatorProcess, field: str, value: str, code: str
) -> None:
    row = simulator.operator.open_account(f"bitget-ccxt-{field}")
    client = stock_client(simulator, row["api_key"], row["api_secret"])
    setattr(client, field, value)
    try:
        with pytest.raises(ccxt.AuthenticationError, match=code):
            await client.create_order(SWAP, "market", "buy", 0.02)
    finally:
        await client.close()
    assert simulator.operator.ledger("orders", row["account_id"]) == []
