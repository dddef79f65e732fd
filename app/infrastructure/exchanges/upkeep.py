"""What one venue needs all the time: its clock sampled, its listing refreshed, its marks heard, its connections warm.

A venue that is away stops none of it: each job tries again at its own pace, and readers see the age of what they get.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

from aiohttp import ClientWebSocketResponse

from app.application.shared.ending import end
from app.domain.exchanges.outcomes import VenueError
from app.domain.exchanges.ports import MarketData
from app.domain.shared.market import Symbol
from app.domain.shared.money import Price
from app.infrastructure.exchanges.shared import VenueShared
from app.infrastructure.exchanges.stream import ReconnectingSocket

_LOG: Final = logging.getLogger(__name__)


class Upkeep:
    """One venue's background jobs. `marks_url` is the stream of marks, `read_marks` reads its messages; where the venue
    wants to be told of which contracts, `subscribe_marks` writes the messages that tell it, and `ping` keeps it alive. An
    address that is empty: there is none, so marks are asked for, and connections are not kept warm.
    """

    def __init__(
        self,
        shared: VenueShared,
        market: MarketData,
        *,
        marks_url: str,
        read_marks: Callable[[bytes], Mapping[Symbol, Price]],
        ping_url: str,
        subscribe_marks: Callable[[Iterable[str]], Sequence[str]] | None = None,
        ping: str | None = None,
    ) -> None:
        self._shared = shared
        self._market = market
        self._ping_url = ping_url
        self._marks_url = marks_url
        self._subscribe_marks = subscribe_marks
        self._tasks: list[asyncio.Task[None]] = []
        self._marks: ReconnectingSocket[Mapping[Symbol, Price]] = ReconnectingSocket(
            shared.sockets,
            shared.settings.stream,
            url=self._url,
            read=lambda raw: (read_marks(raw),),
            connected=lambda: (),
            greet=None if subscribe_marks is None else self._greet,
            ping=ping,
        )

    async def start(self) -> None:
        """Do each job once, then go on in the background; a venue that is away is said in the log, not raised."""
        shared = self._shared
        await self._try("listing", shared.instruments.refresh())
        await asyncio.gather(
            self._try("clock", shared.clock.sample()), self._try("marks", self._poll_marks()), self._warm()
        )
        for job in (
            self._keep_clock(),
            self._keep_listing(),
            self._hear_marks(),
            self._keep_marks(),
            self._keep_warm(),
        ):
            task = asyncio.create_task(job)
            task.add_done_callback(self._ended)
            self._tasks.append(task)

    async def close(self) -> None:
        """Stop all jobs."""
        await self._marks.close()
        await end(*self._tasks)
        self._tasks.clear()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("%s: a background job has stopped", self._shared.venue.value, exc_info=error)

    async def _url(self) -> str:
        return self._marks_url

    async def _greet(self, socket: ClientWebSocketResponse) -> None:
        if self._subscribe_marks is not None:
            await self._shared.instruments.ready()
            for message in self._subscribe_marks(self._shared.instruments.names):
                await socket.send_str(message)

    async def _try(self, what: str, job: Awaitable[object]) -> None:
        try:
            await job
        except VenueError as error:
            self._say(what, error)

    def _say(self, what: str, error: VenueError) -> None:
        _LOG.warning("%s: %s not refreshed (%s)", self._shared.venue.value, what, error.code)

    async def _keep_clock(self) -> None:
        await self._shared.clock.keep(lambda error: self._say("clock", error))

    async def _keep_listing(self) -> None:
        while True:
            # Without any listing nothing can be traded: that is not left for an hour.
            loaded = self._shared.instruments.is_loaded
            await asyncio.sleep(self._shared.settings.listing_every_s if loaded else 1.0)
            await self._try("listing", self._shared.instruments.refresh())

    async def _hear_marks(self) -> None:
        if not self._marks_url:
            return
        async for marks in self._marks.events():
            self._shared.marks.hear(marks)

    async def _keep_marks(self) -> None:
        """Ask for all marks when some were not heard for long: quiet markets, or a stream that is away."""
        while True:
            await asyncio.sleep(self._shared.settings.marks_age_max_s / 4)
            oldest = self._shared.marks.oldest_ms
            if oldest is None or oldest > self._shared.settings.marks_age_max_s * 500:
                await self._try("marks", self._poll_marks())

    async def _poll_marks(self) -> None:
        self._shared.marks.hear(await self._market.marks(), everything=True)

    async def _warm(self) -> None:
        if self._ping_url and self._shared.settings.connections_warm and self._shared.guard.silence_s == 0:
            await self._shared.transport.warm(self._ping_url, self._shared.settings.connections_warm)

    async def _keep_warm(self) -> None:
        while True:
            await asyncio.sleep(self._shared.settings.warm_every_s)
            await self._warm()
