"""The main job, end to end on real processes: a leader trades and every follower's account copies it."""

from __future__ import annotations

from tests.support.books import books_differ
from tests.support.system import fixed, running_system


async def test_a_leaders_trades_are_copied_once_each_and_closed_with_the_leader(
    database_dsn: str, redis_url: str
) -> None:
    async with running_system(database_dsn, redis_url) as system:
        whale = await system.make_leader()
        followers = await system.make_followers(whale, [fixed("500")] * 20)
        with system.start("work") as worker, system.start("beat"), system.start("feed"):
            await system.leader_watched()
            system.lead("BUY", "0.1", parts=7)
            await system.quiet(signals=1)
            worker.wait_for_line(r'"signal.copied"')
            system.lead("SELL", "0.1", parts=3)
            await system.quiet(signals=2)
        decided = await system.value("SELECT count(*) FROM decisions WHERE outcome = 'COPIED'")
        assert decided == 2 * len(followers)
        assert await books_differ(system) == []
