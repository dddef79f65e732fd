"""The user-data stream of one spot account: a signed subscription over the WebSocket API, and events with a `Connected`
once it is in force. The venue does not number its messages: a gap shows only as a lost connection.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from typing import Final

from aiohttp import ClientWebSocketResponse, WSMsgType

from app.domain.exchanges.ports import Connected, StreamEvent
from app.domain.shared.ids import AccountId
from app.infrastructure.exchanges.binance.feed import until_the_end
from app.infrastructure.exchanges.binance.rest import BinanceAccount
from app.infrastructure.exchanges.binance.wire.spot_events import (
    api_address,
    read_answer,
    read_spot_events,
    subscription,
)
from app.infrastructure.exchanges.budget import Bucket
from app.infrastructure.exchanges.reading import Unreadable
from app.infrastructure.exchanges.shared import VenueShared
from app.infrastructure.exchanges.stream import ReconnectingSocket, Reopen

_LOG: Final = logging.getLogger(__name__)
_CONNECTIONS: Final = 300
_CONNECTIONS_WINDOW_S: Final = 300.0
"""The venue takes so many new connections from one address in that time."""


class BinanceSpotFeed:
    """Implements PrivateStream."""

    def __init__(self, shared: VenueShared, account: AccountId, sealed: bytes) -> None:
        self._shared = shared
        self._account = BinanceAccount(shared, account, sealed)
        settings = shared.settings
        self._connections = Bucket.within(
            f"connects:{shared.venue.value}:{settings.egress}",
            _CONNECTIONS,
            _CONNECTIONS_WINDOW_S,
            burst_share=settings.burst_share,
            exit_share=0.0,
        )
        self._socket: ReconnectingSocket[StreamEvent] = ReconnectingSocket(
            shared.sockets,
            settings.stream,
            url=self._open,
            read=self._read,
            connected=self._connected,
            greet=self._subscribe,
        )

    def events(self) -> AsyncIterator[StreamEvent]:
        """Yield events until closed."""
        return self._socket.events()

    async def close(self) -> None:
        """Stop the stream and let `events` end."""
        await self._socket.close()

    async def _open(self) -> str:
        shared = self._shared
        await shared.instruments.ready()
        if shared.clock.age_ms is None:
            await shared.clock.sample()
        await self._turn()
        return api_address(shared.settings.ws_url)

    async def _turn(self) -> None:
        while True:
            grant = await self._shared.guard.budget.take(self._connections, 1)
            if grant.granted:
                return
            await asyncio.sleep(grant.wait_ms / 1000)

    async def _subscribe(self, socket: ClientWebSocketResponse) -> None:
        key, shared = self._account.key_or_refusal(), self._shared
        window_ms = shared.settings.read_window_ms
        await socket.send_str(subscription(key.name, key.secret, shared.clock.estimate_ms(), window_ms))
        while True:
            message = await socket.receive()
            if message.type is not WSMsgType.TEXT:
                raise Reopen
            try:
                code = read_answer(message.data.encode())
            except Unreadable:
                continue  # an event of before `Connected`: REST tells it
            if code is None:
                return
            _LOG.warning("the stream of account %s was refused with %s", self._account.account, code)
            raise Reopen

    def _connected(self) -> Iterable[StreamEvent]:
        return (Connected(self._shared.now()),)

    def _read(self, raw: bytes) -> Iterable[StreamEvent]:
        shared = self._shared
        try:
            return until_the_end(read_spot_events(raw, shared.instruments.names, shared.marks.marks))
        except Unreadable as error:
            # Something happened that we could not read: as after a gap, REST must tell what.
            _LOG.warning("unreadable stream message of account %s: %s", self._account.account, error)
            return self._connected()
