"""The guard round a gateway: silence, budget, circuit breaker, and for reads alone a retry.

An order is tried once: whatever stops it before it is sent is NOT_SENT, whatever happens after is the gateway's word.
Reads and cancellations raise VenueError. Exits have circuits and a share of the budget of their own.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from app.domain.exchanges.outcomes import (
    DefiniteNo,
    NotSent,
    Outcome,
    RefusalKind,
    Unknown,
    VenueRefused,
    VenueThrottled,
    VenueUnavailable,
)
from app.domain.exchanges.ports import ExchangeGateway, KeyFacts
from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.execution import Fill, FundingPayment, OrderReport, VenueBalance, VenuePosition
from app.domain.shared.ids import AccountId, ClientOrderId
from app.domain.shared.market import Instrument
from app.infrastructure.exchanges import reasons
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
        except (VenueRefused, VenueThrottled) as error:
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


class GuardedGateway:
    """One account's gateway under its venue's guard."""

    __slots__ = ("_guard", "_inner", "_orders")

    def __init__(self, inner: ExchangeGateway, guard: VenueGuard, account: AccountId) -> None:
        self._inner = inner
        self._guard = guard
        self._orders = guard.orders(account)

    async def place(self, order: PlaceOrder) -> Outcome:
        """Send once, unless something here forbids it."""
        guard = self._guard
        if (silent := guard.silence_s) > 0:
            return NotSent(f"{reasons.SILENCED}: the venue asked for it", timedelta(seconds=silent))
        grant = await guard.budget.take(self._orders, 1, is_exit=order.reduce_only)
        if not grant.granted:
            return NotSent(
                f"{reasons.BUDGET_SPENT}: the account's order limit", timedelta(milliseconds=grant.wait_ms)
            )
        if weight := guard.costs.order:
            grant = await guard.budget.take(guard.weight, weight, least=weight, is_exit=order.reduce_only)
            if not grant.granted:
                return NotSent(
                    f"{reasons.BUDGET_SPENT}: the limit of this address",
                    timedelta(milliseconds=grant.wait_ms),
                )
        breaker = guard.breakers.of(CallClass.EXIT if order.reduce_only else CallClass.ENTRY)
        ticket = breaker.admit()
        if ticket is None:
            wait = timedelta(seconds=breaker.opens_in_s)
            return NotSent(f"{reasons.CIRCUIT_OPEN}: too many calls failed of late", wait)
        try:
            outcome = await self._inner.place(order)
        except BaseException:
            breaker.forget(ticket)
            raise
        if isinstance(outcome, NotSent) and not reasons.says(outcome.reason, reasons.UNREACHABLE):
            breaker.forget(ticket)
        else:
            breaker.record(ticket, fault=isinstance(outcome, Unknown | NotSent))
        if isinstance(outcome, DefiniteNo) and outcome.kind is RefusalKind.THROTTLED:
            self._throttled(outcome)
        return outcome

    def _throttled(self, refused: DefiniteNo) -> None:
        wait = refused.retry_after or timedelta(seconds=1)
        if refused.code in self._guard.costs.account_throttles:
            self._guard.budget.drain(self._orders, wait.total_seconds())
        else:
            self._guard.silence(wait)

    async def cancel(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        """Cancel once, with the exits' rights; it changes something, so it is not repeated here."""
        inner = self._inner
        return await self._guard.once(
            "cancel", CallClass.EXIT, lambda: inner.cancel(instrument, client_order_id)
        )

    async def set_leverage(self, instrument: Instrument, leverage: int) -> int:
        """Set once; it changes something, so it is not repeated here."""
        inner = self._inner
        return await self._guard.once(
            "set_leverage", CallClass.ENTRY, lambda: inner.set_leverage(instrument, leverage)
        )

    async def order(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        """Return the venue's word on an order."""
        return await self._guard.read("order", lambda: self._inner.order(instrument, client_order_id))

    async def open_orders(self, instrument: Instrument | None = None) -> Sequence[OrderReport]:
        """Return resting orders; without an instrument the venue charges more."""
        cost = "open_orders" if instrument is not None else "open_orders_all"
        return await self._guard.read(cost, lambda: self._inner.open_orders(instrument))

    async def fills(
        self, instrument: Instrument, *, since: datetime | None = None, order_id: str | None = None
    ) -> Sequence[Fill]:
        """Return executions, oldest first."""
        return await self._guard.read(
            "fills", lambda: self._inner.fills(instrument, since=since, order_id=order_id)
        )

    async def positions(self) -> Sequence[VenuePosition]:
        """Return positions that are not flat."""
        return await self._guard.read("positions", self._inner.positions)

    async def balance(self) -> VenueBalance:
        """Return the margin wallet."""
        return await self._guard.read("balance", self._inner.balance)

    async def funding(self, since: datetime) -> Sequence[FundingPayment]:
        """Return funding payments, oldest first."""
        return await self._guard.read("funding", lambda: self._inner.funding(since))

    async def key_facts(self) -> KeyFacts:
        """Return what the key may do."""
        return await self._guard.read("key_facts", self._inner.key_facts)
