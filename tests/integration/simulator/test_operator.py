from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from tests.integration.simulator.client import Trader
from tests.integration.simulator.conftest import MakeTrader
from tests.support.simulator import ROOT, Operator, OperatorError, SimulatorProcess

D = Decimal


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/sim/accounts", {}, 400),
        ("POST", "/sim/accounts", {"accounts": [{"label": "x"}]}, 400),
        ("POST", "/sim/accounts", {"accounts": [{"label": "x", "balance": "-1"}]}, 400),
        ("POST", "/sim/accounts", {"accounts": [{"label": "x", "balance": 1.5}]}, 400),
        ("POST", "/sim/accounts", {"accounts": [{"label": "x", "balance": "NaN"}]}, 400),
        ("POST", "/sim/accounts", {"accounts": [{"label": "x", "balance": "1", "colour": "red"}]}, 400),
        (
            "POST",
            "/sim/accounts",
            {"accounts": [{"label": "y", "balance": "1"}, {"label": "y", "balance": "1"}]},
            409,
        ),
        (
            "POST",
            "/sim/instruments",
            {"instruments": [{"symbol": "x", "price": "1", "tick": "1", "step": "1"}]},
            400,
        ),
        (
            "POST",
            "/sim/instruments",
            {"instruments": [{"symbol": "XUSDT", "price": "1", "tick": "0", "step": "1"}]},
            400,
        ),
        (
            "POST",
            "/sim/accounts",
            {"accounts": [{"label": "x", "balance": "1", "balances": {"BTC": "-1"}}]},
            400,
        ),
        (
            "POST",
            "/sim/accounts",
            {"accounts": [{"label": "x", "balance": "1", "balances": {"USDT": "1"}}]},
            400,
        ),
        (
            "POST",
            "/sim/instruments",
            {
                "instruments": [
                    {"symbol": "XUSDT:SPOT", "kind": "LINEAR", "price": "1", "tick": "1", "step": "1"}
                ]
            },
            400,
        ),
        (
            "POST",
            "/sim/instruments",
            {"instruments": [{"symbol": "XUSDT:OTHER", "price": "1", "tick": "1", "step": "1"}]},
            400,
        ),
        ("POST", "/sim/funding", {"symbol": "BTCUSDT:SPOT", "rate": "0.001"}, 422),
        ("POST", "/sim/faults", {"rules": [{"endpoint": "WS", "kind": "delay"}]}, 400),
        ("POST", "/sim/faults", {"rules": [{"endpoint": "WS", "kind": "reset_midway"}]}, 400),
        ("POST", "/sim/prices", {"prices": {"NOPE": "1"}}, 404),
        ("POST", "/sim/prices", {"prices": {"BTCUSDT": "0"}}, 422),
        ("POST", "/sim/prices", {"prices": {"BTCUSDT": "1.23456"}}, 422),
        ("POST", "/sim/tape/tick", {"steps": 0}, 400),
        (
            "POST",
            "/sim/fills",
            {"account_id": "nobody", "symbol": "BTCUSDT", "side": "BUY", "fills": [{}]},
            404,
        ),
        ("POST", "/sim/funding", {"symbol": "BTCUSDT"}, 400),
        ("POST", "/sim/faults", {"rules": [{"endpoint": "POST /x", "kind": "explode"}]}, 400),
        ("POST", "/sim/faults", {"rules": [{"endpoint": "WS", "kind": "timeout_after"}]}, 400),
        ("POST", "/sim/faults", {"rules": [{"endpoint": "POST /x", "kind": "latency"}]}, 400),
        ("POST", "/sim/faults", {"rules": [{"endpoint": "POST /x", "kind": "http_status"}]}, 400),
        ("POST", "/sim/faults", {"rules": [{"endpoint": "*", "kind": "empty", "probability": "2"}]}, 400),
        ("POST", "/sim/faults", {"rules": [{"endpoint": "*", "kind": "empty", "account_id": "nobody"}]}, 404),
        ("POST", "/sim/settings", {"latency": 5}, 400),
        ("POST", "/sim/settings", {"client_id_uniqueness": "maybe"}, 400),
        ("POST", "/sim/settings", {"limits": {"weight": 5}}, 400),
        ("GET", "/sim/ledger/orders?account_id=nobody", None, 404),
        ("GET", "/sim/ledger/orders?limit=0", None, 400),
        ("GET", "/sim/nothing", None, 404),
        ("DELETE", "/sim/prices", None, 405),
    ],
)
def test_bad_operator_input_is_refused_with_a_code_and_a_sentence(
    simulator: SimulatorProcess, method: str, path: str, body: dict[str, Any] | None, status: int
) -> None:
    with pytest.raises(OperatorError) as caught:
        simulator.operator.call(method, path, body)
    assert caught.value.status == status
    assert caught.value.code
    assert str(caught.value)


