from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.integration.simulator.client import ORDER, Trader
from tests.integration.simulator.conftest import MakeTrader
from tests.support.simulator import SimulatorProcess

D = Decimal


async def test_a_market_order_is_filled_and_found_by_both_ids(trader: Trader) -> None:
    placed = await trader.market("BUY", "0.02", newClientOrderId="lead:1/A.b_c-d")
    assert placed.status == 200
    assert (placed.body["status"], placed.body["executedQty"]) == ("FILLED", "0.020")
    assert all(isinstance(placed.body[name], str) for name in ("price", "avgPrice", "origQty", "cumQuote"))
    for name, value in (("orderId", placed.body["orderId"]), ("origClientOrderId", "lead:1/A.b_c-d")):
        found = await trader.get(ORDER, symbol="BTCUSDT", **{name: value})
        assert found.body["orderId"] == placed.body["orderId"]
    trades = (await trader.get("/fapi/v1/userTrades", symbol="BTCUSDT", orderId=placed.body["orderId"])).body
    assert sum(D(trade["qty"]) for trade in trades) == D("0.02")


@pytest.mark.parametrize("in_body", [True, False])
async def test_parameters_come_in_the_query_or_in_the_body(trader: Trader, in_body: bool) -> None:
    answer = await trader.call(
        "POST", ORDER, in_body=in_body, symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01"
    )
    assert (answer.status, answer.body["status"], answer.body["executedQty"]) == (200, "NEW", "0.000")


async def test_a_signature_covers_query_and_body_together(trader: Trader) -> None:
    import time

    query, body = "symbol=BTCUSDT&side=BUY", f"type=MARKET&quantity=0.01&timestamp={int(time.time() * 1000)}"
    signature = trader.sign(query + body)
    answer = await trader.raw("POST", f"{ORDER}?{query}", f"{body}&signature={signature}", in_body=True)
    assert answer.status == 200


GOOD: dict[str, object] = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
LIMIT: dict[str, object] = {**GOOD, "type": "LIMIT", "price": "63000", "timeInForce": "GTC"}


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({**GOOD, "symbol": "NOPEUSDT"}, 400, -1121),
        ({key: value for key, value in GOOD.items() if key != "symbol"}, 400, -1102),
        ({key: value for key, value in GOOD.items() if key != "quantity"}, 400, -1102),
        ({key: value for key, value in LIMIT.items() if key != "timeInForce"}, 400, -1102),
        ({**GOOD, "side": "HOLD"}, 400, -1117),
        ({**GOOD, "type": "ICEBERG"}, 400, -1116),
        ({**LIMIT, "timeInForce": "NOW"}, 400, -1115),
        ({**GOOD, "price": "63000"}, 400, -1106),
        ({**GOOD, "quantity": "abc"}, 400, -1100),
        ({**GOOD, "quantity": "NaN"}, 400, -1100),
        ({**GOOD, "newClientOrderId": "no spaces"}, 400, -1100),
        ({**GOOD, "newClientOrderId": "x" * 37}, 400, -4015),
        ({**GOOD, "quantity": "0"}, 400, -4003),
        ({**GOOD, "quantity": "0.0001"}, 400, -1111),
        ({**GOOD, "quantity": "500"}, 400, -4005),
        ({**GOOD, "quantity": "0.001"}, 400, -4164),
        ({**LIMIT, "price": "63000.05"}, 400, -1111),
        ({**LIMIT, "price": "90000"}, 400, -4016),
        ({**LIMIT, "price": "30000"}, 400, -4024),
        ({**LIMIT, "price": "0"}, 400, -4001),
        ({**LIMIT, "price": "64100", "timeInForce": "GTX"}, 400, -5022),
        ({**GOOD, "quantity": "100"}, 400, -2019),
        ({**GOOD, "reduceOnly": "true"}, 400, -2022),
        ({**GOOD, "positionSide": "LONG"}, 400, -4061),
        ({**GOOD, "type": "STOP_MARKET", "stopPrice": "60000"}, 400, -4120),
        ({**GOOD, "newOrderRespType": "LONG"}, 400, -1130),
        ({**GOOD, "recvWindow": "60001"}, 400, -1131),
        ({**GOOD, "timestamp": "1"}, 400, -1021),
        ({**GOOD, "timestamp": "9999999999999"}, 400, -1021),
    ],
)
async def test_every_refusal_has_the_venues_code(
    trader: Trader, params: dict[str, Any], status: int, code: int
) -> None:
    answer = await trader.call("POST", ORDER, **params)
    assert (answer.status, answer.code) == (status, code)
    assert (await trader.get("/fapi/v1/allOrders", symbol="BTCUSDT")).body == []


