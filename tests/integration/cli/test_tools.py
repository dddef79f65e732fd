"""The operator's tools as real processes, on a real database and the simulated exchange."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.support.system import Follower, System, fixed, running_system, until


async def run(system: System, *command: str) -> tuple[int, str]:
    """Run one tool to its end; return its exit status and what it wrote."""
    with system.start(*command) as child:
        code = await asyncio.to_thread(child.wait, 60)
        return code, child.output


@pytest.fixture
async def system(database_dsn: str, redis_url: str) -> AsyncIterator[System]:
    async with running_system(database_dsn, redis_url, log_level="ERROR", entry_ttl_s=600) as made:
        yield made


async def a_copied_entry(system: System, followers: int = 2) -> list[Follower]:
    """Let a leader buy and every follower copy it."""
    whale = await system.make_leader()
    made = await system.make_followers(whale, [fixed("500")] * followers)
    with system.start("work"), system.start("beat"), system.start("feed"):
        await system.leader_watched()
        system.lead("BUY", "0.1", parts=2)
        await system.quiet(signals=1)
    return made


async def test_the_tools_tell_of_a_healthy_system_and_of_what_was_done_to_it(system: System) -> None:
    follower, other = await a_copied_entry(system)

    code, text = await run(system, "audit")
    assert code == 0, text
    assert text.rstrip().endswith("The books agree.")

    await the_story_is_whole(system, follower)

    code, text = await run(system, "reconcile")
    assert code == 0, text
    assert "pass 1: nothing left to do now" in text
    assert "2 accounts compared: no drift" in text

    await the_owner_trades_by_hand(system, other)
    code, text = await run(system, "reconcile")
    assert code == 1, text
    assert f"account {other.account_id}: MANUAL_TRADE BTC-USDT" in text
    assert f"account {other.account_id}: WALLET WALLET" in text, "the owner's fee"
    assert f"account {follower.account_id}:" not in text
    assert await system.value("SELECT count(*) FROM orders") == 2, "drift is told, never mended by an order"

    system.simulator.operator.add_fault("GET /fapi/v2/positionRisk", "http_status", status=503)
    code, text = await run(system, "reconcile")
    assert code == 1, text
    assert "UNKNOWN" in text
    assert f"account {follower.account_id}: unknown" in text


async def the_story_is_whole(system: System, follower: Follower) -> None:
    cid = await system.value(
        "SELECT client_order_id FROM orders WHERE follow_id = :id", id=follower.follow_id
    )
    signal = await system.value("SELECT id FROM signals")
    code, text = await run(system, "orders", "show", cid)
    assert code == 0, text
    for word in (
        "signal ",
        "OPEN BUY BTC-USDT",
        "COPIED AS_ASKED",
        "leader_price=",
        "hold ",
        f"attempt 0 {cid}: FILLED",
    ):
        assert word in text
    for word in ("deadline=", "fill ", "position ", "ledger    FEE"):
        assert word in text
    code, as_json = await run(system, "orders", "show", str(signal), str(follower.follow_id), "--json")
    assert code == 0, as_json
    story = json.loads(as_json)
    assert story["trades"][0]["orders"][0]["client_order_id"] == cid
    assert story["decision"]["code"] == "AS_ASKED"
    assert story["inputs"]["mode"] == "FIXED_AMOUNT"
    assert "sealed" not in as_json


async def the_owner_trades_by_hand(system: System, follower: Follower) -> None:
    await system.simulator.operator.apost(
        "/sim/fills",
        {
            "account_id": follower.simulator_account,
            "symbol": "BTCUSDT",
            "side": "BUY",
            "fills": [{"price": "60000", "quantity": "0.001"}],
            "final": True,
        },
    )


async def test_reconcile_brings_orders_whose_replies_were_lost_to_their_end(system: System) -> None:
    whale = await system.make_leader()
    operator = system.simulator.operator
    for follower in await system.make_followers(whale, [fixed("500")] * 2):
        operator.add_fault("WS", "drop", account_id=follower.simulator_account)
    operator.add_fault("POST /fapi/v1/order", "reset_after", times=2)
    with system.start("work"), system.start("feed"):  # no beat: nobody rings for recovery
        await system.leader_watched()
        system.lead("BUY", "0.1")
        await until(lambda: system.value("SELECT count(*) = 2 FROM orders WHERE state = 'UNKNOWN'"))
    code, text = await run(system, "reconcile")
    assert code == 0, text
    assert "pass 1: 2 looked up" in text
    assert "2 accounts compared: no drift" in text
    assert await system.value("SELECT bool_and(settled AND state = 'FILLED') FROM trades")


async def test_the_audit_exits_with_one_and_names_what_is_wrong(system: System) -> None:
    await a_copied_entry(system, 1)
    async with system.app.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE funds SET held = held + 1 WHERE margin > 0")
    code, text = await run(system, "audit", "--json")
    assert code == 1, text
    wrong = [finding for finding in json.loads(text) if finding["count"] != 0]
    assert [finding["name"] for finding in wrong] == ["held"]
    code, text = await run(system, "audit")
    assert code == 1
    assert "1 of" in text


async def test_an_unknown_order_is_one_line_and_no_trace(system: System) -> None:
    code, text = await run(system, "orders", "show", "cnosuchorder")
    assert (code, text.count("\n")) == (1, 1)
    assert text.startswith("not_found: ")
    code, text = await run(system, "orders", "show", str(uuid4()), "1")
    assert (code, text.count("\n")) == (1, 1)
    code, _ = await run(system, "orders", "show", "not-a-uuid", "1")
    assert code == 2


async def test_a_tool_without_settings_says_which_are_missing(system: System) -> None:
    system.env["COPYTRADE_ID_SECRET"] = "short"
    code, text = await run(system, "audit")
    assert code == 2
    assert "id_secret" in text


async def test_a_tool_without_its_database_is_one_line(system: System) -> None:
    system.env["COPYTRADE_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    code, text = await run(system, "audit")
    assert code == 1
    assert text.startswith("storage_unavailable: ")
