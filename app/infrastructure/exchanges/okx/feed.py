"""The private stream of one OKX account: two sockets, for the venue tells orders and wallets on one and protections on
the other. It is live, and says so, when both are; when either was away, what it missed must be fetched.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Final

from aiohttp import ClientWebSocketResponse, WSMsgType

from app.application.shared.ending import end
from app.domain.exchanges.ports import Connected, StreamEvent
from app.domain.shared.ids import AccountId
from app.infrastructure.exchanges.budget import Bucket
from app.infrastructure.exchanges.okx.rest import OkxAccount
from app.infrastructure.exchanges.okx.wallets import Wallets
from app.infrastructure.exchanges.okx.wire.events import (
    Leave,
    Wallet,
    business_channels,
    private_channels,
    read_facts,
)
from app.infrastructure.exchanges.okx.wire.socket import (
    BUSINESS_PATH,
    PING,
    PRIVATE_PATH,
    REFUSES,
    login,
    read_reply,
    subscription,
)
from app.infrastructure.exchanges.okx.wire.terms import TERMS, Listed
from app.infrastructure.exchanges.reading import Unreadable
from app.infrastructure.exchanges.shared import VenueShared
from app.infrastructure.exchanges.stream import ReconnectingSocket, Reopen

_LOG: Final = logging.getLogger(__name__)
_CONNECTIONS: Final = 3
_CONNECTIONS_WINDOW_S: Final = 1.0
"""The venue takes so many new connections from one address in that time."""


class OkxFeed:
    """Implements PrivateStream."""

    def __init__(self, shared: VenueShared, account: AccountId, sealed: bytes) -> None:
        self._shared = shared
        self._account = OkxAccount(shared, account, sealed)
        self._wallets = Wallets()
        self._live: set[str] = set()
        terms, settings = TERMS[shared.venue], shared.settings
        self._connections = Bucket.within(
            f"connects:okx:{settings.egress}",
            _CONNECTIONS,
            _CONNECTIONS_WINDOW_S,
            burst_share=settings.burst_share,
            exit_share=0.0,
        )
        self._sockets = (
            self._socket(PRIVATE_PATH, private_channels(terms)),
            self._socket(BUSINESS_PATH, business_channels(terms)),
        )
        self._queue: asyncio.Queue[StreamEvent | None] = asyncio.Queue(settings.stream.queue)
        self._tasks: list[asyncio.Task[None]] = []
        self._closed = False

    def _socket(self, path: str, channels: Sequence[Mapping[str, str]]) -> ReconnectingSocket[StreamEvent]:
        async def url() -> str:
            return await self._open(path)

        async def greet(socket: ClientWebSocketResponse) -> None:
            await self._greet(socket, channels)

        return ReconnectingSocket(
            self._shared.sockets,
            self._shared.settings.stream,
            url=url,
            read=self._read,
            connected=lambda: self._connected(path),
            greet=greet,
            ping=PING,
        )

    async def events(self) -> AsyncIterator[StreamEvent]:
        """Yield events until closed; one consumer at a time."""
        if self._closed:
            return
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._pump(socket)) for socket in self._sockets]
        while (event := await self._queue.get()) is not None:
            yield event
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()  # a fault of our own: it must not look like an end

    async def close(self) -> None:
        """Stop the stream and let `events` end."""
        self._closed = True
        # A fault of one of them was told by `events`: here it must not keep the other one open.
        await asyncio.gather(*(socket.close() for socket in self._sockets), return_exceptions=True)
        await end(*self._tasks)
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def _pump(self, socket: ReconnectingSocket[StreamEvent]) -> None:
        try:
            async for event in socket.events():
                await self._queue.put(event)
        except Exception:
            await self._queue.put(None)  # the consumer must end and hear of it
            raise

    async def _open(self, path: str) -> str:
        self._live.discard(path)
        if path == PRIVATE_PATH:
            self._wallets.clear()
        shared = self._shared
        await shared.instruments.ready()
        if shared.clock.age_ms is None:
            await shared.clock.sample()
        await self._turn()
        return shared.settings.ws_url + path

    async def _turn(self) -> None:
        while True:
            grant = await self._shared.guard.budget.take(self._connections, 1)
            if grant.granted:
                return
            await asyncio.sleep(grant.wait_ms / 1000)

    async def _greet(self, socket: ClientWebSocketResponse, channels: Sequence[Mapping[str, str]]) -> None:
        key = self._account.key_or_refusal()
        now_ms = self._shared.clock.estimate_ms()
        await socket.send_str(login(key.name, key.secret, key.passphrase, now_ms))
        await self._accepted(socket, "login", 1)
        await socket.send_str(subscription(channels))
        await self._accepted(socket, "subscribe", len(channels))

    async def _accepted(self, socket: ClientWebSocketResponse, event: str, answers: int) -> None:
        """Wait for so many yeses. Data that comes before them is told by REST, as everything before `Connected` is;
        but what a wallet held is remembered.
        """
        while answers:
            message = await socket.receive()
            if message.type is not WSMsgType.TEXT:
                raise Reopen
            raw = message.data.encode()
            try:
                reply = read_reply(raw) if raw != b"pong" else None
            except Unreadable:
                raise Reopen from None
            if reply is not None and reply.event == event:
                answers -= 1
            elif reply is not None and reply.event in REFUSES:
                # The text of an error repeats what was sent, the key among it: only its code is told.
                _LOG.warning(
                    "the venue refused to %s account %s on its stream: %s",
                    event, self._account.account, reply.code[:6] or reply.event,
                )  # fmt: skip
                raise Reopen
            elif reply is not None and not reply.event:
                for _ in self._read(raw):
                    continue

    def _connected(self, path: str) -> Iterable[StreamEvent]:
        self._live.add(path)
        return (Connected(self._shared.now()),) if len(self._live) == len(self._sockets) else ()

    def _read(self, raw: bytes) -> Iterable[StreamEvent]:
        shared = self._shared
        listed = Listed(TERMS[shared.venue], shared.instruments.names)
        try:
            facts = read_facts(raw, listed, shared.marks.marks)
        except Unreadable as error:
            # Something happened that we could not read: as after a gap, REST must tell what.
            _LOG.warning("unreadable stream message of account %s: %s", self._account.account, error)
            return (Connected(shared.now()),)
        events: list[StreamEvent] = []
        for fact in facts:
            if isinstance(fact, Leave):
                _LOG.info("the venue ends a stream of account %s: %s", self._account.account, fact.why)
                raise Reopen
            if isinstance(fact, Wallet):
                events.extend(self._wallets.take(fact))
            else:
                events.append(fact)
        return events
