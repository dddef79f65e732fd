"""Strangers' stock clients trade on the simulator: the venue's own SDKs, and ccxt at spot and COIN-M."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import ccxt.async_support as ccxt
import pytest
from binance.cm_futures import CMFutures  # type: ignore[import-untyped]  # the SDK ships no types
from binance.error import ClientError  # type: ignore[import-untyped]  # the SDK ships no types
from binance.spot import Spot  # type: ignore[import-untyped]  # the SDK ships no types
from binance.um_futures import UMFutures  # type: ignore[import-untyped]  # the SDK ships no types

from tests.integration.simulator.test_ccxt import rebased
from tests.support.simulator import SimulatorProcess

Open = Callable[[Any], Any]


@pytest.fixture
def opened(simulator: SimulatorProcess, request: pytest.FixtureRequest) -> dict[str, Any]:
    row = simulator.operator.open_account(f"sdk-{request.node.name}", balances={"BTC": "1"})
    return {**row, "base_url": simulator.base_url}


def client_of(kind: Any, row: dict[str, Any], secret: str = "") -> Any:
    """An SDK client; the spot one calls its key otherwise."""
    name, word = ("api_key", "api_secret") if kind is Spot else ("key", "secret")
    return kind(
        **{name: row["api_key"], word: secret or row["api_secret"]}, base_url=row["base_url"], timeout=10
    )


KINDS = [(Spot, "BTCUSDT", "0.01"), (UMFutures, "BTCUSDT", "0.01"), (CMFutures, "BTCUSD_PERP", "7")]


@pytest.mark.parametrize(("kind", "symbol", "size"), KINDS)
def test_the_venues_own_sdk_places_finds_and_cancels(
    opened: dict[str, Any], kind: Any, symbol: str, size: str
) -> None:
    client = client_of(kind, opened)
    market = client.new_order(
        symbol=symbol, side="BUY", type="MARKET", quantity=size, newClientOrderId="sdk-1"
    )
    query = client.get_order if kind is Spot else client.query_order
    found = query(symbol=symbol, origClientOrderId="sdk-1")
    assert (found["orderId"], found["status"]) == (market["orderId"], "FILLED")
    trades = client.my_trades(symbol) if kind is Spot else client.get_account_trades(symbol=symbol)
    assert [trade["orderId"] for trade in trades] == [market["orderId"]]
    resting = client.new_order(
        symbol=symbol, side="BUY", type="LIMIT", quantity=size, price="63000", timeInForce="GTC",
        newClientOrderId="sdk-2",
    )  # fmt: skip
    listed = client.get_open_orders(symbol) if kind is Spot else client.get_orders(symbol=symbol)
    assert [row["orderId"] for row in listed] == [resting["orderId"]]
    assert client.cancel_order(symbol=symbol, origClientOrderId="sdk-2")["status"] == "CANCELED"


@pytest.mark.parametrize(("kind", "symbol", "size"), KINDS)
def test_the_sdks_wrong_signature_is_refused(
    opened: dict[str, Any], kind: Any, symbol: str, size: str
) -> None:
    client = client_of(kind, opened, secret="0" * 64)
    with pytest.raises(ClientError) as refusal:
        client.new_order(symbol=symbol, side="BUY", type="MARKET", quantity=size)
    assert refusal.value.error_code == -1022


def test_the_spot_sdk_reads_wallets_fees_and_places_a_stop(
    opened: dict[str, Any], simulator: SimulatorProcess
) -> None:
    client = client_of(Spot, opened)
    assert {row["asset"]: row["free"] for row in client.account()["balances"]}["BTC"] == "1.00000000"
    stop = client.new_order(
        "BTCUSDT", "SELL", "STOP_LOSS", quantity=0.5, stopPrice=60000, newClientOrderId="stop"
    )
    simulator.operator.set_prices(BTCUSDT="59900.0")
    assert client.get_order("BTCUSDT", orderId=stop["orderId"])["status"] == "FILLED"


def test_the_futures_sdks_read_positions_wallets_and_set_leverage(opened: dict[str, Any]) -> None:
    for kind, symbol, size in KINDS[1:]:
        client = client_of(kind, opened)
        client.new_order(symbol=symbol, side="SELL", type="MARKET", quantity=size)
        held = [row for row in client.get_position_risk() if float(row["positionAmt"])]
        assert [(row["symbol"], row["positionAmt"][0]) for row in held] == [(symbol, "-")]
        assert client.change_leverage(symbol=symbol, leverage=9)["leverage"] == 9
        assert client.balance()
        assert client.account()["assets"]


@pytest.fixture(params=["binance", "binancecoinm"])
async def stock(request: pytest.FixtureRequest, opened: dict[str, Any]) -> AsyncIterator[Any]:
    client = getattr(ccxt, request.param)({"apiKey": opened["api_key"], "secret": opened["api_secret"]})
    client.urls["api"] = rebased(client.urls["api"], opened["base_url"])
    client.has["fetchCurrencies"] = False
    spot = request.param == "binance"
    # Signed, a stock client also asks which pairs may be traded on margin, which is no business of this exchange.
    client.options |= {"fetchMarkets": {"types": ["spot" if spot else "inverse"]}, "fetchMargins": False}
    yield client
    await client.close()


async def test_ccxt_trades_at_spot_and_coinm(stock: Any) -> None:
    spot = stock.id == "binance"
    symbol, size = ("BTC/USDT", 0.01) if spot else ("BTC/USD:BTC", 7)
    market = (await stock.load_markets())[symbol]
    assert (market["spot"], market["inverse"], market["contractSize"]) == (
        (True, None, None) if spot else (False, True, 100)
    )
    placed = await stock.create_order(symbol, "market", "buy", size, None, {"clientOrderId": "stock-1"})
    found = await stock.fetch_order(None, symbol, {"clientOrderId": "stock-1"})
    assert (found["id"], found["status"], found["filled"]) == (placed["id"], "closed", size)
    resting = await stock.create_order(symbol, "limit", "buy", size, 63000)
    assert [row["id"] for row in await stock.fetch_open_orders(symbol)] == [resting["id"]]
    assert (await stock.cancel_order(resting["id"], symbol))["status"] == "canceled"
    trade = (await stock.fetch_my_trades(symbol))[0]
    assert (trade["order"], trade["fee"]["currency"]) == (placed["id"], "BTC")
    balance = await stock.fetch_balance()
    assert balance["BTC"]["total"] > 0.9
    if not spot:
        (position,) = await stock.fetch_positions([symbol])
        assert (position["contracts"], position["side"]) == (7, "long")
    stop = await stock.create_order(symbol, "market", "sell", size, None, {"stopLossPrice": 60000})
    waits = {} if spot else {"trigger": True}  # at COIN-M it waits in the Algo Service
    assert [row["id"] for row in await stock.fetch_open_orders(symbol, None, None, waits)] == [stop["id"]]
