"""The tasks: thin, idempotent, each a call of one use case on the process's loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from app.config.container import App
from app.config.heartbeat import beat
from app.domain.signals.priority import Lane
from app.presentation.workers.loop import WorkerLoop

_RELAY_BATCH: Final = 100


def dispatch(signal_id: str) -> int:
    """Serve signals, the most urgent first, until none is left; the id is only what rang.

    Two threads of a worker are never taken by entries: a close always finds one free.
    """

    async def serve(app: App) -> int:
        slots = app.entry_slots
        if slots.locked():
            return await app.dispatch((Lane.EXITS,))
        async with slots:
            return await app.dispatch(tuple(Lane))

    return WorkerLoop.of_process().run(serve)


def recover() -> int:
    """Bring to an end what a crash, a lost reply or a wait left behind; one pass at a time in each process."""

    async def run(app: App) -> int:
        if app.recovering.locked():
            return 0
        async with app.recovering:
            result = await app.recover()
        return result.looked_up + result.booked_late + result.sent_again + result.given_up

    return WorkerLoop.of_process().run(run)


def protect() -> int:
    """Make what rests at the exchanges equal to what each position wants; one pass at a time in each process."""

    async def run(app: App) -> int:
        return await app.protections.run()

    return WorkerLoop.of_process().run(run)


def reconcile() -> int:
    """Compare the accounts whose turn it is with their venues, and answer what differs."""

    async def run(app: App) -> int:
        return await app.reconciliation.run()

    return WorkerLoop.of_process().run(run)


def ring_again() -> int:
    """Ring for signals whose bell was lost and for deferred decisions that can be taken now."""

    async def run(app: App) -> int:
        return await app.ring_again()

    return WorkerLoop.of_process().run(run)


def relay() -> int:
    """Carry events from the outbox to their handlers."""

    async def run(app: App) -> int:
        return await app.relay.relay_once(_RELAY_BATCH)

    return WorkerLoop.of_process().run(run)


def heartbeat() -> None:
    """Say that a worker is alive, for readiness checks."""

    async def run(app: App) -> None:
        await beat(app.redis)

    WorkerLoop.of_process().run(run)


TASKS: Final[Mapping[str, Callable[..., object]]] = MappingProxyType(
    {
        "copytrade.dispatch": dispatch,
        "copytrade.recover": recover,
        "copytrade.protect": protect,
        "copytrade.reconcile": reconcile,
        "copytrade.ring_again": ring_again,
        "copytrade.relay": relay,
        "copytrade.heartbeat": heartbeat,
    }
)
