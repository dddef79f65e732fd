"""Plan orders of the Bitget dialect, and what is special at its spot market."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.integration.simulator.bitget_client import (
    LINE,
    SPOT_PLACE,
    SPOT_PLAN,
    TPSL,
    BitgetTrader,
    open_trader,
)
from tests.support.simulator import SimulatorProcess


@pytest.fixture
def trader(simulator: SimulatorProcess, session: aiohttp.ClientSession) -> BitgetTrader:
    return open_trader(simulator, session, balances={"BTC": "1"})


@pytest.mark.parametrize(
    ("held", "plan", "trigger", "code"),
    [
        ("buy", "loss_plan", "65000", "40917"), ("buy", "profit_plan", "63000", "40915"),
        ("sell", "loss_plan", "63000", "45122"), ("sell", "profit_plan", "65000", "40832"),
    ],
)  # fmt: skip
async def test_a_plan_that_would_trigger_at_once_is_refused(
    trader: BitgetTrader, held: str, plan: str, trigger: str, code: str
) -> None:
    fields = {**LINE, "planType": plan, "triggerPrice": trigger, "triggerType": "mark_price", "size": "0.01"}
    assert (await trader.post(TPSL, **fields, holdSide=held)).code == "40837"  # there is no position yet
    await trader.fill(held)
    assert (await trader.post(TPSL, **fields, holdSide=held)).code == code


async def test_a_plan_closes_at_its_trigger_and_tells_what_it_became(
    trader: BitgetTrader, simulator: SimulatorProcess
) -> None:
    await trader.fill("buy")
    fields = {**LINE, "planType": "loss_plan", "triggerPrice": "63000", "triggerType": "mark_price"}
    placed = (await trader.post(TPSL, **fields, holdSide="buy", size="0.01", clientOid="stop")).data
    pending = "/api/v2/mix/order/orders-plan-pending"
    (row,) = (await trader.get(pending, **LINE, planType="profit_loss")).data["entrustedList"]
    assert (row["orderId"], row["planStatus"]) == (placed["orderId"], "live")
    assert (await trader.get(pending, **LINE, planType="normal_plan")).data["entrustedList"] is None
    simulator.operator.set_prices(BTCUSDT="62900.0")
    assert await trader.positions() == []
    history = "/api/v2/mix/order/orders-plan-history"
    (ended,) = (await trader.get(history, **LINE, planType="profit_loss", clientOid="stop")).data[
        "entrustedList"
    ]
    assert ended["planStatus"] == "executed"
    assert (await trader.settled(ended["executeOrderId"]))["baseVolume"] == "0.01"


async def test_plans_go_with_their_position(trader: BitgetTrader) -> None:
    await trader.fill("buy")
    fields = {**LINE, "triggerPrice": "60000", "triggerType": "mark_price", "holdSide": "buy"}
    await trader.post(TPSL, **fields, planType="loss_plan", size="0.01", clientOid="part")
    await trader.post(TPSL, **fields, planType="pos_loss", clientOid="whole")
    await trader.fill("sell", reduceOnly="YES")
    history = "/api/v2/mix/order/orders-plan-history"
    rows = (await trader.get(history, **LINE, planType="profit_loss")).data["entrustedList"]
    assert {row["clientOid"]: row["planStatus"] for row in rows} == {
        "part": "cancelled",
        "whole": "cancelled",
    }


async def test_cancelling_plans_tells_what_failed(trader: BitgetTrader) -> None:
    await trader.fill("buy")
    fields = {**LINE, "planType": "loss_plan", "triggerPrice": "60000", "size": "0.01", "holdSide": "buy"}
    await trader.post(TPSL, **fields, clientOid="there")
    named = [{"clientOid": "there"}, {"clientOid": "nowhere"}]
    got = (await trader.post("/api/v2/mix/order/cancel-plan-order", **LINE, orderIdList=named)).data
    assert [row["clientOid"] for row in got["successList"]] == ["there"]
    assert [row["clientOid"] for row in got["failureList"]] == ["nowhere"]


async def test_a_spot_purchase_at_market_names_an_amount_and_pays_in_coins(trader: BitgetTrader) -> None:
    order = {"symbol": "BTCUSDT", "side": "buy", "orderType": "market", "force": "gtc", "size": "640.01"}
    placed = (await trader.post(SPOT_PLACE, **order, clientOid="amount")).data
    async with asyncio.timeout(5):
        while True:
            (row,) = (await trader.get("/api/v2/spot/trade/orderInfo", clientOid="amount")).data
            if row["status"] == "filled":
                break
    assert (row["size"], row["baseVolume"], row["orderId"]) == ("640.01", "0.01000", placed["orderId"])
    (fill,) = (await trader.get("/api/v2/spot/trade/fills", symbol="BTCUSDT")).data
    assert (fill["feeDetail"]["feeCoin"], fill["size"]) == ("BTC", "0.01000")
    assert (await trader.get("/api/v2/spot/trade/orderInfo", clientOid="nobody")).data == []


async def test_a_spot_plan_waits_from_where_the_price_is_and_ties_up_coins(
    trader: BitgetTrader, simulator: SimulatorProcess
) -> None:
    plan = {
        "symbol": "BTCUSDT",
        "side": "sell",
        "orderType": "market",
        "size": "0.6",
        "triggerType": "mark_price",
    }
    below = (await trader.post(SPOT_PLAN, **plan, triggerPrice="63000", clientOid="below")).data["orderId"]
    (coin,) = (await trader.get("/api/v2/spot/account/assets", coin="BTC")).data
    assert (coin["available"], coin["frozen"]) == ("0.4", "0.6")
    assert (await trader.post(SPOT_PLAN, **plan, triggerPrice="65000")).code == "43012"
    current = (await trader.get("/api/v2/spot/trade/current-plan-order", symbol="BTCUSDT")).data
    assert [row["clientOid"] for row in current["orderList"]] == ["below"]
    simulator.operator.set_prices(BTCUSDT="62900.0")
    (became,) = (await trader.get("/api/v2/spot/trade/plan-sub-order", planOrderId=below)).data
    (row,) = (await trader.get("/api/v2/spot/trade/orderInfo", orderId=became["orderId"])).data
    assert (row["side"], row["baseVolume"]) == ("sell", "0.6")
    assert (await trader.post("/api/v2/spot/trade/cancel-plan-order", orderId=below)).code == "43025"