@pytest.mark.parametrize(
    ("key", "text", "status", "code"),
    [
        ("", "timestamp=1&signature=00", 401, -2014),
        ("not-a-key!", "timestamp=1&signature=00", 401, -2014),
        ("f" * 64, "timestamp=1&signature=00", 401, -2015),
        (None, "signature=00", 400, -1102),
        (None, "timestamp={now}", 400, -1102),
        (None, "timestamp={now}&signature=00", 400, -1022),
    ],
)
async def test_an_unproven_request_is_refused(
    trader: Trader, key: str | None, text: str, status: int, code: int
) -> None:
    import time

    answer = await trader.raw("GET", "/fapi/v2/balance", text.format(now=int(time.time() * 1000)), key=key)
    assert (answer.status, answer.code) == (status, code)


async def test_a_changed_parameter_breaks_the_signature(trader: Trader) -> None:
    import time

    text = f"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01&timestamp={int(time.time() * 1000)}"
    signed = f"{text}&signature={trader.sign(text)}"
    answer = await trader.raw("POST", ORDER, signed.replace("quantity=0.01", "quantity=0.02"))
    assert answer.code == -1022


async def test_a_key_without_the_permission_may_read_but_not_trade(make_trader: MakeTrader) -> None:
    reader = make_trader(permissions={"futures": False})
    assert (await reader.market()).code == -2015
    assert (await reader.get("/fapi/v2/balance")).status == 200
    rights = (await reader.get("/sapi/v1/account/apiRestrictions")).body
    assert (rights["enableReading"], rights["enableFutures"], rights["enableWithdrawals"]) == (
        True,
        False,
        False,
    )


async def test_absent_orders_have_one_code_for_queries_and_another_for_cancels(trader: Trader) -> None:
    assert (await trader.get(ORDER, symbol="BTCUSDT", origClientOrderId="never")).code == -2013
    assert (await trader.call("DELETE", ORDER, symbol="BTCUSDT", orderId="1")).code == -2011
    assert (await trader.get(ORDER, symbol="BTCUSDT")).code == -1102


async def test_a_client_id_is_refused_while_open_and_accepted_again_once_filled(trader: Trader) -> None:
    """The trap that makes a blind resend a double fill."""
    assert (await trader.limit("BUY", "0.01", "63000", newClientOrderId="one")).status == 200
    assert (await trader.limit("BUY", "0.01", "63000", newClientOrderId="one")).code == -4116
    first = await trader.market("BUY", "0.01", newClientOrderId="two")
    second = await trader.market("BUY", "0.01", newClientOrderId="two")
    assert (first.status, second.status) == (200, 200)
    latest = await trader.get(ORDER, symbol="BTCUSDT", origClientOrderId="two")
    assert latest.body["orderId"] == second.body["orderId"] != first.body["orderId"]


@pytest.mark.parametrize(("rule", "code"), [("always", -4116), ("none", 200)])
async def test_the_operator_sets_how_unique_client_ids_are(
    simulator: SimulatorProcess, trader: Trader, rule: str, code: int
) -> None:
    simulator.operator.settings(client_id_uniqueness=rule)
    await trader.market(newClientOrderId="same")
    again = await trader.market(newClientOrderId="same")
    assert again.body.get("code", again.status) == code


async def test_a_resting_order_is_listed_amended_and_cancelled(trader: Trader) -> None:
    placed = await trader.limit("BUY", "0.01", "63000", newClientOrderId="rest")
    assert [row["orderId"] for row in (await trader.get("/fapi/v1/openOrders")).body] == [
        placed.body["orderId"]
    ]
    amended = await trader.call(
        "PUT", ORDER, symbol="BTCUSDT", side="BUY", origClientOrderId="rest", price="63100", quantity="0.02"
    )
    assert (amended.body["price"], amended.body["origQty"]) == ("63100.0", "0.020")
    cancelled = await trader.call("DELETE", ORDER, symbol="BTCUSDT", origClientOrderId="rest")
    assert cancelled.body["status"] == "CANCELED"
    await trader.limit("BUY", "0.01", "63000")
    assert (await trader.call("DELETE", "/fapi/v1/allOpenOrders", symbol="BTCUSDT")).body["code"] == 200
    assert (await trader.get("/fapi/v1/openOrders", symbol="BTCUSDT")).body == []


