"""Leaving everything: one exit for each market, once, whoever asks again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.application.queries import HeldEverywhere, HeldMarket
from app.application.risk.flatten import Flatten
from app.domain.risk.halts import HaltScope
from app.domain.shared.execution import Action
from app.domain.shared.ids import FollowId
from app.domain.shared.market import Side, Symbol
from app.domain.shared.money import Price
from app.domain.signals.signal import Signal
from tests.contract.persistence.test_memory import MemoryWorld
from tests.contract.persistence.world import BTC, ETH, VENUE, Cast, make_cast
from tests.fakes.clock import START
from tests.fakes.venue import HeardBell


@dataclass
class Held:
    """HeldInScope that a test sets."""

    rows: Sequence[HeldEverywhere]

    async def in_scope(self, scope: HaltScope, target: str) -> Sequence[HeldEverywhere]:
        return self.rows


def row(cast: Cast, symbol: Symbol, quantity: str, follow: FollowId | None = None) -> HeldEverywhere:
    market = HeldMarket(symbol, Decimal(quantity), Price(Decimal(100)))
    return HeldEverywhere(cast.whale.id, follow, VENUE, market)


async def stored(world: MemoryWorld, bell: HeardBell) -> list[Signal]:
    async with world.unit() as work:
        return [await work.signals.get(signal_id) for signal_id, _ in bell.rung]


async def test_each_held_market_is_left_on_its_own_side_and_only_once() -> None:
    world, bell = MemoryWorld(), HeardBell()
    cast = await make_cast(world)
    held = Held([row(cast, BTC, "0.5"), row(cast, ETH, "-2")])
    flatten = Flatten(world.unit, held, bell, world.clock)
    assert await flatten(HaltScope.PLATFORM, "", START, "t") == 2
    assert await flatten(HaltScope.PLATFORM, "", START, "t") == 0
    made = await stored(world, bell)
    assert [(s.symbol, s.action, s.side, s.scope) for s in made] == [
        (BTC, Action.CLOSE, Side.SELL, None),
        (ETH, Action.CLOSE, Side.BUY, None),
    ]


async def test_a_later_halt_leaves_again_and_a_users_halt_touches_that_users_follows() -> None:
    world, bell = MemoryWorld(), HeardBell()
    cast = await make_cast(world)
    flatten = Flatten(world.unit, Held([row(cast, BTC, "0.5", cast.follow.id)]), bell, world.clock)
    assert await flatten(HaltScope.USER, "7", START, "t") == 1
    assert await flatten(HaltScope.USER, "7", START.replace(year=START.year + 1), "t") == 1
    assert {signal.scope for signal in await stored(world, bell)} == {cast.follow.id}
