"""Ending a follow: the exits come with the end, once for each market, and what filled late is left too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from app.application.queries import HeldMarket
from app.application.signals.submit import CloseFollowMarkets
from app.application.users.stop_follow import CloseStoppedFollow, StopFollow
from app.domain.shared.errors import NotFound
from app.domain.shared.ids import AccountId, FollowId, SignalId, UserId
from app.domain.shared.market import Side, Symbol
from app.domain.shared.money import Price
from app.domain.signals.priority import Lane
from app.domain.users.events import FollowStopped
from app.domain.users.follow import FollowState
from tests.contract.persistence.test_memory import MemoryWorld
from tests.contract.persistence.world import BTC, ETH, Cast, make_cast


@dataclass(slots=True)
class Held:
    """HeldMarkets that a test sets: signed quantity by symbol."""

    markets: dict[Symbol, Decimal] = field(default_factory=dict)
    coming: dict[Symbol, Decimal] = field(default_factory=dict)

    async def of_follow(self, follow_id: FollowId) -> Sequence[HeldMarket]:
        rows = [*self.markets.items(), *self.coming.items()]
        return [HeldMarket(sym, quantity, Price(Decimal(100))) for sym, quantity in rows]

    async def of_account(self, account_id: AccountId) -> int:
        return len(self.markets)


@dataclass(slots=True)
class Bell:
    """SignalBell that remembers."""

    rung: list[SignalId] = field(default_factory=list)

    async def ring(self, signal_id: SignalId, lane: Lane) -> None:
        assert lane is Lane.EXITS
        self.rung.append(signal_id)


class Stage:
    def __init__(self) -> None:
        self.world, self.held, self.bell = MemoryWorld(), Held(), Bell()
        exits = CloseFollowMarkets(self.world.clock)
        self.stop = StopFollow(self.world.unit, self.world.clock, self.held, exits, self.bell)
        self.close_late = CloseStoppedFollow(self.world.unit, self.held, exits, self.bell)

    async def state(self, cast: Cast) -> FollowState:
        async with self.world.unit() as work:
            return (await work.follows.get(cast.follow.id)).state


async def test_each_held_market_is_left_by_one_exit_of_the_opposite_side() -> None:
    stage = Stage()
    cast = await make_cast(stage.world)
    stage.held.markets = {BTC: Decimal("0.5"), ETH: Decimal(-2)}
    await stage.stop(cast.account.user_id, cast.follow.id, close_positions=True, trace_id="t")
    async with stage.world.unit() as work:
        exits = [await work.signals.get(signal_id) for signal_id in stage.bell.rung]
    assert [(each.symbol, each.side, each.quantity) for each in exits] == [
        (BTC, Side.SELL, Decimal("0.5")),
        (ETH, Side.BUY, Decimal(2)),
    ]
    assert all(each.scope == cast.follow.id and each.expires_at is None for each in exits)


@pytest.mark.parametrize("close_positions", [True, False])
async def test_the_end_and_its_news_carry_what_the_user_asked_for(close_positions: bool) -> None:
    stage = Stage()
    cast = await make_cast(stage.world)
    stage.held.markets = {BTC: Decimal(1)}
    await stage.stop(cast.account.user_id, cast.follow.id, close_positions=close_positions, trace_id="t")
    assert await stage.state(cast) is FollowState.STOPPED
    assert len(stage.bell.rung) == close_positions
    (told,) = [event for event, _ in await stage.world.news() if isinstance(event, FollowStopped)]
    assert told.close_positions is close_positions


async def test_a_market_that_filled_late_is_left_too_and_none_twice() -> None:
    stage = Stage()
    cast = await make_cast(stage.world)
    stage.held.markets = {BTC: Decimal(1)}
    await stage.stop(cast.account.user_id, cast.follow.id, close_positions=True, trace_id="t")
    stage.held.markets[ETH] = Decimal(3)
    assert await stage.close_late(cast.follow.id, "t") == 1
    assert await stage.close_late(cast.follow.id, "t") == 0
    assert len(set(stage.bell.rung)) == len(stage.bell.rung) == 2


async def test_both_sides_are_left_where_the_leaders_turn_is_on_its_way() -> None:
    stage = Stage()
    cast = await make_cast(stage.world)
    stage.held.markets, stage.held.coming = {BTC: Decimal(1)}, {BTC: Decimal(-2)}
    await stage.stop(cast.account.user_id, cast.follow.id, close_positions=True, trace_id="t")
    assert await _sides(stage) == [Side.SELL, Side.BUY]
    stage.held.markets, stage.held.coming = {BTC: Decimal(-2)}, {}
    assert await stage.close_late(cast.follow.id, "t") == 0


async def test_the_other_side_is_left_too_when_it_comes_only_after_the_stop() -> None:
    stage = Stage()
    cast = await make_cast(stage.world)
    stage.held.markets = {BTC: Decimal(1)}
    await stage.stop(cast.account.user_id, cast.follow.id, close_positions=True, trace_id="t")
    stage.held.markets = {BTC: Decimal(-2)}
    assert await stage.close_late(cast.follow.id, "t") == 1
    assert await _sides(stage) == [Side.SELL, Side.BUY]


async def _sides(stage: Stage) -> list[Side]:
    async with stage.world.unit() as work:
        return [(await work.signals.get(signal_id)).side for signal_id in stage.bell.rung]


async def test_a_stranger_ends_nothing_and_leaves_nothing() -> None:
    stage = Stage()
    cast = await make_cast(stage.world)
    stage.held.markets = {BTC: Decimal(1)}
    with pytest.raises(NotFound):
        await stage.stop(UserId(10**6), cast.follow.id, close_positions=True, trace_id="t")
    assert (await stage.state(cast), stage.bell.rung) == (FollowState.ACTIVE, [])
