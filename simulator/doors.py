"""Several dialects behind one port: each request and each WebSocket goes to the one that owns its path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeVar

from aiohttp import web

from simulator.engine.account import Account
from simulator.http import Reply, Request

T = TypeVar("T")
Serve = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Dialect(Protocol):
    """What a venue's REST door offers."""

    def account_of(self, request: Request) -> Account | None: ...

    def begin(self, request: Request) -> Reply | Callable[[bool], Reply]:
        """Check a request at the door; the callable then carries it out, told whether it was delayed."""


class Doors:
    """Implements Dialect: the longest prefix that fits decides; "/" fits everything."""

    def __init__(self, by_prefix: Mapping[str, Dialect]) -> None:
        self._by_prefix = longest_first(by_prefix)

    def _of(self, path: str) -> Dialect:
        return next(door for prefix, door in self._by_prefix if fits(prefix, path))

    def account_of(self, request: Request) -> Account | None:
        """Return whose key the request bears, in the words of its dialect."""
        return self._of(request.path).account_of(request)

    def begin(self, request: Request) -> Reply | Callable[[bool], Reply]:
        """Pass the request to its dialect."""
        return self._of(request.path).begin(request)


def fits(prefix: str, path: str) -> bool:
    """Say whether a row is for a path: one that ends in a slash is for all behind it, another for that path alone."""
    return path.startswith(prefix) if prefix.endswith("/") else path == prefix


def longest_first(by_prefix: Mapping[str, T]) -> list[tuple[str, T]]:
    """Return the rows so that a more exact prefix is found before one that it begins with."""
    return sorted(by_prefix.items(), key=lambda row: -len(row[0]))


def serve_by_prefix(by_prefix: Mapping[str, Serve]) -> Serve:
    """Return the handler of WebSockets that does the same."""
    rows = longest_first(by_prefix)

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        return await next(handler for prefix, handler in rows if fits(prefix, request.path))(request)

    return serve
