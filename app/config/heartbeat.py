"""The workers' heartbeat: a key in Valkey that lives a little longer than the beat that renews it."""

from __future__ import annotations

from typing import Final

from redis.asyncio import Redis

_KEY: Final = "copytrade:worker:alive"
_LIVES_S: Final = 15


async def beat(redis: Redis) -> None:
    """Say that a worker is alive."""
    await redis.set(_KEY, "1", ex=_LIVES_S)


async def is_alive(redis: Redis) -> bool:
    """Return whether a worker said so lately."""
    return bool(await redis.exists(_KEY))
