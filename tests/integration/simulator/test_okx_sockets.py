"""The sockets of the OKX dialect, and faults on the way."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from tests.integration.simulator.okx_client import SPOT, SWAP, Client, opened
from tests.support.simulator import SimulatorProcess


@pytest.fixture
def client(
    simulator: SimulatorProcess, session: aiohttp.ClientSession, request: pytest.FixtureRequest
) -> Iterator[Client]:
    with opened(simulator, session, request.node.name) as made:
        yield made


async def test_the_private_socket_tells_orders_wallets_and_positions(client: Client) -> None:
    socket = await client.log_in()
    arguments = [{"channel": "orders", "instType": "SWAP"}, {"channel": "balance_and_position"}]
    await socket.send_json({"op": "subscribe", "args": arguments})
    seen = [await socket.receive_json(timeout=5) for _ in range(3)]
    assert [message.get("event") for message in seen] == ["subscribe", "subscribe", None]
    assert seen[2]["data"][0]["eventType"] == "snapshot"
    await socket.send_str("ping")
    assert await socket.receive_str(timeout=5) == "pong"
    await client.place(clOrdId="told")
    pushed: list[Any] = []
    while not any(row["data"][0].get("tradeId") for row in pushed if row["arg"]["channel"] == "orders"):
        pushed.append(await socket.receive_json(timeout=5))
    order = pushed[-1]["data"][0]
    assert (order["clOrdId"], order["fillSz"], order["state"], order["fillFeeCcy"]) == (
        "told",
        "1",
        "filled",
        "USDT",
    )
    (moved,) = [row["data"][0] for row in pushed if row["data"][0].get("eventType") == "filled"][-1:]
    assert moved["posData"][0]["pos"] == "1"
    await socket.close()


@pytest.mark.parametrize(
    ("path", "message", "refusal"),
    [
        ("private", {"op": "subscribe", "args": [{"channel": "orders", "instType": "SWAP"}]}, "60011"),
        ("public", {"op": "subscribe", "args": [{"channel": "orders", "instType": "SWAP"}]}, "60018"),
        ("public", {"op": "subscribe", "args": [{"channel": "mark-price", "instId": "NO-SUCH"}]}, "60018"),
        ("private", {"op": "login", "args": [{"apiKey": "nobody"}]}, "60005"),
        ("private", {"op": "dance", "args": [{}]}, "60019"), ("private", {"nonsense": 1}, "60012"),
    ],
)  # fmt: skip
async def test_sockets_refuse_with_the_venues_codes(
    client: Client, path: str, message: dict[str, Any], refusal: str
) -> None:
    socket = await client.session.ws_connect(f"{client.process.ws_url}/ws/v5/{path}")
    await socket.send_json(message)
    answer = await socket.receive_json(timeout=5)
    assert (answer["event"], answer["code"]) == ("error", refusal)
    await socket.close()


async def test_marks_are_pushed_as_they_move(client: Client, simulator: SimulatorProcess) -> None:
    socket = await client.session.ws_connect(f"{client.process.ws_url}/ws/v5/public")
    arguments = [{"channel": "mark-price", "instId": SWAP}, {"channel": "tickers", "instId": SPOT}]
    await socket.send_json({"op": "subscribe", "args": arguments})
    simulator.operator.set_prices(BTCUSDT="64100.0")
    told: dict[str, Decimal] = {}
    while told != {SWAP: Decimal(64100), SPOT: Decimal(64100)}:
        message = await socket.receive_json(timeout=5)
        for row in message.get("data", ()):
            told[row["instId"]] = Decimal(row.get("markPx") or row["last"])
    await socket.close()


async def test_injected_faults_pass_through(client: Client, simulator: SimulatorProcess) -> None:
    simulator.operator.add_fault(
        "POST /api/v5/trade/order", "reset_after", times=1, account_id=client.account_id
    )
    with pytest.raises(aiohttp.ClientError):
        await client.place(clOrdId="lost")
    found = await client.call("GET", "trade/order", instId=SWAP, clOrdId="lost")
    assert found["code"] == "0"
