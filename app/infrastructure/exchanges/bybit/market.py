"""Bybit market data by REST."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.shared.market import Instrument, Symbol
from app.domain.shared.money import Price
from app.infrastructure.exchanges.bybit.wire.category import Category
from app.infrastructure.exchanges.bybit.wire.market import (
    TIME_PATH,
    contracts_path,
    read_contracts,
    read_server_time,
    read_ticker_message,
    read_tickers,
    tickers_path,
)
from app.infrastructure.exchanges.bybit.wire.refusals import refused_read
from app.infrastructure.exchanges.http import NeverLeft, NoReply, Transport
from app.infrastructure.exchanges.listing import Listing
from app.infrastructure.exchanges.reading import Unreadable
from app.infrastructure.exchanges.settings import VenueSettings

T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)


class BybitMarket:
    """The public side of one category; asks each time, keeps nothing but the names of the last listing."""

    def __init__(self, category: Category, transport: Transport, settings: VenueSettings) -> None:
        self._category = category
        self._transport = transport
        self._settings = settings
        self._names: Mapping[str, Symbol] = {}

    async def listing(self) -> Listing:
        """Return what is listed, every page; raises VenueError."""
        instruments: list[Instrument] = []
        names: dict[str, Symbol] = {}
        cursor = ""
        while True:
            page, known, following = await self._get(
                contracts_path(self._category, cursor), lambda body: read_contracts(body, self._category)
            )
            instruments.extend(page)
            names |= known
            if not following or following == cursor:
                break
            cursor = following
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
        return await self._get(
            tickers_path(self._category), lambda body: read_tickers(body, self._category, self._names)
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


def heard_tickers(category: Category, raw: bytes, names: Mapping[str, Symbol]) -> Mapping[Symbol, Price]:
    """Read one message of the ticker stream; one that cannot be read tells nothing, and the marks grow old."""
    try:
        return read_ticker_message(raw, category, names)
    except Unreadable as error:
        _LOG.warning("unreadable mark prices: %s", error)
        return {}
