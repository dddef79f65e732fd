"""What a follow would have to leave: what it holds and what is coming, each side of a market by itself."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.infrastructure.postgres.readers_trading import PostgresHeldMarkets
from tests.fakes.clock import FakeClock
from tests.integration.postgres.hot_scene import HotScene

HOLD = """
INSERT INTO positions (account_id, symbol, follow_id, quantity, cost, margin, realised, fees, funding, opened_at)
SELECT account_id, symbol, follow_id, CAST(:quantity AS numeric), 100, 10, 0, 0, 0, now()
  FROM trades WHERE follow_id = :follow LIMIT 1
"""


@pytest.mark.parametrize(
    ("held", "told"),
    [("-1", [Decimal(-1), Decimal(1)]), ("1", [Decimal(1)])],
    ids=["the leader turns", "the leader adds"],
)
async def test_a_market_whose_other_side_is_coming_is_told_twice_and_what_is_held_first(
    engine: AsyncEngine, clock: FakeClock, held: str, told: list[Decimal]
) -> None:
    scene = HotScene(engine, clock)
    await scene.followers(1)
    follow, _ = scene.ids[0]
    await scene.copy(await scene.signal())
    await scene.run(HOLD, follow=follow, quantity=held)
    markets = await PostgresHeldMarkets(engine).of_follow(follow)
    assert [market.quantity / abs(market.quantity) for market in markets] == told
    assert markets[0].quantity == Decimal(held)


async def test_an_entry_that_settles_between_the_two_reads_is_told(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    """Were positions read first, it would be in neither: not held yet, and not coming any more."""
    scene = HotScene(engine, clock)
    await scene.followers(1)
    follow, _ = scene.ids[0]
    await scene.copy(await scene.signal())
    async with engine.begin() as settling:
        await settling.execute(text("LOCK TABLE trades"))
        reading = asyncio.create_task(PostgresHeldMarkets(engine).of_follow(follow))
        assert not await scene.blocked_or_done(reading)
        await settling.execute(text(HOLD), {"follow": follow, "quantity": "5"})
        await settling.execute(text("UPDATE trades SET state = 'FILLED', settled = true"))
    assert [market.quantity for market in await reading] == [5]
