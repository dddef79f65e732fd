"""OKX's rows in the table of venues: spot and swaps."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from app.domain.shared.market import Venue
from app.infrastructure.exchanges.guard import Costs
from app.infrastructure.exchanges.okx.costs import WEIGHTS
from app.infrastructure.exchanges.okx.feed import OkxFeed
from app.infrastructure.exchanges.okx.gateway import OkxGateway
from app.infrastructure.exchanges.okx.market import OkxMarket, heard_marks
from app.infrastructure.exchanges.okx.wire.market import TIME_PATH
from app.infrastructure.exchanges.okx.wire.refusals import ACCOUNT_THROTTLES
from app.infrastructure.exchanges.okx.wire.socket import PING, PUBLIC_PATH, subscriptions
from app.infrastructure.exchanges.okx.wire.terms import TERMS
from app.infrastructure.exchanges.venue_row import VenueRow


def _row(venue: Venue) -> VenueRow:
    """Return the row of one market: the two differ by a table of their own."""
    terms = TERMS[venue]
    return VenueRow(
        market=partial(OkxMarket, terms),
        gateway=OkxGateway,
        stream=OkxFeed,
        read_marks=heard_marks,
        marks_path=lambda settings: PUBLIC_PATH,
        ping_path=TIME_PATH,
        costs=Costs(WEIGHTS, ACCOUNT_THROTTLES),
        subscribe_marks=partial(subscriptions, terms.marks_channel),
        ping=PING,
    )


ROWS: Final[Mapping[Venue, VenueRow]] = MappingProxyType({venue: _row(venue) for venue in TERMS})
