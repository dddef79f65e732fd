"""Wiring of reconciling: what explains a shortfall, one account's pass, and the pass in turn that the beat runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import structlog
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.shared.telemetry import Metrics
from app.application.trading.accept_drift import AcceptDrift
from app.application.trading.execution_ports import ExecutionBook
from app.application.trading.explain import ExplainShortfall
from app.application.trading.ports import Quotes
from app.application.trading.protection_evidence import ProtectionDesk
from app.application.trading.reconcile import Finding, Patience, Reconcile
from app.application.trading.reconcile_all import ReconcileInTurn
from app.application.trading.reconcile_ports import DriftCause, ReconcileBook
from app.application.trading.settle import Settler
from app.config.settings import Settings
from app.domain.exchanges.ports import GatewayFactory
from app.domain.shared.clock import Clock
from app.infrastructure.postgres.reconcile_book import PostgresReconcileBook
from app.infrastructure.redis.turns import RedisTurns

_LOG: Final = structlog.get_logger("reconcile")
_NEXT_LOOK_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The parts; `run` is one pass over the accounts whose turn it is, `accept` an operator's word on one market."""

    book: ReconcileBook
    account: Reconcile
    accept: AcceptDrift
    turns: RedisTurns
    _in_turn: ReconcileInTurn
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(self) -> int:
        """Return how many accounts were compared; one pass at a time in each process."""
        if self._busy.locked():
            return 0
        async with self._busy:
            return await self._in_turn()


def reconciliation(
    settings: Settings,
    engine: AsyncEngine,
    redis: Redis,
    venues: GatewayFactory,
    executions: ExecutionBook,
    settler: Settler,
    desk: ProtectionDesk,
    quotes: Quotes,
    clock: Clock,
    metrics: Metrics,
) -> Reconciliation:
    """Return the parts, wired."""
    book = PostgresReconcileBook(engine, clock)
    secret = settings.id_secret.get_secret_value().encode()
    pause: Callable[[], Awaitable[None]] = partial(asyncio.sleep, _NEXT_LOOK_S)
    explain = ExplainShortfall(book, settler, desk, quotes, clock, secret)
    patience = Patience(settings.drift_looks, settings.drift_spread)
    account = Reconcile(
        book=book,
        executions=executions,
        gateways=venues,
        explain=explain,
        clock=clock,
        metrics=metrics,
        patience=patience,
        pause=pause,
    )
    turns = RedisTurns(redis, settings.reconcile_every)
    accept = AcceptDrift(book, venues, explain, clock, patience, secret)
    return Reconciliation(book, account, accept, turns, ReconcileInTurn(book, turns, account, metrics, _tell))


def _tell(finding: Finding) -> None:
    say = _LOG.warning if finding.is_open else _LOG.info
    if finding.cause is DriftCause.UNKNOWN and finding.told.startswith("frozen"):
        say = _LOG.error
    say(
        "drift.found",
        account_id=finding.account_id,
        cause=finding.cause.value,
        what=finding.what,
        ours=finding.ours,
        theirs=finding.theirs,
        told=finding.told,
    )
