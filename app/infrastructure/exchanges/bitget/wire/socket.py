"""What is said on a socket besides data: login, subscriptions, pings, and the venue's answers to them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from app.infrastructure.exchanges.bitget.wire.products import Product
from app.infrastructure.exchanges.bitget.wire.signing import signature
from app.infrastructure.exchanges.reading import read

PRIVATE_PATH: Final = "/v2/ws/private"
PUBLIC_PATH: Final = "/v2/ws/public"
PING: Final = "ping"
"""The venue asks for one, as bare text, every 30 seconds."""

PONG: Final = b"pong"
CHANNELS_A_MESSAGE: Final = 50
CHANNELS_MAX: Final = 450
"""A message of fifty channels stays below 4 kB, and nine of them below the ten messages that a socket may send in a
second; the venue takes a thousand channels on one.
"""


class Reply(msgspec.Struct, frozen=True):
    """An answer to something that we said; a data message has no `event`. Codes come as numbers and as text."""

    event: str = ""
    code: int | str | None = None

    @property
    def refuses(self) -> bool:
        """Whether it is a no."""
        return self.event == "error" or (self.event == "login" and str(self.code or 0) != "0")


_REPLY: Final = msgspec.json.Decoder(Reply)


def login(api_key: str, secret: bytes, passphrase: str, at_ms: int) -> str:
    """Return the message that opens a private socket; its timestamp counts seconds and is good for thirty of them."""
    seconds = str(at_ms // 1000)
    proof = signature(secret, f"{seconds}GET/user/verify")
    row = {"apiKey": api_key, "passphrase": passphrase, "timestamp": seconds, "sign": proof}
    return msgspec.json.encode({"op": "login", "args": [row]}).decode()


def private_channels(product: Product) -> list[dict[str, str]]:
    """Return what an account's stream subscribes to; spot has no positions."""
    named = [("orders", "instId"), ("fill", "instId"), ("account", "coin"), ("orders-algo", "instId")]
    if not product.is_spot:
        named.insert(2, ("positions", "instId"))
    return [{"instType": product.name, "channel": name, key: "default"} for name, key in named]


def subscription(channels: Iterable[dict[str, str]]) -> str:
    """Return the message that subscribes to channels; each is answered by itself."""
    return msgspec.json.encode({"op": "subscribe", "args": list(channels)}).decode()


def ticker_subscriptions(product: Product, markets: Iterable[str]) -> tuple[str, ...]:
    """Return the messages that ask for tickers, as many as one socket may hear; the rest is polled."""
    rows = [{"instType": product.name, "channel": "ticker", "instId": market} for market in markets]
    chosen = rows[:CHANNELS_MAX]
    return tuple(
        subscription(chosen[start : start + CHANNELS_A_MESSAGE])
        for start in range(0, len(chosen), CHANNELS_A_MESSAGE)
    )


def read_reply(body: bytes) -> Reply:
    """Read an answer; Unreadable when it is none. A pong is an answer to nothing."""
    return Reply() if body == PONG else read(_REPLY, body)
