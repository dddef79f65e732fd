"""Hyperliquid's row in the table of venues."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.domain.shared.market import Venue
from app.infrastructure.exchanges.guard import Costs
from app.infrastructure.exchanges.hyperliquid.costs import WEIGHTS
from app.infrastructure.exchanges.hyperliquid.feed import HyperliquidFeed
from app.infrastructure.exchanges.hyperliquid.gateway import HyperliquidGateway
from app.infrastructure.exchanges.hyperliquid.market import HyperliquidMarket, heard_marks
from app.infrastructure.exchanges.hyperliquid.wire.answer import INFO_PATH
from app.infrastructure.exchanges.hyperliquid.wire.market import mark_subscriptions
from app.infrastructure.exchanges.hyperliquid.wire.refusals import ACCOUNT_THROTTLES
from app.infrastructure.exchanges.hyperliquid.wire.socket import PING, SOCKET_PATH
from app.infrastructure.exchanges.venue_row import VenueRow

ROWS: Final[Mapping[Venue, VenueRow]] = MappingProxyType(
    {
        Venue.HYPERLIQUID: VenueRow(
            market=HyperliquidMarket,
            gateway=HyperliquidGateway,
            stream=HyperliquidFeed,
            read_marks=heard_marks,
            marks_path=lambda settings: SOCKET_PATH,
            ping_path=INFO_PATH,
            costs=Costs(WEIGHTS, ACCOUNT_THROTTLES, order=1),
            subscribe_marks=mark_subscriptions,
            ping=PING,
        ),
    }
)
