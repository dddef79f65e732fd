"""Bybit's rows in the table of venues: spot, linear and inverse."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from app.domain.shared.market import Venue
from app.infrastructure.exchanges.bybit.costs import WEIGHTS
from app.infrastructure.exchanges.bybit.feed import BybitFeed
from app.infrastructure.exchanges.bybit.gateway import BybitGateway
from app.infrastructure.exchanges.bybit.market import BybitMarket, heard_tickers
from app.infrastructure.exchanges.bybit.wire.category import CATEGORIES
from app.infrastructure.exchanges.bybit.wire.codes import ACCOUNT_THROTTLES
from app.infrastructure.exchanges.bybit.wire.market import TIME_PATH, ticker_subscriptions
from app.infrastructure.exchanges.bybit.wire.socket import PING
from app.infrastructure.exchanges.guard import Costs
from app.infrastructure.exchanges.venue_row import VenueRow


def _row(venue: Venue) -> VenueRow:
    """Return the row of one category: its three differ by a table of their own."""
    category = CATEGORIES[venue]
    return VenueRow(
        market=partial(BybitMarket, category),
        gateway=BybitGateway,
        stream=BybitFeed,
        read_marks=partial(heard_tickers, category),
        marks_path=lambda settings: category.public_path,
        ping_path=TIME_PATH,
        costs=Costs(WEIGHTS, ACCOUNT_THROTTLES, order=1),
        weight_pool="bybit",  # an address is counted over all markets
        subscribe_marks=partial(ticker_subscriptions, at_once=category.topics_at_once),
        ping=PING,
    )


ROWS: Final[Mapping[Venue, VenueRow]] = MappingProxyType({venue: _row(venue) for venue in CATEGORIES})
