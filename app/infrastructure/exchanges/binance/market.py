"""Market data by REST, of all the venue's markets."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias, TypeVar

from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.shared.market import Instrument, Symbol, Venue
from app.domain.shared.money import Price
from app.infrastructure.exchanges.binance.wire import market, spot_market
from app.infrastructure.exchanges.binance.wire.codes import codes_of
from app.infrastructure.exchanges.binance.wire.refusals import refused_read
from app.infrastructure.exchanges.http import NeverLeft, NoReply, Transport
from app.infrastructure.exchanges.listing import Listing
from app.infrastructure.exchanges.reading import Names, Unreadable
from app.infrastructure.exchanges.settings import VenueSettings

T = TypeVar("T")
ReadMarks: TypeAlias = Callable[[bytes, Names], Mapping[Symbol, Price]]
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a market's public side is, and how it is read."""

    root: str
    marks: str
    read_listing: Callable[[bytes], Listing]
    read_marks: ReadMarks


_SOURCES: Final[Mapping[Venue, _Source]] = MappingProxyType(
    {
        Venue.BINANCE_USDM: _Source(
            "/fapi/v1", "/premiumIndex", lambda body: market.read_listing(body, Venue.BINANCE_USDM), market.read_marks
        ),
        Venue.BINANCE_COINM: _Source(
            "/dapi/v1", "/premiumIndex", lambda body: market.read_listing(body, Venue.BINANCE_COINM), market.read_marks
        ),
        Venue.BINANCE_SPOT: _Source(
            "/api/v3", "/ticker/price", spot_market.read_listing, spot_market.read_prices
        ),
    }
)  # fmt: skip


class BinanceMarket:
    """The public side; asks each time, keeps nothing but the names of the last listing."""

    def __init__(self, venue: Venue, transport: Transport, settings: VenueSettings) -> None:
        self._transport = transport
        self._settings = settings
        self._codes = codes_of(venue)
        self._source = _SOURCES[venue]
        self._names: Names = {}

    async def listing(self) -> Listing:
        """Return what is listed; raises VenueError."""
        listing = await self._get("/exchangeInfo", self._source.read_listing)
        self._names = listing.names
        return listing

    async def instruments(self) -> Sequence[Instrument]:
        """Return all tradable instruments; raises VenueError."""
        return (await self.listing()).instruments

    async def marks(self) -> Mapping[Symbol, Price]:
        """Return the mark price of every instrument (at spot the last price); raises VenueError."""
        if not self._names:
            await self.listing()
        return await self._get(self._source.marks, lambda body: self._source.read_marks(body, self._names))

    async def server_time_ms(self) -> int:
        """Return the venue's clock; raises VenueError."""
        return await self._get("/time", market.read_server_time)

    async def _get(self, path: str, read: Callable[[bytes], T]) -> T:
        try:
            reply = await self._transport.request(
                "GET",
                self._settings.base_url + self._source.root + path,
                {},
                None,
                self._settings.read_timeout_s,
            )
        except (NeverLeft, NoReply) as error:
            raise VenueUnavailable(f"The venue gave no answer ({error}).") from None
        if not 200 <= reply.status < 300:
            raise refused_read(reply.status, reply.body, reply.headers.get("Retry-After"), self._codes)
        try:
            return read(reply.body)
        except Unreadable as error:
            raise VenueUnavailable(f"The venue's answer cannot be read: {error}.") from None


def heard_marks(raw: bytes, names: Names) -> Mapping[Symbol, Price]:
    """Read one message of a mark stream; one that cannot be read tells nothing, and the marks grow old."""
    return _heard(market.read_mark_updates, raw, names)


def heard_prices(raw: bytes, names: Names) -> Mapping[Symbol, Price]:
    """Read one message of the stream of spot prices, as `heard_marks` does."""
    return _heard(spot_market.read_price_updates, raw, names)


def _heard(read: ReadMarks, raw: bytes, names: Names) -> Mapping[Symbol, Price]:
    try:
        return read(raw, names)
    except Unreadable as error:
        _LOG.warning("unreadable mark prices: %s", error)
        return {}
