"""What happens to a follower's account without us, on real processes: closed by hand, added to by hand, liquidated."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from app.domain.shared.market import Venue
from tests.support.books import books_differ
from tests.support.hands import codes, holds, label_of, legs, trade_by_hand
from tests.support.system import System, fixed, running_system, until

LINEAR = (
    Venue.BINANCE_USDM,
    Venue.BYBIT_LINEAR,
    Venue.OKX_SWAP,
    Venue.BITGET_USDT_FUTURES,
    Venue.HYPERLIQUID,
)
QUICK: Mapping[str, Any] = {"reconcile_every_s": 1, "drift_spread_s": 2, "entry_ttl_s": 120}


async def books_equal(system: System, owned: dict[str, str] | None = None) -> bool:
    return await books_differ(system, owned) == []


async def test_what_owners_do_by_hand_is_followed_by_the_books_and_never_touched(
    database_dsn: str, redis_url: str
) -> None:
    async with running_system(database_dsn, redis_url, **QUICK) as system:
        whale = await system.make_leader()
        closes, halves, adds, still = await system.make_followers(whale, [fixed("640")] * 4)
        with system.start("work"), system.start("beat"), system.start("feed"):
            await system.leader_watched()
            system.lead("BUY", "0.1")
            await system.quiet(signals=1)
            await trade_by_hand(system, closes, "SELL", "0.01")
            await trade_by_hand(system, halves, "SELL", "0.004")
            await trade_by_hand(system, adds, "BUY", "0.003")
            await until(partial(holds, system, ["0", "0.006", "0.01", "0.01"]), what="the books follow")
            owned = {f"{await label_of(system, adds)} BTCUSDT": "0.003"}
            await until(partial(books_equal, system, owned), what="wallets follow the owner's fees too")
            system.lead("SELL", "0.1")
            await until(
                partial(holds, system, ["0", "0", "0", "0"]), what="the leader's close closes the rest"
            )
            await until(partial(books_equal, system, owned), what="all books agree")
        assert await legs(system, adds) == {"BOTH": Decimal("0.003")}, "the owner's own part is not touched"
        assert await codes(system, closes) == ["AS_ASKED", "CLOSED_EXTERNALLY", "NOTHING_TO_CLOSE"]
        assert await codes(system, halves) == ["AS_ASKED", "CLOSED_EXTERNALLY", "AS_ASKED"]
        assert await codes(system, adds) == ["AS_ASKED", "AS_ASKED"]
        assert await codes(system, still) == ["AS_ASKED", "AS_ASKED"]
        told = await system.rows("SELECT kind, what FROM drift_marks ORDER BY account_id")
        assert [(row["kind"], row["what"]) for row in told] == [("MANUAL_TRADE", "BTC-USDT")]


async def test_a_liquidated_follower_is_out_and_the_leaders_close_sends_nothing_for_it(
    database_dsn: str, redis_url: str
) -> None:
    async with running_system(database_dsn, redis_url, **QUICK) as system:
        whale = await system.make_leader()
        poor, rich = await system.make_followers(whale, [fixed("640", leverage_max=20)] * 2, balance="80")
        with system.start("work"), system.start("beat"), system.start("feed"):
            await system.leader_watched()
            system.lead("BUY", "0.1")
            await system.quiet(signals=1)
            await until(partial(holds, system, ["0.01", "0.01"]), what="both are in")
            await system.simulator.operator.apost(
                "/sim/deposits", {"account_id": rich.simulator_account, "amount": "1000"}
            )
            system.simulator.operator.set_prices(BTCUSDT="56000.0")
            await until(partial(holds, system, ["0", "0.01"]), what="the books know of the liquidation")
            await until(partial(books_equal, system), what="the wallet follows what the venue took beside")
            system.lead("SELL", "0.1")
            await until(partial(holds, system, ["0", "0"]), what="the leader's close closes the other")
            await until(partial(books_equal, system), what="all books agree")
        assert await codes(system, poor) == ["AS_ASKED", "LIQUIDATED", "NOTHING_TO_CLOSE"]
        assert await codes(system, rich) == ["AS_ASKED", "AS_ASKED"]


async def test_on_every_venue_a_close_by_hand_and_a_liquidation_are_told_apart(
    database_dsn: str, redis_url: str
) -> None:
    async with running_system(database_dsn, redis_url, venues=LINEAR, **QUICK) as system:
        whale = await system.make_leader()
        pairs = [
            await system.make_followers(whale, [fixed("640", leverage_max=20)] * 2, balance="80", venue=venue)
            for venue in LINEAR
        ]
        with system.start("work"), system.start("beat"), system.start("feed"):
            await system.leader_watched()
            system.lead("BUY", "0.1")
            await system.quiet(signals=1)
            await until(partial(holds, system, ["0.01"] * 10), what="all are in")
            for by_hand, _ in pairs:
                await trade_by_hand(system, by_hand, "SELL", "0.01")
            await until(
                partial(holds, system, ["0", "0.01"] * 5), what="the books know what was closed by hand"
            )
            system.simulator.operator.set_prices(BTCUSDT="56000.0")
            await until(partial(holds, system, ["0"] * 10), what="the books know of the liquidations")
            await until(partial(books_equal, system), what="all books agree")
        for venue, (by_hand, liquidated) in zip(LINEAR, pairs, strict=True):
            assert await codes(system, by_hand) == ["AS_ASKED", "CLOSED_EXTERNALLY"], venue
            assert await codes(system, liquidated) == ["AS_ASKED", "LIQUIDATED"], venue
