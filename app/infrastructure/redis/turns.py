"""Whose turn it is to be compared with its venue: a key for each account that lives as long as its turn is over.

Redis is not truth here: while it is away nobody's turn comes, which delays comparing and harms nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.domain.shared.ids import AccountId

_LOG: Final = logging.getLogger(__name__)
_PREFIX: Final = "copytrade:reconciled:"
_SOON: Final = timedelta(seconds=2)

# A turn that comes sooner never comes later by being asked for again: only a longer rest is shortened.
_SHORTEN: Final = """
if redis.call('PTTL', KEYS[1]) > tonumber(ARGV[1]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return 1
"""


class RedisTurns:
    """Turns. `every` is how long an account rests after its turn."""

    def __init__(self, redis: Redis, every: timedelta) -> None:
        self._redis = redis
        self._rest_ms = max(1, every // timedelta(milliseconds=1))

    async def take(self, accounts: Sequence[AccountId], at_most: int) -> frozenset[AccountId]:
        """Return those whose turn it is, so many at most; they rest from now on."""
        if not accounts:
            return frozenset()
        try:
            resting = await self._redis.mget([f"{_PREFIX}{account}" for account in accounts])
            due = [account for account, rests in zip(accounts, resting, strict=True) if not rests][:at_most]
            async with self._redis.pipeline(transaction=False) as pipe:
                for account in due:
                    await pipe.set(f"{_PREFIX}{account}", "1", px=self._rest_ms, nx=True)
                taken = await pipe.execute()
        except (RedisError, OSError) as error:
            _LOG.warning("turns.away error=%r", error)
            return frozenset()
        return frozenset(account for account, mine in zip(due, taken, strict=True) if mine)

    async def soon(self, account: AccountId) -> None:
        """Let an account's turn come within seconds."""
        try:
            await self._redis.eval(
                _SHORTEN, 1, f"{_PREFIX}{account}", str(_SOON // timedelta(milliseconds=1))
            )
        except (RedisError, OSError) as error:
            _LOG.warning("turns.away error=%r", error)
