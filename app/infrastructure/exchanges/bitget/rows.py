"""Bitget's rows in the table of venues: spot and USDT futures."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.domain.shared.market import Venue
from app.infrastructure.exchanges.bitget.costs import WEIGHTS
from app.infrastructure.exchanges.bitget.lines import LINES
from app.infrastructure.exchanges.bitget.wire.listing import TIME_PATH
from app.infrastructure.exchanges.bitget.wire.refusals import ACCOUNT_THROTTLES
from app.infrastructure.exchanges.bitget.wire.socket import PING, PUBLIC_PATH
from app.infrastructure.exchanges.guard import Costs
from app.infrastructure.exchanges.venue_row import VenueRow


def _row(venue: Venue) -> VenueRow:
    """Return the row of one product line: the two differ by a table of their own."""
    line = LINES[venue]
    return VenueRow(
        market=line.market,
        gateway=line.gateway,
        stream=line.stream,
        read_marks=line.read_marks,
        marks_path=lambda settings: PUBLIC_PATH,
        ping_path=TIME_PATH,
        costs=Costs(WEIGHTS, ACCOUNT_THROTTLES, order=1),
        weight_pool="bitget",  # an address is counted over all markets
        subscribe_marks=line.subscribe_marks,
        ping=PING,
    )


ROWS: Final[Mapping[Venue, VenueRow]] = MappingProxyType({venue: _row(venue) for venue in LINES})
