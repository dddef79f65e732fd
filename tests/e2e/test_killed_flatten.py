"""Who promised to close everything and died amid it: the next worker keeps the promise, and no count comes before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from app.application.api_services import ApiServices
from app.config.api_container import api_services
from app.domain.risk.halts import HaltScope
from app.domain.shared.ids import FollowId
from tools.chaos.convergence import at_rest, count
from tools.chaos.counts import Leaving
from tools.chaos.market import PROTECTIONS
from tools.chaos.rehearsal import QUICK, warm_up
from tools.chaos.stage import Stage, stage

FOLLOWERS = 3
WITHIN_S = 90.0
LOTS = "SELECT count(*) FROM positions WHERE quantity <> 0"
FIRST = "SELECT min(follow_id) FROM positions WHERE quantity <> 0"

Promise = Callable[[ApiServices, Stage], Awaitable[Leaving]]


async def flatten(services: ApiServices, on: Stage) -> Leaving:
    """Close everything, and allow entries again at once: what is left stays left."""
    del on
    halt = await services.raise_halt(HaltScope.PLATFORM, "", "a test", close_positions=True)
    await services.clear_halt(HaltScope.PLATFORM, "")
    return Leaving(at=halt.at)


async def stop(services: ApiServices, on: Stage) -> Leaving:
    """Stop one follow and leave what it holds."""
    follow = FollowId(await on.system.value(FIRST))
    user = next(one.user_id for one in on.followers if one.follow_id == follow)
    await services.stop_follow(user, follow, close_positions=True, trace_id="test")
    return Leaving(follow=follow)


@pytest.mark.parametrize(
    ("promise", "point", "left"),
    [(flatten, "risk.flatten.__call__", 0), (stop, "users.stop_follow.__call__", FOLLOWERS - 1)],
)
@pytest.mark.timeout(300)
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_promise_to_close_outlives_the_worker_that_was_killed_keeping_it(
    promise: Promise, point: str, left: int, moment: str
) -> None:
    async with stage(1, FOLLOWERS, protections=PROTECTIONS, **QUICK) as on:
        await warm_up(on)
        await on.nursery.born("worker")
        await on.nursery.born("feed")
        on.system.lead("BUY", "0.100", "BTCUSDT")
        await at_rest(on.system, WITHIN_S)
        assert await on.system.value(LOTS) == FOLLOWERS
        await on.nursery.kill_all()
        leaving = await promise(api_services(on.system.app), on)

        doomed = await on.nursery.born("worker", f"{point}.commit.{moment}:1:kill")
        async with asyncio.timeout(WITHIN_S):
            await doomed.dead.wait()
        assert doomed.point == f"{point}.commit.{moment}"
        await on.nursery.born("worker")
        await on.nursery.born("feed")
        await at_rest(on.system, WITHIN_S)

        counts = await count(on.system, [leaving])
        assert counts.is_clean, counts.sentence()
        assert await on.system.value(LOTS) == left
