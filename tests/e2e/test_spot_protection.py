"""At spot no order is limited to reducing: a close waits for the protection that could sell beside it, on real processes.

Each account holds a coin of its owner's besides what is copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial

import pytest

from app.domain.shared.market import Venue
from tests.e2e.test_protection import STOP, resting, settled
from tests.support.books import books_differ
from tests.support.hands import codes, money
from tests.support.system import Follower, System, running_system, until

COINS = (Venue.BINANCE_SPOT, Venue.BYBIT_SPOT, Venue.OKX_SPOT, Venue.BITGET_SPOT)
CANCELS = "DELETE /api/v3/order"
WAIT = """
SELECT coalesce(max(extract(epoch FROM o.created_at - s.created_at)), 0) * 1000
  FROM orders o JOIN signals s ON s.id = o.signal_id WHERE o.leg = 'EXIT' AND s.source = 'LEADER'
"""


async def everything_is_sold_and_no_coin_of_an_owner(system: System, followers: Sequence[Follower]) -> None:
    await until(partial(resting, system, 0), what="nothing rests any more")
    await until(partial(settled, system), what="all is booked")
    # What is left is less than one step: fees were taken in coins.
    left = "SELECT bool_and(quantity >= 0 AND quantity < 0.00001) FROM positions"
    await until(lambda: system.value(left), what="all are out")
    for each in followers:
        assert await money(system, each, "BTC") >= 1
    assert await books_differ(system) == []


async def test_a_close_waits_no_longer_than_one_cancellation_for_the_stop_that_rests(
    database_dsn: str, redis_url: str
) -> None:
    async with running_system(
        database_dsn, redis_url, venues=(Venue.BINANCE_USDM, *COINS), entry_ttl_s=120
    ) as system:
        whale = await system.make_leader()
        followers = [
            each for venue in COINS for each in await system.make_followers(whale, [STOP], venue=venue)
        ]
        with system.start("work"), system.start("beat"), system.start("feed"):
            await system.leader_watched()
            system.lead("BUY", "0.1")
            await system.quiet(signals=1)
            await until(partial(resting, system, len(COINS)), what="a stop rests on each venue")
            system.lead("SELL", "0.1")
            await system.quiet(signals=2)
            await everything_is_sold_and_no_coin_of_an_owner(system, followers)
        waited = await system.value(WAIT)
        print(f"from the signal to the last exit: {waited:.0f} ms")  # noqa: T201 - pytest -s shows it
        assert [await codes(system, each) for each in followers] == [["AS_ASKED"] * 2] * len(followers)


@pytest.mark.parametrize("fault", [None, "lost", "refused"])
async def test_a_stop_that_triggers_while_the_leader_closes_sells_what_is_copied_and_no_more(
    database_dsn: str, redis_url: str, fault: str | None
) -> None:
    async with running_system(
        database_dsn, redis_url, venues=(Venue.BINANCE_USDM, Venue.BINANCE_SPOT), entry_ttl_s=120
    ) as system:
        operator = system.simulator.operator
        whale = await system.make_leader()
        followers = await system.make_followers(whale, [STOP] * 6, venue=Venue.BINANCE_SPOT)
        with system.start("work"), system.start("beat"), system.start("feed"):
            await system.leader_watched()
            system.lead("BUY", "0.1")
            await system.quiet(signals=1)
            await until(partial(resting, system, 6), what="a stop rests in each account")
            if fault == "lost":
                operator.add_fault(CANCELS, "reset_after", times=3)
            elif fault == "refused":
                operator.add_fault(CANCELS, "http_status", status=503, times=8)
            system.lead("SELL", "0.1")
            if fault is not None:
                waits = "SELECT count(*) > 0 FROM decisions WHERE code = 'PROTECTION_STILL_RESTS'"
                await until(lambda: system.value(waits), what="an exit waits")
            operator.set_prices(BTCUSDT="62000.0")
            await until(
                lambda: system.value("SELECT count(*) = 0 FROM decisions WHERE outcome = 'DEFERRED'"),
                what="no exit waits any more",
            )
            await everything_is_sold_and_no_coin_of_an_owner(system, followers)
        sold = await system.rows(
            "SELECT follow_id, sum(executed) AS sold FROM trades WHERE leg = 'EXIT' GROUP BY 1"
        )
        assert {row["sold"] for row in sold} == {Decimal("0.00999")}
