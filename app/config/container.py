"""The composition root: settings in, a frozen App of ready use cases out; plain constructors, proven by mypy.

Each program calls `build` once and leaves it once. Nothing is global: two Apps can live in one process.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import structlog
from celery import Celery
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.risk.flatten import Flatten
from app.application.shared.bus import EventBus
from app.application.shared.uow import UnitOfWorkFactory
from app.application.signals.dispatch import DispatchSignals, RingAgain
from app.application.signals.ingest import IngestBurst, LeaderFacts
from app.application.signals.submit import CloseFollowMarkets
from app.application.trading.absence import Absence
from app.application.trading.copy_signal import CopyResult, CopySignal
from app.application.trading.evidence import Evidence
from app.application.trading.place import Placer
from app.application.trading.recover import Recover
from app.application.trading.settle import Settler
from app.application.trading.watch_account import WatchAccount
from app.application.users.stop_follow import CloseStoppedFollow
from app.application.whales.watch import WatchLeader
from app.config.protections import Protections, protections
from app.config.quotes import PoolQuotes
from app.config.reactions import reactions
from app.config.reconciling import Reconciliation, reconciliation
from app.config.settings import Settings
from app.config.venues import circuit_gauge, venue_settings
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.market import Instrument
from app.domain.shared.money import Money
from app.domain.signals.signal import Signal
from app.domain.users.account import TradingAccount
from app.domain.whales.intent import Burst
from app.domain.whales.whale import Whale
from app.infrastructure.celery_bell import CeleryBell, make_celery
from app.infrastructure.clock import SystemClock
from app.infrastructure.exchanges.registry import VenuePool
from app.infrastructure.postgres.copy_book import PostgresCopyBook
from app.infrastructure.postgres.engine import make_engine
from app.infrastructure.postgres.execution_book import PostgresExecutionBook
from app.infrastructure.postgres.leases import PostgresLeases
from app.infrastructure.postgres.outbox import OutboxRelay
from app.infrastructure.postgres.readers_scope import PostgresHeldInScope
from app.infrastructure.postgres.readers_trading import PostgresHeldMarkets
from app.infrastructure.postgres.uow import PostgresUnitOfWork
from app.infrastructure.telemetry import PrometheusMetrics
from app.infrastructure.vault import AesGcmVault, key_from_text

_THREADS_FOR_EXITS: Final = 2
_LOG = structlog.get_logger("copytrade")


@dataclass(frozen=True, slots=True)
class App:
    """Everything a program may use, ready to be called."""

    settings: Settings
    owner: str
    engine: AsyncEngine
    redis: Redis
    clock: SystemClock
    metrics: PrometheusMetrics
    vault: AesGcmVault
    venues: VenuePool
    uow: UnitOfWorkFactory
    leases: PostgresLeases
    bell: CeleryBell
    settler: Settler
    executions: PostgresExecutionBook
    dispatch: DispatchSignals
    ring_again: RingAgain
    recover: Recover
    protections: Protections
    reconciliation: Reconciliation
    relay: OutboxRelay
    ingest: IngestBurst
    entry_slots: asyncio.Semaphore
    recovering: asyncio.Lock

    def watch_leader(self, whale: Whale, account: TradingAccount) -> WatchLeader:
        """Return a new watch of one leader."""
        return WatchLeader(
            whale=whale,
            stream=self.venues.stream(account.id, account.venue, account.sealed),
            gateway=self.venues.gateway(account.id, account.venue, account.sealed),
            instruments=self.venues,
            uow=self.uow,
            ingest=self._ingest,
            clock=self.clock,
            metrics=self.metrics,
            rule=self.settings.burst_rule,
            venue_now=lambda: from_epoch_ms(self.venues.now_ms(account.venue)),
        )

    def watch_account(self, account: TradingAccount) -> WatchAccount:
        """Return a new watch of one follower's account."""
        return WatchAccount(
            account=account.id,
            stream=self.venues.stream(account.id, account.venue, account.sealed),
            gateway=self.venues.gateway(account.id, account.venue, account.sealed),
            book=self.executions,
            settler=self.settler,
            protections=self.protections.desk,
            turns=self.reconciliation.turns,
            metrics=self.metrics,
        )

    async def _ingest(
        self, whale: Whale, burst: Burst, instrument: Instrument, equity: Money | None, leverage: int | None
    ) -> int:
        signals = await self.ingest(whale, burst, instrument, LeaderFacts(equity, leverage))
        for signal in signals:
            _LOG.info(
                "signal.accepted",
                trace_id=signal.trace_id,
                signal_id=str(signal.id),
                whale_id=whale.id,
                action=signal.action.value,
                symbol=signal.symbol,
                fills=len(burst.fills),
            )
        return len(signals)


def celery_app(settings: Settings, task_cls: str | None = None) -> Celery:
    """Return the Celery application for these settings."""
    return make_celery(settings.redis_url.get_secret_value(), task_cls)


def _quotes(settings: Settings, venues: VenuePool) -> PoolQuotes:
    return PoolQuotes(venues, {venue: options.mark_age_max_s for venue, options in settings.venues.items()})


def _vault(settings: Settings) -> AesGcmVault:
    ring = {kid: key_from_text(text) for kid, text in settings.vault_ring().items()}
    return AesGcmVault(ring, settings.vault_active)


