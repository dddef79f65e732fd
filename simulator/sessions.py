"""One WebSocket connection's outgoing side, the same for every dialect: frames in order, and faults on their way."""

from __future__ import annotations

import asyncio

from aiohttp import web

from simulator.faults import Kind

PING_PERIOD_S = 180.0


class Outbox:
    """Frames to send. `held` is one kept back to come after the next one; a `silent` connection sends nothing more."""

    def __init__(self) -> None:
        self.outgoing: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.silent = False
        self.held: bytes | None = None

    def put(self, frame: bytes) -> None:
        """Queue one frame."""
        if not self.silent:
            self.outgoing.put_nowait(frame)

    def put_faulty(self, kind: Kind | None, frame: bytes, ms: int = 0) -> None:
        """Queue one frame as `kind` would have it arrive; `ms` is how late a delayed one is."""
        if kind is Kind.DELAY:
            asyncio.get_running_loop().call_later(ms / 1000, self.put, frame)
            return
        if kind is Kind.REORDER and self.held is None:
            self.held = frame
            return
        if kind is Kind.SILENCE:
            self.silent = True
        if kind is not Kind.DROP:
            self.put(frame)
        if kind is Kind.DUPLICATE:
            self.put(frame)
        if self.held is not None:
            late, self.held = self.held, None
            self.put(late)
        if kind is Kind.DISCONNECT:
            self.end()

    def end(self) -> None:
        """Close the connection once everything queued is sent."""
        self.outgoing.put_nowait(None)

    async def pump(self, socket: web.WebSocketResponse) -> None:
        """Send what is queued, in order, until `end`."""
        try:
            while (frame := await self.outgoing.get()) is not None:
                await socket.send_str(frame.decode())
            await socket.close()
        except (ConnectionError, RuntimeError):
            return  # the peer is gone; the reading side ends the session
