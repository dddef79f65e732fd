"""The Hyperliquid dialect over real HTTP, signed by the venue's own Python library: who may act, until when, how often."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import aiohttp
import pytest

from tests.integration.simulator.hyperliquid_client import CLOID, Wallet, open_wallet, order, trigger
from tests.integration.simulator.test_vectors import load
from tests.support.simulator import ROOT, SimulatorProcess

VECTORS = ROOT.parent / "shared/data/exchange_vectors/signed_requests/hyperliquid.json"


@pytest.fixture
def wallet(simulator: SimulatorProcess, session: aiohttp.ClientSession) -> Wallet:
    return open_wallet(session, simulator)


async def test_an_order_fills_and_is_told_everywhere(wallet: Wallet) -> None:
    filled = (await wallet.one(order(cloid=CLOID)))["filled"]
    assert (filled["totalSz"], filled["cloid"]) == ("0.01", CLOID)
    by_cloid = await wallet.mine("orderStatus", oid=CLOID)
    assert by_cloid == await wallet.mine("orderStatus", oid=filled["oid"])
    assert (by_cloid["order"]["status"], by_cloid["order"]["order"]["sz"]) == ("filled", "0.0")
    (fill,) = await wallet.mine("userFillsByTime", startTime=0)
    assert (fill["oid"], fill["dir"], fill["feeToken"], fill["cloid"]) == (
        filled["oid"], "Open Long", "USDC", CLOID,
    )  # fmt: skip
    assert await wallet.mine("userFills") == [fill]
    state = await wallet.mine("clearinghouseState")
    assert [row["position"]["szi"] for row in state["assetPositions"]] == ["0.01"]


async def test_anybody_may_ask_and_nobody_has_nothing(wallet: Wallet) -> None:
    nobody = f"0x{0xDEAD:040x}"
    assert await wallet.ask("userFills", user=nobody) == []
    assert await wallet.ask("orderStatus", user=nobody, oid=5) == {"status": "unknownOid"}
    assert (await wallet.ask("clearinghouseState", user=nobody))["withdrawable"] == "0.0"
    assert await wallet.ask("userRole", user=nobody) == {"role": "missing"}
    agent = wallet.agent.address
    assert await wallet.ask("userRole", user=agent) == {"role": "agent", "data": {"user": wallet.address}}
    assert (await wallet.mine("extraAgents"))[0]["address"] == agent.lower()


async def test_a_stranger_and_an_agent_without_rights_do_not_exist(
    wallet: Wallet, session: aiohttp.ClientSession, simulator: SimulatorProcess
) -> None:
    body = wallet.envelope(order())
    touched = {**body, "action": order(size="0.02")}
    for bad in (touched, {**body, "nonce": body["nonce"] + 1}, {**body, "expiresAfter": 5}):
        _, answer = await wallet.post("/exchange", bad)
        assert answer["status"] == "err"
        assert answer["response"].startswith("User or API Wallet 0x")
        assert answer["response"].endswith("does not exist.")
    reader = open_wallet(session, simulator, permissions={"futures": False})
    assert "does not exist" in (await reader.act(order()))["response"]
    assert simulator.operator.ledger("orders", wallet.account_id) == []


async def test_another_writing_of_a_number_is_another_signer(wallet: Wallet) -> None:
    for bad in (order("67000.0"), order(size="0.010")):
        assert "does not exist" in (await wallet.act(bad))["response"]


async def test_both_chains_signatures_are_taken(wallet: Wallet) -> None:
    assert "filled" in await wallet.one(order(), main=True)
    assert "filled" in await wallet.one(order(), main=False)


async def test_a_nonce_is_used_once(wallet: Wallet, simulator: SimulatorProcess) -> None:
    body = wallet.envelope(order())
    assert (await wallet.post("/exchange", body))[1]["status"] == "ok"
    _, again = await wallet.post("/exchange", body)
    assert again["response"].startswith("Invalid nonce: duplicate nonce")
    assert len(simulator.operator.ledger("orders", wallet.account_id)) == 1


async def test_an_action_holds_until_its_expiry(wallet: Wallet, simulator: SimulatorProcess) -> None:
    now = int(time.time() * 1000)
    assert "expired" in (await wallet.act(order(), expires=now - 100))["response"]
    assert "filled" in await wallet.one(order(), expires=now + 5000)
    simulator.operator.add_fault("POST /exchange", "latency", ms=300, times=1, account_id=wallet.account_id)
    late = await wallet.act(order(), expires=int(time.time() * 1000) + 100)
    assert "expired" in late["response"]
    assert len(simulator.operator.ledger("orders", wallet.account_id)) == 1


async def test_a_cloid_may_be_used_again(wallet: Wallet, simulator: SimulatorProcess) -> None:
    await wallet.one(order("60900", tif="Gtc", cloid=CLOID))
    await wallet.one(order("60900", tif="Gtc", cloid=CLOID))
    assert len(simulator.operator.ledger("orders", wallet.account_id)) == 2


@pytest.mark.parametrize(
    ("action", "why"),
    [
        (order("67000.5"), "Price must be divisible by tick size."), (order(size="0.0001"), "Order has invalid size."),
        (order(size="0.001"), "Order must have minimum value of $10."), (order(size="50"), "Insufficient margin to place order."),
        (order(reduce=True, buy=False, price="60000"), "Reduce only order would increase position."),
        (order("200000"), "Order price cannot be more than 80%"), (order("63000"), "Order could not immediately match"),
        (order("65000", tif="Alo"), "Post only order would have immediately matched"),
        (order(asset=99), "Invalid asset."), (trigger("66000", "sl", "60000"), "Invalid TP/SL price."),
        (trigger("60000", "sl", "63000"), "Invalid TP/SL price."),
    ],
)  # fmt: skip
async def test_what_an_order_is_refused_for_stands_in_its_status(
    wallet: Wallet, action: Any, why: str
) -> None:
    status = await wallet.one(action)
    assert status["error"].startswith(why), status


async def test_orders_are_cancelled_by_number_and_by_cloid(wallet: Wallet) -> None:
    oid = (await wallet.one(order("60900", tif="Gtc")))["resting"]["oid"]
    await wallet.one(order("60800", tif="Gtc", cloid=CLOID))
    assert len(await wallet.mine("frontendOpenOrders")) == len(await wallet.mine("openOrders")) == 2
    assert await wallet.one({"type": "cancel", "cancels": [{"a": 0, "o": oid}]}) == "success"
    by_cloid = {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": CLOID}]}
    assert await wallet.one(by_cloid) == "success"
    assert (await wallet.one(by_cloid))["error"].startswith("Order was never placed, already canceled")
    assert await wallet.mine("openOrders") == []
    assert (await wallet.mine("orderStatus", oid=oid))["order"]["status"] == "canceled"


async def test_a_trigger_waits_shows_and_becomes_an_order_of_the_same_number(
    wallet: Wallet, simulator: SimulatorProcess
) -> None:
    await wallet.one(order())
    oid = (await wallet.one(trigger("63000", "sl", "60000", cloid=CLOID)))["resting"]["oid"]
    (row,) = await wallet.mine("frontendOpenOrders")
    assert (row["oid"], row["isTrigger"], row["orderType"], row["triggerPx"], row["reduceOnly"]) == (
        oid, True, "Stop Market", "63000.0", True,
    )  # fmt: skip
    simulator.operator.set_prices(BTCUSDT="62900.0")
    status = await wallet.mine("orderStatus", oid=CLOID)
    assert (status["order"]["status"], status["order"]["order"]["oid"]) == ("filled", oid)
    assert (await wallet.mine("userFills"))[0]["oid"] == oid
    assert (await wallet.mine("clearinghouseState"))["assetPositions"] == []


async def test_leverage_and_margin_mode_are_set_together(wallet: Wallet) -> None:
    async def now() -> Any:
        return (await wallet.mine("activeAssetData", coin="BTC"))["leverage"]

    async def update(leverage: int, *, cross: bool) -> Any:
        action = {"type": "updateLeverage", "asset": 0, "isCross": cross, "leverage": leverage}
        return await wallet.act(action)

    assert await now() == {"type": "cross", "value": 20}
    assert (await update(7, cross=False))["status"] == "ok"
    assert ((await now())["type"], (await now())["value"]) == ("isolated", 7)
    assert (await update(1000, cross=False))["response"] == "Invalid leverage value."
    assert (await update(7, cross=True))["status"] == "ok"
    await wallet.one(order())
    assert "Cannot switch leverage type" in (await update(7, cross=False))["response"]


async def test_wrong_forms_and_methods_are_told_apart(wallet: Wallet) -> None:
    for path, body in (
        ("/info", {"type": "nonsense"}),
        ("/info", []),
        ("/exchange", {}),
        ("/info", {"type": "userFills"}),
    ):
        status, text = await wallet.post(path, body)
        assert (status, text) == (422, "Failed to deserialize the JSON body into the target type")
    async with wallet.session.get(wallet.process.base_url + "/info") as reply:
        assert reply.status == 405
    assert "not simulated" in (await wallet.act({"type": "scheduleCancel", "time": 5}))["response"]


async def test_a_spent_address_is_told_to_be_silent(wallet: Wallet, simulator: SimulatorProcess) -> None:
    simulator.operator.settings(limits={"weight_per_minute": 400})
    try:
        codes = [
            (await wallet.post("/info", {"type": "userRole", "user": wallet.address}))[0] for _ in range(5)
        ]
        assert codes == [200, 200, 200, 429, 429]
    finally:
        simulator.operator.settings(limits={"weight_per_minute": 10_000_000})


@pytest.mark.parametrize(("kind", "more"), [("timeout_after", {}), ("reset_after", {}), ("garbage", {})])
async def test_faults_strike_one_account_on_a_path_that_all_share(
    wallet: Wallet, session: aiohttp.ClientSession, simulator: SimulatorProcess, kind: str, more: Any
) -> None:
    other = open_wallet(session, simulator)
    simulator.operator.add_fault("POST /exchange", kind, account_id=wallet.account_id, times=1, **more)
    assert "filled" in await other.one(order())
    body = wallet.envelope(order())
    with pytest.raises((aiohttp.ClientError, asyncio.TimeoutError, ValueError)):
        async with asyncio.timeout(0.5):
            await wallet.post("/exchange", body)
    assert len(await wallet.mine("userFills")) == 1


async def test_every_third_party_signature_is_accepted(session: aiohttp.ClientSession) -> None:
    vectors = load(VECTORS)
    keys = vectors["credentials"]
    vault = "0x1719884eb866cb12b2287399b15f7db5e7d775ea"
    accounts = [
        {
            "label": "v",
            "balance": "100000",
            "api_key": keys["walletAddress"].lower(),
            "api_secret": keys["privateKey"],
        },
        {"label": "vault", "balance": "100000", "api_key": vault, "api_secret": keys["privateKey"]},
    ]
    signed = [case for case in vectors["cases"] if case["signature_rechecked"] == "ok"]
    assert len(signed) > 20
    with SimulatorProcess(config={"accounts": accounts}) as process:
        for case in signed:
            body = json.loads(case["body"])
            process.operator.settings(clock_skew_ms=body["nonce"] - int(time.time() * 1000))
            wallet = Wallet(session, process, "", keys["walletAddress"], None)
            status, answer = await wallet.post("/exchange", body)
            assert status == 200
            # Most of them bear one nonce: to be refused for that, a request must have a signer.
            assert "does not exist" not in str(answer), (case["id"], answer)
            assert "Vault not registered" not in str(answer)
            touched = {**body, "nonce": body["nonce"] + 1}
            assert "does not exist" in str((await wallet.post("/exchange", touched))[1])
