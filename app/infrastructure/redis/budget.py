"""Request budgets shared by all workers: the token buckets of `exchanges.budget`, kept in Redis by one atomic script.

Calls of one turn of the event loop travel as one script call, so a fan-out of hundreds of orders asks once. Redis is
not truth here: while it is away each worker spends from a bucket of its own.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.infrastructure.exchanges.budget import Bucket, Grant, LocalBudget

_LOG: Final = logging.getLogger(__name__)
_AWAY_S: Final = 1.0
"""For how long a Redis that failed is not asked again."""
_BATCH: Final = 250

# Per key six arguments: burst, tokens per second, floor, wanted, least, and the mode: "take" spends, "seen" lowers
# the tokens to `wanted`, "drain" keeps silent for `wanted` seconds. The server's clock is the only one, so workers' clocks do not matter.
_SCRIPT: Final = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local out = {}
for i, key in ipairs(KEYS) do
  local at = (i - 1) * 6
  local burst, rate, floor = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local wanted, least, mode = tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5]), ARGV[at + 6]
  local kept = redis.call('HMGET', key, 'tokens', 'at', 'silent')
  local tokens = burst
  if kept[1] then
    tokens = math.min(burst, tonumber(kept[1]) + math.max(0, now - tonumber(kept[2])) * rate)
  end
  local granted, wait, silent = 0, 0, tonumber(kept[3] or 0)
  if mode == 'drain' then
    tokens = math.min(tokens, floor)
    silent = math.max(silent, now + wanted)
  elseif mode == 'take' and silent > now then
    wait = math.ceil((silent - now) * 1000)
  elseif mode == 'take' then
    granted = math.max(0, math.min(wanted, math.floor(tokens - floor)))
    if granted < least then granted = 0 end
    tokens = tokens - granted
    if granted < wanted then
      local missing = floor - tokens + 1
      if granted == 0 then missing = floor - tokens + math.max(1, least) end
      wait = math.max(1, math.ceil(missing / rate * 1000))
    end
  else
    tokens = math.min(tokens, wanted)
  end
  redis.call('HSET', key, 'tokens', string.format('%.6f', tokens), 'at', string.format('%.6f', now),
    'silent', string.format('%.6f', silent))
  redis.call('PEXPIRE', key, math.ceil(math.max((burst - tokens) / rate, silent - now) * 1000) + 1000)
  out[#out + 1] = granted
  out[#out + 1] = wait
end
return out
"""


_Question: TypeAlias = tuple[Bucket, tuple[str | int | float, ...], asyncio.Future[Grant | None]]
"""A bucket, the script's arguments for it, and where the answer goes: None when Redis is away."""


class RedisBudget:
    """Implements Budget. `fallback` serves while Redis is away; `prefix` sets deployments apart."""

    def __init__(
        self,
        redis: Redis,
        fallback: LocalBudget,
        *,
        prefix: str = "budget:",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._fallback = fallback
        self._prefix = prefix
        self._monotonic = monotonic
        self._script = redis.register_script(_SCRIPT)
        self._waiting: list[_Question] = []
        self._away_until = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_shared(self) -> bool:
        """Whether Redis is being asked; False while each worker spends alone."""
        return self._monotonic() >= self._away_until

    async def take(self, bucket: Bucket, wanted: int, *, least: int = 1, is_exit: bool = False) -> Grant:
        """Take up to `wanted`, nothing when fewer than `least` are there."""
        if self.is_shared:
            floor = 0.0 if is_exit else bucket.reserve
            granted = await self._enqueue(bucket, floor, wanted, least, "take")
            if granted is not None:
                return granted
        return self._fallback.take_now(bucket, wanted, least=least, is_exit=is_exit)

    def seen(self, bucket: Bucket, left: float) -> None:
        """Lower the shared tokens to what the venue's counter leaves; costs nothing while that is above a full bucket."""
        if left < bucket.burst:
            self._tell(bucket, max(0.0, left), "seen")
            self._fallback.seen(bucket, left)

    def drain(self, bucket: Bucket, seconds: float) -> None:
        """Grant nothing to anybody for so long."""
        self._tell(bucket, seconds, "drain")
        self._fallback.drain(bucket, seconds)

    async def settled(self) -> None:
        """Wait until everything told so far has reached Redis, or failed to."""
        while self._waiting or self._tasks:
            await asyncio.gather(*self._tasks)
            await asyncio.sleep(0)

    def _tell(self, bucket: Bucket, value: float, mode: str) -> None:
        if self.is_shared:
            _ = self._enqueue(bucket, bucket.reserve, value, 0, mode)

    def _enqueue(
        self, bucket: Bucket, floor: float, wanted: float, least: int, mode: str
    ) -> asyncio.Future[Grant | None]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Grant | None] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._flush)
        self._waiting.append((bucket, (bucket.burst, bucket.per_s, floor, wanted, least, mode), answer))
        return answer

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for start in range(0, len(waiting), _BATCH):
            task = asyncio.get_running_loop().create_task(self._send(waiting[start : start + _BATCH]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, batch: Sequence[_Question]) -> None:
        keys = [self._prefix + bucket.name for bucket, _, _ in batch]
        arguments = [value for _, values, _ in batch for value in values]
        grants: list[Grant | None]
        try:
            found = await self._script(keys=keys, args=arguments)
            grants = [Grant(int(found[i]), int(found[i + 1])) for i in range(0, len(found), 2)]
        except (RedisError, OSError, TimeoutError) as error:
            self._away_until = self._monotonic() + _AWAY_S
            _LOG.warning("budgets are this worker's own for now: %s", type(error).__name__)
            grants = [None] * len(batch)
        except BaseException:
            for _, _, answer in batch:
                answer.cancel()  # tidy: allow single-cancel a bare future, which cannot but hear
            raise
        for (_, _, answer), grant in zip(batch, grants, strict=True):
            if not answer.done():
                answer.set_result(grant)
