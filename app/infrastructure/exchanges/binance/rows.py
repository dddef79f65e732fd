"""Binance's rows in the table of venues: spot, USD-M and COIN-M futures."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from app.domain.shared.market import Venue
from app.infrastructure.exchanges.binance.costs import COINM_WEIGHTS, SPOT_WEIGHTS, USDM_WEIGHTS
from app.infrastructure.exchanges.binance.feed import BinanceFuturesFeed
from app.infrastructure.exchanges.binance.futures import BinanceFuturesGateway
from app.infrastructure.exchanges.binance.market import BinanceMarket, heard_marks, heard_prices
from app.infrastructure.exchanges.binance.spot import BinanceSpotGateway
from app.infrastructure.exchanges.binance.spot_feed import BinanceSpotFeed
from app.infrastructure.exchanges.binance.wire.market import SINGLE_MARKS_PATH, mark_subscriptions, marks_path
from app.infrastructure.exchanges.binance.wire.refusals import ACCOUNT_THROTTLES
from app.infrastructure.exchanges.binance.wire.spot_market import PRICES_STREAM
from app.infrastructure.exchanges.guard import Costs
from app.infrastructure.exchanges.venue_row import VenueRow

FUTURES_POOL: Final = "binance-futures"
"""USD-M and COIN-M share one limit of an address since 2026-06-30 (notices quoted by third-party clients)."""

ROWS: Final[Mapping[Venue, VenueRow]] = MappingProxyType(
    {
        Venue.BINANCE_SPOT: VenueRow(
            market=partial(BinanceMarket, Venue.BINANCE_SPOT),
            gateway=BinanceSpotGateway,
            stream=BinanceSpotFeed,
            read_marks=heard_prices,
            marks_path=lambda settings: PRICES_STREAM,
            ping_path="/api/v3/ping",
            costs=Costs(SPOT_WEIGHTS, ACCOUNT_THROTTLES, order=1),
        ),
        Venue.BINANCE_USDM: VenueRow(
            market=partial(BinanceMarket, Venue.BINANCE_USDM),
            gateway=BinanceFuturesGateway,
            stream=BinanceFuturesFeed,
            read_marks=heard_marks,
            marks_path=lambda settings: marks_path(routed=settings.routed_streams),
            ping_path="/fapi/v1/ping",
            costs=Costs(USDM_WEIGHTS, ACCOUNT_THROTTLES),
            weight_pool=FUTURES_POOL,
        ),
        Venue.BINANCE_COINM: VenueRow(
            market=partial(BinanceMarket, Venue.BINANCE_COINM),
            gateway=BinanceFuturesGateway,
            stream=BinanceFuturesFeed,
            read_marks=heard_marks,
            marks_path=lambda settings: SINGLE_MARKS_PATH,
            ping_path="/dapi/v1/ping",
            costs=Costs(COINM_WEIGHTS, ACCOUNT_THROTTLES),
            weight_pool=FUTURES_POOL,
            subscribe_marks=mark_subscriptions,
        ),
    }
)
