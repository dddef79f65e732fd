"""Bitget market data by REST, of either product line."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.shared.market import Instrument, Symbol
from app.domain.shared.money import Price
from app.infrastructure.exchanges.bitget.wire.listing import (
    TIME_PATH,
    listing_path,
    read_listing,
    read_server_time,
    read_ticker_message,
    read_tickers,
    tickers_path,
)
from app.infrastructure.exchanges.bitget.wire.products import Product
from app.infrastructure.exchanges.bitget.wire.refusals import refused_read
from app.infrastructure.exchanges.http import NeverLeft, NoReply, Transport
from app.infrastructure.exchanges.listing import Listing
from app.infrastructure.exchanges.reading import Unreadable
from app.infrastructure.exchanges.settings import VenueSettings

T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)


class BitgetMarket:
    """The public side; asks each time, keeps nothing but the names of the last listing."""

    def __init__(self, product: Product, transport: Transport, settings: VenueSettings) -> None:
        self._product = product
        self._transport = transport
        self._settings = settings
        self._names: Mapping[str, Symbol] = {}

    async def listing(self) -> Listing:
        """Return what is listed; raises VenueError."""
        found = await self._get(listing_path(self._product), lambda body: read_listing(self._product, body))
        if not found.instruments:
            raise VenueUnavailable("The venue's answer holds no market at all.")
        self._names = found.names
        return found

    async def instruments(self) -> Sequence[Instrument]:
        """Return all tradable instruments; raises VenueError."""
        return (await self.listing()).instruments

    async def marks(self) -> Mapping[Symbol, Price]:
        """Return the mark price of every instrument (the latest price at spot); raises VenueError."""
        if not self._names:
            await self.listing()
        names = self._names
        return await self._get(
            tickers_path(self._product), lambda body: read_tickers(self._product, body, names)
        )

    async def server_time_ms(self) -> int:
        """Return the venue's clock; raises VenueError."""
        return await self._get(TIME_PATH, read_server_time)

    async def _get(self, path: str, read: Callable[[bytes], T]) -> T:
        try:
            reply = await self._transport.request(
                "GET", self._settings.base_url + path, {}, None, self._settings.read_timeout_s
            )
        except (NeverLeft, NoReply) as error:
            raise VenueUnavailable(f"The venue gave no answer ({error}).") from None
        refusal = refused_read(reply.status, reply.body, reply.headers)
        if refusal is not None:
            raise refusal
        try:
            return read(reply.body)
        except Unreadable as error:
            raise VenueUnavailable(f"The venue's answer cannot be read: {error}.") from None


def heard_tickers(product: Product, raw: bytes, names: Mapping[str, Symbol]) -> Mapping[Symbol, Price]:
    """Read one message of the ticker stream; one that cannot be read tells nothing, and the marks grow old."""
    try:
        return read_ticker_message(product, raw, names)
    except Unreadable as error:
        _LOG.warning("unreadable mark prices: %s", error)
        return {}
