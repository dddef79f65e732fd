"""The OKX dialect over real HTTP: it counts in contracts, acknowledges before it matches, and refuses with its codes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from tests.integration.simulator.okx_client import SPOT, SWAP, Client, code, opened
from tests.support.simulator import SimulatorProcess


@pytest.fixture
def client(
    simulator: SimulatorProcess, session: aiohttp.ClientSession, request: pytest.FixtureRequest
) -> Iterator[Client]:
    with opened(simulator, session, request.node.name) as made:
        yield made


async def test_an_order_is_acknowledged_then_matched_in_contracts(
    client: Client, simulator: SimulatorProcess
) -> None:
    simulator.operator.settings(matching_delay_ms=200)
    placed = await client.place(clOrdId="mine", sz="2")
    assert (placed["code"], placed["data"][0]["clOrdId"]) == ("0", "mine")
    found = await client.call("GET", "trade/order", instId=SWAP, clOrdId="mine")
    assert (found["data"][0]["state"], found["data"][0]["accFillSz"]) == ("live", "0")
    await client.held("2")
    (fill,) = (await client.call("GET", "trade/fills", instType="SWAP", instId=SWAP))["data"]
    assert (fill["fillSz"], fill["ordId"]) == ("2", placed["data"][0]["ordId"])
    (row,) = simulator.operator.ledger("fills", client.account_id)
    assert row["quantity"] == "0.02"


async def test_a_client_id_is_unique_among_open_orders_only(client: Client) -> None:
    resting = {"ordType": "limit", "px": "60900", "clOrdId": "same"}
    assert code(await client.place(**resting)) == "0"
    again = await client.place(**resting)
    assert (again["code"], code(again)) == ("1", "51016")
    cancelled = await client.call("POST", "trade/cancel-order", {"instId": SWAP, "clOrdId": "same"})
    assert code(cancelled) == "0"
    assert code(await client.place(**resting)) == "0"
    assert code(await client.place(clOrdId="no-hyphens")) == "51000"


async def test_several_orders_have_each_their_own_outcome(client: Client) -> None:
    good = {"instId": SWAP, "tdMode": "cross", "side": "buy", "ordType": "market", "sz": "1"}
    answer = await client.call("POST", "trade/batch-orders", [good, {**good, "sz": "0"}])
    assert (answer["code"], [row["sCode"] for row in answer["data"]]) == ("2", ["0", "51000"])


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"sz": "0.15"}, "51121"), ({"sz": "0.1"}, "51020"), ({"sz": "100000"}, "51101"), ({"sz": "11000"}, "51008"),
        ({"tdMode": "cash"}, "51000"), ({"instId": "NO-SUCH-SWAP"}, "51001"), ({"side": "up"}, "51000"),
        ({"posSide": "long"}, "51000"), ({"side": "sell", "reduceOnly": True}, "51169"), ({"sz": None}, "50014"),
        ({"ordType": "limit", "px": "10"}, "51006"), ({"ordType": "limit"}, "50014"),
        ({"attachAlgoOrds": [{"slTriggerPx": "1"}]}, "51010"),
    ],
)  # fmt: skip
async def test_refusals_bear_the_venues_codes(client: Client, change: dict[str, Any], refusal: str) -> None:
    assert code(await client.place(**change)) == refusal


async def test_in_long_short_mode_each_side_has_its_own_position(client: Client) -> None:
    assert code(await client.call("POST", "account/set-position-mode", {"posMode": "long_short_mode"})) == "0"
    assert "posSide" in (await client.place())["data"][0]["sMsg"]
    for side, position in (("buy", "long"), ("sell", "short")):
        assert code(await client.place(side=side, posSide=position)) == "0"
    async with asyncio.timeout(10):
        while len(rows := (await client.call("GET", "account/positions"))["data"]) < 2:
            pass
    assert sorted((row["posSide"], row["pos"]) for row in rows) == [("long", "1"), ("short", "1")]
    kept = await client.call("POST", "account/set-position-mode", {"posMode": "net_mode"})
    assert kept["code"] == "59000"
    lever = {"instId": SWAP, "lever": "7", "mgnMode": "isolated"}
    assert (await client.call("POST", "account/set-leverage", lever))["code"] == "51000"
    told = await client.call("POST", "account/set-leverage", {**lever, "posSide": "long"})
    assert told["data"][0]["lever"] == "7"
    assert (await client.call("POST", "account/set-leverage", {**lever, "posSide": "long", "lever": "1000"}))[
        "code"
    ] == "59102"


async def test_the_margin_mode_is_that_of_the_order(client: Client) -> None:
    assert code(await client.place(tdMode="isolated")) == "0"
    await client.held("1")
    (row,) = (await client.call("GET", "account/positions"))["data"]
    assert row["mgnMode"] == "isolated"
    assert float(row["margin"]) > 0
    assert code(await client.place(tdMode="cross")) == "51010"


async def test_spot_counts_in_coins_and_buys_for_an_amount(client: Client) -> None:
    spot = {"instId": SPOT, "tdMode": "cash"}
    assert code(await client.place(**spot, tgtCcy="base_ccy", sz="0.01", clOrdId="coins")) == "0"
    assert code(await client.place(**spot, sz="640", clOrdId="quote")) == "0"
    rows: list[Any] = []
    async with asyncio.timeout(10):
        while len(rows) < 2:
            rows = (await client.call("GET", "trade/fills", instType="SPOT"))["data"]
    assert {row["feeCcy"] for row in rows} == {"BTC"}
    found = (await client.call("GET", "trade/order", instId=SPOT, clOrdId="quote"))["data"][0]
    assert (found["tgtCcy"], found["sz"], found["posSide"]) == ("quote_ccy", "640", "")
    wallets = (await client.call("GET", "account/balance"))["data"][0]["details"]
    assert {row["ccy"] for row in wallets} == {"BTC", "USDT"}
    (btc,) = [row for row in wallets if row["ccy"] == "BTC"]
    assert 1.019 < float(btc["cashBal"]) < 1.02


async def test_pages_go_backwards_by_bill(client: Client) -> None:
    for _ in range(3):
        await client.place()
    await client.held("3")
    first = (await client.call("GET", "trade/fills", limit=2))["data"]
    rest = (await client.call("GET", "trade/fills", limit=2, after=first[-1]["billId"]))["data"]
    numbers = [int(row["billId"]) for row in first + rest]
    assert numbers == sorted(set(numbers), reverse=True)
    assert len(numbers) == 3


async def test_funding_and_fees_stand_in_the_bills(client: Client, simulator: SimulatorProcess) -> None:
    await client.place()
    await client.held("1")
    simulator.operator.post("/sim/funding", {"symbol": "BTCUSDT", "rate": "0.0001"})
    (row,) = (await client.call("GET", "account/bills", instType="SWAP", type="8"))["data"]
    assert (row["subType"], row["instId"], row["ccy"]) == ("173", SWAP, "USDT")
    assert len((await client.call("GET", "account/bills-archive", instType="SWAP"))["data"]) == 2


async def test_a_cancelled_order_stays_known_and_an_unknown_one_is_not_found(client: Client) -> None:
    await client.place(ordType="limit", px="60900", clOrdId="short")
    await client.call("POST", "trade/cancel-order", {"instId": SWAP, "clOrdId": "short"})
    assert (await client.call("GET", "trade/order", instId=SWAP, clOrdId="short"))["data"][0][
        "state"
    ] == "canceled"
    assert (await client.call("GET", "trade/order", instId=SWAP, clOrdId="nobody"))["code"] == "51603"
    assert (await client.call("GET", "trade/order", instId=SWAP))["code"] == "51003"
    assert len((await client.call("GET", "trade/orders-history", instType="SWAP"))["data"]) == 1
