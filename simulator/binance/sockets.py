"""The WebSocket door of streams: connections, and which streams each of them hears."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import orjson
from aiohttp import WSMsgType, web

from simulator.binance.wire import Json
from simulator.sessions import PING_PERIOD_S, Outbox


class Session(Outbox):
    """One connection and the streams that it hears."""

    def __init__(self, *, combined: bool) -> None:
        super().__init__()
        self.combined = combined
        self.names: set[str] = set()

    def frame(self, name: str, message: Json | list[Json]) -> bytes:
        """Return the text frame, wrapped when the session asked for combined streams."""
        return orjson.dumps({"stream": name, "data": message} if self.combined else message)

    def send(self, name: str, message: Json | list[Json]) -> None:
        """Queue one message of the stream `name`."""
        self.put(self.frame(name, message))


class Hub:
    """All connections by the names of their streams; `on_join` is told of every name that a connection asks for."""

    def __init__(self) -> None:
        self.by_name: dict[str, set[Session]] = {}
        self.on_join: Callable[[str], None] = lambda name: None

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """Handle one WebSocket from its handshake to its end."""
        path = request.path
        if path.startswith("/stream"):
            session, names = Session(combined=True), request.query.get("streams", "").split("/")
        elif path.startswith("/ws"):
            session, names = Session(combined=False), path[3:].strip("/").split("/")
        else:
            return web.Response(status=404, text="no such stream")
        socket = web.WebSocketResponse(heartbeat=PING_PERIOD_S, autoping=False, max_msg_size=65536)
        await socket.prepare(request)
        self.subscribe(session, [name for name in names if name])
        pump = asyncio.create_task(session.pump(socket))
        try:
            async for message in socket:
                if message.type is WSMsgType.PING and not session.silent:
                    await socket.pong(message.data)
                elif message.type is WSMsgType.TEXT:
                    session.outgoing.put_nowait(self._control(session, message.data))
        finally:
            pump.cancel()
            self.unsubscribe(session, list(session.names))
        return socket

    def _control(self, session: Session, text: str) -> bytes:
        try:
            message = orjson.loads(text)
            method, number = message["method"], message.get("id")
            names = [str(name) for name in message.get("params") or []]
        except (ValueError, KeyError, TypeError, AttributeError):
            return b'{"code":2,"msg":"Invalid request: it must hold method, params and id"}'
        if method == "SUBSCRIBE":
            self.subscribe(session, names)
        elif method == "UNSUBSCRIBE":
            self.unsubscribe(session, names)
        elif method == "LIST_SUBSCRIPTIONS":
            return orjson.dumps({"result": sorted(session.names), "id": number})
        else:
            return orjson.dumps({"code": 2, "msg": f"Invalid request: unknown method {method}", "id": number})
        return orjson.dumps({"result": None, "id": number})

    def subscribe(self, session: Session, names: Sequence[str]) -> None:
        """Add streams."""
        for raw in names:
            name = raw.removesuffix("@1s")
            session.names.add(name)
            self.by_name.setdefault(name, set()).add(session)
            self.on_join(name)

    def unsubscribe(self, session: Session, names: Sequence[str]) -> None:
        """Remove streams."""
        for raw in names:
            name = raw.removesuffix("@1s")
            session.names.discard(name)
            found = self.by_name.get(name)
            if found is not None:
                found.discard(session)
                if not found:
                    del self.by_name[name]

    def of(self, name: str | None) -> list[Session]:
        """Return who hears a stream now."""
        return list(self.by_name.get(name, ())) if name is not None else []

    def publish(self, name: str, build: Callable[[], Json | list[Json]]) -> None:
        """Send a message of the stream `name`, built only when somebody hears it."""
        found = self.by_name.get(name)
        if found:
            message = build()
            for session in found:
                session.send(name, message)
