"""A leader's burst becomes signals: once, netted, a flip in two, nothing where nothing is tradable."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest

from app.application.signals.ingest import IngestBurst, LeaderFacts
from app.domain.shared.execution import Action
from app.domain.shared.ids import WhaleId
from app.domain.shared.market import Side
from app.domain.shared.money import Money
from app.domain.signals.signal import Signal
from app.domain.whales.intent import Burst
from app.domain.whales.whale import Whale
from tests.contract.persistence.world import VENUE
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import Store
from tests.fakes.memory_unit import MemoryUnitOfWork
from tests.fakes.venue import Counts, HeardBell
from tests.unit.application.signals.leader import make_whale, store_with_leader
from tests.unit.application.trading.rows import shown
from tests.unit.domain.builders import BTC, NOW, D, fill, instrument

TTL = timedelta(seconds=30)
FACTS = LeaderFacts(Money(D(1000)), 5)


@dataclass
class Desk:
    store: Store = field(default_factory=store_with_leader)
    bell: HeardBell = field(default_factory=HeardBell)
    whale: Whale = field(default_factory=make_whale)

    def uow(self) -> MemoryUnitOfWork:
        return MemoryUnitOfWork(self.store)

    async def ingest(self, *trades: tuple[str, str], order: str = "7") -> list[Signal]:
        """Each trade is (id, signed quantity)."""
        fills = tuple(
            fill(trade_id, Side.of(D(signed)), str(abs(D(signed))), order_id=order)
            for trade_id, signed in trades
        )
        use = IngestBurst(self.uow, self.bell, FakeClock(), Counts(), TTL)
        return list(await use(self.whale, Burst(BTC, order, fills), instrument(), FACTS))

    async def position(self) -> Decimal:
        async with self.uow() as work:
            return await work.leaders.position(self.whale.id, BTC)


@pytest.mark.parametrize(
    ("before", "change", "steps"),
    [
        ("0", "2", [(Action.OPEN, Side.BUY, 2, 1)]),
        ("0", "-2", [(Action.OPEN, Side.SELL, 2, 1)]),
        ("2", "1", [(Action.ADD, Side.BUY, 1, 1)]),
        ("2", "-1", [(Action.REDUCE, Side.SELL, 1, D("0.5"))]),
        ("2", "-2", [(Action.CLOSE, Side.SELL, 2, 1)]),
        ("2", "-5", [(Action.CLOSE, Side.SELL, 2, 1), (Action.OPEN, Side.SELL, 3, 1)]),
        ("-2", "3", [(Action.CLOSE, Side.BUY, 2, 1), (Action.OPEN, Side.BUY, 1, 1)]),
    ],
)
async def test_what_a_leader_did_becomes_its_steps(
    before: str, change: str, steps: list[tuple[Action, Side, Decimal, Decimal]]
) -> None:
    desk = Desk()
    if D(before):
        await desk.ingest(("0", before))
    made = await desk.ingest(("1", change))
    assert [(s.action, s.side, s.quantity, s.fraction) for s in made] == steps
    assert [s.flip for s in made] == [len(steps) > 1] * len(steps)
    assert len({s.id for s in made}) == len(steps)
    assert await desk.position() == D(before) + D(change)
    assert desk.bell.rung[-len(made) :] == [(s.id, s.lane) for s in made]
    for signal in made:
        assert signal.expires_at == (None if signal.is_exit else NOW + TTL)
        assert signal.leader_at == NOW


async def test_a_burst_that_comes_twice_is_one_signal_and_one_ring() -> None:
    desk = Desk()
    assert len(await desk.ingest(("1", "1"), ("2", "1"))) == 1
    assert await desk.ingest(("1", "1"), ("2", "1")) == []
    assert await desk.ingest(("2", "1")) == []
    assert shown(await desk.position(), len(desk.bell.rung)) == (2, 1)


async def test_of_a_burst_seen_in_part_only_the_rest_counts() -> None:
    desk = Desk()
    await desk.ingest(("1", "1"))
    [rest] = await desk.ingest(("1", "1"), ("2", "0.5"))
    assert (rest.action, rest.quantity) == (Action.ADD, D("0.5"))


async def test_fills_that_change_nothing_are_consumed_without_a_signal() -> None:
    desk = Desk()
    assert await desk.ingest(("1", "0.0004"), ("2", "-0.0004")) == []
    assert await desk.ingest(("3", "0.0004")) == []
    assert (await desk.position(), desk.bell.rung) == (D("0.0004"), [])
    assert await desk.ingest(("3", "0.0004")) == []


async def test_a_second_feeder_makes_the_same_ids() -> None:
    one, two = Desk(), Desk()
    [first], [second] = await one.ingest(("1", "1")), await two.ingest(("1", "1"))
    assert first.id == second.id
    assert WhaleId(first.whale_id) == one.whale.id
    assert first.venue is VENUE
