"""Quotes from the venue pool: instruments from its table, marks from its stream, never a network call."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.shared.errors import NotFound
from app.domain.shared.market import Instrument, Symbol, Venue
from app.domain.shared.money import Price
from app.infrastructure.exchanges.registry import VenuePool


class PoolQuotes:
    """Quotes: what the process knows of the markets right now."""

    def __init__(self, venues: VenuePool, age_max_s: Mapping[Venue, int]) -> None:
        self._venues = venues
        self._age_max_s = age_max_s

    async def instrument(self, venue: Venue, sym: Symbol) -> Instrument:
        """Return the instrument, or raise NotFound."""
        return await self._venues.instrument(venue, sym)

    async def mark(self, venue: Venue, sym: Symbol) -> Price:
        """Return a mark price that is fresh enough to trade on, or raise VenueUnavailable."""
        try:
            price, age_ms = self._venues.mark(venue, sym)
        except NotFound as error:
            raise VenueUnavailable("No mark price was heard yet.", venue=venue.value, symbol=sym) from error
        if age_ms > self._age_max_s[venue] * 1000:
            raise VenueUnavailable(
                "The mark price is too old to trade on.", venue=venue.value, symbol=sym, age_ms=age_ms
            )
        return price
