"""The bell without a broker: it says nothing, soon, and rings again when the broker is back."""

from __future__ import annotations

import asyncio
import socket

from redis.asyncio import Redis

from app.domain.signals.priority import Lane
from app.infrastructure.celery_bell import CeleryBell, make_celery
from tests.unit.application.trading.rows import signal


async def test_a_broker_that_is_away_is_no_error_and_costs_no_time() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        bell = CeleryBell(make_celery(f"redis://127.0.0.1:{probe.getsockname()[1]}/0"))
        try:
            async with asyncio.timeout(2):  # the one who rings holds a leader's next fill up meanwhile
                await bell.ring(signal(), Lane.EXITS)
        finally:
            await asyncio.to_thread(bell.close)


async def test_a_ring_is_one_message_on_the_signals_lane(redis_url: str) -> None:
    bell = CeleryBell(make_celery(redis_url))
    await bell.ring(signal(), Lane.EXITS)
    await bell.ring(signal(2), Lane.LOW)
    await asyncio.to_thread(bell.close)
    redis = Redis.from_url(redis_url)
    try:
        assert [await redis.llen(lane.value) for lane in Lane] == [1, 0, 0, 1]
        [message] = await redis.lrange(Lane.EXITS.value, 0, -1)
        assert b"copytrade.dispatch" in message
    finally:
        await redis.aclose()
