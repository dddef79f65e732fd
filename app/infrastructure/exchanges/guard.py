"""What guards the way to one venue: silence, budget, circuit breaker, and for reads alone a retry.

Reads and cancellations raise VenueError. Exits have circuits and a share of the budget of their own.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from app.domain.exchanges.outcomes import VenueRefused, VenueThrottled, VenueUnavailable, VenueUnsupported
from app.domain.shared.ids import AccountId
from app.infrastructure.exchanges.backoff import Chance, full_jitter
from app.infrastructure.exchanges.breaker import Breakers, CallClass
from app.infrastructure.exchanges.budget import Bucket, Budget
from app.infrastructure.exchanges.settings import RetrySettings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Costs:
    """What a venue charges: weight by the port's method (1 where absent), which codes silence one account only, and
    what placing an order weighs for the address besides the account's own limit.
    """

    weights: Mapping[str, int]
    account_throttles: frozenset[str] = frozenset()
    order: int = 0

    def of(self, method: str) -> int:
        """Return the weight of one call."""
        return self.weights.get(method, 1)


class VenueGuard:
    """What all guarded gateways of one venue share."""

    def __init__(
        self,
        *,
        costs: Costs,
        retry: RetrySettings,
        breakers: Breakers,
        budget: Budget,
        weight: Bucket,
        orders: Callable[[AccountId], Bucket],
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Chance = random.random,
    ) -> None:
        """`weight` is the address's bucket, `orders` names each account's."""
        self.costs = costs
        self.breakers = breakers
        self.budget = budget
        self.weight = weight
        self.orders = orders
        self._retry = retry
        self._monotonic = monotonic
        self._sleep = sleep
        self._chance = chance
        self._silent_until = 0.0

    @property
    def silence_s(self) -> float:
        """Seconds for which the venue wants to hear nothing from this address."""
        return max(0.0, self._silent_until - self._monotonic())

    def silence(self, wait: timedelta) -> None:
        """Note that the venue asked for silence; others on the same address are told through the budget."""
        seconds = wait.total_seconds()
        self._silent_until = max(self._silent_until, self._monotonic() + seconds)
        self.budget.drain(self.weight, seconds)

    async def read(self, method: str, call: Callable[[], Awaitable[T]]) -> T:
        """Carry out a read, again after infrastructure faults, within the patience of the settings."""
        ends = self._monotonic() + self._retry.patience_s
        attempt = 0
        while True:
            try:
                return await self.once(method, CallClass.READ, call, ends)
            except VenueThrottled as error:
                wait = error.retry_after.total_seconds()
                failure: VenueThrottled | VenueUnavailable = error
            except CircuitOpen:
                raise
            except VenueUnavailable as error:
                wait = full_jitter(attempt, self._retry.base_s, self._retry.cap_s, self._chance)
                failure = error
            attempt += 1
            if attempt >= self._retry.attempts or self._monotonic() + wait > ends:
                raise failure
            await self._sleep(wait)

    async def once(
        self, method: str, kind: CallClass, call: Callable[[], Awaitable[T]], ends: float | None = None
    ) -> T:
        """Carry out one call under silence, budget and breaker; `ends` is how long the budget may be waited for."""
        await self._pay(method, kind, self._monotonic() if ends is None else ends)
        breaker = self.breakers.of(kind)
        ticket = breaker.admit()
        if ticket is None:
            raise CircuitOpen("The circuit to the venue is open.", retry_after_seconds=breaker.opens_in_s)
        try:
            result = await call()
        except VenueUnavailable:
            breaker.record(ticket, fault=True)
            raise
        except (VenueRefused, VenueThrottled, VenueUnsupported) as error:
            breaker.record(ticket, fault=False)
            if isinstance(error, VenueThrottled):
                self.silence(error.retry_after)
            raise
        except BaseException:
            breaker.forget(ticket)
            raise
        breaker.record(ticket, fault=False)
        return result

    async def _pay(self, method: str, kind: CallClass, ends: float) -> None:
        weight = self.costs.of(method)
        while True:
            if (silent := self.silence_s) > 0:
                raise VenueThrottled("The venue asked for silence.", timedelta(seconds=silent))
            grant = await self.budget.take(self.weight, weight, least=weight, is_exit=kind is CallClass.EXIT)
            if grant.granted == weight:
                return
            if self._monotonic() + grant.wait_ms / 1000 > ends:
                raise VenueThrottled(
                    "The request budget of this address is spent.", timedelta(milliseconds=grant.wait_ms)
                )
            await self._sleep(grant.wait_ms / 1000)


class CircuitOpen(VenueUnavailable):
    """Refused here: too many calls failed of late."""

    code = "circuit_open"
