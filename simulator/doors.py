"""Several dialects behind one port: each request and each WebSocket goes to the one that owns its path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from aiohttp import web

from simulator.engine.account import Account
from simulator.http import Reply, Request

Serve = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Dialect(Protocol):
    """What a venue's REST door offers."""

    def account_of(self, request: Request) -> Account | None: ...

    def begin(self, request: Request) -> Reply | Callable[[bool], Reply]:
        """Check a request at the door; the callable then carries it out, told whether it was delayed."""


class Doors:
    """Implements Dialect: the first prefix of `by_prefix` that fits decides, `otherwise` takes the rest."""

    def __init__(self, by_prefix: Mapping[str, Dialect], otherwise: Dialect) -> None:
        self._by_prefix = by_prefix
        self._otherwise = otherwise

    def _of(self, path: str) -> Dialect:
        return next(
            (door for prefix, door in self._by_prefix.items() if path.startswith(prefix)), self._otherwise
        )

    def account_of(self, request: Request) -> Account | None:
        """Return whose key the request bears, in the words of its dialect."""
        return self._of(request.path).account_of(request)

    def begin(self, request: Request) -> Reply | Callable[[bool], Reply]:
        """Pass the request to its dialect."""
        return self._of(request.path).begin(request)


def serve_by_prefix(by_prefix: Mapping[str, Serve], otherwise: Serve) -> Serve:
    """Return the handler of WebSockets that does the same."""

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        chosen = next(
            (handler for prefix, handler in by_prefix.items() if request.path.startswith(prefix)), otherwise
        )
        return await chosen(request)

    return serve
