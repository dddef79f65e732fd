"""The contract of signals: stored once, claimed by one, in the order of their line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from app.domain.shared.errors import InvalidValue, NotFound
from app.domain.shared.execution import Action
from app.domain.shared.ids import SignalId, WhaleId
from app.domain.signals.priority import Lane, Priority
from app.domain.signals.signal import Signal, SignalState
from tests.contract.persistence.world import BTC, ETH, World, make_cast, make_signal, some_signal_id, store

LEASE = timedelta(seconds=10)
ALL = tuple(Lane)


async def claim(
    world: World, owner: str = "a", lanes: Sequence[Lane] = ALL, only: SignalId | None = None
) -> Signal | None:
    async with world.unit() as unit:
        signal = await unit.signals.claim(world.clock.now(), LEASE, owner, lanes, only)
        await unit.commit()
    return signal


async def finish(
    world: World, signal: Signal, owner: str = "a", state: SignalState = SignalState.DONE
) -> bool:
    async with world.unit() as unit:
        ended = await unit.signals.finish(signal.id, owner, state)
        await unit.commit()
    return ended


async def claimed_ids(world: World) -> list[SignalId]:
    """What can be claimed now, one after another, without finishing any."""
    found: list[SignalId] = []
    while (signal := await claim(world)) is not None:
        found.append(signal.id)
    return found


class SignalsContract:
    async def test_a_signal_is_stored_once_and_read_back(self, world: World) -> None:
        cast = await make_cast(world)
        signal = make_signal(cast.whale.id, world.clock.now())
        signal.accepted()
        async with world.unit() as unit:
            assert await unit.signals.add(signal)
            await unit.commit()
        signal.accepted()
        async with world.unit() as unit:
            assert not await unit.signals.add(signal)
            assert await unit.signals.get(signal.id) == signal
            await unit.commit()
        assert [(event.name, trace) for event, trace in await world.news()] == [
            ("signal.accepted", signal.trace_id)
        ]

    async def test_a_signal_of_an_unknown_whale_or_id_is_not_found(self, world: World) -> None:
        async with world.unit() as unit:
            with pytest.raises(NotFound):
                await unit.signals.add(make_signal(WhaleId(404), world.clock.now()))
            with pytest.raises(NotFound):
                await unit.signals.get(some_signal_id())

    async def test_exits_come_first_then_priority_then_age(self, world: World) -> None:
        casts = [await make_cast(world) for _ in range(5)]
        now = world.clock.now()
        low, high, medium, older_high = (
            make_signal(cast.whale.id, now, priority=priority)
            for cast, priority in zip(
                casts, (Priority.LOW, Priority.HIGH, Priority.MEDIUM, Priority.HIGH), strict=False
            )
        )
        close = make_signal(casts[4].whale.id, now, action=Action.CLOSE)
        await store(world, low, older_high, high, medium, close)
        assert await claimed_ids(world) == [close.id, older_high.id, high.id, medium.id, low.id]

    async def test_only_the_given_lanes_and_the_given_signal_are_claimed(self, world: World) -> None:
        casts = [await make_cast(world) for _ in range(2)]
        now = world.clock.now()
        first, second = (make_signal(cast.whale.id, now) for cast in casts)
        await store(world, first, second)
        assert await claim(world, lanes=(Lane.EXITS, Lane.LOW)) is None
        chosen = await claim(world, only=second.id)
        assert chosen is not None
        assert (chosen.id, chosen.state) == (second.id, SignalState.DISPATCHING)
        assert await claim(world, only=second.id) is None

    async def test_a_line_is_carried_out_in_order_and_lines_do_not_wait_for_each_other(
        self, world: World
    ) -> None:
        cast, other = await make_cast(world), await make_cast(world)
        now = world.clock.now()
        first, second = make_signal(cast.whale.id, now), make_signal(cast.whale.id, now, action=Action.ADD)
        elsewhere = make_signal(cast.whale.id, now, sym=ETH)
        another = make_signal(other.whale.id, now, sym=BTC)
        await store(world, first, second, elsewhere, another)
        assert await claimed_ids(world) == [first.id, elsewhere.id, another.id]
        assert await finish(world, first)
        assert await claimed_ids(world) == [second.id]

    async def test_a_close_overtakes_a_waiting_entry_and_waits_for_exits(self, world: World) -> None:
        cast = await make_cast(world)
        now = world.clock.now()
        entry = make_signal(cast.whale.id, now)
        close = make_signal(cast.whale.id, now, action=Action.CLOSE)
        again = make_signal(cast.whale.id, now)
        second_close = make_signal(cast.whale.id, now, action=Action.CLOSE)
        await store(world, entry, close, again, second_close)
        exits = (Lane.EXITS,)
        first = await claim(world, lanes=exits)
        assert first is not None
        assert first.id == close.id  # it does not wait for the entry
        assert await claim(world, lanes=exits) is None  # the second close waits for the first
        assert await finish(world, close)
        assert await claimed_ids(world) == [second_close.id, entry.id]
        assert await finish(world, second_close)
        assert await claimed_ids(world) == []  # the later entry waits for the earlier one
        assert await finish(world, entry, state=SignalState.EXPIRED)
        assert await claimed_ids(world) == [again.id]

    async def test_a_reduction_waits_for_the_entry_that_it_is_a_share_of(self, world: World) -> None:
        cast = await make_cast(world)
        now = world.clock.now()
        entry = make_signal(cast.whale.id, now)
        reduce = make_signal(cast.whale.id, now, action=Action.REDUCE)
        await store(world, entry, reduce)
        assert await claimed_ids(world) == [entry.id]
        assert await finish(world, entry)
        assert await claimed_ids(world) == [reduce.id]

    async def test_an_exit_waits_until_a_claimed_entry_has_stopped(self, world: World) -> None:
        cast = await make_cast(world)
        now = world.clock.now()
        entry = make_signal(cast.whale.id, now)
        await store(world, entry)
        assert await claim(world) is not None
        close = make_signal(cast.whale.id, now, action=Action.CLOSE)
        await store(world, close)
        async with world.unit() as unit:
            assert await unit.signals.superseded(entry)  # so the entry's worker stops
        assert await claimed_ids(world) == []
        assert await finish(world, entry)
        assert await claimed_ids(world) == [close.id]

    async def test_a_followers_closes_are_a_line_of_their_own(self, world: World) -> None:
        cast = await make_cast(world)
        now = world.clock.now()
        whale, mine = cast.whale.id, cast.follow.id
        leader_close = make_signal(whale, now, action=Action.CLOSE)
        own = make_signal(whale, now, action=Action.CLOSE, scope=mine)
        own_again = make_signal(whale, now, action=Action.CLOSE, scope=mine)
        entry = make_signal(whale, now)
        await store(world, leader_close, own, own_again, entry)
        assert await claimed_ids(world) == [leader_close.id, own.id]
        assert await finish(world, own)
        assert await claimed_ids(world) == [own_again.id]
        assert await finish(world, leader_close)
        assert await claimed_ids(world) == [entry.id]  # though the follower's own close is not done

    async def test_a_later_close_of_the_leader_supersedes_whatever_its_state(self, world: World) -> None:
        cast = await make_cast(world)
        now = world.clock.now()
        whale = cast.whale.id
        entry = make_signal(whale, now)
        other_market = make_signal(whale, now, action=Action.CLOSE, sym=ETH)
        own = make_signal(whale, now, action=Action.CLOSE, scope=cast.follow.id)
        reduce = make_signal(whale, now, action=Action.REDUCE)
        await store(world, entry, other_market, own, reduce)
        close = make_signal(whale, now, action=Action.CLOSE)
        async with world.unit() as unit:
            assert not await unit.signals.superseded(entry)
        await store(world, close)
        async with world.unit() as unit:
            assert await unit.signals.superseded(entry)
            assert not await unit.signals.superseded(close)
            assert not await unit.signals.superseded(other_market)
        for first in (entry, reduce):
            taken = await claim(world, only=first.id)
            assert taken is not None
            assert await finish(world, taken)
        taken = await claim(world, only=close.id)
        assert taken is not None
        assert await finish(world, taken)
        async with world.unit() as unit:
            assert await unit.signals.superseded(entry)

    async def test_a_claim_is_ended_and_lengthened_by_its_owner_alone(self, world: World) -> None:
        cast = await make_cast(world)
        signal = make_signal(cast.whale.id, world.clock.now())
        await store(world, signal)
        assert not await finish(world, signal)  # nobody's yet
        assert await claim(world, "a") is not None
        assert not await finish(world, signal, "b")
        async with world.unit() as unit:
            assert not await unit.signals.extend(signal.id, "b", world.clock.now() + LEASE)
            assert await unit.signals.extend(signal.id, "a", world.clock.now() + 2 * LEASE)
            await unit.commit()
        world.clock.advance(LEASE * 1.5)
        assert await claim(world, "b") is None
        assert await finish(world, signal, "a")
        assert not await finish(world, signal, "a")
        assert await claim(world, "b") is None

    async def test_a_lapsed_claim_is_anybodys_and_the_late_owner_changes_nothing(self, world: World) -> None:
        cast = await make_cast(world)
        signal = make_signal(cast.whale.id, world.clock.now())
        await store(world, signal)
        assert await claim(world, "slow") is not None
        world.clock.advance(LEASE)
        assert await claim(world, "b") is None  # the last moment is still the owner's
        world.clock.advance(timedelta(milliseconds=1))
        assert await claim(world, "b") is not None
        assert not await finish(world, signal, "slow")
        async with world.unit() as unit:
            assert not await unit.signals.extend(signal.id, "slow", world.clock.now() + LEASE)
            assert (await unit.signals.get(signal.id)).state is SignalState.DISPATCHING

    async def test_a_claim_may_be_given_back_but_not_end_as_a_claim(self, world: World) -> None:
        cast = await make_cast(world)
        signal = make_signal(cast.whale.id, world.clock.now())
        await store(world, signal)
        assert await claim(world) is not None
        with pytest.raises(InvalidValue):
            await finish(world, signal, state=SignalState.DISPATCHING)
        assert await finish(world, signal, state=SignalState.PENDING)
        assert await claim(world, "b") is not None

    async def test_signals_that_nobody_works_on_are_rung_for_again(self, world: World) -> None:
        casts = [await make_cast(world) for _ in range(3)]
        now = world.clock.now()
        lapsed, pending, young = (make_signal(cast.whale.id, now) for cast in casts)
        await store(world, lapsed, pending)
        assert await claim(world, only=lapsed.id) is not None
        world.clock.advance(LEASE + timedelta(seconds=1))
        young.created_at = world.clock.now()
        await store(world, young)
        async with world.unit() as unit:
            waiting = await unit.signals.waiting(world.clock.now(), timedelta(seconds=2))
            assert list(waiting) == [(lapsed.id, Lane.HIGH), (pending.id, Lane.HIGH)]
