"""The Hyperliquid dialect's socket: what is heard by address and by coin, and by how many."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.integration.simulator.hyperliquid_client import CLOID, Ear, Wallet, open_wallet, order
from tests.support.simulator import SimulatorProcess


@pytest.fixture
def wallet(simulator: SimulatorProcess, session: aiohttp.ClientSession) -> Wallet:
    return open_wallet(session, simulator)


@pytest.fixture
async def ear(simulator: SimulatorProcess, session: aiohttp.ClientSession) -> AsyncIterator[Ear]:
    async with session.ws_connect(simulator.ws_url + "/ws") as socket:
        yield Ear(socket)


async def test_what_happens_to_an_account_is_heard_by_its_address(wallet: Wallet, ear: Ear) -> None:
    await wallet.one(order())
    for topic in ("orderUpdates", "userFills", "userEvents", "openOrders", "clearinghouseState"):
        await ear.say("subscribe", type=topic, user=wallet.address)
        assert (await ear.next("subscriptionResponse"))["subscription"]["type"] == topic
        if topic == "userFills":
            past = await ear.next("userFills")
            assert (past["isSnapshot"], len(past["fills"])) == (True, 1)
    await wallet.one(order("60900", tif="Gtc", cloid=CLOID))
    (update,) = await ear.next("orderUpdates")
    assert (update["status"], update["order"]["cloid"]) == ("open", CLOID)
    await wallet.one(order(buy=False, price="61000", reduce=True))
    fills = await ear.next("userFills")
    assert "isSnapshot" not in fills
    assert fills["fills"][0]["dir"] == "Close Long"
    await ear.say("ping")
    await ear.next("pong")
    await ear.say("unsubscribe", type="userFills", user=wallet.address)
    assert (await ear.next("subscriptionResponse"))["method"] == "unsubscribe"


async def test_funding_is_an_event(wallet: Wallet, ear: Ear, simulator: SimulatorProcess) -> None:
    await wallet.one(order())
    await ear.say("subscribe", type="userEvents", user=wallet.address)
    await ear.next("subscriptionResponse")
    await simulator.operator.apost("/sim/funding", {"symbol": "BTCUSDT", "rate": "0.0001"})
    assert (await ear.next("user"))["funding"]["coin"] == "BTC"
    (paid,) = await wallet.mine("userFunding", startTime=0)
    assert paid["delta"]["usdc"].startswith("-")


async def test_an_eleventh_user_is_not_heard_from_one_address(
    wallet: Wallet, ear: Ear, session: aiohttp.ClientSession, simulator: SimulatorProcess
) -> None:
    for number in range(10):
        await ear.say("subscribe", type="userFills", user=f"0x{number:040x}")
        await ear.next("subscriptionResponse")
    await ear.say("subscribe", type="orderUpdates", user=wallet.address)
    assert await ear.next("error") == "Cannot track more than 10 total users."
    await ear.say("subscribe", type="orderUpdates", user=f"0x{3:040x}")
    await ear.next("subscriptionResponse")
    async with session.ws_connect(simulator.ws_url + "/ws") as socket:
        second = Ear(socket)
        await second.say("subscribe", type="orderUpdates", user=wallet.address)
        assert await second.next("error") == "Cannot track more than 10 total users."
        await ear.socket.close()
        async with asyncio.timeout(10):
            while True:
                await second.say("subscribe", type="orderUpdates", user=wallet.address)
                if (await socket.receive_json())["channel"] == "subscriptionResponse":
                    break


@pytest.mark.parametrize(
    "text", ["nonsense", "[]", '{"method":"subscribe"}', '{"method":"subscribe","subscription":{"type":"userFills","user":"me"}}',
             '{"method":"post","id":1,"subscription":{}}']
)  # fmt: skip
async def test_what_a_socket_does_not_understand_is_an_error(ear: Ear, text: str) -> None:
    await ear.socket.send_str(text)
    assert await ear.next("error")


async def test_prices_are_heard_by_coin(ear: Ear, simulator: SimulatorProcess) -> None:
    await ear.say("subscribe", type="activeAssetCtx", coin="BTC")
    assert (await ear.next("activeAssetCtx"))["ctx"]["markPx"] == "64000.0"
    simulator.operator.set_prices(BTCUSDT="64500.0")
    assert (await ear.next("activeAssetCtx"))["ctx"]["markPx"] == "64500.0"


async def test_the_other_dialects_sockets_are_where_they_were(
    simulator: SimulatorProcess, session: aiohttp.ClientSession
) -> None:
    async with session.ws_connect(simulator.ws_url + "/ws/btcusdt@markPrice") as socket:
        simulator.operator.set_prices(BTCUSDT="64100.0")
        assert (await socket.receive_json(timeout=10))["s"] == "BTCUSDT"
