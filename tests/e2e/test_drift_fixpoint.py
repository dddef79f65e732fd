"""Comparing is a fixpoint at every venue: once all is answered, another pass writes not one row."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import pytest

from app.config.container import App
from app.domain.shared.market import Venue
from tests.support.fingerprint import fingerprint
from tests.support.hands import deposit, trade_by_hand
from tests.support.system import System, fixed, running_system, until

pytestmark = pytest.mark.timeout(300)  # many venues at once, on machines with little to spare

LINEAR: Final = (
    Venue.BINANCE_USDM,
    Venue.BYBIT_LINEAR,
    Venue.OKX_SWAP,
    Venue.BITGET_USDT_FUTURES,
    Venue.HYPERLIQUID,
)
COINS: Final = (Venue.BINANCE_SPOT, Venue.BYBIT_SPOT, Venue.OKX_SPOT, Venue.BITGET_SPOT)
QUICK: Final[Mapping[str, Any]] = {"drift_spread_s": 1, "reconcile_every_s": 600, "entry_ttl_s": 120}
AT_REST: Final = ("known", "frozen: nothing explains it")

Found = list[tuple[int, str, str, str]]


async def one_pass(app: App) -> Found:
    """Compare every account; return account, cause, what and what was told of each finding."""
    accounts = await app.reconciliation.book.accounts()
    found = await asyncio.gather(*(app.reconciliation.account(each) for each in accounts))
    return [(int(each.account_id), each.cause.value, each.what, each.told) for rows in found for each in rows]


async def hands_on(system: System, venue: Venue, closes: Any, adds: Any, leaves: Any) -> None:
    """Let one owner close a part, one trade on top, and one have coins or executions vanish."""
    if venue in COINS:  # each account had a coin of its owner's before: it goes first
        await trade_by_hand(system, closes, "SELL", "1.004", symbol="BTCUSDT:SPOT")
        await trade_by_hand(system, adds, "BUY", "0.003", symbol="BTCUSDT:SPOT")
        await deposit(system, leaves, "-1.004", "BTC")
        return
    await trade_by_hand(system, closes, "SELL", "0.004")
    await trade_by_hand(system, adds, "BUY", "0.003")
    await deposit(system, leaves, "25")


async def test_after_all_is_answered_a_pass_writes_nothing_on_any_venue(
    database_dsn: str, redis_url: str
) -> None:
    venues = (*LINEAR, *COINS)
    async with running_system(database_dsn, redis_url, venues=venues, **QUICK) as system:
        whale = await system.make_leader()
        made = {
            venue: await system.make_followers(whale, [fixed("640")] * 4, venue=venue) for venue in venues
        }
        with system.start("work"), system.start("beat"), system.start("feed"):
            await system.leader_watched()
            system.lead("BUY", "0.1")
            await until(
                lambda: system.value(
                    "SELECT count(*) = :n AND bool_and(settled) FROM trades", n=4 * len(venues)
                ),
                what="all hold",
            )
        for venue, (_, closes, adds, leaves) in made.items():
            await hands_on(system, venue, closes, adds, leaves)
        seen: list[Found] = []

        async def at_rest() -> bool:
            seen.append(await one_pass(system.app))
            return all(told in AT_REST for *_, told in seen[-1])

        await until(at_rest, seconds=90, what="all is answered")
        before = await fingerprint(system.app.engine)
        assert await one_pass(system.app) == seen[-1]
        assert await one_pass(system.app) == seen[-1]
        after = await fingerprint(system.app.engine)
        assert {name for name in after if after[name] != before[name]} == set()

        answered = {(account, cause, what) for found in seen for account, cause, what, _ in found}
        for venue, (still, closes, adds, leaves) in made.items():
            told = {
                each.account_id: {
                    (cause, what) for account, cause, what in answered if account == each.account_id
                }
                for each in (still, closes, adds, leaves)
            }
            extra = {("MANUAL_TRADE", "BTC-USDT")} if venue in COINS else set()  # the coin from before
            assert told[still.account_id] == extra, venue
            assert ("EXTERNAL_CLOSE", "BTC-USDT") in told[closes.account_id], venue
            assert ("MANUAL_TRADE", "BTC-USDT") in told[adds.account_id], venue
            last = ("UNKNOWN", "BTC-USDT") if venue in COINS else ("WALLET", "WALLET")
            assert last in told[leaves.account_id], venue
        kinds = Counter(told for *_, told in seen[-1])
        assert kinds["frozen: nothing explains it"] == len(COINS)
