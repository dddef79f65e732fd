"""Conditional orders of the OKX dialect: they rest, fire at the mark price, and are refused with its codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from tests.integration.simulator.okx_client import SWAP, Client, code, opened
from tests.support.simulator import SimulatorProcess


@pytest.fixture
def client(
    simulator: SimulatorProcess, session: aiohttp.ClientSession, request: pytest.FixtureRequest
) -> Iterator[Client]:
    with opened(simulator, session, request.node.name) as made:
        yield made


async def test_a_stop_fires_at_its_mark_and_what_it_became_is_told(
    client: Client, simulator: SimulatorProcess
) -> None:
    await client.place()
    await client.held("1")
    placed = await client.stop(algoClOrdId="guard")
    assert code(placed) == "0"
    assert code(await client.stop(algoClOrdId="guard")) == "51065"
    assert len((await client.call("GET", "trade/orders-algo-pending", ordType="conditional"))["data"]) == 1
    simulator.operator.set_prices(BTCUSDT="62990.0")
    await client.held("0")
    (row,) = (await client.call("GET", "trade/order-algo", algoClOrdId="guard"))["data"]
    assert (row["state"], row["algoId"]) == ("effective", placed["data"][0]["algoId"])
    (order,) = (await client.call("GET", "trade/order", instId=SWAP, ordId=row["ordId"]))["data"]
    assert (order["algoClOrdId"], order["clOrdId"], order["state"]) == ("guard", "", "filled")
    assert (
        code(await client.call("POST", "trade/cancel-algos", [{"instId": SWAP, "algoId": row["algoId"]}]))
        == "51400"
    )


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"slTriggerPx": "65000"}, "51280"), ({"side": "buy"}, "51278"),
        ({"slTriggerPx": None, "slOrdPx": None, "tpTriggerPx": "63000", "tpOrdPx": "-1"}, "51279"),
        ({"slTriggerPx": None, "slOrdPx": None, "tpTriggerPx": "65000", "tpOrdPx": "-1", "side": "buy"}, "51277"),
        ({"ordType": "oco"}, "51010"), ({"slTriggerPxType": "moon"}, "51000"), ({"slTriggerPx": None}, "51000"),
        ({"closeFraction": "1"}, "51010"), ({"reduceOnly": False, "cxlOnClosePos": True}, "51000"),
    ],
)  # fmt: skip
async def test_protections_are_refused_with_the_venues_codes(
    client: Client, change: dict[str, Any], refusal: str
) -> None:
    assert code(await client.stop(**change)) == refusal


async def test_a_protection_bound_to_its_position_goes_with_it(client: Client) -> None:
    await client.place()
    await client.held("1")
    assert code(await client.stop(algoClOrdId="bound", cxlOnClosePos=True)) == "0"
    await client.place(side="sell", reduceOnly=True)
    await client.held("0")
    (row,) = (await client.call("GET", "trade/order-algo", algoClOrdId="bound"))["data"]
    assert row["state"] == "canceled"
