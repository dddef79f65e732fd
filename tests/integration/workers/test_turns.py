"""Turns on a real Redis: each account once in a while, sooner when somebody asks, and nobody's while Redis is away."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from app.domain.shared.ids import AccountId
from app.infrastructure.redis.turns import RedisTurns

ONE, TWO, THREE = (AccountId(number) for number in (1, 2, 3))
EVERY = timedelta(hours=1)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    made = Redis.from_url(redis_url)
    yield made
    await made.aclose()


async def test_a_turn_is_taken_once_by_whoever_comes_first(redis: Redis) -> None:
    assert await RedisTurns(redis, EVERY).take([ONE, TWO], 10) == {ONE, TWO}
    assert await RedisTurns(redis, EVERY).take([ONE, TWO, THREE], 10) == {THREE}
    assert await RedisTurns(redis, EVERY).take([], 10) == frozenset()


async def test_a_pass_takes_a_few_and_the_next_one_those_that_are_left(redis: Redis) -> None:
    turns = RedisTurns(redis, EVERY)
    assert await turns.take([ONE, TWO, THREE], 2) == {ONE, TWO}
    assert await turns.take([ONE, TWO, THREE], 2) == {THREE}


async def test_asking_brings_a_turn_forward_and_never_puts_it_off(redis: Redis) -> None:
    turns = RedisTurns(redis, EVERY)
    await turns.take([ONE], 10)
    await turns.soon(ONE)
    sooner = await redis.pttl("copytrade:reconciled:1")
    assert 0 < sooner <= 2000
    await turns.soon(ONE)
    assert await redis.pttl("copytrade:reconciled:1") <= sooner
    await turns.soon(TWO)
    assert await turns.take([TWO], 10) == {TWO}, "who never had a turn has it at once"


async def test_while_redis_is_away_nobodys_turn_comes_and_nothing_fails() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        turns = RedisTurns(Redis(host="127.0.0.1", port=closed.getsockname()[1]), EVERY)
        assert await turns.take([ONE], 10) == frozenset()
        await turns.soon(ONE)
