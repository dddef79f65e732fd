from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from tests.integration.simulator.client import Trader, next_event
from tests.support.simulator import SimulatorProcess


async def test_a_fill_is_told_as_new_then_account_then_trade(trader: Trader) -> None:
    socket = await trader.user_stream()
    placed = await trader.market("BUY", "0.02", newClientOrderId="told")
    new, account, trade = [await next_event(socket) for _ in range(3)]
    assert (new["e"], new["o"]["x"], new["o"]["X"]) == ("ORDER_TRADE_UPDATE", "NEW", "NEW")
    assert (account["e"], account["a"]["m"], account["a"]["P"][0]["pa"]) == (
        "ACCOUNT_UPDATE",
        "ORDER",
        "0.020",
    )
    order = trade["o"]
    assert (order["x"], order["X"], order["c"], order["i"]) == (
        "TRADE",
        "FILLED",
        "told",
        placed.body["orderId"],
    )
    assert (order["l"], order["z"], order["N"], order["ps"], order["R"]) == (
        "0.020",
        "0.020",
        "USDT",
        "BOTH",
        False,
    )
    assert order["t"] > 0
    assert order["n"] == "0.64000100"
    await socket.close()


async def test_events_bear_every_field_of_recorded_ones(trader: Trader, recorded: dict[str, Any]) -> None:
    socket = await trader.user_stream()
    await trader.market("BUY", "0.02")
    for event in [await next_event(socket) for _ in range(3)]:
        example = recorded[event["e"]]
        assert set(example) <= set(event)
        if event["e"] == "ORDER_TRADE_UPDATE":
            optional = {"N", "n", "AP", "cr"}  # beside fills only, and beside trailing stops only
            assert set(example["o"]) - optional <= set(event["o"])
            assert {k: type(v) for k, v in example["o"].items() if k not in optional} == {
                k: type(event["o"][k]) for k in example["o"] if k not in optional
            }
        else:
            assert set(example["a"]["P"][0]) == set(event["a"]["P"][0])
    await socket.close()


@pytest.fixture
def recorded() -> dict[str, Any]:
    from tests.support.simulator import ROOT

    folder = ROOT.parent / "shared/data/exchange_vectors/nautilus_recorded/binance"
    if not folder.is_dir():
        pytest.skip("the recorded payloads are not on this machine")
    names = {
        "ORDER_TRADE_UPDATE": "futures__user_data_json__order_update_trade.json",
        "ACCOUNT_UPDATE": "futures__user_data_json__account_update.json",
    }
    return {event: json.loads((folder / name).read_text()) for event, name in names.items()}


async def test_cancel_expiry_funding_leverage_and_conditional_orders_are_told(
    simulator: SimulatorProcess, trader: Trader
) -> None:
    socket = await trader.user_stream()
    await trader.limit("BUY", "0.01", "63000", newClientOrderId="a")
    await trader.call("DELETE", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="a")
    await next_event(socket, lambda e: e["e"] == "ORDER_TRADE_UPDATE" and e["o"]["x"] == "CANCELED")
    await trader.limit("BUY", "0.01", "63000", "IOC")
    await next_event(socket, lambda e: e["e"] == "ORDER_TRADE_UPDATE" and e["o"]["x"] == "EXPIRED")
    await trader.call("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage="9")
    config = await next_event(socket, lambda e: e["e"] == "ACCOUNT_CONFIG_UPDATE")
    assert config["ac"] == {"s": "BTCUSDT", "l": 9}
    await trader.market("BUY", "0.02")
    simulator.operator.post("/sim/funding", {"symbol": "BTCUSDT", "rate": "0.0001"})
    funding = await next_event(socket, lambda e: e["e"] == "ACCOUNT_UPDATE" and e["a"]["m"] == "FUNDING_FEE")
    assert funding["a"]["B"][0]["bc"] == "-0.12800000"
    await trader.call(
        "POST", "/fapi/v1/algoOrder", algoType="CONDITIONAL", symbol="BTCUSDT", side="SELL", type="STOP_MARKET",
        triggerPrice="63000", closePosition="true",
    )  # fmt: skip
    simulator.operator.set_prices(BTCUSDT="62900.0")
    for status in ("NEW", "TRIGGERED", "FINISHED"):
        await next_event(socket, lambda e, s=status: e["e"] == "ALGO_UPDATE" and e["o"]["X"] == s)  # type: ignore[misc]  # the default binds the loop's value
    await socket.close()


async def test_a_replayed_fill_of_a_real_trader_is_told_like_any_other(
    simulator: SimulatorProcess, trader: Trader
) -> None:
    socket = await trader.user_stream()
    fills = [{"price": "64001.23", "quantity": "0.3"}, {"price": "64002", "quantity": "0.2"}]
    booked = simulator.operator.post(
        "/sim/fills",
        {
            "account_id": trader.account_id,
            "symbol": "BTCUSDT",
            "side": "SELL",
            "client_order_id": "r1",
            "fills": fills,
        },
    )
    assert (booked["status"], booked["executed_quantity"]) == ("FILLED", "0.5")
    trades = [
        await next_event(socket, lambda e: e["e"] == "ORDER_TRADE_UPDATE" and e["o"]["x"] == "TRADE")
        for _ in "12"
    ]
    assert [(t["o"]["X"], t["o"]["L"]) for t in trades] == [
        ("PARTIALLY_FILLED", "64001.23"),
        ("FILLED", "64002.0"),
    ]
    assert (await trader.get("/fapi/v3/positionRisk")).body[0]["positionAmt"] == "-0.500"
    await socket.close()


async def test_market_streams_follow_the_tape(
    simulator: SimulatorProcess, session: aiohttp.ClientSession
) -> None:
    url = f"{simulator.ws_url}/stream?streams=btcusdt@markPrice@1s/btcusdt@bookTicker/!markPrice@arr"
    async with session.ws_connect(url) as socket:
        await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "params": [], "id": 1})
        assert len((await next_event(socket))["result"]) == 3
        await simulator.operator.apost("/sim/prices", {"prices": {"BTCUSDT": "64123.4"}})
        seen = {
            message["stream"]: message["data"] for message in [await next_event(socket) for _ in range(3)]
        }
        assert seen["btcusdt@markPrice"]["p"] == "64123.40000000"
        assert seen["btcusdt@bookTicker"]["a"] == "64123.5"
        assert seen["!markPrice@arr"][0]["s"] == "BTCUSDT"
        await socket.send_json({"method": "UNSUBSCRIBE", "params": ["btcusdt@markPrice"], "id": 2})
        assert await next_event(socket) == {"result": None, "id": 2}
        await socket.send_str("nonsense")
        assert (await next_event(socket))["code"] == 2


