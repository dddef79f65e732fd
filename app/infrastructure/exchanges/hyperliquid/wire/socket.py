"""What is said on a socket besides data: subscriptions, pings, and the venue's answers to them.

A stream needs no login: who knows an address may hear its account. From one address ten users may be heard in all, and
the eleventh is refused in words that only its connection hears.
"""

from __future__ import annotations

from typing import Final

import msgspec

from app.infrastructure.exchanges.reading import read

SOCKET_PATH: Final = "/ws"
PING: Final = '{"method":"ping"}'
"""The venue ends a connection on which nothing was said for a minute."""

USER_TOPICS: Final = ("orderUpdates", "userFills", "userEvents", "openOrders", "clearinghouseState")
_TOO_MANY_USERS: Final = "Cannot track more than"


class _Topic(msgspec.Struct, frozen=True):
    type: str = ""


class _Subscribed(msgspec.Struct, frozen=True):
    method: str = ""
    subscription: _Topic = _Topic()


class _Reply(msgspec.Struct, frozen=True):
    channel: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


_REPLY: Final = msgspec.json.Decoder(_Reply)
_SUBSCRIBED: Final = msgspec.json.Decoder(_Subscribed)
_TEXT: Final = msgspec.json.Decoder(str)


class Reply(msgspec.Struct, frozen=True):
    """An answer to a subscription: the topic that is now heard, or why it is not; both empty for everything else."""

    topic: str = ""
    error: str = ""

    @property
    def too_many_users(self) -> bool:
        """Whether this address hears as many accounts as the venue allows."""
        return self.error.startswith(_TOO_MANY_USERS)


def subscription(topic: str, **fields: str) -> str:
    """Return the message that subscribes to a topic."""
    return msgspec.json.encode({"method": "subscribe", "subscription": {"type": topic, **fields}}).decode()


def read_reply(body: bytes) -> Reply:
    """Read an answer; Unreadable when it is none."""
    found = read(_REPLY, body)
    if found.channel == "error":
        return Reply(error=read(_TEXT, bytes(found.data))[:200])
    if found.channel == "subscriptionResponse":
        return Reply(topic=read(_SUBSCRIBED, bytes(found.data)).subscription.type)
    return Reply()
