"""The venues as a table, and the pool that builds what talks to them: one of everything costly per venue.

A venue more is its folder, whose rows join VENUES. An account costs a few slotted objects and its sealed key; keys are
opened when first used, and a bounded number stays open.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from redis.asyncio import Redis

from app.domain.exchanges.ports import ExchangeGateway, MarketData, PrivateStream
from app.domain.exchanges.venue import CAPABILITIES, Capabilities
from app.domain.shared.errors import NotFound
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Instrument, Symbol, Venue
from app.domain.shared.money import Price
from app.domain.users.ports import Vault
from app.infrastructure.exchanges.binance.rows import ROWS as BINANCE
from app.infrastructure.exchanges.bitget.rows import ROWS as BITGET
from app.infrastructure.exchanges.breaker import Breaker, Breakers, CallClass, CircuitState
from app.infrastructure.exchanges.budget import Bucket, Budget, LocalBudget
from app.infrastructure.exchanges.bybit.rows import ROWS as BYBIT
from app.infrastructure.exchanges.clock import VenueClock, monotonic_ms
from app.infrastructure.exchanges.generic.table import ROWS as GENERIC
from app.infrastructure.exchanges.guard import VenueGuard
from app.infrastructure.exchanges.guarded import GuardedGateway
from app.infrastructure.exchanges.http import AiohttpTransport
from app.infrastructure.exchanges.hyperliquid.rows import ROWS as HYPERLIQUID
from app.infrastructure.exchanges.instruments import InstrumentTable
from app.infrastructure.exchanges.keys import KeyRing
from app.infrastructure.exchanges.market import GuardedMarket
from app.infrastructure.exchanges.marks import MarkBook
from app.infrastructure.exchanges.okx.rows import ROWS as OKX
from app.infrastructure.exchanges.settings import VenueSettings
from app.infrastructure.exchanges.shared import VenueShared
from app.infrastructure.exchanges.stream import Sockets
from app.infrastructure.exchanges.upkeep import Upkeep
from app.infrastructure.exchanges.venue_row import VenueRow
from app.infrastructure.redis.budget import RedisBudget
from app.infrastructure.redis.circuits import SharedCircuits

VENUES: Final[Mapping[Venue, VenueRow]] = MappingProxyType(
    {**BINANCE, **BYBIT, **OKX, **BITGET, **HYPERLIQUID, **GENERIC}
)


@dataclass(frozen=True, slots=True)
class _Venue:
    row: VenueRow
    shared: VenueShared
    market: GuardedMarket
    upkeep: Upkeep


def _orders_in_window(settings: VenueSettings, limits: Capabilities) -> int:
    """Return how many orders of one account the venue takes within the window in which it counts them."""
    per_10s = settings.orders_per_10s or limits.orders_per_account_10s
    return max(1, int(per_10s * limits.orders_window.total_seconds() / 10))


def utc_now() -> datetime:
    """Return the wall time, aware, in UTC."""
    return datetime.now(UTC)


class VenuePool:
    """Implements GatewayFactory; `start` before use, `close` at the end."""

    def __init__(
        self,
        settings: Mapping[Venue, VenueSettings],
        vault: Vault,
        redis: Redis | None = None,
        *,
        rows: Mapping[Venue, VenueRow] = VENUES,
        now: Callable[[], datetime] = utc_now,
        keys_kept: int = 20_000,
        circuit_seen: Callable[[str, CircuitState], None] = lambda name, state: None,
    ) -> None:
        """`settings` says which venues are used. With `redis` all workers share one budget. `keys_kept` bounds the
        opened keys of each venue. `circuit_seen` is told the state of each circuit, by venue and class of call.
        """
        self._rows = rows
        self._vault = vault
        local = LocalBudget(time.monotonic)
        self._budget: Budget = local if redis is None else RedisBudget(redis, local)
        self._now = now
        self._keys_kept = keys_kept
        self._venues = {venue: self._build(venue, chosen) for venue, chosen in settings.items()}
        self._circuits = SharedCircuits(redis, self._named_circuits(), circuit_seen)

    async def start(self) -> None:
        """Open the pools, load instruments, sample clocks, hear marks. A venue that is away is retried, not raised."""
        self._circuits.start()
        await asyncio.gather(*(venue.upkeep.start() for venue in self._venues.values()))

    async def close(self) -> None:
        """Stop the background jobs and close every connection; streams are closed by who opened them.

        Whoever is cancelled while he closes, or finds that one cannot be closed, still closes all others.
        """
        async with AsyncExitStack() as stack:
            for venue in self._venues.values():
                stack.push_async_callback(venue.shared.transport.close)
                stack.push_async_callback(venue.shared.sockets.close)
                stack.push_async_callback(venue.upkeep.close)
            stack.push_async_callback(self._circuits.close)

    def gateway(self, account: AccountId, venue: Venue, sealed: bytes) -> ExchangeGateway:
        """Return the guarded gateway of one account."""
        found = self._venue(venue)
        return GuardedGateway(found.row.gateway(found.shared, account, sealed), found.shared.guard, account)

    def stream(self, account: AccountId, venue: Venue, sealed: bytes) -> PrivateStream:
        """Return a new private stream of one account."""
        found = self._venue(venue)
        return found.row.stream(found.shared, account, sealed)

    def market(self, venue: Venue) -> MarketData:
        """Return the venue's public side; each call asks the venue."""
        return self._venue(venue).market

    async def instrument(self, venue: Venue, symbol: Symbol) -> Instrument:
        """Return one instrument from the table; NotFound, or VenueError when it could never be loaded."""
        return await self._venue(venue).shared.instruments.instrument(symbol)

    def instruments(self, venue: Venue) -> Sequence[Instrument]:
        """Return the table as last loaded; asks nobody."""
        return self._venue(venue).shared.instruments.known()

    def mark(self, venue: Venue, symbol: Symbol) -> tuple[Price, int]:
        """Return the mark price as last heard and its age in ms; NotFound when it was never heard. Asks nobody."""
        return self._venue(venue).shared.marks.mark(symbol)

    def marks(self, venue: Venue) -> Mapping[Symbol, Price]:
        """Return a live view of all marks as last heard."""
        return self._venue(venue).shared.marks.marks

    def now_ms(self, venue: Venue) -> int:
        """Return the venue's time for signing, or raise VenueClockUntrusted when stale or uncertain."""
        return self._venue(venue).shared.clock.now_ms()

    def clock(self, venue: Venue) -> VenueClock:
        """Return the venue's clock: its age, uncertainty and estimates."""
        return self._venue(venue).shared.clock

    def forget(self, account: AccountId, venue: Venue) -> None:
        """Drop an account's opened key: it was revoked."""
        self._venue(venue).shared.keys.forget(account)

    def _named_circuits(self) -> dict[str, Breaker]:
        return {
            f"{venue.value}:{found.shared.settings.egress}:{kind.value}": found.shared.guard.breakers.of(kind)
            for venue, found in self._venues.items()
            for kind in CallClass
        }

    def _venue(self, venue: Venue) -> _Venue:
        found = self._venues.get(venue)
        if found is None:
            raise NotFound(f"No address is configured for {venue.value}.", venue=venue.value)
        return found

    def _build(self, venue: Venue, settings: VenueSettings) -> _Venue:
        row = self._rows[venue]
        transport = AiohttpTransport(settings)
        bare = row.market(transport, settings)
        guard = self._guard(venue, settings, row)
        market = GuardedMarket(bare, guard)
        instruments = InstrumentTable(market.listing, time.monotonic)
        limits = CAPABILITIES[venue]
        shared = VenueShared(
            venue=venue,
            settings=settings,
            transport=transport,
            sockets=Sockets(settings.stream),
            clock=VenueClock(settings.clock, market.server_time_ms),
            instruments=instruments,
            marks=MarkBook(monotonic_ms),
            keys=KeyRing(self._vault, venue, self._keys_kept),
            guard=guard,
            now=self._now,
            weight_limit=settings.weight_per_minute or limits.weight_per_ip_minute,
            orders_limit=_orders_in_window(settings, limits),
        )
        upkeep = Upkeep(
            shared,
            market,
            marks_url="" if row.marks_path is None else settings.ws_url + row.marks_path(settings),
            read_marks=lambda raw: row.read_marks(raw, instruments.names),
            ping_url=settings.base_url + row.ping_path if row.ping_path else "",
            subscribe_marks=row.subscribe_marks,
            ping=row.ping,
        )
        return _Venue(row, shared, market, upkeep)

    def _guard(self, venue: Venue, settings: VenueSettings, row: VenueRow) -> VenueGuard:
        limits, shares = CAPABILITIES[venue], (settings.burst_share, settings.exit_share)
        weight = settings.weight_per_minute or limits.weight_per_ip_minute
        orders, orders_s = _orders_in_window(settings, limits), limits.orders_window.total_seconds()
        weight_s = limits.weight_window.total_seconds()

        def orders_of(account: AccountId) -> Bucket:
            name = f"orders:{venue.value}:{account}"
            return Bucket.within(name, orders, orders_s, burst_share=shares[0], exit_share=shares[1])

        return VenueGuard(
            costs=row.costs,
            retry=settings.retry,
            breakers=Breakers(settings.breaker, time.monotonic),
            budget=self._budget,
            weight=Bucket.within(
                f"weight:{row.weight_pool or venue.value}:{settings.egress}",
                max(1, int(weight * weight_s / 60)),
                weight_s,
                burst_share=shares[0],
                exit_share=shares[1],
            ),
            orders=orders_of,
        )
