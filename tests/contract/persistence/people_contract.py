"""The contract of users, accounts, follows, tokens, whales, limits and halts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from app.domain.risk.halts import Halt, HaltScope
from app.domain.risk.limits import Limits
from app.domain.shared.errors import AlreadyExists, ConcurrencyConflict, NotFound
from app.domain.shared.ids import AccountId, FollowId, UserId, WhaleId
from app.domain.shared.market import Side
from app.domain.shared.money import Money
from app.domain.users.events import FollowPaused, UserSuspended
from app.domain.users.ports import Caller
from app.domain.users.user import Role, UserState
from app.domain.whales.whale import WhaleTier
from tests.contract.persistence.world import BTC, ETH, TERMS, VENUE, World, make_cast


class PeopleContract:
    async def test_what_was_added_is_read_back(self, world: World) -> None:
        cast = await make_cast(world)
        async with world.unit() as unit:
            assert await unit.accounts.get(cast.account.id) == cast.account
            assert await unit.whales.get(cast.whale.id) == cast.whale
            assert await unit.follows.get(cast.follow.id) == cast.follow
            assert list(await unit.accounts.of_user(cast.account.user_id)) == [cast.account]
            assert list(await unit.follows.of_user(cast.account.user_id)) == [cast.follow]
            assert (await unit.users.get(cast.account.user_id)).state is UserState.ACTIVE

    async def test_changes_are_read_back_under_the_next_version(self, world: World) -> None:
        cast = await make_cast(world)
        terms = replace(
            TERMS,
            order_notional_max=Money(Decimal("1234.000000000000000001")),
            sides=frozenset({Side.SELL}),
            symbols_denied=frozenset({BTC, ETH}),
        )
        async with world.unit() as unit:
            follow = await unit.follows.get(cast.follow.id)
            follow.change_terms(terms)
            await unit.follows.save(follow)
            account = await unit.accounts.get(cast.account.id)
            account.sealed = b"\x00sealed\xff"
            await unit.accounts.save(account)
            await unit.commit()
        async with world.unit() as unit:
            saved = await unit.follows.get(cast.follow.id)
            assert saved.terms == terms
            assert saved.version == cast.follow.version + 1 == follow.version
            assert (await unit.accounts.get(cast.account.id)).sealed == b"\x00sealed\xff"

    async def test_a_stale_aggregate_is_refused_and_its_news_does_not_leave(self, world: World) -> None:
        cast = await make_cast(world)
        now = world.clock.now()
        async with world.unit() as unit:
            stale = await unit.follows.get(cast.follow.id)
        async with world.unit() as unit:
            fresh = await unit.follows.get(cast.follow.id)
            fresh.change_terms(replace(TERMS, value=Decimal(2)))
            await unit.follows.save(fresh)
            await unit.commit()
        async with world.unit() as unit:
            stale.pause(now)
            with pytest.raises(ConcurrencyConflict):
                await unit.follows.save(stale)
            await unit.commit()
        assert list(await world.news()) == []
        async with world.unit() as unit:
            assert await unit.follows.get(cast.follow.id) == fresh

    @pytest.mark.parametrize("kind", ["users", "accounts", "whales", "follows"])
    async def test_every_aggregate_is_saved_under_its_version(self, world: World, kind: str) -> None:
        cast = await make_cast(world)
        async with world.unit() as unit:
            user = await unit.users.get(cast.account.user_id)
            stale = {
                "users": unit.users.save(replace(user, version=99)),
                "accounts": unit.accounts.save(replace(cast.account, version=99)),
                "whales": unit.whales.save(replace(cast.whale, version=99)),
                "follows": unit.follows.save(replace(cast.follow, version=99)),
            }
            for name, saving in stale.items():
                if name != kind:
                    saving.close()
            with pytest.raises(ConcurrencyConflict):
                await stale[kind]

    async def test_an_aggregate_can_be_saved_twice_in_one_unit(self, world: World) -> None:
        cast = await make_cast(world)
        now = world.clock.now()
        async with world.unit() as unit:
            follow = await unit.follows.get(cast.follow.id)
            follow.pause(now)
            await unit.follows.save(follow)
            follow.resume(now)
            await unit.follows.save(follow)
            await unit.commit()
        assert [event.name for event, _ in await world.news()] == ["follow.paused", "follow.resumed"]

    async def test_what_is_absent_is_not_found(self, world: World) -> None:
        async with world.unit() as unit:
            for look in (
                unit.users.get(UserId(404)),
                unit.accounts.get(AccountId(404)),
                unit.follows.get(FollowId(404)),
                unit.whales.get(WhaleId(404)),
            ):
                with pytest.raises(NotFound):
                    await look

    async def test_what_refers_to_the_absent_is_not_found_and_the_unit_goes_on(self, world: World) -> None:
        cast = await make_cast(world)
        async with world.unit() as unit:
            with pytest.raises(NotFound):
                await unit.accounts.add(UserId(404), VENUE, "main")
            with pytest.raises(NotFound):
                await unit.tokens.issue(UserId(404), "laptop")
            with pytest.raises(NotFound):
                await unit.follows.add(cast.account.user_id, WhaleId(404), cast.account.id, TERMS)
            with pytest.raises(NotFound):
                await unit.limits.set_for_user(UserId(404), Limits())
            await unit.users.add("Ishmael", Role.FOLLOWER)
            await unit.commit()

    async def test_an_account_follows_a_whale_once_until_the_follow_is_stopped(self, world: World) -> None:
        cast = await make_cast(world)
        owner = cast.account.user_id
        async with world.unit() as unit:
            with pytest.raises(AlreadyExists):
                await unit.follows.add(owner, cast.whale.id, cast.account.id, TERMS)
            follow = await unit.follows.get(cast.follow.id)
            follow.stop(world.clock.now(), close_positions=False)
            await unit.follows.save(follow)
            again = await unit.follows.add(owner, cast.whale.id, cast.account.id, TERMS)
            await unit.commit()
        assert again.id != cast.follow.id

    async def test_an_account_is_one_whale_at_most(self, world: World) -> None:
        cast = await make_cast(world)
        async with world.unit() as unit:
            with pytest.raises(AlreadyExists):
                await unit.whales.add("Moby", VENUE, cast.leader.id, WhaleTier.TRIAL)
            assert len(await unit.whales.watched()) == 1

    async def test_a_token_names_its_holder_and_nothing_else_does(self, world: World) -> None:
        async with world.unit() as unit:
            user = await unit.users.add("Ishmael", Role.OPERATOR)
            token = await unit.tokens.issue(user.id, "laptop")
            other = await unit.tokens.issue(user.id, "phone")
            await unit.commit()
        assert token.startswith("ct_")
        assert token != other
        async with world.unit() as unit:
            assert await unit.tokens.caller(token) == Caller(user.id, Role.OPERATOR)
            for wrong in (token[:-1], token + "A", token[3:], "", "ct_", "ct_\ud800", "ct_" + "A" * 10_000):
                assert await unit.tokens.caller(wrong) is None

    async def test_whales_are_watched_until_banned_and_free_of_followers(self, world: World) -> None:
        cast = await make_cast(world)
        now = world.clock.now()
        async with world.unit() as unit:
            whale = await unit.whales.get(cast.whale.id)
            whale.ban("wash trading", now)
            await unit.whales.save(whale)
            assert [found.id for found in await unit.whales.watched()] == [whale.id]  # still followed
            follow = await unit.follows.get(cast.follow.id)
            follow.stop(now, close_positions=False)
            await unit.follows.save(follow)
            assert list(await unit.whales.watched()) == []
            await unit.commit()
        await world.hold(cast.follow, BTC, Decimal(0))
        async with world.unit() as unit:
            assert list(await unit.whales.watched()) == []
        await world.hold(cast.follow, BTC, Decimal("-0.5"))
        async with world.unit() as unit:
            assert [found.id for found in await unit.whales.watched()] == [whale.id]

    async def test_streams_are_followed_while_an_account_leads_follows_or_holds(self, world: World) -> None:
        cast = await make_cast(world)
        now = world.clock.now()
        async with world.unit() as unit:
            assert {found.id for found in await unit.accounts.with_streams(VENUE)} == {
                cast.leader.id,
                cast.account.id,
            }
            follow = await unit.follows.get(cast.follow.id)
            follow.stop(now, close_positions=False)
            await unit.follows.save(follow)
            assert [found.id for found in await unit.accounts.with_streams(VENUE)] == [cast.leader.id]
            await unit.commit()
        await world.start_trade(cast.follow, BTC)
        async with world.unit() as unit:
            assert len(await unit.accounts.with_streams(VENUE)) == 2
            account = await unit.accounts.get(cast.account.id)
            account.refuse("The venue refused it.", now)
            await unit.accounts.save(account)
            assert [found.id for found in await unit.accounts.with_streams(VENUE)] == [cast.leader.id]

    async def test_limits_are_none_until_set_and_replaced_whole(self, world: World) -> None:
        first = Limits(total_notional_max=Decimal("10000.5"), leverage_max=3)
        second = Limits(drawdown_max=Decimal("0.25"), positions_max=4)
        async with world.unit() as unit:
            user = await unit.users.add("Ishmael", Role.FOLLOWER)
            assert await unit.limits.of_user(user.id) == Limits()
            await unit.limits.set_for_user(user.id, first)
            assert await unit.limits.of_user(user.id) == first
            await unit.limits.set_for_user(user.id, second)
            assert await unit.limits.of_user(user.id) == second

    async def test_a_halt_stands_once_for_each_target_until_cleared(self, world: World) -> None:
        now = world.clock.now()
        everything = Halt(HaltScope.PLATFORM, "", "maintenance", now)
        user = Halt(HaltScope.USER, "7", "losses", now + timedelta(seconds=1))
        later = Halt(HaltScope.PLATFORM, "", "incident", now + timedelta(seconds=2))
        async with world.unit() as unit:
            for halt in (everything, user, later):
                await unit.halts.raise_halt(halt)
            assert list(await unit.halts.standing()) == [later, user]
            assert await unit.halts.clear(HaltScope.PLATFORM, "")
            assert not await unit.halts.clear(HaltScope.PLATFORM, "")
            assert list(await unit.halts.standing()) == [user]

    async def test_the_news_of_a_saved_aggregate_leaves_with_the_commit(self, world: World) -> None:
        cast = await make_cast(world)
        now = world.clock.now()
        async with world.unit() as unit:
            user = await unit.users.get(cast.account.user_id)
            user.suspend("unpaid", now)
            await unit.users.save(user)
            follow = await unit.follows.get(cast.follow.id)
            follow.pause(now)
            await unit.follows.save(follow)
            assert list(await world.news()) == []
            await unit.commit()
        assert list(await world.news()) == [
            (UserSuspended(at=now, user_id=user.id, reason="unpaid"), ""),
            (FollowPaused(at=now, follow_id=follow.id), ""),
        ]
