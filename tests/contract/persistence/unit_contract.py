"""The contract of the unit of work itself, and of the leader book within it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from app.domain.shared.errors import ConcurrencyConflict, InvariantBroken, NotFound
from app.domain.shared.ids import FollowId, UserId
from app.domain.users.events import FollowPaused
from app.domain.users.user import Role
from tests.contract.persistence.world import BTC, ETH, World, make_burst, make_cast


class UnitContract:
    async def test_leaving_without_a_commit_changes_nothing(self, world: World) -> None:
        async with world.unit() as unit:
            user = await unit.users.add("Ishmael", Role.FOLLOWER)
            unit.record(FollowPaused(at=world.clock.now(), follow_id=FollowId(1)))
        async with world.unit() as unit:
            with pytest.raises(NotFound):
                await unit.users.get(user.id)
        assert list(await world.news()) == []

    async def test_an_error_inside_rolls_back_and_goes_on_to_the_caller(self, world: World) -> None:
        added: list[UserId] = []

        async def add_and_break() -> None:
            async with world.unit() as unit:
                added.append((await unit.users.add("Ishmael", Role.FOLLOWER)).id)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await add_and_break()
        async with world.unit() as unit:
            with pytest.raises(NotFound):
                await unit.users.get(added[0])

    async def test_recorded_events_leave_with_their_trace_in_order(self, world: World) -> None:
        events = [FollowPaused(at=world.clock.now(), follow_id=FollowId(number)) for number in range(3)]
        async with world.unit() as unit:
            for event in events:
                unit.record(event, f"trace-{event.follow_id}")
            await unit.commit()
        assert list(await world.news()) == [(event, f"trace-{event.follow_id}") for event in events]

    async def test_an_active_unit_cannot_be_entered_again(self, world: World) -> None:
        unit = world.unit()
        async with unit:
            with pytest.raises(InvariantBroken):
                await unit.__aenter__()
            await unit.users.add("Ishmael", Role.FOLLOWER)
            await unit.commit()
        async with unit:  # once left, it may serve again
            await unit.users.add("Queequeg", Role.FOLLOWER)

    async def test_nothing_is_used_before_entering_or_after_the_commit(self, world: World) -> None:
        unit = world.unit()
        event = FollowPaused(at=world.clock.now(), follow_id=FollowId(1))
        with pytest.raises(InvariantBroken):
            unit.record(event)
        with pytest.raises(InvariantBroken):
            _ = unit.users
        async with unit:
            await unit.commit()
            with pytest.raises(InvariantBroken):
                await unit.commit()
            with pytest.raises(InvariantBroken):
                unit.record(event)
            with pytest.raises(InvariantBroken):
                _ = unit.signals


class LeaderBookContract:
    async def test_a_leader_unknown_so_far_holds_nothing(self, world: World) -> None:
        cast = await make_cast(world)
        async with world.unit() as unit:
            assert await unit.leaders.position(cast.whale.id, BTC) == 0
            assert await unit.leaders.newest_fills(cast.whale.id) == {}

    async def test_consumed_fills_are_seen_and_the_position_is_kept(self, world: World) -> None:
        cast = await make_cast(world)
        now = world.clock.now()
        async with world.unit() as unit:
            burst = make_burst(now, "9", "10")
            assert await unit.leaders.unseen(cast.whale.id, burst) == burst
            await unit.leaders.consume(cast.whale.id, burst, Decimal("0.5"), None)
            await unit.commit()
        async with world.unit() as unit:
            assert await unit.leaders.position(cast.whale.id, BTC) == Decimal("0.5")
            assert await unit.leaders.position(cast.whale.id, ETH) == 0
            assert await unit.leaders.unseen(cast.whale.id, make_burst(now, "9", "10")) is None
            rest = await unit.leaders.unseen(cast.whale.id, make_burst(now, "9", "11", "10", "11"))
            assert rest == make_burst(now, "11")
            assert await unit.leaders.unseen(cast.whale.id, make_burst(now, "9", sym=ETH)) is not None

    async def test_the_newest_fill_of_each_market_is_known_by_its_time(self, world: World) -> None:
        cast = await make_cast(world)
        now, whale = world.clock.now(), cast.whale.id
        later, latest = now + timedelta(seconds=1), now + timedelta(seconds=2)
        async with world.unit() as unit:
            await unit.leaders.consume(whale, make_burst(later, "9"), Decimal(1), None)
            await unit.leaders.consume(whale, make_burst(now, "8"), Decimal(2), None)
            await unit.leaders.consume(whale, make_burst(latest, "1", sym=ETH), Decimal(2), None)
            assert await unit.leaders.newest_fills(whale) == {BTC: later, ETH: latest}

    async def test_a_position_from_the_venue_is_stored_without_a_fill(self, world: World) -> None:
        cast = await make_cast(world)
        async with world.unit() as unit:
            await unit.leaders.set_position(cast.whale.id, BTC, Decimal(3))
            await unit.leaders.set_position(cast.whale.id, BTC, Decimal("-1.5"))
            assert await unit.leaders.position(cast.whale.id, BTC) == Decimal("-1.5")
            assert await unit.leaders.newest_fills(cast.whale.id) == {}

    async def test_the_watch_of_a_leader_begins_once(self, world: World) -> None:
        cast, other = await make_cast(world), await make_cast(world)
        now = world.clock.now()
        async with world.unit() as unit:
            assert await unit.leaders.watched_since(cast.whale.id) is None
            await unit.leaders.begin_watch(cast.whale.id, now)
            await unit.commit()
        async with world.unit() as unit:
            assert await unit.leaders.watched_since(cast.whale.id) == now
            assert await unit.leaders.watched_since(other.whale.id) is None
            with pytest.raises(ConcurrencyConflict):
                await unit.leaders.begin_watch(cast.whale.id, now + timedelta(days=1))
            await unit.whales.save(cast.whale)  # the watch is no change of the whale's version

    async def test_a_fill_is_consumed_once(self, world: World) -> None:
        cast = await make_cast(world)
        now = world.clock.now()
        async with world.unit() as unit:
            await unit.leaders.consume(cast.whale.id, make_burst(now, "1"), Decimal(1), None)
            await unit.commit()
        async with world.unit() as unit:
            with pytest.raises(ConcurrencyConflict):
                await unit.leaders.consume(cast.whale.id, make_burst(now, "2", "1"), Decimal(2), None)