def _relay(
    engine: AsyncEngine,
    uow: Callable[[], PostgresUnitOfWork],
    bell: CeleryBell,
    clock: SystemClock,
    metrics: PrometheusMetrics,
) -> OutboxRelay:
    stopped = CloseStoppedFollow(uow, PostgresHeldMarkets(engine), CloseFollowMarkets(clock), bell)
    flatten = Flatten(uow, PostgresHeldInScope(engine), bell, clock)
    return OutboxRelay(engine, EventBus(reactions(bell, metrics, stopped, flatten), uow), clock)


@asynccontextmanager
async def build(settings: Settings) -> AsyncIterator[App]:
    """Open everything, yield the App, close everything in reverse order."""
    async with AsyncExitStack() as stack:
        clock, metrics = SystemClock(), PrometheusMetrics()
        owner = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        engine = make_engine(
            settings.database_url.get_secret_value(),
            pool_size=settings.hot_pool,
            application_name="copytrade",
        )
        stack.push_async_callback(engine.dispose)
        redis = Redis.from_url(settings.redis_url.get_secret_value())
        stack.push_async_callback(redis.aclose)
        vault = _vault(settings)
        venues = VenuePool(venue_settings(settings), vault, redis, circuit_seen=circuit_gauge(metrics))
        stack.push_async_callback(
            venues.close
        )  # first: who is cancelled while it starts has opened connections
        await venues.start()
        bell = CeleryBell(celery_app(settings))
        stack.callback(bell.close)

        def uow() -> PostgresUnitOfWork:
            return PostgresUnitOfWork(engine, clock)

        executions = PostgresExecutionBook(engine, clock, settings.platform_limits)
        settler = Settler(executions, bell, clock, metrics, _alarm)
        settler.start()
        stack.push_async_callback(settler.stop)
        quotes = _quotes(settings, venues)
        guard = protections(settings, engine, uow, venues, quotes, bell, clock, metrics)
        trading = _Trading(settings, engine, venues, executions, settler, quotes, guard, clock, metrics)
        compare = reconciliation(
            settings, engine, redis, venues, executions, settler, guard.desk, quotes, clock, metrics
        )
        yield App(
            settings=settings,
            owner=owner,
            engine=engine,
            redis=redis,
            clock=clock,
            metrics=metrics,
            vault=vault,
            venues=venues,
            uow=uow,
            leases=PostgresLeases(engine),
            bell=bell,
            settler=settler,
            executions=executions,
            dispatch=DispatchSignals(uow, trading.copy, clock, metrics, owner),
            ring_again=RingAgain(uow, bell, clock, metrics, executions.deferred),
            recover=trading.recover,
            protections=guard,
            reconciliation=compare,
            relay=_relay(engine, uow, bell, clock, metrics),
            ingest=IngestBurst(uow, bell, clock, metrics, settings.entry_ttl),
            entry_slots=asyncio.Semaphore(max(1, settings.worker_threads - _THREADS_FOR_EXITS)),
            recovering=asyncio.Lock(),
        )


class _Trading:
    """The hot path's parts, wired: the copier and recovery share placer, settler and quotes."""

    def __init__(
        self,
        settings: Settings,
        engine: AsyncEngine,
        venues: VenuePool,
        executions: PostgresExecutionBook,
        settler: Settler,
        quotes: PoolQuotes,
        guard: Protections,
        clock: SystemClock,
        metrics: PrometheusMetrics,
    ) -> None:
        self._clock = clock
        placer = Placer(venues, executions, settler, clock, metrics)
        secret = settings.id_secret.get_secret_value().encode()
        self._copier = CopySignal(
            book=PostgresCopyBook(engine, settings.platform_limits),
            placer=placer,
            settler=settler,
            quotes=quotes,
            venue_clock=venues,
            clock=clock,
            metrics=metrics,
            id_secret=secret,
            fences=settings.fence,
            venues=tuple(settings.venues),
            chunk_max=settings.chunk_max,
            withdraw=guard.withdraw,
        )
        self.recover = Recover(
            absence=Absence(executions, venues, clock, settings.fence),
            book=executions,
            gateways=venues,
            placer=placer,
            settler=settler,
            quotes=quotes,
            venue_clock=venues,
            clock=clock,
            metrics=metrics,
            id_secret=secret,
            fences=settings.fence,
        )

    async def copy(
        self, signal: Signal, owner: str, superseded: Callable[[Signal], Awaitable[bool]]
    ) -> CopyResult:
        """Copy one claimed signal; one log line says what came of it, never one line for each follower."""
        with structlog.contextvars.bound_contextvars(trace_id=signal.trace_id, signal_id=str(signal.id)):
            began = self._clock.monotonic_ms()
            result = await self._copier(signal, owner, superseded)
            _LOG.info(
                "signal.copied",
                action=signal.action.value,
                symbol=signal.symbol,
                decided=result.decided,
                sent=result.sent,
                expired=result.expired,
                took_ms=self._clock.monotonic_ms() - began,
            )
            return result


def _alarm(reason: str, evidence: Evidence) -> None:
    structlog.get_logger("settler").error(
        "evidence.not_booked", reason=reason, client_order_id=evidence.client_order_id
    )
