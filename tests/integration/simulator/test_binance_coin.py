"""The COIN-M dialect over real sockets: contracts of a face value, a wallet for each coin, conditional orders in the Algo Service."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.integration.simulator.client import Trader, next_event
from tests.integration.simulator.conftest import MakeTrader
from tests.support.simulator import SimulatorProcess

D = Decimal
ORDER = "/dapi/v1/order"
MARKET: dict[str, Any] = {
    "symbol": "BTCUSD_PERP",
    "side": "BUY",
    "type": "MARKET",
    "quantity": "7",
    "newOrderRespType": "RESULT",
}
ALGO = "/dapi/v1/algoOrder"
STOP: dict[str, Any] = {
    "symbol": "BTCUSD_PERP", "side": "SELL", "type": "STOP_MARKET", "quantity": "7", "triggerPrice": "60000",
    "reduceOnly": "true", "workingType": "MARK_PRICE", "algoType": "CONDITIONAL",
}  # fmt: skip


@pytest.fixture
def trader(make_trader: MakeTrader) -> Trader:
    return make_trader(balances={"BTC": "1"})


async def test_orders_count_contracts_and_settle_in_coins(trader: Trader) -> None:
    placed = await trader.call("POST", ORDER, **MARKET)
    assert (placed.body["status"], placed.body["executedQty"], placed.body["pair"]) == (
        "FILLED",
        "7",
        "BTCUSD",
    )
    assert D(placed.body["cumBase"]) == (700 / D(placed.body["avgPrice"])).quantize(D("0.00000001"))
    (trade,) = (await trader.get("/dapi/v1/userTrades", symbol="BTCUSD_PERP")).body
    assert (trade["qty"], trade["commissionAsset"], trade["marginAsset"]) == ("7", "BTC", "BTC")
    wallet = next(row for row in (await trader.get("/dapi/v1/balance")).body if row["asset"] == "BTC")
    assert D(wallet["balance"]) == 1 - D(trade["commission"])
    (row,) = [p for p in (await trader.get("/dapi/v1/positionRisk")).body if D(p["positionAmt"])]
    assert (row["symbol"], row["positionAmt"]) == ("BTCUSD_PERP", "7")


async def test_the_wallets_of_the_markets_are_apart(make_trader: MakeTrader) -> None:
    poor = make_trader()  # USDT alone
    refused = await poor.call("POST", ORDER, **MARKET)
    assert refused.code == -2019
    assert (
        await poor.call("POST", "/fapi/v1/order", **{**MARKET, "symbol": "BTCUSDT", "quantity": "0.01"})
    ).status == 200


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"symbol": "BTCUSDT"}, -1121), ({"symbol": "BTCUSD"}, -1121), ({"quantity": "0.5"}, -1111),
        ({"quantity": "0"}, -4003), ({"quantity": "2000000"}, -4005), ({"positionSide": "LONG"}, -4061),
        ({"side": "SELL", "reduceOnly": "true"}, -2022),
    ],
)  # fmt: skip
async def test_refusals(trader: Trader, change: dict[str, Any], code: int) -> None:
    assert (await trader.call("POST", ORDER, **{**MARKET, **change})).code == code


async def test_a_listing_names_contract_sizes_and_no_least_notional(trader: Trader) -> None:
    rows = (await trader.call("GET", "/dapi/v1/exchangeInfo", signed=False)).body["symbols"]
    sizes = {row["symbol"]: (row["contractSize"], row["marginAsset"], row["contractStatus"]) for row in rows}
    assert sizes == {"BTCUSD_PERP": (100, "BTC", "TRADING"), "ETHUSD_PERP": (10, "ETH", "TRADING")}
    assert all(entry["filterType"] != "MIN_NOTIONAL" for row in rows for entry in row["filters"])


async def test_a_conditional_order_waits_in_the_algo_service_and_becomes_an_order(
    trader: Trader, simulator: SimulatorProcess
) -> None:
    await trader.call("POST", ORDER, **MARKET)
    placed = await trader.call("POST", ALGO, **STOP, clientAlgoId="stop")
    assert (placed.body["algoStatus"], placed.body["symbol"], placed.body["quantity"]) == (
        "NEW",
        "BTCUSD_PERP",
        "7",
    )
    assert (await trader.get("/fapi/v1/openAlgoOrders")).body == []
    assert (await trader.get("/fapi/v1/algoOrder", clientAlgoId="stop")).code == -2013
    assert len((await trader.get("/dapi/v1/openAlgoOrders")).body) == 1
    simulator.operator.set_prices(BTCUSDT="59900.0")
    found = (await trader.get(ALGO, clientAlgoId="stop")).body
    trades = (
        await trader.get("/dapi/v1/userTrades", symbol="BTCUSD_PERP", orderId=found["actualOrderId"])
    ).body
    assert ([trade["side"] for trade in trades], found["algoStatus"]) == (["SELL"], "FINISHED")


@pytest.mark.parametrize("root", ["/fapi/v1", "/dapi/v1"])
async def test_the_order_endpoints_refuse_conditional_orders(trader: Trader, root: str) -> None:
    symbol = "BTCUSD_PERP" if root == "/dapi/v1" else "BTCUSDT"
    refused = await trader.call("POST", root + "/order", **{**STOP, "symbol": symbol})
    assert refused.code == -4120
    at_once = {**STOP, "symbol": symbol, "triggerPrice": "70000", "quantity": "1"}
    assert (await trader.call("POST", root + "/algoOrder", **at_once)).code == -2021


async def listen(trader: Trader) -> Any:
    key = (await trader.call("POST", "/dapi/v1/listenKey", signed=False)).body["listenKey"]
    assert key != await trader.listen_key()  # that of USD-M
    return await trader.session.ws_connect(f"{trader.ws_url}/ws/{key}")


async def test_the_stream_tells_what_waits_and_what_it_becomes(
    trader: Trader, simulator: SimulatorProcess
) -> None:
    await trader.call("POST", ORDER, **MARKET)
    socket = await listen(trader)
    await trader.call("POST", ALGO, **STOP, clientAlgoId="stop")
    simulator.operator.set_prices(BTCUSDT="59900.0")
    seen: list[str] = []
    while not seen or seen[-1] != "FINISHED":
        message = await next_event(socket, lambda m: m["e"] in {"ALGO_UPDATE", "ORDER_TRADE_UPDATE"})
        assert message["o"]["s"] == "BTCUSD_PERP"
        seen.append(message["o"]["x"] if message["e"] == "ORDER_TRADE_UPDATE" else message["o"]["X"])
    assert seen == ["NEW", "NEW", "TRADE", "TRIGGERED", "FINISHED"]
    await socket.close()


async def test_each_stream_hears_its_own_market(trader: Trader) -> None:
    coin, usdm = await listen(trader), await trader.user_stream()
    await trader.market()
    assert (await next_event(usdm, lambda m: m["e"] == "ORDER_TRADE_UPDATE"))["o"]["s"] == "BTCUSDT"
    await trader.call("POST", ORDER, **MARKET)
    first = await next_event(coin)
    assert first["o"]["s"] == "BTCUSD_PERP"
    wallet = await next_event(coin, lambda m: m["e"] == "ACCOUNT_UPDATE")
    assert [row["a"] for row in wallet["a"]["B"]] == ["BTC"]
    for socket in (coin, usdm):
        await socket.close()


async def test_funding_is_income_of_its_own_market(trader: Trader, simulator: SimulatorProcess) -> None:
    await trader.call("POST", ORDER, **MARKET)
    simulator.operator.post("/sim/funding", {"symbol": "BTCUSD:INVERSE", "rate": "0.001"})
    (row,) = (await trader.get("/dapi/v1/income", incomeType="FUNDING_FEE")).body
    assert (row["symbol"], row["asset"], D(row["income"]) < 0) == ("BTCUSD_PERP", "BTC", True)
    assert (await trader.get("/fapi/v1/income", incomeType="FUNDING_FEE")).body == []


async def test_modes_and_leverage_are_set(trader: Trader) -> None:
    call = trader.call
    assert (await call("POST", "/dapi/v1/leverage", symbol="BTCUSD_PERP", leverage=7)).body["leverage"] == 7
    path = "/dapi/v1/marginType"
    assert (await call("POST", path, symbol="BTCUSD_PERP", marginType="ISOLATED")).body["code"] == 200
    assert (await call("POST", path, symbol="BTCUSD_PERP", marginType="ISOLATED")).code == -4046
    await call("POST", ORDER, **MARKET)
    (row,) = [p for p in (await trader.get("/dapi/v1/positionRisk")).body if D(p["positionAmt"])]
    assert (row["marginType"], row["leverage"], D(row["isolatedWallet"]) > 0) == ("isolated", "7", True)
    assert D(row["liquidationPrice"]) > 0


async def test_marks_come_on_the_stream_that_was_opened_and_on_those_asked_for(
    trader: Trader, simulator: SimulatorProcess
) -> None:
    async with trader.session.ws_connect(trader.ws_url + "/ws/btcusd_perp@markPrice@1s") as socket:
        await socket.send_json({"method": "SUBSCRIBE", "params": ["ethusd_perp@markPrice@1s"], "id": 1})
        assert (await next_event(socket)) == {"result": None, "id": 1}
        simulator.operator.set_prices(BTCUSDT="64100.0", ETHUSDT="3300.00")
        heard = [await next_event(socket) for _ in range(2)]
    assert {row["s"]: D(row["p"]) for row in heard} == {"BTCUSD_PERP": D(64100), "ETHUSD_PERP": D(3300)}
