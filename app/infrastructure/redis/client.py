"""The connection to Redis or Valkey: short time-outs, because everything that asks it has an answer without it."""

from __future__ import annotations

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff


def connect(url: str, *, timeout_s: float = 1.0, connections: int = 50) -> Redis:
    """Return a client of `url` that speaks bytes; it connects at first use and raises RedisError within `timeout_s`."""
    return Redis.from_url(
        url,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        max_connections=connections,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 1),  # once, for a connection that the server had closed
        decode_responses=False,
    )
