"""The seam to HTTP: one request, one reply, and two errors that say whether a single byte may have left.

`NeverLeft` is a promise: the venue cannot have seen the request. `NoReply` promises nothing. No error text holds a
header, a query or a body, for they hold keys and signatures.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

import aiohttp
from yarl import URL

from app.infrastructure.exchanges.settings import VenueSettings


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; `headers` ignores case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NeverLeft(Exception):
    """No connection in time: nothing was sent."""


class TooLate(NeverLeft):
    """No connection came free before the caller's bound: nothing was sent, and nothing speaks against the venue."""


class NoReply(Exception):
    """The request may have left, and no whole reply came."""


class Transport(Protocol):
    """One venue's pool of connections, shared by all its accounts."""

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout_s: float,
        leave_within_s: float | None = None,
    ) -> Reply:  # fmt: skip
        """Send once and return the whole reply, or raise NeverLeft or NoReply; never follows a redirect.

        `url` is sent byte for byte. `leave_within_s` bounds the wait for a connection: beyond it nothing is sent (TooLate).
        """
        ...

    async def warm(self, url: str, connections: int) -> int:
        """Open (or keep alive) so many connections with a harmless GET; return how many answered."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...


_SKIPPED: Final = ("User-Agent", "Accept", "Accept-Encoding")
"""Headers that the client would invent: a venue needs none, and small replies are not worth compressing."""


@lru_cache(maxsize=512)
def _constant_url(text: str) -> URL:
    return URL(text, encoded=True)


class AiohttpTransport:
    """The seam on aiohttp."""

    def __init__(self, settings: VenueSettings) -> None:
        self._connect_timeout_s = settings.connect_timeout_s
        self._limit = settings.connections
        self._keepalive_s = settings.keepalive_s
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    def session(self) -> aiohttp.ClientSession:
        """Return the session, made at first use inside the running loop. Raises NeverLeft after `close`."""
        if self._closed:
            raise NeverLeft("the connections are closed")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._limit, keepalive_timeout=self._keepalive_s, ttl_dns_cache=60
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=_SKIPPED,
                auto_decompress=True,
                trust_env=False,
            )
        return self._session

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout_s: float,
        leave_within_s: float | None = None,
    ) -> Reply:  # fmt: skip
        """Send once; see Transport."""
        connect_s = min(self._connect_timeout_s, timeout_s)
        bounded = leave_within_s is not None and leave_within_s < connect_s
        if leave_within_s is not None and bounded:
            connect_s = leave_within_s
        if connect_s <= 0:
            raise TooLate("no time is left to connect")
        # A query differs each time; a bare path (all orders) is parsed once.
        target = URL(url, encoded=True) if "?" in url else _constant_url(url)
        try:
            async with self.session().request(
                method,
                target,
                headers=headers,
                data=body,
                allow_redirects=False,
                # aiohttp's clock starts before it waits for a connection: the reply gets its full time besides.
                timeout=aiohttp.ClientTimeout(total=connect_s + timeout_s, connect=connect_s),
            ) as response:
                return Reply(response.status, response.headers, await response.read())
        # Both of these come before the request is written: no free connection in time, no address, no handshake.
        except aiohttp.ConnectionTimeoutError as error:
            raise (TooLate if bounded else NeverLeft)(type(error).__name__) from None
        except aiohttp.ClientConnectorError as error:
            raise NeverLeft(type(error).__name__) from None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise NoReply(type(error).__name__) from None

    async def warm(self, url: str, connections: int) -> int:
        """Ask at once on all, so that each needs a connection of its own."""
        asked = await asyncio.gather(
            *(self.request("GET", url, {}, None, self._connect_timeout_s) for _ in range(connections)),
            return_exceptions=True,
        )
        return sum(isinstance(reply, Reply) for reply in asked)

    async def close(self) -> None:
        """Close the session, if one was made, and make none any more."""
        self._closed = True
        if self._session is not None:
            await self._session.close()
