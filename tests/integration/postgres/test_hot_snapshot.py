"""What the snapshot says of each follower, and of whom it says nothing."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.trading.ports import Candidate
from app.domain.risk.limits import Limits
from app.domain.shared.execution import Action
from app.domain.shared.market import Venue
from app.domain.signals.signal import Signal
from tests.fakes.clock import START, FakeClock
from tests.integration.postgres.hot_scene import MARKETS, HotScene
from tests.unit.application.trading.rows import shown
from tests.unit.domain.builders import BTC, ETH, D

POSITION = "INSERT INTO positions (account_id, symbol, follow_id, quantity, cost, margin) VALUES (:a, :s, :f, :q, :c, 10)"


@pytest.fixture
def scene(engine: AsyncEngine, clock: FakeClock) -> HotScene:
    return HotScene(engine, clock)


async def only(scene: HotScene, signal: Signal) -> Candidate:
    [one] = await scene.copies.snapshot(signal, START, MARKETS)
    return one


async def test_a_follower_at_rest_is_shown_with_every_field(scene: HotScene) -> None:
    await scene.followers(1, order_notional_max=D(300), symbols_allowed=[BTC, ETH], symbols_denied=[ETH])
    await scene.run(
        "UPDATE funds SET held = 10, margin = 20, high_water = 1500, realised_today = -7, realised_day = :d,"
        " risk_version = 4",
        d=START.date(),
    )
    await scene.run("INSERT INTO account_markets SELECT account_id, :s, 7 FROM follows", s=BTC)
    one = await only(scene, await scene.signal())
    who, carries = one.follower, one.exposure
    assert (who.follow_id, who.account_id) == scene.ids[0]
    assert (who.active, who.paused, who.user_active, who.key_usable) == (True, False, True, True)
    assert shown(who.wallet, who.held, who.entry_open, who.exit_open, who.exit_pending) == (
        1000,
        0,
        False,
        False,
        0,
    )
    assert (who.leverage_set, who.leverage_limit) == (7, None)
    assert shown(who.terms.value, who.terms.order_notional_max, who.terms.leverage_max) == (500, 300, 10)
    assert shown(who.terms.symbols_allowed, who.terms.symbols_denied) == ({BTC, ETH}, {ETH})
    assert shown(carries.wallet, carries.free, carries.high_water, carries.realised_today) == (
        1000,
        970,
        1500,
        -7,
    )
    assert shown(carries.symbol_notional, carries.total_notional, carries.positions) == (0, 0, 0)
    assert shown(carries.other_quantity, carries.entries_halted) == (0, False)
    assert (one.sealed, one.risk_version) == (b"s", 4)


async def test_yesterdays_result_is_not_todays(scene: HotScene) -> None:
    await scene.followers(1)
    yesterday = (START - timedelta(days=1)).date()
    await scene.run("UPDATE funds SET realised_today = -7, realised_day = :d", d=yesterday)
    assert (await only(scene, await scene.signal())).exposure.realised_today == 0


async def test_orders_on_the_way_and_positions_are_exposure_each_once(scene: HotScene) -> None:
    await scene.followers(1, wallet="100000")
    await scene.copy(await scene.signal())
    await scene.copy(await scene.signal(sym=ETH))
    (follow, account), signal = scene.ids[0], await scene.signal()
    one = await only(scene, signal)
    assert shown(one.exposure.symbol_notional, one.exposure.total_notional) == (500, 1000)
    assert one.follower.entry_open
    await scene.run("UPDATE trades SET executed = 5, state = 'FILLED' WHERE symbol = :s", s=BTC)
    one = await only(scene, signal)
    assert shown(one.follower.held, one.follower.entry_open) == (5, False)
    assert one.exposure.symbol_notional == 500
    await scene.run("UPDATE trades SET booked = 5, settled = true WHERE symbol = :s", s=BTC)
    await scene.run(POSITION, a=account, s=BTC, f=follow, q=5, c=510)
    one = await only(scene, signal)
    assert shown(one.follower.held, one.exposure.symbol_notional, one.exposure.total_notional) == (
        5,
        510,
        1010,
    )
    assert one.exposure.positions >= 1


async def test_another_leaders_position_on_the_market_is_not_the_follows_own(scene: HotScene) -> None:
    await scene.followers(1)
    await scene.run(POSITION, a=scene.ids[0][1], s=BTC, f=999, q=-2, c=200)
    one = await only(scene, await scene.signal())
    assert shown(one.follower.held, one.exposure.other_quantity, one.exposure.symbol_notional) == (0, -2, 200)


async def test_an_exit_out_is_pending_for_what_it_may_still_close(scene: HotScene) -> None:
    await scene.followers(1)
    follow, account = scene.ids[0]
    await scene.run(POSITION, a=account, s=BTC, f=follow, q=5, c=500)
    await scene.copy(await scene.signal(Action.CLOSE))
    await scene.run("UPDATE trades SET executed = 2")
    one = (await only(scene, await scene.signal())).follower
    assert shown(one.exit_open, one.exit_pending, one.held) == (True, 3, 3)


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ("UPDATE users SET state = 'SUSPENDED'", {"user_active": False}),
        ("UPDATE accounts SET key_state = 'REFUSED'", {"key_usable": False}),
        ("UPDATE follows SET state = 'PAUSED'", {"active": False, "paused": True}),
        (
            "INSERT INTO user_limits (user_id, leverage_max) SELECT user_id, 3 FROM follows",
            {"leverage_limit": 3},
        ),
    ],
)
async def test_states_and_limits_are_read_fresh(scene: HotScene, change: str, seen: dict[str, Any]) -> None:
    await scene.followers(1)
    await scene.run(change)
    one = (await only(scene, await scene.signal())).follower
    assert {name: getattr(one, name) for name in seen} == seen


async def test_the_tighter_of_platform_and_user_holds_for_each_limit(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    scene = HotScene(engine, clock, Limits(*(D(10), D(10), D(10), D(10), D("0.1")), 10, 10))
    await scene.followers(1)
    await scene.run("INSERT INTO user_limits SELECT user_id, 5, 20, NULL, 5, 0.05, 20, 5 FROM follows")
    limits = (await only(scene, await scene.signal())).limits
    assert [getattr(limits, item.name) for item in fields(limits)] == [5, 10, 10, 5, D("0.05"), 10, 5]


@pytest.mark.parametrize(
    ("scope", "target", "halted"),
    [
        ("PLATFORM", "", True),
        ("VENUE", "binance-usdm", True),
        ("VENUE", "elsewhere", False),
        ("USER", "me", True),
        ("USER", "0", False),
    ],
)
async def test_a_halt_reaches_whom_it_names(scene: HotScene, scope: str, target: str, halted: bool) -> None:
    await scene.followers(1)
    user = str(await scene.value("SELECT user_id FROM follows"))
    await scene.run(
        "INSERT INTO halts (scope, target, reason) VALUES (:s, :t, 'r')",
        s=scope,
        t=user if target == "me" else target,
    )
    assert (await only(scene, await scene.signal())).exposure.entries_halted is halted


async def test_a_stopped_follow_is_shown_only_while_something_of_it_is_open(scene: HotScene) -> None:
    await scene.followers(4)
    (holds, account), (works, _), _, _ = scene.ids
    await scene.run(POSITION, a=account, s=BTC, f=holds, q=1, c=100)
    await scene.copy(await scene.signal())
    await scene.run("UPDATE trades SET state = 'REJECTED', settled = true WHERE follow_id <> :f", f=works)
    await scene.run("UPDATE follows SET state = 'STOPPED'")
    found = await scene.copies.snapshot(await scene.signal(Action.CLOSE), START, MARKETS)
    assert [one.follower.follow_id for one in found] == [holds, works]
    assert not any(one.follower.active for one in found)


async def test_a_scoped_signal_reaches_one_follow_and_a_decided_one_nobody(scene: HotScene) -> None:
    await scene.followers(5)
    own = scene.ids[2][0]
    found = await scene.copies.snapshot(await scene.signal(scope=own), START, MARKETS)
    assert [one.follower.follow_id for one in found] == [own]
    signal = await scene.signal()
    await scene.copy(signal)
    assert await scene.copies.snapshot(signal, START, MARKETS) == []


async def test_a_deferred_decision_is_taken_again_and_then_stands(scene: HotScene) -> None:
    await scene.followers(2)
    await scene.copy(await scene.signal())
    way_out = await scene.signal(Action.CLOSE)
    await scene.copy(way_out)
    assert (
        await scene.rows("SELECT outcome, code FROM decisions WHERE signal_id = :id", id=way_out.id)
        == [("DEFERRED", "ENTRY_STILL_OPEN")] * 2
    )
    assert len(await scene.copies.snapshot(way_out, START, MARKETS)) == 2
    await scene.run("UPDATE trades SET executed = 5, state = 'FILLED'")
    assert len(await scene.copy(way_out)) == 2
    assert await scene.copies.snapshot(way_out, START, MARKETS) == []
    assert await scene.rows(
        "SELECT DISTINCT outcome FROM decisions WHERE signal_id = :id", id=way_out.id
    ) == [("COPIED",)]


@pytest.mark.parametrize(("state", "paused"), [("ACTIVE", False), ("PAUSED", True), ("BANNED", True)])
async def test_entries_of_a_leader_stop_in_any_state_but_active(
    scene: HotScene, state: str, paused: bool
) -> None:
    await scene.followers(1)
    await scene.run("UPDATE whales SET state = :s", s=state)
    assert await scene.copies.whale_paused(await scene.signal()) is paused


@pytest.mark.parametrize(("code", "waits"), [("VENUE_AWAY", True), ("ENTRY_STILL_OPEN", False)])
async def test_an_entry_waits_for_an_earlier_exit_that_was_put_off(
    scene: HotScene, code: str, waits: bool
) -> None:
    await scene.followers(1)
    exit_ = await scene.signal(Action.CLOSE)
    await scene.run(
        "INSERT INTO decisions (follow_id, signal_id, outcome, code, reason, inputs)"
        " SELECT id, :signal, 'DEFERRED', :code, 'why', '{}' FROM follows",
        signal=exit_.id,
        code=code,
    )
    [found] = await scene.copies.snapshot(await scene.signal(), START, MARKETS)
    assert found.follower.exit_open is waits
    [other] = await scene.copies.snapshot(await scene.signal(sym=ETH), START, {Venue.BINANCE_USDM: (ETH,)})
    [itself] = await scene.copies.snapshot(exit_, START, MARKETS)
    assert not any(one.follower.exit_open for one in (other, itself))
