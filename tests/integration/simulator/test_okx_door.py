"""The door of the OKX dialect: who asks, when, how often, with which right, and strangers' signatures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import aiohttp
import pytest
from yarl import URL

from tests.integration.simulator.okx_client import SWAP, Client, code, opened
from tests.integration.simulator.test_vectors import load
from tests.support.simulator import ROOT, SimulatorProcess

VECTORS = ROOT.parent / "shared/data/exchange_vectors/signed_requests/okx.json"


@pytest.fixture
def client(
    simulator: SimulatorProcess, session: aiohttp.ClientSession, request: pytest.FixtureRequest
) -> Iterator[Client]:
    with opened(simulator, session, request.node.name) as made:
        yield made


async def test_who_asks_is_checked_and_told(client: Client) -> None:
    assert code(await client.call("GET", "account/balance")) == "0"
    stranger = Client(client.session, client.process, "", "nobody", "secret")
    answer = await stranger.call("GET", "account/balance")
    assert (answer["status"], answer["code"]) == (401, "50111")
    wrong = {"secret": "50113", "passphrase": "50105"}
    for name, expected in wrong.items():
        given = {"secret": client.secret, "passphrase": client.passphrase, name: "wrong"}
        other = Client(client.session, client.process, client.account_id, client.key, **given)
        assert code(await other.call("GET", "account/balance")) == expected
    assert (
        code(await client.call("GET", "account/balance", headers={"OK-ACCESS-TIMESTAMP": "now"})) == "50112"
    )
    assert code(await client.call("GET", "account/balance", headers={"OK-ACCESS-SIGN": ""})) == "50106"
    assert (await client.call("GET", "nowhere"))["status"] == 404


@pytest.mark.parametrize("age_s", [31, -31])
async def test_a_timestamp_half_a_minute_off_is_refused(client: Client, age_s: float) -> None:
    answer = await client.call("GET", "account/balance", age_s=age_s)
    assert (answer["status"], answer["code"]) == (401, "50102")
    assert code(await client.call("GET", "account/balance", age_s=age_s * 0.9)) == "0"


async def test_an_order_behind_its_expiry_is_not_processed(
    client: Client, simulator: SimulatorProcess
) -> None:
    body = {"instId": SWAP, "tdMode": "cross", "side": "buy", "ordType": "market", "sz": "1"}
    now = int(datetime.now(UTC).timestamp() * 1000)
    late = await client.call("POST", "trade/order", body, headers={"expTime": str(now - 1)})
    assert code(late) == "50036"
    simulator.operator.settings(latency_ms=400)
    slow = await client.call("POST", "trade/order", body, headers={"expTime": str(now + 200)})
    simulator.operator.settings(latency_ms=0)
    assert code(slow) in {"50036", "50037"}
    assert simulator.operator.ledger("orders", client.account_id) == []


async def test_limits_are_kept_per_account_and_market(client: Client, simulator: SimulatorProcess) -> None:
    simulator.operator.settings(limits={"orders_per_10s": 15, "uid_window_ms": 10_000})
    codes = [code(await client.place()) for _ in range(4)]
    assert codes == ["0", "0", "0", "50011"]
    assert code(await client.place(instId="ETH-USDT-SWAP")) == "0"
    simulator.operator.settings(limits={"requests_per_uid": 10})
    seen = [await client.call("GET", "account/config") for _ in range(6)]
    assert [(row["status"], row["code"]) for row in seen][-2:] == [(200, "0"), (429, "50011")]
    simulator.operator.settings(limits={"uid_window_ms": 1000, "requests_per_uid": 1_000_000})


async def test_a_key_without_the_right_to_trade_is_refused(
    simulator: SimulatorProcess, session: aiohttp.ClientSession
) -> None:
    row = simulator.operator.open_account("okx-reader", permissions={"futures": False})
    reader = Client(session, simulator, row["account_id"], row["api_key"], row["api_secret"])
    assert code(await reader.place()) == "50120"
    assert "trade" not in (await reader.call("GET", "account/config"))["data"][0]["perm"]


async def test_strangers_signatures_are_accepted_and_touched_ones_are_not(
    session: aiohttp.ClientSession,
) -> None:
    vectors = load(VECTORS)
    keys, checked = vectors["credentials"], 0
    account = {
        "label": "vectors",
        "balance": "10000",
        "api_key": keys["apiKey"],
        "api_secret": keys["secret"],
    }
    with SimulatorProcess(seed=1, config={"accounts": [account]}) as process:
        for case in [row for row in vectors["cases"] if row["signature_rechecked"] == "ok"]:
            skew = case["timestamp_ms"] - int(datetime.now(UTC).timestamp() * 1000)
            process.operator.settings(clock_skew_ms=skew)
            path = case["url"].removeprefix("https://www.okx.com")
            for secret_touched, expected in ((False, "50105"), (True, "50113")):
                headers = {name.upper(): value for name, value in case["headers"].items()}
                if secret_touched:
                    headers["OK-ACCESS-SIGN"] = headers["OK-ACCESS-SIGN"][::-1]
                url = URL(process.base_url + path, encoded=True)
                async with session.request(
                    case["method"], url, data=case["body"] or None, headers=headers
                ) as reply:
                    # Its passphrase is not the one of simulated accounts: that is looked at after the signature.
                    assert (await reply.json())["code"] == expected, case["id"]
            checked += 1
    assert checked == 17
