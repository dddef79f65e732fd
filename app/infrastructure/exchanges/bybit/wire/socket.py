"""What is said on a socket besides data: login, subscriptions, pings, and the venue's answers to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from app.infrastructure.exchanges.bybit.wire.signing import signature
from app.infrastructure.exchanges.reading import read

PRIVATE_PATH: Final = "/v5/private"
PING: Final = '{"op":"ping"}'
"""The venue asks for one every 20 seconds."""


class Reply(msgspec.Struct, frozen=True):
    """An answer to something that we said; a data message has no `op`. Private and public sockets differ in fields."""

    op: str = ""
    success: bool = False


_REPLY: Final = msgspec.json.Decoder(Reply)


def login(api_key: str, secret: bytes, expires_ms: int) -> str:
    """Return the message that opens a private socket; the signature is void after `expires_ms` of the venue's clock."""
    proof = signature(secret, f"GET/realtime{expires_ms}")
    return msgspec.json.encode({"op": "auth", "args": [api_key, expires_ms, proof]}).decode()


def subscription(topics: Sequence[str]) -> str:
    """Return the message that subscribes to topics."""
    return msgspec.json.encode({"op": "subscribe", "args": topics}).decode()


def read_reply(body: bytes) -> Reply:
    """Read an answer; Unreadable when it is none."""
    return read(_REPLY, body)
