"""The private stream of one Bitget account: login, subscriptions, and events with a `Connected` once all are in force."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from typing import Final

from aiohttp import ClientWebSocketResponse, WSMsgType

from app.domain.exchanges.ports import Connected, StreamEvent
from app.domain.shared.ids import AccountId
from app.infrastructure.exchanges.bitget.joining import Joining, TooManyWaiting
from app.infrastructure.exchanges.bitget.rest import BitgetAccount
from app.infrastructure.exchanges.bitget.wire.events import StreamRefused, read_facts
from app.infrastructure.exchanges.bitget.wire.products import Product
from app.infrastructure.exchanges.bitget.wire.socket import (
    PING,
    PRIVATE_PATH,
    login,
    private_channels,
    read_reply,
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


class BitgetFeed:
    """Implements PrivateStream for either product line."""

    def __init__(self, product: Product, shared: VenueShared, account: AccountId, sealed: bytes) -> None:
        self._product = product
        self._shared = shared
        self._account = BitgetAccount(shared, account, sealed)
        self._joining = Joining(funded=not product.is_spot)
        settings = shared.settings
        self._connections = Bucket.within(
            f"connects:bitget:{settings.egress}",
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
            greet=self._greet,
            ping=PING,
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
        return shared.settings.ws_url + PRIVATE_PATH

    async def _turn(self) -> None:
        while True:
            grant = await self._shared.guard.budget.take(self._connections, 1)
            if grant.granted:
                return
            await asyncio.sleep(grant.wait_ms / 1000)

    async def _greet(self, socket: ClientWebSocketResponse) -> None:
        key = self._account.key_or_refusal()
        await socket.send_str(login(key.name, key.secret, key.passphrase, self._shared.clock.estimate_ms()))
        await self._accepted(socket, "login", 1)
        channels = private_channels(self._product)
        await socket.send_str(subscription(channels))
        await self._accepted(socket, "subscribe", len(channels))

    async def _accepted(self, socket: ClientWebSocketResponse, event: str, times: int) -> None:
        """Wait for so many a yes. Data that comes before it is told by REST, as everything before `Connected` is."""
        while times:
            message = await socket.receive()
            if message.type is not WSMsgType.TEXT:
                raise Reopen
            try:
                reply = read_reply(message.data.encode())
            except Unreadable:
                raise Reopen from None
            if reply.refuses:
                _LOG.warning("the venue refused to %s account %s on its stream", event, self._account.account)
                raise Reopen
            times -= reply.event == event

    def _connected(self) -> Iterable[StreamEvent]:
        self._joining.clear()
        return (Connected(self._shared.now()),)

    def _read(self, raw: bytes) -> Iterable[StreamEvent]:
        shared = self._shared
        try:
            facts = read_facts(self._product, raw, shared.instruments.names, shared.marks.marks)
        except StreamRefused:
            raise Reopen from None
        except Unreadable as error:
            # Something happened that we could not read: as after a gap, REST must tell what.
            _LOG.warning("unreadable stream message of account %s: %s", self._account.account, error)
            return (Connected(shared.now()),)
        try:
            return tuple(self._joining.take(facts))
        except TooManyWaiting:
            raise Reopen from None
