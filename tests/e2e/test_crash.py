"""A worker group that is killed in mid fan-out: after the restart every follower has exactly one order, and the books agree."""

from __future__ import annotations

import asyncio
from collections import Counter

from tests.support.books import books_differ
from tests.support.simulator import SimulatorProcess
from tests.support.system import fixed, running_system, until

FOLLOWERS = 300


async def test_a_worker_killed_in_mid_fan_out_leaves_exactly_one_order_for_every_follower(
    database_dsn: str, redis_url: str
) -> None:
    async with running_system(database_dsn, redis_url, entry_ttl_s=600, chunk_max=32) as system:
        whale = await system.make_leader()
        await system.make_followers(whale, [fixed("500")] * FOLLOWERS)
        system.simulator.operator.settings(latency_ms=20)
        with system.start("beat"), system.start("feed"):
            with system.start("work") as worker:
                await system.leader_watched()
                system.lead("BUY", "0.5", parts=5)
                await until(lambda: system.value("SELECT count(*) BETWEEN 60 AND 250 FROM orders"))
                worker.kill()
            sent = await system.value("SELECT count(*) FROM orders WHERE acked_at IS NOT NULL")
            assert sent < FOLLOWERS, "the kill came too late to prove anything"
            with system.start("work"):
                await system.quiet(signals=1, seconds=90)
                await _each_follower_has_one(
                    system.simulator, await system.value("SELECT count(*) FROM follows")
                )
                system.lead("SELL", "0.5")
                await system.quiet(signals=2, seconds=90)
        assert await books_differ(system) == []


async def _each_follower_has_one(simulator: SimulatorProcess, followers: int) -> None:
    ledger = await asyncio.to_thread(simulator.operator.ledger, "orders")
    executed = Counter(order["account_id"] for order in ledger if order["client_order_id"].startswith("c"))
    assert len(executed) == followers
    assert set(executed.values()) == {1}
