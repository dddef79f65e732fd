"""Market data under the venue's guard, and what a venue's own market data must offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from app.domain.exchanges.ports import MarketData
from app.domain.shared.market import Instrument, Symbol
from app.domain.shared.money import Price
from app.infrastructure.exchanges.guard import VenueGuard
from app.infrastructure.exchanges.listing import Listing


class ListedMarket(MarketData, Protocol):
    """Market data that also tells the venue's names."""

    async def listing(self) -> Listing:
        """Return what is listed; raises VenueError."""
        ...


class GuardedMarket:
    """Implements ListedMarket under budget, breaker and retry."""

    def __init__(self, inner: ListedMarket, guard: VenueGuard) -> None:
        self._inner = inner
        self._guard = guard

    async def listing(self) -> Listing:
        """Return what is listed."""
        return await self._guard.read("listing", self._inner.listing)

    async def instruments(self) -> Sequence[Instrument]:
        """Return all tradable instruments."""
        return (await self.listing()).instruments

    async def marks(self) -> Mapping[Symbol, Price]:
        """Return the mark price of every instrument."""
        return await self._guard.read("marks", self._inner.marks)

    async def server_time_ms(self) -> int:
        """Return the venue's clock: asked once and at once, since waiting or asking again would falsify it."""
        return await self._inner.server_time_ms()