def test_without_the_token_only_health_is_answered(simulator: SimulatorProcess) -> None:
    stranger = Operator(simulator.base_url, "guess")
    assert stranger.get("/sim/health")["status"] == "ok"
    with pytest.raises(OperatorError) as caught:
        stranger.get("/sim/ledger/orders")
    assert caught.value.status == 401


def test_keys_and_prices_follow_from_the_seed(simulator: SimulatorProcess) -> None:
    with (
        SimulatorProcess(seed=3) as first,
        SimulatorProcess(seed=3) as second,
        SimulatorProcess(seed=4) as other,
    ):
        rows = [p.operator.open_account("alice") for p in (first, second, other)]
        assert rows[0] == rows[1]
        assert rows[0]["api_key"] != rows[2]["api_key"]
        ticks = [p.operator.post("/sim/tape/tick", {"steps": 20})["prices"] for p in (first, second, other)]
        assert ticks[0] == ticks[1] != ticks[2]


async def test_the_ledger_agrees_with_what_the_trader_sees(
    simulator: SimulatorProcess, trader: Trader
) -> None:
    for side, quantity in (("BUY", "0.05"), ("SELL", "0.02"), ("SELL", "0.04")):
        await trader.market(side, quantity)
    operator, mine = simulator.operator, trader.account_id
    orders, fills = operator.ledger("orders", mine), operator.ledger("fills", mine)
    assert [row["status"] for row in orders] == ["FILLED"] * 3
    assert all(row["received_ms"] <= row["created_ms"] for row in orders)
    balances = operator.ledger("balances", mine)
    wallet = (await trader.get("/fapi/v2/balance")).body[0]["balance"]
    assert sum(D(row["amount"]) for row in balances) == D(balances[-1]["balance"]) == D(wallet)
    position = operator.ledger("positions", mine)[0]
    signed = sum(D(row["quantity"]) * (1 if row["side"] == "BUY" else -1) for row in fills)
    assert D(position["quantity"]) == signed == D("-0.01")
    events = operator.ledger("events", mine)
    assert [row["kind"] for row in events].count("ORDER_ACCEPTED") == 3
    page = operator.get("/sim/ledger/orders", account_id=mine, after_seq=orders[0]["seq"], limit=1)
    assert [row["order_id"] for row in page["orders"]] == [orders[1]["order_id"]]
    account = operator.ledger("accounts", mine)[0]
    assert (account["wallet"], "secret" in str(account)) == (balances[-1]["balance"], False)


def test_accounts_hold_several_assets_and_trade_every_kind(simulator: SimulatorProcess) -> None:
    operator = simulator.operator
    row = operator.open_account("assets", "1000", balances={"BTC": "2"}, permissions={"spot": False})
    mine = row["account_id"]
    answer = operator.post("/sim/deposits", {"account_id": mine, "amount": "0.5", "asset": "ETH"})
    assert answer == {"account_id": mine, "asset": "ETH", "wallet": "0.5"}
    fills = {"side": "BUY", "account_id": mine}
    operator.post(
        "/sim/fills", {**fills, "symbol": "BTCUSDT:SPOT", "fills": [{"price": "64000", "quantity": "0.01"}]}
    )
    operator.post(
        "/sim/fills", {**fills, "symbol": "BTCUSD:INVERSE", "fills": [{"price": "64000", "quantity": "6400"}]}
    )
    assert [fill["commission_asset"] for fill in operator.ledger("fills", mine)] == ["BTC", "BTC"]
    [position] = operator.ledger("positions", mine)
    assert (position["settle"], position["quantity"], position["isolated"]) == ("BTC", "6400", False)
    [account] = operator.ledger("accounts", mine)
    wallets = {asset: D(held["wallet"]) for asset, held in account["balances"].items()}
    assert wallets == {"USDT": D(360), "BTC": D("2.009945"), "ETH": D("0.5")}
    moved: dict[str, Decimal] = {}
    for change in operator.ledger("balances", mine):
        moved[change["asset"]] = moved.get(change["asset"], D(0)) + D(change["amount"])
    assert moved == wallets


