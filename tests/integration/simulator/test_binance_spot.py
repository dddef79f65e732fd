"""The spot dialect over real sockets: orders paid from wallets, conditional orders that lock, and the WebSocket API."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from tests.integration.simulator.client import Trader, next_event
from tests.integration.simulator.conftest import MakeTrader
from tests.support.simulator import SimulatorProcess

D = Decimal
ORDER = "/api/v3/order"
MARKET: dict[str, Any] = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
LIMIT: dict[str, Any] = {**MARKET, "type": "LIMIT", "price": "63000", "timeInForce": "GTC"}
STOP: dict[str, Any] = {**MARKET, "side": "SELL", "type": "STOP_LOSS", "stopPrice": "60000"}


@pytest.fixture
def trader(make_trader: MakeTrader) -> Trader:
    return make_trader(balances={"BTC": "1"})


async def wallets(trader: Trader) -> dict[str, tuple[Decimal, Decimal]]:
    rows = (await trader.get("/api/v3/account", omitZeroBalances="true")).body["balances"]
    return {row["asset"]: (D(row["free"]), D(row["locked"])) for row in rows}


async def test_a_market_order_trades_coins_against_quote_currency_and_keeps_its_fee_in_coins(
    trader: Trader,
) -> None:
    placed = await trader.call("POST", ORDER, **MARKET)
    assert (placed.body["status"], placed.body["executedQty"]) == ("FILLED", "0.01000000")
    (fill,) = placed.body["fills"]
    assert (fill["commissionAsset"], D(fill["commission"])) == ("BTC", D("0.000005"))
    found = await wallets(trader)
    assert found["BTC"] == (D("1.009995"), D(0))
    assert found["USDT"][0] == 10_000 - D(placed.body["cummulativeQuoteQty"])
    (trade,) = (await trader.get("/api/v3/myTrades", symbol="BTCUSDT", orderId=placed.body["orderId"])).body
    assert (trade["id"], trade["isBuyer"]) == (fill["tradeId"], True)


async def test_an_order_may_name_the_amount_to_spend(trader: Trader) -> None:
    amount = {**MARKET, "quoteOrderQty": "100"}
    del amount["quantity"]
    placed = await trader.call("POST", ORDER, **amount)
    assert D(90) < D(placed.body["cummulativeQuoteQty"]) <= D(100)


async def test_a_resting_order_locks_what_it_would_pay_until_it_is_cancelled(trader: Trader) -> None:
    placed = await trader.call("POST", ORDER, **LIMIT, newClientOrderId="mine")
    assert (await wallets(trader))["USDT"] == (D(9370), D(630))
    again = await trader.call("POST", ORDER, **LIMIT, newClientOrderId="mine")
    assert (again.code, again.body["msg"]) == (-2010, "Duplicate order sent.")
    cancelled = await trader.call("DELETE", ORDER, symbol="BTCUSDT", origClientOrderId="mine")
    assert (cancelled.body["origClientOrderId"], cancelled.body["status"]) == ("mine", "CANCELED")
    assert cancelled.body["clientOrderId"] != "mine"
    assert (await wallets(trader))["USDT"] == (D(10_000), D(0))
    found = await trader.get(ORDER, symbol="BTCUSDT", orderId=placed.body["orderId"])
    assert found.body["status"] == "CANCELED"


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({**MARKET, "symbol": "NOPE"}, -1121, "Invalid symbol"),
        ({**MARKET, "symbol": "BTCUSDT:SPOT"}, -1121, "Invalid symbol"),
        ({**MARKET, "quantity": "100"}, -2010, "insufficient balance"),
        ({**MARKET, "quantity": "0.00005"}, -1013, "NOTIONAL"),
        ({**MARKET, "quantity": "0.000001"}, -1111, "Precision"),
        ({**MARKET, "reduceOnly": "true"}, -1106, "reduceOnly"),
        ({**MARKET, "positionSide": "LONG"}, -1106, "positionSide"),
        ({**LIMIT, "price": "63000.001"}, -1111, "Precision"),
        ({**LIMIT, "timeInForce": "GTX"}, -1115, "timeInForce"),
        ({**STOP, "stopPrice": "65000"}, -2010, "would trigger immediately"),
        ({**STOP, "quantity": "2"}, -2010, "insufficient balance"),
    ],
)  # fmt: skip
async def test_refusals_in_the_markets_own_words(
    trader: Trader, params: dict[str, Any], code: int, text: str
) -> None:
    answer = await trader.call("POST", ORDER, **params)
    assert (answer.status, answer.code) == (400, code)
    assert text in answer.body["msg"]


async def test_a_stop_locks_its_coins_sells_them_at_its_price_and_keeps_its_number(
    trader: Trader, simulator: SimulatorProcess
) -> None:
    placed = await trader.call("POST", ORDER, **STOP, newClientOrderId="stop")
    assert set(placed.body) == {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
    assert (await wallets(trader))["BTC"] == (D("0.99"), D("0.01"))
    (waiting,) = (await trader.get("/api/v3/openOrders")).body
    assert (waiting["type"], waiting["isWorking"], waiting["status"]) == ("STOP_LOSS", False, "NEW")
    twice = await trader.call("POST", ORDER, **LIMIT, newClientOrderId="stop")
    assert twice.code == -2010
    simulator.operator.set_prices(BTCUSDT="59900.0")
    found = await trader.get(ORDER, symbol="BTCUSDT", origClientOrderId="stop")
    assert (found.body["status"], found.body["type"]) == ("FILLED", "STOP_LOSS")
    assert found.body["orderId"] == placed.body["orderId"]
    (trade,) = (await trader.get("/api/v3/myTrades", symbol="BTCUSDT")).body
    assert (trade["orderId"], trade["isBuyer"]) == (placed.body["orderId"], False)


async def test_a_waiting_stop_is_cancelled_like_an_order(trader: Trader) -> None:
    await trader.call("POST", ORDER, **STOP, newClientOrderId="stop")
    cancelled = await trader.call("DELETE", ORDER, symbol="BTCUSDT", origClientOrderId="stop")
    assert (cancelled.body["status"], cancelled.body["origClientOrderId"]) == ("CANCELED", "stop")
    assert (await trader.call("DELETE", ORDER, symbol="BTCUSDT", origClientOrderId="stop")).code == -2011
    assert (await wallets(trader))["BTC"] == (D(1), D(0))


async def test_a_key_without_the_right_to_spot_reads_and_does_not_trade(make_trader: MakeTrader) -> None:
    reader = make_trader(permissions={"spot": False})
    assert (await reader.call("POST", ORDER, **MARKET)).code == -2015
    assert (await reader.get("/api/v3/account")).status == 200
    futures = await reader.call("POST", "/fapi/v1/order", **MARKET)
    assert futures.status == 200


async def test_windows_of_trades_are_a_day_at_most(trader: Trader) -> None:
    now = int(time.time() * 1000)
    wide = await trader.get("/api/v3/myTrades", symbol="BTCUSDT", startTime=now - 86_400_001, endTime=now)
    assert wide.code == -1127


async def test_the_markets_do_not_show_each_others_orders(trader: Trader) -> None:
    await trader.call("POST", ORDER, **LIMIT, newClientOrderId="here")
    assert (await trader.get("/fapi/v1/openOrders")).body == []
    assert (await trader.get("/dapi/v1/openOrders")).body == []
    assert (await trader.get("/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="here")).code == -2013


@pytest.fixture
async def api(trader: Trader) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    socket = await trader.session.ws_connect(trader.ws_url + "/ws-api/v3")
    yield socket
    await socket.close()


def subscription(trader: Trader, **change: object) -> str:
    params: dict[str, Any] = {"apiKey": trader.api_key, "timestamp": int(time.time() * 1000)} | change
    text = "&".join(f"{name}={params[name]}" for name in sorted(params))
    params = {**params, "signature": change.get("signature", trader.sign(text))}
    return json.dumps({"id": "7", "method": "userDataStream.subscribe.signature", "params": params})


async def test_a_signed_subscription_hears_orders_and_wallets(
    trader: Trader, api: aiohttp.ClientWebSocketResponse
) -> None:
    await api.send_str(subscription(trader))
    answer = await next_event(api)
    assert (answer["id"], answer["status"], answer["result"]) == ("7", 200, {"subscriptionId": 0})
    await trader.call("POST", ORDER, **MARKET, newClientOrderId="mine")
    trade = await next_event(api, lambda m: m["event"].get("x") == "TRADE")
    assert (trade["subscriptionId"], trade["event"]["c"], trade["event"]["N"]) == (0, "mine", "BTC")
    seen: set[str] = set()
    await trader.call("POST", ORDER, **MARKET)
    while seen != {"BTC", "USDT"}:
        told = await next_event(api, lambda m: m["event"]["e"] == "outboundAccountPosition")
        seen.add(told["event"]["B"][0]["a"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"signature": "0" * 64}, -1022), ({"timestamp": 1}, -1021), ({"apiKey": "nobody"}, -2015), ({"apiKey": ""}, -1102),
        ({"recvWindow": 70_000}, -1131),
    ],
)  # fmt: skip
async def test_a_subscription_that_proves_nothing_is_refused(
    trader: Trader, api: aiohttp.ClientWebSocketResponse, change: dict[str, Any], code: int
) -> None:
    await api.send_str(subscription(trader, **change))
    answer = await next_event(api)
    assert answer["error"]["code"] == code


@pytest.mark.parametrize(
    "text", ["x", "[]", "{}", '{"id":1,"method":"nope"}', '{"id":1,"method":"ping","params":3}']
)
async def test_a_senseless_request_is_answered_and_the_connection_lives(
    api: aiohttp.ClientWebSocketResponse, text: str
) -> None:
    await api.send_str(text)
    assert "error" in await next_event(api)
    await api.send_str('{"id":2,"method":"ping"}')
    assert (await next_event(api))["status"] == 200


async def test_an_ended_subscription_says_so(trader: Trader, api: aiohttp.ClientWebSocketResponse) -> None:
    await api.send_str(subscription(trader))
    await next_event(api)
    twice = subscription(trader)
    await api.send_str(twice)
    assert (await next_event(api))["error"]["code"] == -2035
    await api.send_str('{"id":3,"method":"userDataStream.unsubscribe"}')
    assert (await next_event(api))["event"]["e"] == "eventStreamTerminated"


async def test_an_injected_expiry_ends_the_subscription(
    trader: Trader, simulator: SimulatorProcess, api: aiohttp.ClientWebSocketResponse
) -> None:
    await api.send_str(subscription(trader))
    await next_event(api)
    simulator.operator.add_fault("WS", "expire", times=1, account_id=trader.account_id)
    await trader.call("POST", ORDER, **MARKET)
    await next_event(api, lambda m: m["event"]["e"] == "eventStreamTerminated")


async def test_the_stream_of_all_tickers_tells_last_prices(
    trader: Trader, simulator: SimulatorProcess
) -> None:
    async with trader.session.ws_connect(trader.ws_url + "/ws/!miniTicker@arr") as socket:

        async def moved() -> Any:
            return await next_event(socket, lambda rows: rows[0]["s"] == "BTCUSDT")

        heard = asyncio.create_task(moved())
        while not heard.done():
            simulator.operator.set_prices(BTCUSDT="64100.0")
            await trader.get("/api/v3/ping")
        assert (await heard)[0]["c"] == "64100.00"
    price = await trader.call("GET", "/api/v3/ticker/price", signed=False, symbol="BTCUSDT")
    assert price.body == {"symbol": "BTCUSDT", "price": "64100.00000000"}


async def test_the_rights_of_the_key_name_spot(make_trader: MakeTrader) -> None:
    facts = (await make_trader(permissions={"spot": False}).get("/sapi/v1/account/apiRestrictions")).body
    assert (facts["enableSpotAndMarginTrading"], facts["enableFutures"]) == (False, True)
