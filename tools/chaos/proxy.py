"""A proxy before PostgreSQL that cuts connections at a COMMIT: before the server has it, or after, before the client knows.

Either way the client cannot tell whether its transaction stands. The statement is recognised in the simple query that the
driver sends for it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit, urlunsplit

_COMMIT: Final = b"COMMIT;\x00"
_READ_MAX: Final = 65_536


class CommitCutter:
    """Forwards everything until told to cut; `cut` counts the commits that were cut before and after they reached the server."""

    def __init__(self, host: str, port: int, chance: random.Random, share: float = 0.01) -> None:
        self._host = host
        self._port = port
        self._chance = chance
        self._share = share
        self.cut = {"before": 0, "after": 0}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one client's connection."""
        try:
            server_reader, server_writer = await asyncio.open_connection(self._host, self._port)
        except OSError:
            writer.close()
            return
        forth = asyncio.create_task(self._forth(reader, server_writer))
        back = asyncio.create_task(self._back(server_reader, writer))
        try:
            done, _ = await asyncio.wait({forth, back}, return_when=asyncio.FIRST_COMPLETED)
            if forth in done and forth.exception() is None and forth.result() == "after":
                # The server answers a simple query with one burst; what it says now is lost.
                back.cancel()
                await asyncio.gather(back, return_exceptions=True)
                await server_reader.read(_READ_MAX)
        finally:
            for task in (forth, back):
                task.cancel()
            await asyncio.gather(forth, back, return_exceptions=True)  # a killed client resets its connection
            for end in (writer, server_writer):
                end.transport.abort()

    async def _forth(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        while part := await reader.read(_READ_MAX):
            cuts = part.endswith(_COMMIT) and self._chance.random() < self._share
            if cuts and self._chance.random() < 0.5:
                self.cut["before"] += 1
                return "before"
            writer.write(part)
            await writer.drain()
            if cuts:
                self.cut["after"] += 1
                return "after"
        return ""

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while part := await reader.read(_READ_MAX):
            writer.write(part)
            await writer.drain()


@asynccontextmanager
async def cutting(dsn: str, chance: random.Random) -> AsyncIterator[tuple[str, CommitCutter]]:
    """Yield the address of a proxy before a database, and the proxy."""
    parts = urlsplit(dsn)
    cutter = CommitCutter(parts.hostname or "127.0.0.1", parts.port or 5432, chance)
    server = await asyncio.start_server(cutter.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    who, _, _ = parts.netloc.rpartition("@")
    try:
        yield urlunsplit(parts._replace(netloc=f"{who}@127.0.0.1:{port}")), cutter
    finally:
        server.close()
