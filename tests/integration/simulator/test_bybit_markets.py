"""The Bybit dialect at spot, on inverse contracts, in hedge and isolated mode, and with conditional orders."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from tests.integration.simulator.bybit_client import Client
from tests.support.simulator import SimulatorProcess

SPOT: dict[str, Any] = {"category": "spot", "symbol": "BTCUSDT"}
INVERSE: dict[str, Any] = {"category": "inverse", "symbol": "BTCUSD"}
STOP: dict[str, Any] = {
    "reduceOnly": True, "closeOnTrigger": True, "triggerPrice": "63000", "triggerDirection": 2, "triggerBy": "MarkPrice",
}  # fmt: skip


@pytest.fixture
async def client(
    simulator: SimulatorProcess, session: aiohttp.ClientSession, request: pytest.FixtureRequest
) -> AsyncIterator[Client]:
    row = simulator.operator.open_account(f"markets-{request.node.name}", balances={"BTC": "1"})
    yield Client(session, simulator, row["account_id"], row["api_key"], row["api_secret"])
    simulator.operator.settings(limits={"requests_per_uid": 1_000_000})


async def wallet(client: Client, coin: str) -> Decimal:
    (row,) = await client.rows("/v5/account/wallet-balance", accountType="UNIFIED", coin=coin)
    return Decimal(row["coin"][0]["walletBalance"])


async def test_coins_are_bought_by_number_or_for_money_and_the_fee_is_kept_from_them(client: Client) -> None:
    await client.market("coins", qty="0.01", marketUnit="baseCoin", **SPOT)
    assert (await client.until("coins", "Filled", category="spot"))["cumExecQty"] == "0.01"
    await client.market("money", qty="640", **SPOT)
    bought = Decimal((await client.until("money", "Filled", category="spot"))["cumExecQty"])
    assert Decimal("0.0099") < bought <= Decimal("0.01")
    fee = (Decimal("0.01") + bought) * Decimal("0.0005")
    assert await wallet(client, "BTC") == 1 + Decimal("0.01") + bought - fee.quantize(Decimal("1E-8"))
    rows = await client.rows("/v5/execution/list", **SPOT)
    assert {row["feeCurrency"] for row in rows} == {"BTC"}
    log = await client.rows(
        "/v5/account/transaction-log", accountType="UNIFIED", category="spot", type="TRADE"
    )
    assert {row["currency"] for row in log} == {"BTC", "USDT"}
    assert (
        sum(Decimal(row["change"]) for row in log if row["currency"] == "BTC")
        == await wallet(client, "BTC") - 1
    )


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"qty": "5", "side": "Sell"}, 170131), ({"qty": "1", "marketUnit": "baseCoin"}, 170131),
        ({"qty": "0.00005", "marketUnit": "baseCoin"}, 170140), ({"qty": "0.000001", "side": "Sell"}, 170137),
        ({"symbol": "NOUSDT"}, 170121), ({"orderType": "Limit", "price": "64000.001", "qty": "0.1"}, 170134),
        ({"orderType": "Limit", "price": "1", "qty": "0.1"}, 170194), ({"qty": "0"}, 170130),
        ({"triggerPrice": "60000", "side": "Sell"}, 10001), ({"marketUnit": "lots"}, 10001),
    ],
)  # fmt: skip
async def test_a_spot_refusal_has_spots_own_number(client: Client, change: dict[str, Any], code: int) -> None:
    answer = await client.market("no", **{**SPOT, "qty": "640", **change})
    assert answer["retCode"] == code
    assert client.process.operator.ledger("orders", client.account_id) == []


async def test_a_spot_stop_locks_its_coins_is_triggered_and_keeps_its_id(client: Client) -> None:
    stop: dict[str, Any] = {
        **SPOT,
        "orderFilter": "tpslOrder",
        "triggerPrice": "63000",
        "marketUnit": "baseCoin",
    }
    placed = await client.market("stop", "Sell", "0.4", **stop)
    (row,) = await client.rows("/v5/order/realtime", category="spot", orderFilter="tpslOrder")
    assert (row["orderStatus"], row["stopOrderType"], row["basePrice"]) == (
        "Untriggered", "tpslOrder", "64000.0",
    )  # fmt: skip
    assert await client.rows("/v5/order/realtime", category="spot", orderFilter="Order") == []
    (account,) = await client.rows("/v5/account/wallet-balance", accountType="UNIFIED", coin="BTC")
    assert account["coin"][0]["locked"] == "0.40000000"
    assert (await client.market("more", "Sell", "0.7", **SPOT))["retCode"] == 170131
    assert (await client.market("stop", "Sell", "0.1", **stop))["retCode"] == 170141
    assert (await client.market("stop", "Sell", "0.1", **SPOT))["retCode"] == 170141
    wrong = await client.call("POST", "/v5/order/cancel", **SPOT, orderLinkId="stop")
    assert wrong["retCode"] == 170213  # without its filter it is looked for among orders
    client.process.operator.set_prices(BTCUSDT="62900.0")
    done = await client.until("stop", "Filled", category="spot")
    assert done["orderId"] == placed["result"]["orderId"]
    (execution,) = await client.rows("/v5/execution/list", category="spot", orderId=done["orderId"])
    assert (execution["orderId"], execution["orderLinkId"]) == (done["orderId"], "stop")
    assert await wallet(client, "BTC") == Decimal("0.6")


async def test_a_cancelled_spot_stop_gives_its_coins_back(client: Client) -> None:
    stop: dict[str, Any] = {**SPOT, "orderFilter": "tpslOrder", "triggerPrice": "65000"}
    await client.market("take", "Sell", "1", **stop)
    cancelled = await client.call(
        "POST", "/v5/order/cancel", **SPOT, orderLinkId="take", orderFilter="tpslOrder"
    )
    assert cancelled["retCode"] == 0
    (row,) = await client.find("take", "/v5/order/history", category="spot")
    assert (row["orderStatus"], row["cancelType"]) == ("Deactivated", "CancelByUser")
    assert (await client.market("all", "Sell", "1", **SPOT))["retCode"] == 0


async def test_an_inverse_contract_is_paid_and_settled_in_coins(client: Client) -> None:
    await client.market("in", qty="6400", **INVERSE)
    await client.until("in", "Filled", category="inverse", symbol="BTCUSD")
    (position,) = await client.rows("/v5/position/list", category="inverse")
    assert (position["symbol"], position["size"]) == ("BTCUSD", "6400")
    client.process.operator.set_prices(BTCUSDT="65000.0")
    await client.market("out", "Sell", "6400", reduceOnly=True, **INVERSE)
    await client.until("out", "Filled", category="inverse", symbol="BTCUSD")
    rows = await client.rows("/v5/execution/list", **INVERSE)
    entry, leaving = (Decimal(row["execPrice"]) for row in rows[::-1])
    earned = (Decimal(6400) / entry - Decimal(6400) / leaving).quantize(Decimal("1E-8"))
    log = await client.rows(
        "/v5/account/transaction-log", accountType="UNIFIED", category="inverse", type="TRADE", currency="BTC"
    )
    assert earned in {Decimal(row["cashFlow"]) for row in log}
    assert await wallet(client, "BTC") == 1 + earned - sum(Decimal(row["execFee"]) for row in rows)
    assert await wallet(client, "USDT") == 10_000


async def test_a_stop_waits_for_the_mark_is_one_order_all_its_life_and_closes(client: Client) -> None:
    await client.market("entry")
    await client.until("entry", "Filled")
    placed = await client.market("stop", "Sell", **STOP)
    row = await client.until("stop", "Untriggered")
    assert (row["stopOrderType"], row["triggerDirection"], row["triggerBy"]) == ("Stop", 2, "MarkPrice")
    assert (row["reduceOnly"], row["orderId"]) == (True, placed["result"]["orderId"])
    assert (
        await client.rows("/v5/order/realtime", category="linear", symbol="BTCUSDT", orderFilter="Order")
        == []
    )
    assert (await client.market("stop", "Sell", **STOP))["retCode"] == 110072
    assert (await client.market("entry", "Sell", **STOP))["retCode"] == 110072
    client.process.operator.set_prices(BTCUSDT="62999.9")
    assert (await client.until("stop", "Filled"))["orderId"] == placed["result"]["orderId"]
    (flat,) = await client.rows("/v5/position/list", category="linear", symbol="BTCUSDT")
    assert flat["size"] == "0"
    assert (await client.call("POST", "/v5/order/cancel", category="linear", symbol="BTCUSDT", orderLinkId="stop"))[
        "retCode"
    ] == 110001  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code"), [({}, 110093), ({"triggerDirection": 1, "triggerPrice": "63000"}, 110092)]
)
async def test_a_trigger_on_the_wrong_side_is_refused_by_direction(
    client: Client, change: dict[str, Any], code: int
) -> None:
    answer = await client.market("wrong", "Sell", **{**STOP, "triggerPrice": "65000", **change})
    assert answer["retCode"] == code
    assert await client.find("wrong") == []


async def test_a_stop_without_a_position_ends_with_nothing_done(client: Client) -> None:
    await client.market("lonely", "Sell", **STOP)
    client.process.operator.set_prices(BTCUSDT="62000.0")
    row = await client.until("lonely", "Cancelled")
    assert (row["cancelType"], row["cumExecQty"]) == ("CancelByReduceOnly", "0")
    assert client.process.operator.ledger("fills", client.account_id) == []


async def test_cancelling_everything_takes_what_waits_along_unless_told_otherwise(client: Client) -> None:
    await client.market("rest", orderType="Limit", price="63500", qty="0.01")
    await client.market("stop", "Sell", **STOP)
    where: dict[str, Any] = {"category": "linear", "symbol": "BTCUSDT"}
    only = await client.call("POST", "/v5/order/cancel-all", **where, orderFilter="StopOrder")
    assert [row["orderLinkId"] for row in only["result"]["list"]] == ["stop"]
    await client.market("stop-2", "Sell", **STOP)
    both = await client.call("POST", "/v5/order/cancel-all", **where)
    assert {row["orderLinkId"] for row in both["result"]["list"]} == {"rest", "stop-2"}


async def test_a_resting_order_is_amended(client: Client) -> None:
    where: dict[str, Any] = {"category": "linear", "symbol": "BTCUSDT"}
    await client.market("rest", orderType="Limit", price="63500", qty="0.01")
    amended = await client.call(
        "POST", "/v5/order/amend", **where, orderLinkId="rest", price="63400", qty="0.02"
    )
    assert amended["result"]["orderLinkId"] == "rest"
    (row,) = await client.find("rest")
    assert (row["price"], row["qty"]) == ("63400", "0.02")


async def test_in_hedge_mode_each_side_has_its_index_and_orders_must_name_it(client: Client) -> None:
    switch: dict[str, Any] = {"category": "linear", "coin": "USDT"}
    assert (await client.call("POST", "/v5/position/switch-mode", **switch, mode=3))["retCode"] == 0
    assert (await client.call("POST", "/v5/position/switch-mode", **switch, mode=3))["retCode"] == 110025
    plain = await client.market("plain")
    assert (plain["retCode"], "not match position mode" in plain["retMsg"]) == (10001, True)
    for link, side, index in (("long", "Buy", 1), ("short", "Sell", 2)):
        assert (await client.market(link, side, positionIdx=index))["retCode"] == 0
        await client.until(link, "Filled")
    rows = await client.rows("/v5/position/list", category="linear", settleCoin="USDT")
    assert {(row["positionIdx"], row["side"]) for row in rows} == {(1, "Buy"), (2, "Sell")}
    wrong = await client.market("wrong", "Buy", positionIdx=1, reduceOnly=True)
    assert wrong["retCode"] == 10001
    await client.market("close", "Sell", positionIdx=1, reduceOnly=True)
    assert (await client.until("close", "Filled"))["reduceOnly"]
    assert (await client.call("POST", "/v5/position/switch-mode", **switch, mode=0))["retCode"] == 110024
    inverse = await client.call("POST", "/v5/position/switch-mode", category="inverse", coin="BTC", mode=3)
    assert inverse["retCode"] == 110029


async def test_the_margin_mode_is_one_for_the_account_and_stays_while_it_is_used(client: Client) -> None:
    async def switch(mode: str) -> Any:
        return (await client.call("POST", "/v5/account/set-margin-mode", setMarginMode=mode))["retCode"]

    assert [await switch("ISOLATED_MARGIN"), await switch("ISOLATED_MARGIN")] == [0, 110026]
    await client.market("entry")
    await client.until("entry", "Filled")
    (row,) = await client.rows("/v5/account/wallet-balance", accountType="UNIFIED")
    assert row["totalAvailableBalance"] == ""  # account-wide figures mean nothing here
    assert await switch("REGULAR_MARGIN") == 110073
    await client.market("exit", "Sell", reduceOnly=True)
    await client.until("exit", "Filled")
    assert await switch("REGULAR_MARGIN") == 0
    assert (await switch("PORTFOLIO_MARGIN")) == 10001


async def test_money_that_comes_and_goes_is_in_the_log(client: Client) -> None:
    for amount in ("50", "-20"):
        client.process.operator.post("/sim/deposits", {"account_id": client.account_id, "amount": amount})
    log = await client.rows("/v5/account/transaction-log", accountType="UNIFIED", currency="USDT")
    assert [(row["type"], Decimal(row["cashFlow"])) for row in log][:2] == [
        ("TRANSFER_OUT", Decimal(-20)), ("TRANSFER_IN", Decimal(50)),
    ]  # fmt: skip


async def test_spot_trades_count_apart_and_may_be_twice_as_many(client: Client) -> None:
    client.process.operator.settings(limits={"requests_per_uid": 1})
    codes = [(await client.market(f"s-{n}", "Sell", "0.001", **SPOT))["retCode"] for n in range(3)]
    assert codes == [0, 0, 10006]
    assert [(await client.market(f"l-{n}"))["retCode"] for n in range(2)] == [0, 10006]


@pytest.mark.parametrize(
    ("right", "category", "symbol"), [("spot", "spot", "BTCUSDT"), ("futures", "inverse", "BTCUSD")]
)
async def test_a_right_that_is_missing_is_refused_in_its_category(
    simulator: SimulatorProcess, session: aiohttp.ClientSession, right: str, category: str, symbol: str
) -> None:
    row = simulator.operator.open_account(f"right-{right}", permissions={right: False}, balances={"BTC": "1"})
    poor = Client(session, simulator, row["account_id"], row["api_key"], row["api_secret"])
    refused = await poor.market("no", "Sell", "1", category=category, symbol=symbol)
    assert refused["retCode"] == 10005
    other = "linear" if right == "spot" else "spot"
    assert (await poor.market("yes", "Sell", category=other))["retCode"] == 0