async def test_reduce_only_is_trimmed_to_the_position(trader: Trader) -> None:
    await trader.market("BUY", "0.02")
    closed = await trader.market("SELL", "0.05", reduceOnly="true")
    assert (closed.body["status"], closed.body["executedQty"]) == ("FILLED", "0.020")
    assert (await trader.get("/fapi/v3/positionRisk", symbol="BTCUSDT")).body == []


async def test_account_balance_and_positions_agree_in_every_version(trader: Trader) -> None:
    await trader.market("SELL", "0.02")
    await trader.limit("BUY", "0.01", "63000")
    v2, v3 = (await trader.get("/fapi/v2/account")).body, (await trader.get("/fapi/v3/account")).body
    balance = (await trader.get("/fapi/v2/balance")).body[0]
    assert v2["availableBalance"] == v3["availableBalance"] == balance["availableBalance"]
    assert v2["totalWalletBalance"] == balance["balance"]
    tied = D(v2["totalInitialMargin"])
    assert tied == D(v2["totalPositionInitialMargin"]) + D(v2["totalOpenOrderInitialMargin"])
    assert D(v2["availableBalance"]) == D(v2["totalMarginBalance"]) - tied
    risk2 = (await trader.get("/fapi/v2/positionRisk", symbol="BTCUSDT")).body[0]
    risk3 = (await trader.get("/fapi/v3/positionRisk")).body[0]
    for name in ("positionAmt", "entryPrice", "markPrice", "unRealizedProfit", "liquidationPrice"):
        assert risk2[name] == risk3[name]
    assert (risk2["positionAmt"], v3["positions"][0]["positionAmt"]) == ("-0.020", "-0.020")


