"""OKX market data by REST, of one of the venue's markets."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.shared.market import Instrument, Symbol
from app.domain.shared.money import Price
from app.infrastructure.exchanges.http import NeverLeft, NoReply, Transport
from app.infrastructure.exchanges.listing import Listing
from app.infrastructure.exchanges.okx.wire.market import (
    TIME_PATH,
    listing_path,
    marks_path,
    read_listing,
    read_mark_message,
    read_marks,
    read_server_time,
)
from app.infrastructure.exchanges.okx.wire.refusals import refused_read
from app.infrastructure.exchanges.okx.wire.terms import Terms
from app.infrastructure.exchanges.reading import Names, Unreadable
from app.infrastructure.exchanges.settings import VenueSettings

T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)


class OkxMarket:
    """The public side; asks each time, keeps nothing but the names of the last listing."""

    def __init__(self, terms: Terms, transport: Transport, settings: VenueSettings) -> None:
        self._transport = transport
        self._settings = settings
        self._terms = terms
        self._names: Names = {}

    async def listing(self) -> Listing:
        """Return what is listed; raises VenueError."""
        terms = self._terms
        instruments, names = await self._get(listing_path(terms), lambda body: read_listing(terms, body))
        if not instruments:
            raise VenueUnavailable("The venue's answer holds no market at all.")
        self._names = names
        return Listing(tuple(instruments), names)

    async def instruments(self) -> Sequence[Instrument]:
        """Return all tradable instruments; raises VenueError."""
        return (await self.listing()).instruments

    async def marks(self) -> Mapping[Symbol, Price]:
        """Return the mark price of every contract, the last price of every spot market; raises VenueError."""
        if not self._names:
            await self.listing()
        return await self._get(marks_path(self._terms), lambda body: read_marks(self._names, body))

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


def heard_marks(raw: bytes, names: Mapping[str, Symbol]) -> Mapping[Symbol, Price]:
    """Read one message of the stream; one that cannot be read tells nothing, and the marks grow old."""
    try:
        return read_mark_message(raw, names)
    except Unreadable as error:
        _LOG.warning("unreadable mark prices: %s", error)
        return {}
