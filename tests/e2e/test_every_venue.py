"""A leader on each venue, followers on all of them: what each leader does is done on every follower's own exchange."""

from __future__ import annotations

from app.domain.shared.market import Venue
from tests.support.books import books_differ
from tests.support.system import fixed, running_system

LINEAR = (
    Venue.BINANCE_USDM,
    Venue.BYBIT_LINEAR,
    Venue.OKX_SWAP,
    Venue.BITGET_USDT_FUTURES,
    Venue.HYPERLIQUID,
)
COINS = (Venue.BINANCE_SPOT, Venue.BYBIT_SPOT, Venue.OKX_SPOT, Venue.BITGET_SPOT)


async def test_five_leaders_on_five_venues_are_copied_by_followers_on_all_five(
    database_dsn: str, redis_url: str
) -> None:
    async with running_system(database_dsn, redis_url, venues=LINEAR, entry_ttl_s=120) as system:
        whales = [await system.make_leader(label=f"leader-{venue.value}", venue=venue) for venue in LINEAR]
        followers = [
            follower
            for whale in whales
            for venue in LINEAR
            for follower in await system.make_followers(
                whale, [fixed("500")] * (1 if venue is Venue.HYPERLIQUID else 2), venue=venue
            )  # Hyperliquid streams ten users to one address, its leader included
        ]
        with system.start("work"), system.start("beat"), system.start("feed"):
            await system.leader_watched()
            for served, (side, quantity) in enumerate(
                (("BUY", "0.1"), ("BUY", "0.05"), ("SELL", "0.05"), ("SELL", "0.2"), ("BUY", "0.1")), 1
            ):
                for whale in whales:
                    system.lead(side, quantity, parts=3, whale=whale)
                # The fourth turns the position round: a close and an open.
                await system.quiet(signals=5 * (served + (served > 3)), seconds=90)
        copied = await system.rows(
            "SELECT t.venue, count(*) AS orders, count(DISTINCT t.follow_id) AS follows FROM trades t"
            " GROUP BY t.venue ORDER BY t.venue"
        )
        assert {row["venue"] for row in copied} == {venue.value for venue in LINEAR}
        assert sum(row["follows"] for row in copied) == len(followers)
        assert sum(row["orders"] for row in copied) == 6 * len(followers)
        assert await books_differ(system) == []


async def test_spot_followers_hold_the_coins_while_a_leader_is_long_and_sit_out_its_shorts(
    database_dsn: str, redis_url: str
) -> None:
    venues = (Venue.BINANCE_USDM, *COINS)
    async with running_system(database_dsn, redis_url, venues=venues, entry_ttl_s=120) as system:
        whale = await system.make_leader()
        for venue in COINS:
            await system.make_followers(whale, [fixed("500")] * 2, venue=venue)
        with system.start("work"), system.start("beat"), system.start("feed"):
            await system.leader_watched()
            system.lead("BUY", "0.1", parts=2)
            await system.quiet(signals=1)
            held = await system.value("SELECT count(*) FROM positions WHERE quantity > 0.007")
            assert held == 2 * len(COINS)
            system.lead("SELL", "0.2")
            await system.quiet(signals=3)
            system.lead("BUY", "0.1")
            await system.quiet(signals=4)
        codes = await system.rows(
            "SELECT d.code, count(*) AS n FROM decisions d GROUP BY d.code ORDER BY d.code"
        )
        assert {row["code"]: row["n"] for row in codes} == {
            "AS_ASKED": 2 * 2 * len(COINS),
            "SPOT_HAS_NO_SHORTS": 2 * len(COINS),
            "NOTHING_TO_CLOSE": 2 * len(COINS),
        }
        # What is left is less than one step: fees were taken in coins.
        assert await system.value("SELECT max(quantity) FROM positions") < 0.00001
        assert await books_differ(system) == []


async def test_a_coin_margined_leader_is_copied_by_followers_who_pay_in_dollars(
    database_dsn: str, redis_url: str
) -> None:
    venues = (Venue.BINANCE_COINM, Venue.BYBIT_INVERSE, Venue.BINANCE_USDM, Venue.BYBIT_LINEAR)
    async with running_system(database_dsn, redis_url, venues=venues, entry_ttl_s=120) as system:
        for leading, following in ((venues[0], venues[2]), (venues[1], venues[3])):
            whale = await system.make_leader(label=f"leader-{leading.value}", venue=leading)
            await system.make_followers(whale, [fixed("500")] * 2, venue=following)
        with system.start("work"), system.start("beat"), system.start("feed"):
            await system.leader_watched()
            for served, side in enumerate(("BUY", "SELL"), 1):
                for whale in system.leaders:
                    system.lead(side, "6400", "BTCUSD:INVERSE", whale=whale)
                await system.quiet(signals=2 * served)
        assert await system.value("SELECT count(*) FROM decisions WHERE outcome = 'COPIED'") == 8
        assert await system.value("SELECT count(*) FROM positions WHERE quantity <> 0") == 0
        assert await books_differ(system) == []
