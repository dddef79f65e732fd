"""A lean HTTP/1.1 server side: one protocol object per connection, requests answered in order, WebSockets handed on.

It exists because the fault injection needs the bare transport (never answer, reset after executing, send twice) and
because the simulator must not be the limit when a whole fan-out is measured against it.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

MAX_HEAD = 64 * 1024
MAX_BODY = 32 * 1024 * 1024
LINGER_NOT = struct.pack("ii", 1, 0)
REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(slots=True)
class Request:
    """One request; header names in lower case, `query` and `body` exactly as sent."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    peer: str


@dataclass(slots=True)
class Reply:
    """One reply; `headers` are ready header lines, each ending in CR LF."""

    status: int
    body: bytes
    headers: str = ""
    content_type: str = "application/json"

    def encode(self) -> bytes:
        """Return the bytes on the wire."""
        head = (
            f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Unknown')}\r\n"
            f"Content-Type: {self.content_type}\r\nContent-Length: {len(self.body)}\r\n{self.headers}\r\n"
        )
        return head.encode("latin-1") + self.body


class Malformed(Exception):
    """The bytes are not an HTTP request this server reads."""


class Handler(Protocol):
    """What answers requests: returns a reply, or None when it answers later through the connection (or never)."""

    def handle(self, request: Request, connection: Connection) -> Reply | None: ...


class Connection(asyncio.Protocol):
    """Reads requests off one transport and writes their replies in order."""

    def __init__(
        self, handler: Handler, upgrade: Callable[[], asyncio.Protocol], live: set[Connection]
    ) -> None:
        self._handler = handler
        self._upgrade = upgrade
        self._live = live
        self._buffer = b""
        self._waiting = False
        self._last = False
        self._transport: asyncio.Transport | None = None
        self._peer = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport and the peer's address."""
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]  # uvloop's transport is no subclass of asyncio's
        peer = transport.get_extra_info("peername")
        self._peer = str(peer[0]) if peer else ""
        self._live.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the transport; late replies are dropped."""
        self._transport = None
        self._live.discard(self)

    def data_received(self, data: bytes) -> None:
        """Take bytes in and serve every complete request."""
        self._buffer = self._buffer + data if self._buffer else data
        self._serve()

    def reply(self, reply: Reply) -> None:
        """Answer the request in hand and go on to the next one."""
        self._answer(reply)
        self._serve()

    def _answer(self, reply: Reply) -> None:
        self.write(reply.encode())
        self._waiting = False
        if self._last:
            self.close()
            self._buffer = b""

    def write(self, data: bytes) -> None:
        """Send raw bytes, if anyone is still there."""
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        """Close after what was written is sent."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Drop the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def reset(self) -> None:
        """Drop the connection so that the peer sees a reset, the way a crashed proxy does, and not an orderly end."""
        if self._transport is not None:
            bare = self._transport.get_extra_info("socket")
            if bare is not None:
                bare.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
            self._transport.abort()

    def _serve(self) -> None:
        while self._buffer and not self._waiting and self._transport is not None:
            try:
                parsed = self._next()
            except (Malformed, ValueError, UnicodeDecodeError):
                self.write(Reply(400, b'{"code":-1000,"msg":"malformed HTTP request"}').encode())
                self.close()
                return
            if parsed is None:
                return
            self._waiting = True
            reply = self._handler.handle(parsed, self)
            if reply is not None:
                self._answer(reply)

    def _next(self) -> Request | None:
        """Cut one request off the buffer; None when it is not complete or the connection was handed on."""
        data = self._buffer
        end = data.find(b"\r\n\r\n")
        if end < 0:
            if len(data) > MAX_HEAD:
                raise Malformed
            return None
        lines = data[:end].decode("latin-1").split("\r\n")
        method, target, version = lines[0].split(" ", 2)
        if not version.startswith("HTTP/1."):
            raise Malformed
        headers: dict[str, str] = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        self._last = headers.get("connection", "").lower() == "close"
        if headers.get("upgrade", "").lower() == "websocket":
            self._hand_over(data)
            return None
        start = end + 4
        if "transfer-encoding" in headers:
            chunked = dechunk(data, start)
            if chunked is None:
                return None
            body, stop = chunked
        else:
            size = int(headers.get("content-length", "0"))
            if not 0 <= size <= MAX_BODY:
                raise Malformed
            stop = start + size
            if len(data) < stop:
                if headers.get("expect", "").lower() == "100-continue" and len(data) == start:
                    self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return None
            body = data[start:stop]
        self._buffer = data[stop:]
        path, _, query = target.partition("?")
        return Request(method, path, query, headers, body, self._peer)

    def _hand_over(self, data: bytes) -> None:
        """Give the transport, with the request unread, to the WebSocket server."""
        transport, self._transport = self._transport, None
        assert transport is not None
        self._live.discard(self)
        self._buffer = b""
        successor = self._upgrade()
        transport.set_protocol(successor)
        successor.connection_made(transport)
        successor.data_received(data)


def dechunk(data: bytes, start: int) -> tuple[bytes, int] | None:
    """Return the body of a chunked message and where it stops, or None when it is incomplete."""
    parts: list[bytes] = []
    while True:
        line_end = data.find(b"\r\n", start)
        if line_end < 0:
            return None
        size = int(data[start:line_end].split(b";")[0], 16)
        if size > MAX_BODY:
            raise Malformed
        start = line_end + 2
        if len(data) < start + size + 2:
            return None
        if size == 0:
            return b"".join(parts), start + 2
        parts.append(data[start : start + size])
        start += size + 2
