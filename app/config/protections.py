"""Wiring of protection: the desk that books its news, the sender, the keeper that runs on the beat, and what withdraws."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.shared.telemetry import Metrics
from app.application.shared.uow import UnitOfWorkFactory
from app.application.trading.ports import Quotes
from app.application.trading.protect import KeepProtection
from app.application.trading.protect_send import ProtectionSender
from app.application.trading.protection_evidence import ProtectionDesk
from app.application.trading.withdraw import Withdraw
from app.config.settings import Settings
from app.domain.exchanges.venue import FenceRule
from app.domain.shared.clock import Clock
from app.domain.shared.market import Venue
from app.domain.signals.ports import SignalBell
from app.infrastructure.exchanges.registry import VenuePool
from app.infrastructure.postgres.protection_book import PostgresProtectionBook


@dataclass(frozen=True, slots=True)
class Protections:
    """The parts; `run` is one pass: what is due is looked up, then each position gets what it wants."""

    desk: ProtectionDesk
    sender: ProtectionSender
    keep: KeepProtection
    withdraw: Withdraw
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self) -> int:
        """Return how many positions are guarded; one pass at a time in each process."""
        if self._busy.locked():
            return 0
        async with self._busy:
            await self.sender.look()
            return await self.keep()


def protections(
    settings: Settings,
    engine: AsyncEngine,
    uow: UnitOfWorkFactory,
    venues: VenuePool,
    quotes: Quotes,
    bell: SignalBell,
    clock: Clock,
    metrics: Metrics,
) -> Protections:
    """Return the parts, wired."""
    fences: Callable[[Venue], FenceRule] = settings.fence
    book = PostgresProtectionBook(engine, uow)
    desk = ProtectionDesk(book, clock, metrics, bell)
    sender = ProtectionSender(
        book=book,
        desk=desk,
        gateways=venues,
        quotes=quotes,
        venue_clock=venues,
        clock=clock,
        metrics=metrics,
        id_secret=settings.id_secret.get_secret_value().encode(),
        fences=fences,
    )
    keep = KeepProtection(
        book=book,
        sender=sender,
        quotes=quotes,
        venue_clock=venues,
        bell=bell,
        clock=clock,
        metrics=metrics,
        bare_max=settings.unprotected_max,
    )
    return Protections(desk, sender, keep, Withdraw(book, sender, quotes, metrics))
