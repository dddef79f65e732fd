"""Aggregates come back from a real server as they went in, over the whole range of their fields."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.risk.halts import Halt
from app.domain.risk.limits import Limits
from app.domain.shared.ids import UserId
from app.domain.shared.terms import CopyTerms
from app.domain.signals.signal import Signal
from app.domain.users.follow import Follow
from app.domain.users.user import Role
from app.domain.whales.whale import WhaleTier
from app.infrastructure.postgres.uow import PostgresUnitOfWork
from tests.contract.persistence.world import TERMS, VENUE
from tests.fakes.clock import FakeClock
from tests.integration.postgres.cast import make_whales
from tests.unit.infrastructure.postgres import aggregates

ON_ONE_DATABASE = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@ON_ONE_DATABASE
@given(aggregates.signals())
async def test_a_signal_is_kept_whole(engine: AsyncEngine, clock: FakeClock, signal: Signal) -> None:
    [whale] = await make_whales(engine, clock, 1)
    async with PostgresUnitOfWork(engine, clock) as unit:
        stored = replace(signal, whale_id=whale, version=1)
        assert await unit.signals.add(stored)
        assert await unit.signals.get(stored.id) == stored


async def make_follow(unit: PostgresUnitOfWork) -> Follow:
    user = await unit.users.add("Ishmael", Role.FOLLOWER)
    leader, account = [await unit.accounts.add(user.id, VENUE, label) for label in ("leader", "own")]
    whale = await unit.whales.add("Moby", VENUE, leader.id, WhaleTier.TRIAL)
    return await unit.follows.add(user.id, whale.id, account.id, TERMS)


@ON_ONE_DATABASE
@given(aggregates.TERMS, st.binary(max_size=300), aggregates.TEXTS)
async def test_terms_and_sealed_keys_are_kept_whole(
    engine: AsyncEngine, clock: FakeClock, terms: CopyTerms, sealed: bytes, reason: str
) -> None:
    async with PostgresUnitOfWork(engine, clock) as unit:
        follow = await make_follow(unit)
        follow.change_terms(terms)
        await unit.follows.save(follow)
        assert await unit.follows.get(follow.id) == follow
        account = await unit.accounts.get(follow.account_id)
        account.sealed, account.key_reason = sealed, reason
        await unit.accounts.save(account)
        assert await unit.accounts.get(account.id) == account


@ON_ONE_DATABASE
@given(aggregates.LIMITS, aggregates.HALTS)
async def test_limits_and_halts_are_kept_whole(
    engine: AsyncEngine, clock: FakeClock, limits: Limits, halt: Halt
) -> None:
    async with PostgresUnitOfWork(engine, clock) as unit:
        user: UserId = (await make_follow(unit)).user_id
        await unit.limits.set_for_user(user, limits)
        assert await unit.limits.of_user(user) == limits
        await unit.halts.raise_halt(halt)
        assert list(await unit.halts.standing()) == [halt]