async def test_a_ping_is_answered(simulator: SimulatorProcess, session: aiohttp.ClientSession) -> None:
    async with session.ws_connect(f"{simulator.ws_url}/ws/btcusdt@markPrice", autoping=False) as socket:
        await socket.ping(b"hello")
        message = await socket.receive(timeout=5)
        assert (message.type, bytes(message.data)) == (aiohttp.WSMsgType.PONG, b"hello")


async def test_a_listen_key_is_renewed_closed_and_expires(
    simulator: SimulatorProcess, trader: Trader
) -> None:
    key = await trader.listen_key()
    assert await trader.listen_key() == key
    assert (await trader.call("PUT", "/fapi/v1/listenKey", signed=False)).body == {"listenKey": key}
    socket = await trader.user_stream()
    assert (await trader.call("DELETE", "/fapi/v1/listenKey", signed=False)).status == 200
    assert (await next_event(socket))["e"] == "listenKeyExpired"
    assert (await trader.call("PUT", "/fapi/v1/listenKey", signed=False)).code == -1125
    simulator.operator.settings(listen_key_valid_ms=200)
    expiring = await trader.user_stream()
    assert (await next_event(expiring))["e"] == "listenKeyExpired"
    simulator.operator.settings(listen_key_valid_ms=3_600_000)
    await socket.close()
    await expiring.close()


@pytest.mark.parametrize(
    ("kind", "executions"),
    [
        ("drop", ["TRADE:2"]),
        ("duplicate", ["TRADE:1", "TRADE:1", "TRADE:2"]),
        ("reorder", ["TRADE:2", "TRADE:1"]),
    ],
)
async def test_stream_faults_lose_double_and_swap_events(
    simulator: SimulatorProcess, trader: Trader, kind: str, executions: list[str]
) -> None:
    socket = await trader.user_stream()
    await trader.limit("BUY", "0.01", "63000", newClientOrderId="first")
    await trader.limit("BUY", "0.01", "62000", newClientOrderId="second")
    for _ in range(2):
        await next_event(socket)
    simulator.operator.add_fault(
        "WS", kind, account_id=trader.account_id, event="ORDER_TRADE_UPDATE", times=1
    )
    await trader.call("DELETE", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="first")
    await trader.call("DELETE", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="second")
    names = {"first": "TRADE:1", "second": "TRADE:2"}
    assert [names[(await next_event(socket))["o"]["c"]] for _ in executions] == executions
    await socket.close()


@pytest.mark.parametrize("how", ["disconnect", "operator"])
async def test_a_stream_can_be_cut_and_joined_again(
    simulator: SimulatorProcess, trader: Trader, how: str
) -> None:
    socket = await trader.user_stream()
    if how == "disconnect":
        simulator.operator.add_fault("WS", how, account_id=trader.account_id, times=1)
        await trader.limit("BUY", "0.01", "63000")
    else:
        assert (
            simulator.operator.post("/sim/disconnect", {"account_id": trader.account_id})["disconnected"] == 1
        )
    async for _ in socket:
        pass
    assert socket.closed
    again = await trader.user_stream()
    await trader.limit("BUY", "0.01", "63000")
    assert (await next_event(again))["o"]["x"] == "NEW"
    await again.close()


async def test_a_silent_stream_stays_open_and_says_nothing(
    simulator: SimulatorProcess, trader: Trader
) -> None:
    socket = await trader.user_stream()
    simulator.operator.add_fault("WS", "silence", account_id=trader.account_id, times=1)
    await trader.limit("BUY", "0.01", "63000")
    simulator.operator.clear_faults()
    await trader.limit("BUY", "0.01", "63000")
    with pytest.raises(TimeoutError):
        await socket.receive(timeout=0.3)
    assert not socket.closed
    await socket.close()