async def test_settings_are_changed_and_a_repeated_change_says_so(trader: Trader) -> None:
    leverage = await trader.call("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage="7")
    assert leverage.body["leverage"] == 7
    assert (await trader.call("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage="500")).code == -4028
    isolated: dict[str, Any] = {"symbol": "BTCUSDT", "marginType": "ISOLATED"}
    assert (await trader.call("POST", "/fapi/v1/marginType", **isolated)).code == 200
    assert (await trader.call("POST", "/fapi/v1/marginType", **isolated)).code == -4046
    path = "/fapi/v1/positionSide/dual"
    assert (await trader.call("POST", path, dualSidePosition="true")).code == 200
    assert (await trader.call("POST", path, dualSidePosition="true")).code == -4059
    assert (await trader.get(path)).body == {"dualSidePosition": True}
    await trader.market("BUY", "0.02", positionSide="LONG")
    assert (await trader.call("POST", path, dualSidePosition="false")).code == -4068
    assert (await trader.market("SELL", "0.03", positionSide="LONG")).code == -2022
    rate = (await trader.get("/fapi/v1/commissionRate", symbol="BTCUSDT")).body
    assert (rate["takerCommissionRate"], rate["makerCommissionRate"]) == ("0.0005", "0.0002")
    config = (await trader.get("/fapi/v1/symbolConfig", symbol="BTCUSDT")).body[0]
    assert (config["leverage"], config["marginType"]) == (7, "ISOLATED")


async def test_conditional_orders_live_at_their_own_endpoint(
    simulator: SimulatorProcess, trader: Trader
) -> None:
    await trader.market("BUY", "0.02")
    path = "/fapi/v1/algoOrder"
    stop: dict[str, Any] = {
        "algoType": "CONDITIONAL",
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "STOP_MARKET",
    }
    assert (await trader.call("POST", path, **stop, triggerPrice="65000", quantity="0.02")).code == -2021
    placed = await trader.call(
        "POST", path, **stop, triggerPrice="63000", quantity="0.02", reduceOnly="true", clientAlgoId="sl-1"
    )
    assert (placed.body["algoStatus"], placed.body["clientAlgoId"]) == ("NEW", "sl-1")
    twice = await trader.call(
        "POST", path, **stop, triggerPrice="63000", quantity="0.02", clientAlgoId="sl-1"
    )
    assert twice.code == -4116
    assert len((await trader.get("/fapi/v1/openAlgoOrders", symbol="BTCUSDT")).body) == 1
    simulator.operator.set_prices(BTCUSDT="62900.0")
    done = (await trader.get(path, clientAlgoId="sl-1")).body
    assert done["algoStatus"] == "FINISHED"
    actual = (await trader.get(ORDER, symbol="BTCUSDT", orderId=done["actualOrderId"])).body
    assert (actual["status"], actual["origType"], actual["executedQty"]) == ("FILLED", "STOP_MARKET", "0.020")
    assert (await trader.call("DELETE", path, clientAlgoId="sl-1")).code == -2011
    assert (await trader.get(path, clientAlgoId="never")).code == -2013


async def test_income_lists_every_wallet_movement(simulator: SimulatorProcess, trader: Trader) -> None:
    await trader.market("BUY", "0.02")
    await trader.market("SELL", "0.02")
    simulator.operator.post("/sim/deposits", {"account_id": trader.account_id, "amount": "5"})
    rows = (await trader.get("/fapi/v1/income", limit=1000)).body
    assert {row["incomeType"] for row in rows} == {"TRANSFER", "COMMISSION", "REALIZED_PNL"}
    wallet = (await trader.get("/fapi/v2/balance")).body[0]["balance"]
    assert sum(D(row["income"]) for row in rows) == D(wallet)


async def test_an_accepted_order_is_invisible_until_the_lag_is_over(
    simulator: SimulatorProcess, trader: Trader
) -> None:
    simulator.operator.settings(visibility_lag_ms=600_000)
    placed = await trader.market(newClientOrderId="hidden")
    assert placed.body["status"] == "FILLED"
    assert (await trader.get(ORDER, symbol="BTCUSDT", origClientOrderId="hidden")).code == -2013
    assert (await trader.get("/fapi/v1/userTrades", symbol="BTCUSDT")).body == []
    assert (await trader.get("/fapi/v3/positionRisk")).body != []
    simulator.operator.settings(clock_skew_ms=600_001)
    trader.skew_ms = 600_001
    assert (await trader.get(ORDER, symbol="BTCUSDT", origClientOrderId="hidden")).body["status"] == "FILLED"


async def test_an_order_that_waited_longer_than_its_window_is_not_matched(
    simulator: SimulatorProcess, trader: Trader
) -> None:
    simulator.operator.settings(latency_ms=120)
    assert (await trader.market(recvWindow="50")).code == -1021
    assert (await trader.market(recvWindow="5000")).status == 200
    assert len(simulator.operator.ledger("orders", trader.account_id)) == 1


async def test_public_endpoints_show_the_market(trader: Trader) -> None:
    async def show(path: str, text: str = "symbol=BTCUSDT") -> Any:
        return (await trader.raw("GET", path, text)).body

    assert await show("/fapi/v1/ping") == {}
    filters = {f["filterType"]: f for f in (await show("/fapi/v1/exchangeInfo"))["symbols"][0]["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.1"
    assert filters["MIN_NOTIONAL"]["notional"] == "100"
    assert (await show("/fapi/v1/premiumIndex"))["markPrice"] == "64000.00000000"
    assert len(await show("/fapi/v1/premiumIndex", "")) >= 3
    assert (await show("/fapi/v1/ticker/price"))["price"] == "64000.0"
    best, book = await show("/fapi/v1/ticker/bookTicker"), await show(
        "/fapi/v1/depth", "symbol=BTCUSDT&limit=5"
    )
    assert book["bids"][0] == [best["bidPrice"], best["bidQty"]]
    assert len(book["asks"]) == 5
    assert (await show("/fapi/v1/ticker/24hr"))["lastPrice"] == "64000.0"
    assert (await show("/fapi/v1/depth", "symbol=BTCUSDT&limit=7"))["code"] == -4021
    assert (await trader.raw("GET", "/fapi/v1/nothing", "")).status == 404
    assert (await trader.raw("PATCH", ORDER, "")).status == 405
