"""The rows of all exchanges that are served through the ccxt library: nothing of them is streamed."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.domain.shared.market import Venue
from app.infrastructure.exchanges.generic.costs import WEIGHTS
from app.infrastructure.exchanges.generic.recipes import RECIPES
from app.infrastructure.exchanges.generic.row import parts
from app.infrastructure.exchanges.guard import Costs
from app.infrastructure.exchanges.venue_row import VenueRow


def _row(venue: Venue) -> VenueRow:
    """Return the row of an exchange that is served through a general library: nothing of it is streamed."""
    made = parts(venue, RECIPES[venue])
    return VenueRow(made.market, made.gateway, made.stream, Costs(WEIGHTS, order=2))


ROWS: Final[Mapping[Venue, VenueRow]] = MappingProxyType({venue: _row(venue) for venue in RECIPES})
