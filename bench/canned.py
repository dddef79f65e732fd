"""A stand-in for an exchange that costs next to nothing: what it was asked before it answers from memory.

`python -m bench.canned PORT` listens on a free port and says which; what it does not know yet it asks the simulated
exchange on PORT, once. Client order ids are put into the stored answers, so that each order is answered as its own.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import Final

import aiohttp
from aiohttp import web

_SKIPPED: Final = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})
_MOVING: Final = re.compile(r"(timestamp|signature|recvWindow)=[^&]*&?")
_IDS: Final = re.compile(rb"c[0-9]{26}|0x[0-9a-f]{32}(?![0-9a-f])")
_PLACE: Final = b"%CLIENT-ORDER-ID%"


class Canned:
    """Answers by what was asked, without what moves (timestamps, signatures, ids)."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._known: dict[str, tuple[int, str, bytes]] = {}
        self._asking = asyncio.Lock()

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Answer from memory, after asking upstream if need be."""
        body = await request.read()
        key = f"{request.method} {request.path}?{_MOVING.sub('', _query(request))}{_kind(request, body)}"
        if key not in self._known:
            async with self._asking:
                if key not in self._known:
                    self._known[key] = await self._ask(request, body)
        status, kind, stored = self._known[key]
        found = _IDS.search(body or request.query_string.encode())
        made = stored.replace(_PLACE, found.group()) if found else stored
        return web.Response(status=status, body=made, content_type=kind)

    async def _ask(self, request: web.BaseRequest, body: bytes) -> tuple[int, str, bytes]:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _SKIPPED}
        async with (
            aiohttp.ClientSession(auto_decompress=True) as session,
            session.request(
                request.method, self._upstream + request.path_qs, data=body or None, headers=headers
            ) as reply,
        ):
            return reply.status, reply.content_type, _IDS.sub(_PLACE, await reply.read())


def _query(request: web.BaseRequest) -> str:
    return "" if request.method == "POST" else _IDS.sub(_PLACE, request.query_string.encode()).decode()


def _kind(request: web.BaseRequest, body: bytes) -> str:
    """Return what a request of one address for everything is about."""
    if request.path not in {"/info", "/exchange"}:
        return ""
    asked = json.loads(body)
    action = asked.get("action")
    return str(action.get("type") if isinstance(action, dict) else asked.get("type"))


async def serve(upstream: str) -> None:
    """Listen until the process ends."""
    runner = web.ServerRunner(web.Server(Canned(upstream).answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    import uvloop

    uvloop.run(serve(f"http://127.0.0.1:{sys.argv[1]}"))
