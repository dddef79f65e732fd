"""What a real session of ours is like: its settings, its exactness, its retries, its unit of work under stress."""

from __future__ import annotations

import asyncio
import traceback
from decimal import Decimal

import pytest
from sqlalchemy import func, insert, make_url, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from app.domain.shared.errors import ConcurrencyConflict
from app.domain.users.user import Role
from app.infrastructure.postgres.engine import make_engine, retrying, sqlstate
from app.infrastructure.postgres.schema import funds, tokens, users
from app.infrastructure.postgres.uow import PostgresUnitOfWork
from tests.contract.persistence.world import BTC, make_burst
from tests.fakes.clock import FakeClock
from tests.integration.postgres.cast import make_whales

CANARY = "sealed-canary"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("statement_timeout", "15s"),
        ("lock_timeout", "5s"),
        ("idle_in_transaction_session_timeout", "30s"),
        ("jit", "off"),
        ("TimeZone", "UTC"),
        ("application_name", "copytrade tests"),
    ],
)
async def test_each_session_has_its_settings(engine: AsyncEngine, setting: str, value: str) -> None:
    async with engine.connect() as connection:
        assert await connection.scalar(select(func.current_setting(setting))) == value


async def test_a_statement_that_takes_too_long_is_ended(database_dsn: str) -> None:
    engine = make_engine(database_dsn, pool_size=1, application_name="tests", statement_timeout_ms=50)
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError) as caught:
            await connection.execute(text("SELECT pg_sleep(30)"))
    assert sqlstate(caught.value) == "57014"
    await engine.dispose()


async def store_wallet(connection: AsyncConnection, account: int, wallet: Decimal) -> None:
    await connection.execute(insert(funds).values(account_id=account, wallet=wallet))


@pytest.mark.parametrize(
    "number", ["-99999999999999999999.999999999999999999", "1E-18", "1E+19", "-0", "0.10"]
)
async def test_a_number_comes_back_as_it_went_in(engine: AsyncEngine, number: str) -> None:
    async with engine.begin() as connection:
        await store_wallet(connection, 1, Decimal(number))
        assert await connection.scalar(select(funds.c.wallet)) == Decimal(number)
        row = await connection.execute(
            text("SELECT unnest(CAST(:n AS numeric[]))"), {"n": [Decimal(number)] * 2}
        )
        assert list(row.scalars()) == [Decimal(number)] * 2


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1E+131072", "1E+20", "1E-19"])
async def test_a_number_that_would_be_changed_is_refused(engine: AsyncEngine, number: str) -> None:
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError):
            await store_wallet(connection, 1, Decimal(number))


async def test_an_error_of_a_statement_does_not_show_its_parameters(engine: AsyncEngine) -> None:
    values = {"name": CANARY, "role": CANARY, "state": None}
    async with engine.connect() as connection:
        with pytest.raises(IntegrityError) as caught:
            await connection.execute(insert(users).values(**values))
    assert "parameters hidden" in str(caught.value)


