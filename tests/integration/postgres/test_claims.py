"""Many claimers on a real server: each signal is claimed once, and the order of each line is kept."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.shared.execution import Action
from app.domain.shared.ids import FollowId, SignalId
from app.domain.signals.priority import Lane, Priority
from app.domain.signals.signal import Signal, SignalState
from app.infrastructure.postgres.schema import signals
from app.infrastructure.postgres.uow import PostgresUnitOfWork
from tests.contract.persistence.world import BTC, ETH, make_signal
from tests.fakes.clock import FakeClock
from tests.integration.postgres.cast import make_whales

LEASE = timedelta(minutes=10)
CLAIMERS = 8


def line_of(signal: Signal) -> tuple[object, ...]:
    return signal.whale_id, signal.symbol, signal.scope


async def fill_lines(
    engine: AsyncEngine, clock: FakeClock, chance: random.Random, number: int
) -> list[Signal]:
    """Signals of three whales on two markets, some of them closes of one follower, in one stored order."""
    whales = await make_whales(engine, clock, 3)
    made: list[Signal] = []
    for _ in range(number):
        scope = FollowId(1) if chance.random() < 0.2 else None
        kinds = [Action.OPEN, Action.ADD, Action.REDUCE, Action.CLOSE]
        made.append(
            make_signal(
                chance.choice(whales),
                clock.now(),
                action=Action.CLOSE if scope is not None else chance.choice(kinds),
                sym=chance.choice([BTC, ETH]),
                priority=chance.choice(list(Priority)),
                scope=scope,
            )
        )
    async with PostgresUnitOfWork(engine, clock) as unit:
        for signal in made:
            assert await unit.signals.add(signal)
        await unit.commit()
    return made


class Work:
    """What claimers did, in the order in which it became known."""

    def __init__(self) -> None:
        self.claims: list[SignalId] = []
        self.unfinished: set[SignalId] = set()
        self.too_early: list[tuple[SignalId, SignalId]] = []


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_eight_claimers_carry_out_each_signal_once_and_each_line_in_order(
    engine: AsyncEngine, clock: FakeClock, seed: int
) -> None:
    made = await fill_lines(engine, clock, random.Random(seed), 60)
    place = {signal.id: index for index, signal in enumerate(made)}
    lines: defaultdict[tuple[object, ...], list[Signal]] = defaultdict(list)
    for signal in made:
        lines[line_of(signal)].append(signal)
    work = Work()
    work.unfinished = set(place)

    def must_wait_for(signal: Signal) -> list[Signal]:
        earlier = [other for other in lines[line_of(signal)] if place[other.id] < place[signal.id]]
        return [other for other in earlier if other.is_exit or not signal.is_exit]

    async def claimer(name: str) -> None:
        while work.unfinished:
            async with PostgresUnitOfWork(engine, clock) as unit:
                signal = await unit.signals.claim(clock.now(), LEASE, name, tuple(Lane))
                await unit.commit()
            if signal is None:
                await asyncio.sleep(0)
                continue
            work.claims.append(signal.id)
            work.too_early += [
                (signal.id, other.id) for other in must_wait_for(signal) if other.id in work.unfinished
            ]
            # Said to be finished just before it is: whoever waits for it cannot have been claimed until then.
            work.unfinished.discard(signal.id)
            async with PostgresUnitOfWork(engine, clock) as unit:
                assert await unit.signals.finish(signal.id, name, SignalState.DONE)
                await unit.commit()

    await asyncio.gather(*(claimer(f"claimer-{number}") for number in range(CLAIMERS)))
    assert Counter(work.claims) == Counter(place.keys())
    assert work.too_early == []
    async with engine.connect() as connection:
        states = set((await connection.execute(select(signals.c.state))).scalars())
    assert states == {SignalState.DONE.value}


async def test_claimers_at_once_get_different_signals_and_do_not_wait_for_each_other(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    whales = await make_whales(engine, clock, CLAIMERS)
    async with PostgresUnitOfWork(engine, clock) as unit:
        for whale in whales:
            await unit.signals.add(make_signal(whale, clock.now()))
        await unit.commit()
    units = [PostgresUnitOfWork(engine, clock) for _ in range(CLAIMERS + 1)]
    claimed: list[Signal | None] = []
    for number, unit in enumerate(units):
        await unit.__aenter__()  # none of them commits before all have claimed
        claimed.append(await unit.signals.claim(clock.now(), LEASE, str(number), tuple(Lane)))
    for unit in units:
        await unit.commit()
        await unit.__aexit__(None, None, None)
    assert claimed[-1] is None
    assert {signal.whale_id for signal in claimed if signal is not None} == set(whales)


async def test_a_claim_that_is_rolled_back_leaves_the_signal_free(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    [whale] = await make_whales(engine, clock, 1)
    signal = make_signal(whale, clock.now())
    async with PostgresUnitOfWork(engine, clock) as unit:
        await unit.signals.add(signal)
        await unit.commit()
    for _ in range(2):
        async with PostgresUnitOfWork(engine, clock) as unit:
            claimed = await unit.signals.claim(clock.now(), LEASE, "a", tuple(Lane))
            assert claimed is not None
            assert claimed.id == signal.id
