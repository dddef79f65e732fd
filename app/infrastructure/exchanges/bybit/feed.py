"""The private stream of one Bybit account: login, subscriptions, and events with a `Connected` once all are in force."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from typing import Final

from aiohttp import ClientWebSocketResponse, WSMsgType

from app.domain.exchanges.ports import Connected, StreamEvent
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.ids import AccountId
from app.infrastructure.exchanges.budget import Bucket
from app.infrastructure.exchanges.bybit.joining import Joining, TooManyWaiting
from app.infrastructure.exchanges.bybit.rest import BybitAccount
from app.infrastructure.exchanges.bybit.transfers import Transfers
from app.infrastructure.exchanges.bybit.wire.category import CATEGORIES
from app.infrastructure.exchanges.bybit.wire.events import read_facts
from app.infrastructure.exchanges.bybit.wire.signing import KEY_HEADER
from app.infrastructure.exchanges.bybit.wire.socket import (
    PING,
    PRIVATE_PATH,
    login,
    read_reply,
    subscription,
)
from app.infrastructure.exchanges.reading import Unreadable
from app.infrastructure.exchanges.shared import VenueShared
from app.infrastructure.exchanges.stream import ReconnectingSocket, Reopen

_LOG: Final = logging.getLogger(__name__)
_LOGIN_VALID_MS: Final = 10_000
_CONNECTIONS: Final = 500
_CONNECTIONS_WINDOW_S: Final = 300.0
"""The venue takes so many new connections from one address in that time."""


class BybitFeed:
    """Implements PrivateStream."""

    def __init__(self, shared: VenueShared, account: AccountId, sealed: bytes) -> None:
        self._shared = shared
        self._account = BybitAccount(shared, account, sealed)
        self._category = CATEGORIES[shared.venue]
        self._joining = Joining()
        self._transfers = Transfers(self._account, self._category)
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
            tend=self._transfers.run,
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
        expires_ms = self._shared.clock.estimate_ms() + _LOGIN_VALID_MS
        await socket.send_str(login(key.headers[KEY_HEADER], key.secret, expires_ms))
        await self._accepted(socket, "auth")
        await socket.send_str(subscription(self._category.private_topics))
        await self._accepted(socket, "subscribe")

    async def _accepted(self, socket: ClientWebSocketResponse, op: str) -> None:
        """Wait for the yes to `op`. Data that comes before it is told by REST, as everything before `Connected` is."""
        while True:
            message = await socket.receive()
            if message.type is not WSMsgType.TEXT:
                raise Reopen
            try:
                reply = read_reply(message.data.encode())
            except Unreadable:
                raise Reopen from None
            if reply.op == op and not reply.success:
                _LOG.warning("the venue refused to %s account %s on its stream", op, self._account.account)
                raise Reopen
            if reply.op == op:
                return

    def _connected(self) -> Iterable[StreamEvent]:
        self._joining.clear()
        self._transfers.connected(from_epoch_ms(self._shared.clock.estimate_ms()))
        return (Connected(self._shared.now()),)

    def _read(self, raw: bytes) -> Iterable[StreamEvent]:
        shared = self._shared
        try:
            facts = read_facts(raw, self._category, shared.instruments.names, shared.marks.marks)
        except Unreadable as error:
            # Something happened that we could not read: as after a gap, REST must tell what.
            _LOG.warning("unreadable stream message of account %s: %s", self._account.account, error)
            return (Connected(self._shared.now()),)
        self._transfers.note(facts)
        try:
            # Answers to our pings pass here too: what the log told waits for one of them at most.
            return (*self._transfers.told(), *self._joining.take(facts))
        except TooManyWaiting:
            raise Reopen from None
