"""The budget that workers share, on a real Valkey."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from app.infrastructure.exchanges.budget import Bucket, Budget, Grant, LocalBudget
from app.infrastructure.redis.budget import RedisBudget
from app.infrastructure.redis.client import connect

SLOW = 0.001  # tokens per second: nothing comes back while a test runs


def bucket(burst: float = 10, reserve: float = 4, per_s: float = SLOW) -> Bucket:
    return Bucket(f"test:{uuid4()}", burst, per_s, reserve)


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Redis]:
    made = connect(redis_url)
    yield made
    await made.aclose()


@pytest.fixture
def worker(client: Redis) -> RedisBudget:
    return RedisBudget(client, LocalBudget(lambda: 0.0))


@pytest.fixture(params=["shared", "local"])
def budget(request: pytest.FixtureRequest) -> Budget:
    chosen: Budget = (
        request.getfixturevalue("worker") if request.param == "shared" else LocalBudget(lambda: 0.0)
    )
    return chosen


async def settle(budget: Budget) -> None:
    if isinstance(budget, RedisBudget):
        await budget.settled()


async def test_both_budgets_grant_alike(budget: Budget) -> None:
    chosen = bucket()
    assert await budget.take(chosen, 4) == Grant(4, 0)
    assert (await budget.take(chosen, 5)).granted == 2
    assert (await budget.take(chosen, 3, least=3)).granted == 0
    assert (await budget.take(chosen, 9, is_exit=True)).granted == 4
    assert (await budget.take(chosen, 1, is_exit=True)).granted == 0


async def test_both_say_when_more_comes(budget: Budget) -> None:
    chosen = bucket(burst=1, reserve=0, per_s=0.1)
    assert await budget.take(chosen, 1) == Grant(1, 0)
    grant = await budget.take(chosen, 1)
    assert grant.granted == 0
    assert 9_000 <= grant.wait_ms <= 10_000


async def test_both_believe_the_venues_counter_downwards_only(budget: Budget) -> None:
    chosen = bucket()
    budget.seen(chosen, 6)
    await settle(budget)
    assert (await budget.take(chosen, 9)).granted == 2
    budget.seen(chosen, 9)
    await settle(budget)
    assert (await budget.take(chosen, 9)).granted == 0


async def test_both_fall_silent_when_drained(budget: Budget) -> None:
    chosen = bucket(per_s=1)
    budget.drain(chosen, 60)
    await settle(budget)
    grant = await budget.take(chosen, 1, is_exit=True)
    assert grant.granted == 0
    assert 50_000 < grant.wait_ms <= 60_000


async def test_after_a_silence_the_shared_bucket_is_useful_at_once(worker: RedisBudget) -> None:
    chosen = bucket(per_s=50, reserve=4)
    worker.drain(chosen, 0.2)
    async with asyncio.timeout(10):
        while not (grant := await worker.take(chosen, 5, least=5)).granted:
            assert grant.wait_ms <= 250


async def test_workers_together_spend_a_bucket_once(redis_url: str) -> None:
    chosen = bucket(burst=500, reserve=0)
    clients = [connect(redis_url) for _ in range(4)]
    workers = [RedisBudget(made, LocalBudget(lambda: 0.0)) for made in clients]
    grants = await asyncio.gather(*(workers[n % 4].take(chosen, 1) for n in range(800)))
    assert sum(grant.granted for grant in grants) == 500
    for made in clients:
        await made.aclose()


async def test_orders_of_one_moment_ask_once(client: Redis, worker: RedisBudget) -> None:
    await worker.take(bucket(), 1)
    before = (await client.info("commandstats"))["cmdstat_evalsha"]["calls"]
    await asyncio.gather(*(worker.take(bucket(), 1) for _ in range(200)))
    assert (await client.info("commandstats"))["cmdstat_evalsha"]["calls"] == before + 1


async def test_tokens_come_back_and_idle_buckets_go_away(client: Redis, worker: RedisBudget) -> None:
    chosen = bucket(burst=10, reserve=0, per_s=1000)
    assert (await worker.take(chosen, 10)).granted == 10
    async with asyncio.timeout(10):
        while (await worker.take(chosen, 10, least=10)).granted == 0:
            pass
        while await client.exists(f"budget:{chosen.name}"):
            pass


async def test_without_redis_a_worker_spends_its_own(redis_url: str) -> None:
    gone = connect("redis://127.0.0.1:1/0", timeout_s=0.2)
    now = [100.0]
    worker = RedisBudget(gone, LocalBudget(lambda: now[0]), monotonic=lambda: now[0])
    chosen = bucket(burst=3, reserve=0)
    assert [(await worker.take(chosen, 1)).granted for _ in range(4)] == [1, 1, 1, 0]
    asked = worker.is_shared
    assert not asked
    worker.drain(chosen, 5)
    now[0] += 2
    asked = worker.is_shared  # it is asked again, in vain
    assert asked
    assert (await worker.take(chosen, 1)).granted == 0
    await gone.aclose()
