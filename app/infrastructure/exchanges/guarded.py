"""One account's gateway under its venue's guard.

An order is tried once: whatever stops it before it is sent is NOT_SENT, whatever happens after is the gateway's word.
What changes something without being an order is tried once too, and raises; only reads are repeated.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from app.domain.exchanges.outcomes import DefiniteNo, NotSent, Outcome, RefusalKind, Unknown
from app.domain.exchanges.ports import ExchangeGateway, KeyFacts
from app.domain.exchanges.protection import PlaceProtection, ProtectionOutcome, ProtectionReport
from app.domain.exchanges.requests import MarginMode, PlaceOrder, PositionMode
from app.domain.shared.execution import (
    FeeRates,
    Fill,
    FundingPayment,
    OrderReport,
    VenueBalance,
    VenuePosition,
)
from app.domain.shared.ids import AccountId, ClientOrderId
from app.domain.shared.market import Instrument
from app.infrastructure.exchanges import reasons
from app.infrastructure.exchanges.breaker import CallClass
from app.infrastructure.exchanges.guard import VenueGuard

O = TypeVar("O")  # noqa: E741 - an outcome, of an order or of a protection


class GuardedGateway:
    """Implements ExchangeGateway round another one."""

    __slots__ = ("_guard", "_inner", "_orders")

    def __init__(self, inner: ExchangeGateway, guard: VenueGuard, account: AccountId) -> None:
        self._inner = inner
        self._guard = guard
        self._orders = guard.orders(account)

    async def place(self, order: PlaceOrder) -> Outcome:
        """Send once, unless something here forbids it."""
        return await self._send(lambda: self._inner.place(order), is_exit=order.reduce_only)

    async def protect(self, protection: PlaceProtection) -> ProtectionOutcome:
        """Send once, with the exits' rights: it can only take risk off."""
        return await self._send(lambda: self._inner.protect(protection), is_exit=True)

    async def _send(self, call: Callable[[], Awaitable[O]], *, is_exit: bool) -> O | NotSent:
        guard = self._guard
        if (silent := guard.silence_s) > 0:
            return NotSent(f"{reasons.SILENCED}: the venue asked for it", timedelta(seconds=silent))
        grant = await guard.budget.take(self._orders, 1, is_exit=is_exit)
        if not grant.granted:
            return NotSent(
                f"{reasons.BUDGET_SPENT}: the account's order limit", timedelta(milliseconds=grant.wait_ms)
            )
        if weight := guard.costs.order:
            grant = await guard.budget.take(guard.weight, weight, least=weight, is_exit=is_exit)
            if not grant.granted:
                return NotSent(
                    f"{reasons.BUDGET_SPENT}: the limit of this address",
                    timedelta(milliseconds=grant.wait_ms),
                )
        breaker = guard.breakers.of(CallClass.EXIT if is_exit else CallClass.ENTRY)
        ticket = breaker.admit()
        if ticket is None:
            wait = timedelta(seconds=breaker.opens_in_s)
            return NotSent(f"{reasons.CIRCUIT_OPEN}: too many calls failed of late", wait)
        try:
            outcome = await call()
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
        """Cancel once, with the exits' rights."""
        inner = self._inner
        return await self._guard.once(
            "cancel", CallClass.EXIT, lambda: inner.cancel(instrument, client_order_id)
        )

    async def cancel_protection(
        self, instrument: Instrument, client_order_id: ClientOrderId
    ) -> ProtectionReport | None:
        """Cancel once, with the exits' rights."""
        inner = self._inner
        return await self._guard.once(
            "cancel_protection", CallClass.EXIT, lambda: inner.cancel_protection(instrument, client_order_id)
        )

    async def set_leverage(self, instrument: Instrument, leverage: int) -> int:
        """Set once."""
        inner = self._inner
        return await self._guard.once(
            "set_leverage", CallClass.ENTRY, lambda: inner.set_leverage(instrument, leverage)
        )

    async def set_margin_mode(self, instrument: Instrument, mode: MarginMode) -> None:
        """Set once."""
        inner = self._inner
        await self._guard.once(
            "set_margin_mode", CallClass.ENTRY, lambda: inner.set_margin_mode(instrument, mode)
        )

    async def set_position_mode(self, mode: PositionMode) -> None:
        """Set once."""
        inner = self._inner
        await self._guard.once("set_position_mode", CallClass.ENTRY, lambda: inner.set_position_mode(mode))

    async def order(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        """Return the venue's word on an order."""
        return await self._guard.read("order", lambda: self._inner.order(instrument, client_order_id))

    async def order_by_venue_id(self, instrument: Instrument, order_id: str) -> OrderReport | None:
        """Return the venue's word on an order by the venue's own id."""
        return await self._guard.read("order", lambda: self._inner.order_by_venue_id(instrument, order_id))

    async def open_orders(self, instrument: Instrument | None = None) -> Sequence[OrderReport]:
        """Return resting orders; without an instrument the venue charges more."""
        cost = "open_orders" if instrument is not None else "open_orders_all"
        return await self._guard.read(cost, lambda: self._inner.open_orders(instrument))

    async def protection(
        self, instrument: Instrument, client_order_id: ClientOrderId
    ) -> ProtectionReport | None:
        """Return the venue's word on a protection."""
        return await self._guard.read(
            "protection", lambda: self._inner.protection(instrument, client_order_id)
        )

    async def open_protections(self, instrument: Instrument | None = None) -> Sequence[ProtectionReport]:
        """Return waiting protections; without an instrument the venue charges more."""
        cost = "open_protections" if instrument is not None else "open_protections_all"
        return await self._guard.read(cost, lambda: self._inner.open_protections(instrument))

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

    async def balance(self, asset: str | None = None) -> VenueBalance:
        """Return the wallet of an asset."""
        return await self._guard.read("balance", lambda: self._inner.balance(asset))

    async def funding(self, since: datetime) -> Sequence[FundingPayment]:
        """Return funding payments, oldest first."""
        return await self._guard.read("funding", lambda: self._inner.funding(since))

    async def position_mode(self) -> PositionMode:
        """Return whether positions net."""
        return await self._guard.read("position_mode", self._inner.position_mode)

    async def fee_rates(self, instrument: Instrument) -> FeeRates:
        """Return what the account pays on a market."""
        return await self._guard.read("fee_rates", lambda: self._inner.fee_rates(instrument))

    async def key_facts(self) -> KeyFacts:
        """Return what the key may do."""
        return await self._guard.read("key_facts", self._inner.key_facts)
