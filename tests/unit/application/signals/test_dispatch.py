"""Dispatch and the second ring: one worker for each signal, no signal that stops the others, none forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from app.application.signals import dispatch
from app.application.signals.dispatch import DispatchSignals, RingAgain
from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.shared.errors import ConcurrencyConflict, NotFound
from app.domain.shared.execution import Action
from app.domain.shared.ids import SignalId
from app.domain.signals.priority import Lane
from app.domain.signals.signal import Signal, SignalState
from tests.fakes.clock import START, FakeClock
from tests.fakes.memory_signals import MemorySignals
from tests.fakes.memory_store import Store
from tests.fakes.memory_unit import MemoryUnitOfWork
from tests.fakes.venue import Counts, HeardBell
from tests.unit.application.signals.leader import store_with_leader
from tests.unit.application.trading.test_copy_signal import make_signal
from tests.unit.domain.builders import BTC, ETH

LANES = tuple(Lane)
S = timedelta(seconds=1)


@dataclass(frozen=True)
class Report:
    expired: bool = False
    complete: bool = True


@dataclass
class Office:
    """Signals in memory and a copier that does what `copies` says."""

    copies: Callable[[Signal], Awaitable[Report]]
    store: Store = field(default_factory=store_with_leader)
    clock: FakeClock = field(default_factory=FakeClock)
    bell: HeardBell = field(default_factory=HeardBell)
    metrics: Counts = field(default_factory=Counts)
    served: list[SignalId] = field(default_factory=list)

    def uow(self) -> MemoryUnitOfWork:
        return MemoryUnitOfWork(self.store)

    async def copier(
        self, signal: Signal, owner: str, superseded: Callable[[Signal], Awaitable[bool]]
    ) -> Report:
        self.served.append(signal.id)
        return await self.copies(signal)

    def dispatch(self, owner: str = "me") -> DispatchSignals:
        return DispatchSignals(self.uow, self.copier, self.clock, self.metrics, owner)

    async def put(self, *signals: Signal) -> None:
        async with self.uow() as work:
            for signal in signals:
                await work.signals.add(signal)
            await work.commit()

    async def state(self, signal: Signal) -> SignalState:
        async with self.uow() as work:
            return (await work.signals.get(signal.id)).state


async def done(_: Signal) -> Report:
    return Report()


async def test_all_that_may_be_served_is_served_exits_first() -> None:
    office = Office(done)
    entry, way_out = make_signal(), replace(make_signal(Action.CLOSE, 2), symbol=ETH)
    await office.put(entry, way_out)
    assert await office.dispatch()(LANES) == 2
    assert office.served == [way_out.id, entry.id]
    assert await office.state(entry) is SignalState.DONE


@pytest.mark.parametrize(
    ("report", "state"),
    [
        (Report(), SignalState.DONE),
        (Report(expired=True), SignalState.EXPIRED),
        (Report(complete=False), SignalState.PENDING),
    ],
)
async def test_a_signal_ends_as_its_copier_says(report: Report, state: SignalState) -> None:
    async def once(signal: Signal) -> Report:
        office.clock.advance(timedelta(0))
        return report if len(office.served) == 1 else Report(expired=True)

    office = Office(once)
    signal = make_signal()
    await office.put(signal)
    work = office.dispatch()
    claimed = await work._claim(LANES)
    assert claimed is not None
    await work._serve(claimed)
    assert await office.state(signal) is state


@pytest.mark.parametrize(
    "error", [VenueUnavailable("It is away."), ConcurrencyConflict("Lost."), NotFound("No market.")]
)
async def test_a_signal_that_cannot_be_served_now_goes_back_and_stops_no_other(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "_FORGOTTEN_AFTER", timedelta(0))

    async def copies(signal: Signal) -> Report:
        if signal.symbol == BTC and office.served.count(signal.id) < 3:
            raise error
        return Report()

    office = Office(copies)
    bad, good = make_signal(), replace(make_signal(number=2), symbol=ETH)
    await office.put(bad, good)
    await office.dispatch()(LANES)
    assert await office.state(good) is SignalState.DONE


async def test_the_lease_is_kept_while_the_copier_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_EXTEND_EVERY_S", 0)
    began, may_end = asyncio.Event(), asyncio.Event()

    async def slow(_: Signal) -> Report:
        began.set()
        await may_end.wait()
        return Report()

    office = Office(slow)
    signal = make_signal()
    await office.put(signal)
    task = asyncio.create_task(office.dispatch()(LANES))
    await began.wait()
    for _ in range(5):
        office.clock.advance(8 * S)
        for _ in range(20):
            await asyncio.sleep(0)
        async with office.uow() as work:
            assert await work.signals.claim(office.clock.now(), S, "another", LANES) is None
    may_end.set()
    await task
    assert await office.state(signal) is SignalState.DONE


async def test_a_worker_whose_claim_was_taken_over_does_not_end_the_signal() -> None:
    async def too_slow(_: Signal) -> Report:
        office.clock.advance(11 * S)
        async with office.uow() as work:
            assert await work.signals.claim(office.clock.now(), 100 * S, "another", LANES) is not None
            await work.commit()
        return Report()

    office = Office(too_slow)
    signal = make_signal()
    await office.put(signal)
    await office.dispatch()(LANES)
    assert await office.state(signal) is SignalState.DISPATCHING


async def test_what_waits_is_rung_for_again_and_what_is_fresh_or_served_is_not() -> None:
    office = Office(done)
    old, served = make_signal(), replace(make_signal(number=2), symbol=ETH)
    fresh = replace(make_signal(number=3), created_at=START + 10 * S)
    await office.put(old, served, fresh)
    async with office.uow() as work:
        signals: MemorySignals = work.signals
        assert await signals.claim(START, 60 * S, "me", LANES, only=served.id) is not None
        await work.commit()
    office.clock.advance(10 * S)
    reopened = make_signal(Action.CLOSE, 4).id

    async def deferred(limit: int) -> list[tuple[SignalId, Lane]]:
        return [(reopened, Lane.EXITS)]

    again = RingAgain(office.uow, office.bell, office.clock, office.metrics, deferred)
    assert await again() == 2
    assert office.bell.rung == [(old.id, old.lane), (reopened, Lane.EXITS)]