def test_the_markets_of_one_coin_share_a_price_unless_named(simulator: SimulatorProcess) -> None:
    operator = simulator.operator
    marks = operator.set_prices(BTCUSDT="65000.1")["prices"]
    coins = ("BTCUSDT", "BTCUSDT:SPOT", "BTCUSD:INVERSE")
    assert {D(marks[symbol]) for symbol in coins} == {D("65000.1")}
    named = {"BTCUSDT": "64000.0", "BTCUSDT:SPOT": "63990.00"}
    marks = operator.post("/sim/prices", {"prices": named})["prices"]
    assert [D(marks[symbol]) for symbol in coins] == [D(64000), D(63990), D(64000)]


async def test_a_new_instrument_is_tradable_at_once(simulator: SimulatorProcess, trader: Trader) -> None:
    simulator.operator.post(
        "/sim/instruments",
        {
            "instruments": [
                {"symbol": "DOGEUSDT", "price": "0.12345", "tick": "0.00001", "step": "1", "min_qty": "1"}
            ]
        },
    )
    placed = await trader.call("POST", "/fapi/v1/order", symbol="DOGEUSDT", side="BUY", type="MARKET", quantity="100",
                               newOrderRespType="RESULT")  # fmt: skip
    assert placed.body["status"] == "FILLED"


def test_the_tape_moves_by_itself_when_told_to() -> None:
    with SimulatorProcess(tape_ms=10) as process:
        operator = process.operator
        account = operator.open_account("a")
        body = {"account_id": account["account_id"], "symbol": "BTCUSDT", "side": "BUY",
                "fills": [{"price": "64000", "quantity": "0.01"}]}  # fmt: skip
        operator.post("/sim/fills", body)
        seen = {operator.ledger("positions")[0]["mark_price"] for _ in range(200)}
        for _ in range(2000):
            if len(seen) > 1:
                break
            seen.add(operator.ledger("positions")[0]["mark_price"])
        assert len(seen) > 1


def test_a_configuration_file_sets_the_exchange_up() -> None:
    config = {
        "settings": {"visibility_lag_ms": 5},
        "instruments": [{"symbol": "XUSDT", "price": "10", "tick": "0.1", "step": "1"}],
        "prices": {"BTCUSDT": "50000.0"},
        "accounts": [{"label": "lead", "balance": "5", "api_key": "k" * 20, "api_secret": "s" * 20}],
    }
    with SimulatorProcess(config=config) as process:
        assert process.operator.get("/sim/settings")["visibility_lag_ms"] == 5
        assert process.operator.ledger("accounts")[0]["api_key"] == "k" * 20
    with pytest.raises(RuntimeError, match="unknown fields"):
        SimulatorProcess(config={"acounts": []}).start()
    with pytest.raises(RuntimeError, match="not listed"):
        SimulatorProcess(config={"prices": {"NOPE": "1"}}).start()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_cleanly_with_connections_open(
    number: signal.Signals, make_trader: MakeTrader
) -> None:
    process = SimulatorProcess().start()
    trader = make_trader(process)
    stream = await trader.user_stream()
    assert await asyncio.to_thread(process.stop, number) == 0
    closed = await stream.receive()
    assert closed.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}
    await stream.close()


def test_a_taken_port_is_told_in_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        command = [
            sys.executable,
            "-m",
            "simulator",
            "--port",
            str(taken.getsockname()[1]),
            "--operator-token",
            "t",
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert "cannot listen on port" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_ready_line_is_one_json_object() -> None:
    command = [sys.executable, "-m", "simulator", "--operator-token", "t"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        process.terminate()
        assert process.wait(10) == 0
    assert ready["event"] == "listening"
    assert ready["port"] > 0
    assert {"binance", "bybit"} <= set(ready["dialects"])
