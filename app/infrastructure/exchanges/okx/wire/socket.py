"""What is said on a socket besides data: login, subscriptions, pings, and the venue's answers to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from app.infrastructure.exchanges.okx.wire.signing import signature
from app.infrastructure.exchanges.reading import read

PRIVATE_PATH: Final = "/ws/v5/private"
BUSINESS_PATH: Final = "/ws/v5/business"
PUBLIC_PATH: Final = "/ws/v5/public"
PING: Final = "ping"
PONG: Final = b"pong"
"""A connection on which nothing is said for 30 seconds is closed."""

LEAVES: Final = frozenset({"channel-conn-count-error", "notice"})
"""Events after which a connection is of no more use: too many of them, or the venue's service is upgraded."""

REFUSES: Final = LEAVES | {"error"}
"""Events that say no to a login or a subscription."""

_ARGUMENTS_MAX: Final = 100


class Reply(msgspec.Struct, frozen=True):
    """An answer to something that we said; a data message has no `event`."""

    event: str = ""
    code: str = ""
    arg: Mapping[str, object] = {}


_REPLY: Final = msgspec.json.Decoder(Reply)


def login(api_key: str, secret: bytes, passphrase: str, at_ms: int) -> str:
    """Return the message that opens a private socket, within 30 s of `at_ms`."""
    stamp = str(at_ms // 1000)
    proof = signature(secret, f"{stamp}GET/users/self/verify")
    arguments = {"apiKey": api_key, "passphrase": passphrase, "timestamp": stamp, "sign": proof}
    return msgspec.json.encode({"op": "login", "args": [arguments]}).decode()


def subscription(arguments: Sequence[Mapping[str, str]]) -> str:
    """Return the message that subscribes to channels."""
    return msgspec.json.encode({"op": "subscribe", "args": arguments}).decode()


def subscriptions(channel: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return the messages that subscribe to a channel of each contract."""
    arguments = [{"channel": channel, "instId": name} for name in names]
    return tuple(
        subscription(arguments[start : start + _ARGUMENTS_MAX])
        for start in range(0, len(arguments), _ARGUMENTS_MAX)
    )


def read_reply(body: bytes) -> Reply:
    """Read an answer; Unreadable when it is none."""
    return read(_REPLY, body)
