"""Exits are never blocked: not by a pause, not by a loss limit, not by a halt."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from app.application.risk.halts import RaiseHalt
from app.domain.risk.halts import Halt, HaltScope
from app.domain.risk.limits import Limits
from tests.support.books import books_differ
from tests.support.system import System, fixed, running_system, until

PAUSED, AT_LIMIT, FREE = 50, 50, 20


async def test_a_leaders_close_closes_paused_and_loss_limited_followers_while_entries_are_halted(
    database_dsn: str, redis_url: str
) -> None:
    async with running_system(database_dsn, redis_url, entry_ttl_s=120) as system:
        whale = await system.make_leader()
        followers = await system.make_followers(whale, [fixed("500")] * (PAUSED + AT_LIMIT + FREE))
        with system.start("work"), system.start("beat"), system.start("feed"):
            await system.leader_watched()
            system.lead("BUY", "0.1", parts=3)
            await system.quiet(signals=1)
            async with system.app.uow() as uow:
                for follower in followers[:PAUSED]:
                    follow = await uow.follows.get(follower.follow_id)
                    follow.pause(system.app.clock.now())
                    await uow.follows.save(follow)
                for follower in followers[PAUSED : PAUSED + AT_LIMIT]:
                    # The entry's fee alone has already cost more than this.
                    await uow.limits.set_for_user(follower.user_id, Limits(daily_loss_max=Decimal("0.01")))
                await uow.commit()
            system.lead("BUY", "0.1")
            await system.quiet(signals=2)
            assert await _codes(system, "ADD") == {
                ("SKIPPED", "FOLLOW_PAUSED"): PAUSED,
                ("SKIPPED", "DAILY_LOSS_LIMIT"): AT_LIMIT,
                ("COPIED", "AS_ASKED"): FREE,
            }
            async with system.app.uow() as uow:
                now = system.app.clock.now()
                await uow.halts.raise_halt(Halt(HaltScope.PLATFORM, "", "a test of the way out", now))
                await uow.commit()
            system.lead("SELL", "0.2", parts=2)
            await system.quiet(signals=3)
            assert await _codes(system, "CLOSE") == {("COPIED", "AS_ASKED"): PAUSED + AT_LIMIT + FREE}
        assert await system.value("SELECT count(*) FROM positions WHERE quantity <> 0") == 0
        assert await books_differ(system) == []


async def test_a_halt_that_closes_leaves_every_position_while_the_leader_holds_on(
    database_dsn: str, redis_url: str
) -> None:
    async with running_system(database_dsn, redis_url, entry_ttl_s=120) as system:
        whale = await system.make_leader()
        followers = await system.make_followers(whale, [fixed("500")] * 30)
        with system.start("work"), system.start("beat"), system.start("feed"):
            await system.leader_watched()
            system.lead("BUY", "0.1", parts=3)
            await system.quiet(signals=1)
            for scope, target, left in (
                (HaltScope.USER, str(followers[0].user_id), 29),
                (HaltScope.PLATFORM, "", 0),
            ):
                await RaiseHalt(system.app.uow, system.app.clock)(
                    scope, target, "a drill", close_positions=True
                )
                await until(partial(_held_by, system, left), what=f"{left} positions left")
            await system.quiet(signals=3)
            system.lead("SELL", "0.1")
            await system.quiet(signals=4)
        assert await books_differ(system) == []


async def _held_by(system: System, number: int) -> bool:
    return bool(await system.value("SELECT count(*) = :n FROM positions WHERE quantity <> 0", n=number))


async def _codes(system: System, action: str) -> dict[tuple[str, str], int]:
    rows = await system.rows(
        "SELECT d.outcome, d.code, count(*) AS n FROM decisions d JOIN signals s ON s.id = d.signal_id"
        " WHERE s.action = :action GROUP BY d.outcome, d.code",
        action=action,
    )
    return {(row["outcome"], row["code"]): row["n"] for row in rows}