async def test_two_transactions_in_each_others_way_both_succeed_in_the_end(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    """A real deadlock: each locks one row, then wants the other's; the server calls one of them off."""
    async with PostgresUnitOfWork(engine, clock) as unit:
        ids = [(await unit.users.add(f"user {number}", Role.FOLLOWER)).id for number in range(2)]
        await unit.commit()
    both_hold_one = asyncio.Barrier(2)
    tries: list[int] = []

    async def swap(first: int, second: int) -> None:
        is_first_try = len(tries) < 2
        tries.append(first)
        async with engine.begin() as connection:
            for number, user_id in enumerate((first, second)):
                if number and is_first_try:
                    await both_hold_one.wait()
                await connection.execute(
                    update(users).where(users.c.id == user_id).values(version=users.c.version + 1)
                )

    await asyncio.gather(retrying(lambda: swap(*ids)), retrying(lambda: swap(*reversed(ids))))
    assert len(tries) == 3
    async with engine.connect() as connection:
        assert set((await connection.execute(select(users.c.version))).scalars()) == {3}


async def test_the_connection_comes_back_when_the_task_is_cancelled(
    database_dsn: str, clock: FakeClock
) -> None:
    engine = make_engine(database_dsn, pool_size=1, application_name="tests")
    entered = asyncio.Event()

    async def hang() -> None:
        async with PostgresUnitOfWork(engine, clock) as unit:
            await unit.users.add("Ishmael", Role.FOLLOWER)
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with PostgresUnitOfWork(engine, clock) as unit:  # the only connection there is
        assert await unit.connection.scalar(select(func.count()).select_from(users)) == 0
    pool = engine.pool
    assert isinstance(pool, AsyncAdaptedQueuePool)
    assert pool.checkedout() == 0
    await engine.dispose()


async def test_a_commit_that_fails_sends_no_event_and_rolls_back(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    async with PostgresUnitOfWork(engine, clock) as unit:
        user = await unit.users.add("Ishmael", Role.FOLLOWER)
        await unit.commit()
    async with PostgresUnitOfWork(engine, clock) as unit:
        found = await unit.users.get(user.id)
        found.suspend("unpaid", clock.now())
        await unit.users.save(found)
        with pytest.raises(DBAPIError):
            await unit.connection.execute(text("SELECT 1/0"))
        with pytest.raises(DBAPIError):
            await unit.commit()
    async with PostgresUnitOfWork(engine, clock) as unit:
        assert (await unit.users.get(user.id)).version == user.version
        assert await unit.connection.scalar(text("SELECT count(*) FROM outbox")) == 0


async def test_of_a_token_only_the_hash_is_stored(engine: AsyncEngine, clock: FakeClock) -> None:
    async with PostgresUnitOfWork(engine, clock) as unit:
        user = await unit.users.add("Ishmael", Role.FOLLOWER)
        token = await unit.tokens.issue(user.id, "laptop")
        await unit.commit()
    async with engine.begin() as connection:
        [row] = (await connection.execute(select(tokens))).all()
        assert len(row.token_hash) == 32
        assert token not in repr(tuple(row))
        assert token.encode() not in row.token_hash
        await connection.execute(update(tokens).values(revoked_at=func.now()))
    async with PostgresUnitOfWork(engine, clock) as unit:
        assert await unit.tokens.caller(token) is None


async def test_two_feeders_decide_on_a_leaders_position_one_after_the_other(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    [whale] = await make_whales(engine, clock, 1)
    seen: list[Decimal] = []

    async def feed(trade_id: str) -> None:
        async with PostgresUnitOfWork(engine, clock) as unit:
            before = await unit.leaders.position(whale, BTC)
            seen.append(before)
            await unit.leaders.consume(whale, make_burst(clock.now(), trade_id), before + 1, None)
            await unit.commit()

    await asyncio.gather(*(feed(str(number)) for number in range(6)))
    assert seen == [Decimal(number) for number in range(6)]


async def test_of_two_feeders_with_the_same_fill_one_is_told_of_the_conflict(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    [whale] = await make_whales(engine, clock, 1)

    async def feed() -> str:
        try:
            async with PostgresUnitOfWork(engine, clock) as unit:
                await unit.leaders.consume(whale, make_burst(clock.now(), "1"), Decimal(1), None)
                await unit.commit()
        except ConcurrencyConflict as error:
            return error.code
        return "done"

    assert sorted(await asyncio.gather(feed(), feed())) == ["concurrency_conflict", "done"]


async def test_a_large_burst_is_consumed_whole(engine: AsyncEngine, clock: FakeClock) -> None:
    [whale] = await make_whales(engine, clock, 1)
    burst = make_burst(clock.now(), *map(str, range(2500)))
    async with PostgresUnitOfWork(engine, clock) as unit:
        await unit.leaders.consume(whale, burst, Decimal(1), None)
        assert await unit.leaders.unseen(whale, burst) is None


async def test_a_wrong_password_is_not_repeated(database_dsn: str) -> None:
    address = make_url(database_dsn).set(password=CANARY).render_as_string(hide_password=False)
    engine = make_engine(address, pool_size=1, application_name="tests")

    async def connect() -> None:
        async with engine.connect():
            pass

    with pytest.raises(DBAPIError) as caught:
        await connect()
    assert sqlstate(caught.value) == "28P01"
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    await engine.dispose()
