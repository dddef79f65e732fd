"""The main job, end to end on real processes: a leader trades and every follower's account copies it."""

from __future__ import annotations

import asyncio

from tests.support.processes import wait_until
from tests.support.system import fixed, running_system


async def test_a_leaders_trades_are_copied_once_each_and_closed_with_the_leader(
    database_dsn: str, redis_url: str
) -> None:
    async with running_system(database_dsn, redis_url) as system:
        whale = await system.make_leader()
        followers = await system.make_followers(whale, [fixed("500")] * 20)
        with system.start("work"), system.start("beat"), system.start("feed"):
            await system.leader_watched()
            system.lead("BUY", "0.1", parts=7)
            await system.quiet(signals=1)
            orders = await asyncio.to_thread(system.simulator.operator.ledger, "orders")
            ours = [order for order in orders if order["client_order_id"].startswith("c")]
            assert len(ours) == 20
            system.lead("SELL", "0.1", parts=3)
            await system.quiet(signals=2)
        assert len(followers) == 20
