"""One account follows two leaders into one market, on real processes: the exchange knows one net position, to which
reduce-only limits; what leaves with one leader, or by one follow's stop, closes nothing of the other's lot.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from functools import partial

import pytest

from app.domain.shared.ids import FollowId, WhaleId
from app.domain.shared.terms import CopyTerms
from tests.e2e.test_every_venue import LINEAR
from tests.e2e.test_protection import LADDER, STOP, ratio, resting, settled, terms
from tests.support.books import books_differ
from tests.support.system import Follower, System, running_system, until

WIDE = terms(stop_loss=ratio("0.1"))
CANCELS = "DELETE /fapi/v1/algoOrder"
HELD = "SELECT follow_id, quantity FROM positions WHERE quantity <> 0 ORDER BY follow_id"


async def follow_another(
    system: System, followers: Sequence[Follower], whale: WhaleId, agreed: CopyTerms
) -> list[FollowId]:
    """Let these accounts follow a second leader."""
    made = []
    async with system.app.uow() as uow:
        for each in followers:
            made.append((await uow.follows.add(each.user_id, whale, each.account_id, agreed)).id)
        await uow.commit()
    return made


async def lots(system: System, wanted: dict[FollowId, str]) -> bool:
    found = {row["follow_id"]: row["quantity"] for row in await system.rows(HELD)}
    return found == {follow: Decimal(size) for follow, size in wanted.items()}


async def none_waits(system: System) -> bool:
    return bool(await system.value("SELECT count(*) = 0 FROM decisions WHERE outcome = 'DEFERRED'"))


@pytest.mark.parametrize("fault", [None, "lost", "refused"])
async def test_a_stop_that_triggers_while_its_leader_closes_leaves_the_other_lot_whole(
    database_dsn: str, redis_url: str, fault: str | None
) -> None:
    async with running_system(database_dsn, redis_url, entry_ttl_s=120) as system:
        first, second = [await system.make_leader(label=name) for name in ("first", "second")]
        followers = await system.make_followers(first, [STOP] * 4)
        await leave_one_after_the_other(system, first, second, followers, fault)


@pytest.mark.timeout(300)  # many venues at once, on machines with little to spare
async def test_so_it_is_at_every_venue(database_dsn: str, redis_url: str) -> None:
    async with running_system(database_dsn, redis_url, venues=LINEAR, entry_ttl_s=120) as system:
        first, second = [await system.make_leader(label=name) for name in ("first", "second")]
        followers = [
            one for venue in LINEAR for one in await system.make_followers(first, [STOP], venue=venue)
        ]
        await leave_one_after_the_other(system, first, second, followers, None)


async def leave_one_after_the_other(
    system: System, first: WhaleId, second: WhaleId, followers: Sequence[Follower], fault: str | None
) -> None:
    """Let the first leader close while its followers' stops trigger, then the second, whom the same accounts follow."""
    operator, number = system.simulator.operator, len(followers)
    others = await follow_another(system, followers, second, WIDE)
    with system.start("work"), system.start("beat"), system.start("feed"):
        await system.leader_watched()
        system.lead("BUY", "0.1", whale=first)
        await system.quiet(signals=1)
        system.lead("BUY", "0.1", whale=second)
        await system.quiet(signals=2)
        await until(partial(resting, system, 2 * number), what="a stop of each follow rests")
        if fault == "lost":
            operator.add_fault(CANCELS, "reset_after", times=2)
        elif fault == "refused":
            operator.add_fault(CANCELS, "http_status", status=503, times=6)
        system.lead("SELL", "0.1", whale=first)
        if fault is not None:
            waits = "SELECT count(*) > 0 FROM decisions WHERE code = 'PROTECTION_STILL_RESTS'"
            await until(lambda: system.value(waits), what="an exit waits")
        operator.set_prices(BTCUSDT="62000.0")
        await until(partial(none_waits, system), what="no exit waits any more")
        await until(partial(lots, system, dict.fromkeys(others, "0.01")), what="the first's lots are closed")
        await until(partial(resting, system, number), what="the stops of the second's lots rest")
        await until(partial(settled, system), what="all is booked")
        net = await asyncio.to_thread(operator.ledger, "positions")
        for each in followers:
            held = [Decimal(row["quantity"]) for row in net if row["account_id"] == each.simulator_account]
            assert sum(held) == Decimal("0.01")
        system.lead("SELL", "0.1", whale=second)
        await until(partial(lots, system, {}), what="the second's lots leave with their leader")
        await until(partial(resting, system, 0), what="nothing rests any more")
        await until(partial(settled, system), what="all is booked")
    assert await books_differ(system) == []
    sold = await system.rows(
        "SELECT follow_id, sum(executed) AS sold FROM trades WHERE leg = 'EXIT' GROUP BY 1"
    )
    assert [row["sold"] for row in sold] == [Decimal("0.01")] * 2 * number


async def test_an_entry_waits_for_a_ladder_that_could_close_it_and_the_rungs_are_watched_from_here(
    database_dsn: str, redis_url: str
) -> None:
    async with running_system(database_dsn, redis_url, entry_ttl_s=120) as system:
        first, second = [await system.make_leader(label=name) for name in ("first", "second")]
        followers = await system.make_followers(first, [LADDER])
        [mine], [other] = [each.follow_id for each in followers], await follow_another(
            system, followers, second, WIDE
        )
        with system.start("work"), system.start("beat"), system.start("feed"):
            await system.leader_watched()
            system.lead("BUY", "0.1", whale=first)
            await system.quiet(signals=1)
            await until(partial(resting, system, 3), what="stop and ladder rest while the lot is alone")
            system.lead("BUY", "0.1", whale=second)
            await until(partial(lots, system, {mine: "0.01", other: "0.01"}), what="the other has entered")
            await until(partial(resting, system, 2), what="one stop of each follow rests")
            assert (
                await system.value(
                    "SELECT count(*) FROM protections WHERE rung <> 'SL' AND state = 'CANCELED'"
                )
                == 2
            )
            system.simulator.operator.set_prices(BTCUSDT="64700.0")
            await until(
                partial(lots, system, {mine: "0.005", other: "0.01"}), what="the first rung sells its share"
            )
            await until(partial(resting, system, 2), what="one stop of each follow rests again")
            system.lead("SELL", "0.1", whale=first)
            await until(partial(lots, system, {other: "0.01"}), what="the first leaves")
            system.lead("SELL", "0.1", whale=second)
            await until(partial(lots, system, {}), what="the second leaves")
            await until(partial(resting, system, 0), what="nothing rests any more")
            await until(partial(settled, system), what="all is booked")
        assert await books_differ(system) == []
