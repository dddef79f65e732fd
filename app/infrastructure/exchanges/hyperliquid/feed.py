"""The private stream of one Hyperliquid account: subscriptions by address, and events with a `Connected` once all are in
force.

The venue lets one address hear ten users. One more is refused: this is said once in the log, in words that a person can
act on, and the stream asks again, ever more slowly, until a place is free. Meanwhile recovery asks by REST.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from typing import Final

from aiohttp import ClientWebSocketResponse, WSMsgType

from app.domain.exchanges.outcomes import VenueError
from app.domain.exchanges.ports import Connected, StreamEvent
from app.domain.shared.ids import AccountId
from app.infrastructure.exchanges.budget import Bucket
from app.infrastructure.exchanges.hyperliquid.joining import Joining, TooManyWaiting
from app.infrastructure.exchanges.hyperliquid.rest import HyperliquidAccount
from app.infrastructure.exchanges.hyperliquid.wire.events import read_facts
from app.infrastructure.exchanges.hyperliquid.wire.socket import (
    PING,
    SOCKET_PATH,
    USER_TOPICS,
    read_reply,
    subscription,
)
from app.infrastructure.exchanges.reading import Unreadable
from app.infrastructure.exchanges.shared import VenueShared
from app.infrastructure.exchanges.stream import ReconnectingSocket, Reopen

_LOG: Final = logging.getLogger(__name__)
_CONNECTIONS: Final = 30
_CONNECTIONS_WINDOW_S: Final = 60.0
"""The venue takes so many new connections from one address in that time."""


class TooManyUsers(VenueError):
    """This address hears as many accounts as the venue allows; more need another address."""

    code = "venue_users_exhausted"


class HyperliquidFeed:
    """Implements PrivateStream."""

    def __init__(self, shared: VenueShared, account: AccountId, sealed: bytes) -> None:
        self._shared = shared
        self._account = HyperliquidAccount(shared, account, sealed)
        self._joining = Joining()
        self._told = False
        self._early: list[bytes] = []
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
        await self._shared.instruments.ready()
        await self._turn()
        return self._shared.settings.ws_url + SOCKET_PATH

    async def _turn(self) -> None:
        while True:
            grant = await self._shared.guard.budget.take(self._connections, 1)
            if grant.granted:
                return
            await asyncio.sleep(grant.wait_ms / 1000)

    async def _greet(self, socket: ClientWebSocketResponse) -> None:
        user = self._account.user()
        for topic in USER_TOPICS:
            await socket.send_str(subscription(topic, user=user))
        missing = set(USER_TOPICS)
        # The first words on a topic may come before the yes to the next one: they are read once all are in force.
        self._early = []
        while missing:
            message = await socket.receive()
            if message.type is not WSMsgType.TEXT:
                raise Reopen
            try:
                reply = read_reply(message.data.encode())
            except Unreadable:
                raise Reopen from None
            if reply.error:
                self._refused(reply.error, too_many=reply.too_many_users)
            if reply.topic:
                missing.discard(reply.topic)
            else:
                self._early.append(message.data.encode())
        self._told = False

    def _refused(self, why: str, *, too_many: bool) -> None:
        account = self._account.account
        if not self._told:
            self._told = True
            advice = " Give this account to a worker with another address." if too_many else ""
            _LOG.error("the venue does not stream account %s: %s%s", account, why, advice)
        if too_many:
            raise TooManyUsers("This address hears as many accounts as the venue allows.")
        raise Reopen

    def _connected(self) -> Iterable[StreamEvent]:
        self._joining.clear()
        early, self._early = self._early, []
        yield Connected(self._shared.now())
        for raw in early:
            yield from self._read(raw)

    def _read(self, raw: bytes) -> Iterable[StreamEvent]:
        try:
            facts = read_facts(raw, self._shared.instruments.names, self._shared.marks.marks)
        except Unreadable as error:
            # Something happened that we could not read: as after a gap, REST must tell what.
            _LOG.warning("unreadable stream message of account %s: %s", self._account.account, error)
            return (Connected(self._shared.now()),)
        try:
            return tuple(self._joining.take(facts))
        except TooManyWaiting:
            raise Reopen from None
