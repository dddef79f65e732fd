"""One watched leader for the tests: its account at the venue, its stream, its clocks, and what became of its bursts."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from app.application.whales.watch import WatchLeader
from app.domain.exchanges.ports import Connected, OrderUpdate, StreamEvent
from app.domain.shared.execution import Fill, OrderReport, OrderStatus, VenuePosition
from app.domain.shared.market import Instrument, Symbol
from app.domain.shared.money import Money
from app.domain.whales.intent import Burst, BurstRule
from app.domain.whales.whale import Whale
from tests.fakes.clock import START, FakeClock
from tests.fakes.memory_store import Store
from tests.fakes.memory_unit import MemoryUnitOfWork
from tests.fakes.venue import Counts, FixedQuotes, ScriptedGateway, ScriptedStream
from tests.unit.application.signals.leader import make_whale, store_with_leader
from tests.unit.domain.builders import BTC, ETH, D, instrument

S = timedelta(seconds=1)
CONNECTED = Connected(START)
HOLDS_TWO = VenuePosition(BTC, D(2), D(100), Money(D(0)), 7)


class TickingClock(FakeClock):
    """A second passes whenever somebody looks: a burst that is quiet is due at once."""

    def now(self):  # type: ignore[no-untyped-def]  # as its parent
        self.advance(S)
        return super().now()


class LeapingClock(FakeClock):
    """A minute passes whenever somebody looks: every pause is over at once."""

    def now(self):  # type: ignore[no-untyped-def]  # as its parent
        self.advance(60 * S)
        return super().now()


def update(one: Fill) -> OrderUpdate:
    told = OrderReport(
        venue=one.venue,
        symbol=one.symbol,
        order_id=one.order_id,
        client_order_id="",
        side=one.side,
        status=OrderStatus.FILLED if one.order_final else OrderStatus.PARTIAL,
        quantity=one.quantity,
        executed=one.quantity,
        average_price=one.price,
        reduce_only=False,
        at=one.at,
    )
    return OrderUpdate(told, one)


class Watch:
    """One leader, its account at the venue, and what became of its bursts."""

    def __init__(self, clock: FakeClock | None = None) -> None:
        self.store: Store = store_with_leader()
        self.gateway = ScriptedGateway()
        self.clock = clock or FakeClock()
        self.taken: list[tuple[str, list[str], Money | None, int | None]] = []
        self.stream = ScriptedStream(())
        self.metrics = Counts()

    def uow(self) -> MemoryUnitOfWork:
        return MemoryUnitOfWork(self.store)

    async def ingest(
        self, whale: Whale, burst: Burst, market: Instrument, equity: Money | None, leverage: int | None
    ) -> int:
        async with self.uow() as work:
            before = await work.leaders.position(whale.id, burst.symbol)
            fresh = await work.leaders.unseen(whale.id, burst)
            if fresh is None:
                return 0
            await work.leaders.consume(whale.id, fresh, before + fresh.signed_quantity, None)
            await work.commit()
        self.taken.append((burst.order_id, [one.trade_id for one in fresh.fills], equity, leverage))
        return 1

    async def run(self, *script: StreamEvent | asyncio.Event, rule: BurstRule | None = None) -> None:
        self.stream = ScriptedStream(script)
        quotes = FixedQuotes({BTC: instrument(), ETH: instrument(sym=ETH)})
        leader = WatchLeader(
            make_whale(),
            self.stream,
            self.gateway,
            quotes,
            self.uow,
            self.ingest,
            self.clock,
            self.metrics,
            rule or BurstRule(quiet=60 * S, open_max=600 * S),
        )
        async with asyncio.timeout(20):
            await leader.run()

    async def watched_before(self, held: Decimal) -> None:
        """The watch began at START, and this is what our books say since."""
        async with self.uow() as work:
            await work.leaders.begin_watch(make_whale().id, START)
            await work.leaders.set_position(make_whale().id, BTC, held)
            await work.commit()

    async def position(self, sym: Symbol = BTC) -> Decimal:
        async with self.uow() as work:
            return await work.leaders.position(make_whale().id, sym)

    def orders(self) -> list[tuple[str, list[str]]]:
        return [(order, trades) for order, trades, _, _ in self.taken]


def at(one: Fill, seconds: int) -> Fill:
    return replace(one, at=START + seconds * S)
