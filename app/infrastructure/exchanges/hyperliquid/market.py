"""Hyperliquid market data by REST."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.shared.market import Instrument, Symbol
from app.domain.shared.money import Price
from app.infrastructure.exchanges.http import NeverLeft, NoReply, Transport
from app.infrastructure.exchanges.hyperliquid.wire import market
from app.infrastructure.exchanges.hyperliquid.wire.answer import INFO_PATH
from app.infrastructure.exchanges.hyperliquid.wire.refusals import refused_read
from app.infrastructure.exchanges.listing import Listing
from app.infrastructure.exchanges.reading import Unreadable
from app.infrastructure.exchanges.settings import VenueSettings

T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)


class HyperliquidMarket:
    """The public side; asks each time, keeps nothing but the names of the last listing."""

    def __init__(self, transport: Transport, settings: VenueSettings) -> None:
        self._transport = transport
        self._settings = settings
        self._names: Mapping[str, Symbol] = {}

    async def listing(self) -> Listing:
        """Return what is listed; raises VenueError."""
        instruments, names = await self._ask(market.LISTING, market.read_listing)
        if not instruments:
            raise VenueUnavailable("The venue's answer holds no market at all.")
        self._names = names
        return Listing(tuple(instruments), names)

    async def instruments(self) -> Sequence[Instrument]:
        """Return all tradable instruments; raises VenueError."""
        return (await self.listing()).instruments

    async def marks(self) -> Mapping[Symbol, Price]:
        """Return the mark price of every instrument; raises VenueError."""
        if not self._names:
            await self.listing()
        return await self._ask(market.LISTING, lambda body: market.read_marks(body, self._names))

    async def server_time_ms(self) -> int:
        """Return the venue's clock; raises VenueError."""
        return await self._ask(market.TIME, market.read_server_time)

    async def _ask(self, body: bytes, read: Callable[[bytes], T]) -> T:
        try:
            reply = await self._transport.request(
                "POST",
                self._settings.base_url + INFO_PATH,
                {"Content-Type": "application/json"},
                body,
                self._settings.read_timeout_s,
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


def heard_marks(raw: bytes, names: Mapping[str, Symbol]) -> Mapping[Symbol, Price]:
    """Read one message of the price stream; one that cannot be read tells nothing, and the marks grow old."""
    try:
        return market.read_mark_message(raw, names)
    except Unreadable as error:
        _LOG.warning("unreadable mark prices: %s", error)
        return {}
