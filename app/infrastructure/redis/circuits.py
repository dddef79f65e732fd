"""Circuits that workers on one address share: who finds a venue away tells the others, for as long as its circuit is open.

Valkey away means that each worker finds out for itself, as it did before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.application.shared.ending import end
from app.infrastructure.exchanges.breaker import Breaker, CircuitState

_EVERY_S: Final = 0.5
_PREFIX: Final = "circuit:"


class SharedCircuits:
    """Keeps named circuits in step with those of other workers. `seen` is told each circuit's state, every time."""

    def __init__(
        self,
        redis: Redis | None,
        circuits: Mapping[str, Breaker],
        seen: Callable[[str, CircuitState], None] = lambda name, state: None,
    ) -> None:
        self._redis = redis
        self._circuits = circuits
        self._seen = seen
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin in the background."""
        self._task = asyncio.create_task(self._run(), name="shared circuits")

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            await end(self._task)

    async def _run(self) -> None:
        while True:
            await self.exchange()
            await asyncio.sleep(_EVERY_S)

    async def exchange(self) -> None:
        """Tell what is open here, and hear what is open elsewhere, once."""
        for name, circuit in self._circuits.items():
            self._seen(name, circuit.state)
        if self._redis is None or not self._circuits:
            return
        names = list(self._circuits)
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    open_ms = int(self._circuits[name].found_open_for_s * 1000)
                    if open_ms > 0:
                        pipe.execute_command("SET", _PREFIX + name, 1, "PX", open_ms)
                for name in names:
                    pipe.execute_command("PTTL", _PREFIX + name)
                left_ms = (await pipe.execute())[-len(names) :]
        except (RedisError, OSError):
            return
        for name, milliseconds in zip(names, left_ms, strict=True):
            self._circuits[name].hear(milliseconds / 1000)
