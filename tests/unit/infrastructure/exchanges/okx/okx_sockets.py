"""A scripted venue behind the feed: two sockets whose opening and words the tests decide."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from typing import Any, cast

from aiohttp import WSMessage, WSMsgType

from app.domain.shared.ids import AccountId
from app.domain.shared.market import Venue
from app.domain.users.account import ApiKey
from app.infrastructure.exchanges.breaker import Breakers
from app.infrastructure.exchanges.budget import Bucket, Grant
from app.infrastructure.exchanges.clock import VenueClock, monotonic_ms
from app.infrastructure.exchanges.guard import Costs, VenueGuard
from app.infrastructure.exchanges.http import AiohttpTransport
from app.infrastructure.exchanges.instruments import InstrumentTable
from app.infrastructure.exchanges.keys import KeyRing
from app.infrastructure.exchanges.listing import Listing
from app.infrastructure.exchanges.marks import MarkBook
from app.infrastructure.exchanges.settings import (
    BreakerSettings,
    ClockSettings,
    RetrySettings,
    StreamSettings,
    VenueSettings,
)
from app.infrastructure.exchanges.shared import VenueShared
from app.infrastructure.exchanges.stream import Sockets
from tests.unit.infrastructure.exchanges.okx.okx_rows import SWAP_BTC, SWAPS

PRIVATE, BUSINESS = "private", "business"


class ScriptedSocket:
    """One connection as the feed sees it; it grants logins and subscriptions unless told otherwise."""

    def __init__(self, refusals: list[str]) -> None:
        self._refusals = refusals
        self._messages: asyncio.Queue[WSMessage] = asyncio.Queue()
        self.heard: list[str] = []

    def say(self, text: str) -> None:
        self._messages.put_nowait(WSMessage(WSMsgType.TEXT, text, None))

    def drop(self) -> None:
        self._messages.put_nowait(WSMessage(WSMsgType.CLOSED, None, None))

    async def send_str(self, text: str) -> None:
        self.heard.append(text)
        message = json.loads(text)
        for argument in message["args"]:
            if self._refusals and self._refusals[0] == f"leave {message['op']}":
                self._refusals.pop(0)
                self.say('{"event":"channel-conn-count-error","channel":"orders","connCount":"31"}')
            elif self._refusals and self._refusals[0] == message["op"]:
                self._refusals.pop(0)
                self.say('{"event":"error","code":"60009","msg":"Login failed."}')
            else:
                self.say(
                    json.dumps({"event": message["op"], "arg": {"channel": argument.get("channel", "")}})
                )

    async def receive(self, timeout: float | None = None) -> WSMessage:
        return await self._messages.get()

    async def close(self) -> None:
        """Nothing to end."""


class ScriptedVenue:
    """Opens sockets whose gate is up and keeps them by path, the latest last; `refusals` are ops to refuse, in turn."""

    def __init__(self) -> None:
        self.gates = {PRIVATE: asyncio.Event(), BUSINESS: asyncio.Event()}
        self.opened: dict[str, list[ScriptedSocket]] = {PRIVATE: [], BUSINESS: []}
        self.refusals: list[str] = []

    async def connect(self, url: str) -> Any:
        path = url.rsplit("/", 1)[-1]
        await self.gates[path].wait()
        socket = ScriptedSocket(self.refusals)
        self.opened[path].append(socket)
        return socket

    def open(self) -> None:
        for gate in self.gates.values():
            gate.set()


class _Vault:
    def seal(self, account: AccountId, venue: Venue, key: ApiKey) -> bytes:
        return b""

    def open(self, account: AccountId, venue: Venue, sealed: bytes) -> ApiKey:
        return ApiKey("the-key", "the-secret", "the-words")


class _Free:
    async def take(self, bucket: Bucket, wanted: int, *, least: int = 1, is_exit: bool = False) -> Grant:
        return Grant(wanted, 0)

    def seen(self, bucket: Bucket, left: float) -> None:
        """Nothing is counted."""

    def drain(self, bucket: Bucket, seconds: float) -> None:
        """Nothing is counted."""


def shared_of(venue: ScriptedVenue, *, queue: int = 100) -> VenueShared:
    """One venue's parts, real but for its sockets and its budget."""

    async def load() -> Listing:
        return Listing((SWAP_BTC,), SWAPS.names)

    async def read_ms() -> int:
        return 1_763_800_000_123

    stream = StreamSettings(heartbeat_s=3600, backoff_base_s=0.0, backoff_cap_s=0.0, queue=queue)
    settings = VenueSettings("http://127.0.0.1", "ws://127.0.0.1", stream=stream)
    bucket = Bucket("any", 1, 1, 0)
    guard = VenueGuard(
        costs=Costs({}), retry=RetrySettings(), breakers=Breakers(BreakerSettings(), time.monotonic), budget=_Free(),
        weight=bucket, orders=lambda account: bucket,
    )  # fmt: skip
    return VenueShared(
        Venue.OKX_SWAP, settings, AiohttpTransport(settings), cast("Sockets", venue), VenueClock(ClockSettings(), read_ms),
        InstrumentTable(load, time.monotonic), MarkBook(monotonic_ms), KeyRing(_Vault(), Venue.OKX_SWAP, 9), guard,
        lambda: datetime(2025, 11, 22, tzinfo=UTC), 1, 1,
    )  # fmt: skip
