"""A WebSocket that comes back by itself: connects, reads, notices silence, reconnects with full jitter.

Events wait in a bounded queue; when the consumer is slow the socket is read no further, and when that lasts the peer
or the heartbeat ends the connection: the consumer then learns by `connected` that it must catch up.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Final, Generic, TypeVar

import aiohttp

from app.application.shared.ending import end
from app.domain.exchanges.outcomes import VenueError
from app.domain.shared.errors import DomainError
from app.infrastructure.exchanges.backoff import Chance, full_jitter
from app.infrastructure.exchanges.settings import StreamSettings

T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)
_MESSAGE_BYTES_MAX: Final = 4 * 1024 * 1024


class Reopen(Exception):
    """Raised while reading: this connection is of no more use, open another."""


class Sockets:
    """The session of all streams of one venue; apart from the order pool, whose places they would take."""

    def __init__(self, settings: StreamSettings) -> None:
        self._settings = settings
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def connect(self, url: str) -> aiohttp.ClientWebSocketResponse:
        """Open one socket that answers pings, sends its own, and ends when they stay unanswered.

        Raises ConnectionError after `close`: a stream that outlives the venue would open a session that nobody closes.
        """
        if self._closed:
            raise ConnectionError("the venue's streams are closed")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=60), cookie_jar=aiohttp.DummyCookieJar()
            )
        async with asyncio.timeout(self._settings.connect_timeout_s):
            return await self._session.ws_connect(
                url, heartbeat=self._settings.heartbeat_s, max_msg_size=_MESSAGE_BYTES_MAX
            )

    async def close(self) -> None:
        """Close every socket, and open none any more."""
        self._closed = True
        if self._session is not None:
            await self._session.close()


class ReconnectingSocket(Generic[T]):
    """One stream of `T`. `url` opens it (and may ask the venue first), `greet` says what must be said on a new
    connection and hears the answer, `connected` gives the event of a connection that is then live, `read` turns a
    message into events, `tend` runs beside each connection and may raise Reopen. `ping` is the text that keeps a
    connection alive where the venue wants one of its own, sent at the pace of the heartbeat.
    """

    def __init__(
        self,
        sockets: Sockets,
        settings: StreamSettings,
        *,
        url: Callable[[], Awaitable[str]],
        read: Callable[[bytes], Iterable[T]],
        connected: Callable[[], Iterable[T]],
        tend: Callable[[], Awaitable[None]] | None = None,
        greet: Callable[[aiohttp.ClientWebSocketResponse], Awaitable[None]] | None = None,
        ping: str | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Chance = random.random,
    ) -> None:
        self._sockets = sockets
        self._settings = settings
        self._url = url
        self._read = read
        self._connected = connected
        self._tend = tend
        self._greet = greet
        self._ping = ping
        self._sleep = sleep
        self._chance = chance
        self._queue: asyncio.Queue[T | None] = asyncio.Queue(settings.queue)
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def events(self) -> AsyncIterator[T]:
        """Yield events until closed; one consumer at a time."""
        if self._closed:
            return
        if self._task is None:
            self._task = asyncio.create_task(self._run())
            self._task.add_done_callback(self._ended)
        while (event := await self._queue.get()) is not None:
            yield event
        if self._task.done() and not self._task.cancelled():
            self._task.result()  # a fault of our own: it must not look like an end

    async def close(self) -> None:
        """Stop and let `events` end."""
        self._closed = True
        if self._task is not None:
            await end(self._task)
        self._end_queue()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._end_queue()

    def _end_queue(self) -> None:
        while self._closed and not self._queue.empty():
            self._queue.get_nowait()
        with contextlib.suppress(asyncio.QueueFull):
            self._queue.put_nowait(None)

    async def _run(self) -> None:
        attempt = 0
        while True:
            began = time.monotonic()
            try:
                await self._live()
            except (DomainError, VenueError, aiohttp.ClientError, OSError, TimeoutError, Reopen) as error:
                # The error's text may name the URL, which holds the listen key: only its class is told.
                _LOG.info("stream interrupted: %s", type(error).__name__)
            if time.monotonic() - began >= self._settings.stable_s:
                attempt = 0
            await self._sleep(
                full_jitter(
                    attempt, self._settings.backoff_base_s, self._settings.backoff_cap_s, self._chance
                )
            )
            attempt += 1

    async def _live(self) -> None:
        socket = await self._sockets.connect(await self._url())
        try:
            if self._greet is not None:
                async with asyncio.timeout(self._settings.connect_timeout_s):
                    await self._greet(socket)
            await self._until_one_ends(socket)
        finally:
            await socket.close()

    async def _until_one_ends(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        jobs: set[asyncio.Task[None]] = {asyncio.ensure_future(self._pump(socket))}
        if self._tend is not None:
            jobs.add(asyncio.ensure_future(self._tend()))
        if self._ping is not None:
            jobs.add(asyncio.ensure_future(self._keep_alive(socket, self._ping)))
        try:
            done, _ = await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
            for job in done:
                job.result()
        finally:
            await end(*jobs)

    async def _keep_alive(self, socket: aiohttp.ClientWebSocketResponse, ping: str) -> None:
        while True:
            await self._sleep(self._settings.heartbeat_s)
            await socket.send_str(ping)

    async def _pump(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        for event in self._connected():
            await self._queue.put(event)
        while True:
            message = await socket.receive(self._settings.idle_s)
            if message.type is aiohttp.WSMsgType.TEXT:
                raw = message.data.encode()
            elif message.type is aiohttp.WSMsgType.BINARY:
                raw = message.data
            else:
                raise Reopen
            for event in self._read(raw):
                await self._queue.put(event)
