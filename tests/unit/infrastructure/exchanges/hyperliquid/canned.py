"""A gateway on canned answers, which remembers what it asked."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Venue
from app.domain.users.account import ApiKey
from app.infrastructure.exchanges.breaker import Breakers
from app.infrastructure.exchanges.budget import Bucket, LocalBudget
from app.infrastructure.exchanges.clock import VenueClock
from app.infrastructure.exchanges.guard import Costs, VenueGuard
from app.infrastructure.exchanges.http import Reply
from app.infrastructure.exchanges.hyperliquid.gateway import HyperliquidGateway
from app.infrastructure.exchanges.hyperliquid.wire import market
from app.infrastructure.exchanges.instruments import InstrumentTable
from app.infrastructure.exchanges.keys import KeyRing
from app.infrastructure.exchanges.listing import Listing
from app.infrastructure.exchanges.marks import MarkBook
from app.infrastructure.exchanges.settings import VenueSettings
from app.infrastructure.exchanges.shared import VenueShared
from app.infrastructure.exchanges.stream import Sockets
from tests.unit.infrastructure.exchanges.hyperliquid.rows import (
    MARKS,
    META,
    NOW,
    ORDER,
    USER,
    raw,
)

AGENT = "0x" + "11" * 32
VAULT = "0x00000000000000000000000000000000000000Cc"
Answer = Callable[[dict[str, Any]], bytes]


@dataclass
class Canned:
    """A transport that answers by what is asked, and remembers it."""

    answers: dict[str, Answer]
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout_s: float,
        leave_within_s: float | None = None,
    ) -> Reply:  # fmt: skip
        assert (method, url.partition("//")[2].partition("/")[0]) == ("POST", "venue")
        told = json.loads(body or b"{}")
        self.asked.append(told)
        kind = told["type"] if "type" in told else told["action"]["type"]
        return Reply(200, {}, self.answers[kind](told))

    async def warm(self, url: str, connections: int) -> int:
        return 0

    async def close(self) -> None:
        return None


class Vault:
    def __init__(self, key: ApiKey) -> None:
        self.key = key

    def seal(self, account: AccountId, venue: Venue, key: ApiKey) -> bytes:
        return b""

    def open(self, account: AccountId, venue: Venue, sealed: bytes) -> ApiKey:
        return self.key


@dataclass
class Scene:
    gateway: HyperliquidGateway
    way: Canned
    shared: VenueShared


async def scene(passphrase: str = "", now_ms: int = NOW + 100, user: str = USER, **answers: Answer) -> Scene:
    way = Canned(answers)
    settings = VenueSettings("https://venue", "wss://venue")

    async def listing() -> Listing:
        listed, names = market.read_listing(raw(META))
        return Listing(tuple(listed), names)

    async def venue_ms() -> int:
        return now_ms

    budget = LocalBudget(time.monotonic)
    shared = VenueShared(
        venue=Venue.HYPERLIQUID,
        settings=settings,
        transport=way,
        sockets=Sockets(settings.stream),
        clock=VenueClock(settings.clock, venue_ms),
        instruments=InstrumentTable(listing, time.monotonic),
        marks=MarkBook(lambda: 0),
        keys=KeyRing(Vault(ApiKey(user, AGENT, passphrase)), Venue.HYPERLIQUID, 10),
        guard=VenueGuard(
            costs=Costs({}),
            retry=settings.retry,
            breakers=Breakers(settings.breaker, time.monotonic),
            budget=budget,
            weight=Bucket("w", 1000, 1, 0),
            orders=lambda account: Bucket("o", 1000, 1, 0),
        ),
        now=lambda: from_epoch_ms(now_ms),
        weight_limit=1200,
        orders_limit=100,
    )
    shared.marks.hear(MARKS)
    await shared.clock.sample()
    return Scene(HyperliquidGateway(shared, AccountId(1), b"sealed"), way, shared)


def just(value: object) -> Answer:
    return lambda asked: raw(value)


def listed(rows: list[dict[str, Any]], page: int = 2000) -> Answer:
    """The venue's list of fills: from a time on, oldest first, a page at most."""

    def answer(asked: dict[str, Any]) -> bytes:
        last = asked.get("endTime", 1 << 60)
        chosen = [row for row in rows if asked["startTime"] <= row["time"] <= last]
        return raw(sorted(chosen, key=lambda row: int(row["time"]))[:page])

    return answer


def found(status: str, left: str, **change: object) -> Answer:
    row = {"order": {**ORDER, "sz": left, **change}, "status": status, "statusTimestamp": NOW + 5}
    return just({"status": "order", "order": row})
