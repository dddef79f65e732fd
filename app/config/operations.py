"""Wiring of the operator's tools: the audit and the stories need the database alone, reconciling the whole App."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.shared.bus import EventBus
from app.application.trading.accept_drift import AcceptDrift
from app.application.trading.audit import Auditor
from app.application.trading.drift import DriftBook, FindDrift
from app.application.trading.reconcile import Reconcile
from app.application.trading.recover import Recover
from app.application.trading.story import StoryTeller
from app.config.container import build
from app.config.settings import Settings
from app.infrastructure.clock import SystemClock
from app.infrastructure.postgres.audit import PostgresAuditor
from app.infrastructure.postgres.engine import make_engine
from app.infrastructure.postgres.outbox import OutboxRelay
from app.infrastructure.postgres.readers_drift import PostgresDriftBook
from app.infrastructure.postgres.readers_story import PostgresStoryTeller
from app.infrastructure.postgres.uow import PostgresUnitOfWork


@dataclass(frozen=True, slots=True)
class Reconciling:
    """What `copytrade reconcile` uses."""

    recover: Recover
    book: DriftBook
    find_drift: FindDrift
    reconcile: Reconcile


@asynccontextmanager
async def opened_auditor(settings: Settings, patience: timedelta) -> AsyncIterator[Auditor]:
    """Yield an auditor on one connection of its own; `patience` bounds each of its questions."""
    async with _engine(settings, "copytrade audit", patience) as engine:
        yield PostgresAuditor(engine, timeout=patience)


@asynccontextmanager
async def opened_stories(settings: Settings) -> AsyncIterator[StoryTeller]:
    """Yield a story teller on one connection of its own."""
    async with _engine(settings, "copytrade orders", timedelta(seconds=15)) as engine:
        yield PostgresStoryTeller(engine)


@asynccontextmanager
async def opened_reconciling(
    settings: Settings, pause: Callable[[], Awaitable[None]]
) -> AsyncIterator[Reconciling]:
    """Yield recovery and comparison on a running App; `pause` lies between two looks at a difference."""
    async with build(settings) as app:
        book = PostgresDriftBook(app.engine)
        yield Reconciling(app.recover, book, FindDrift(book, app.venues, pause), app.reconciliation.account)


@asynccontextmanager
async def opened_accepting(settings: Settings) -> AsyncIterator[AcceptDrift]:
    """Yield the operator's act of accepting a difference, on a running App."""
    async with build(settings) as app:
        yield app.reconciliation.accept


@asynccontextmanager
async def opened_relay(settings: Settings) -> AsyncIterator[OutboxRelay]:
    """Yield a relay on one connection of its own, to look at parked events with: it delivers to nobody."""
    async with _engine(settings, "copytrade events", timedelta(seconds=15)) as engine:
        clock = SystemClock()
        yield OutboxRelay(engine, EventBus({}, lambda: PostgresUnitOfWork(engine, clock)), clock)


@asynccontextmanager
async def _engine(settings: Settings, name: str, patience: timedelta) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(
        settings.database_url.get_secret_value(),
        pool_size=1,
        application_name=name,
        statement_timeout_ms=patience // timedelta(milliseconds=1),
    )
    try:
        yield engine
    finally:
        await engine.dispose()
