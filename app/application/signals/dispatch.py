"""Dispatch: take the most urgent signal, hand it to the copier, end it; and ring again for what was forgotten.

The claim is a lease: it is lengthened while the copier works, and a worker that dies gives the signal back when the
lease runs out. What the dead worker had committed is found again, what it had not is done anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from app.application.shared.ending import end
from app.application.shared.telemetry import Metrics
from app.application.shared.uow import UnitOfWorkFactory
from app.domain.shared.clock import Clock
from app.domain.shared.errors import DomainError
from app.domain.shared.ids import SignalId
from app.domain.signals.ports import SignalBell
from app.domain.signals.priority import Lane
from app.domain.signals.signal import Signal, SignalState

_LEASE: Final = timedelta(seconds=10)
_EXTEND_EVERY_S: Final = 3
_FORGOTTEN_AFTER: Final = timedelta(seconds=1)
_TRY_AGAIN_AFTER: Final = timedelta(seconds=2)


class CopyReport(Protocol):
    """What the copier says when it is done."""

    @property
    def complete(self) -> bool:
        """Whether every follower has a decision."""
        ...

    @property
    def expired(self) -> bool:
        """Whether the signal was too old for new risk by the end."""
        ...


Copier = Callable[[Signal, str, Callable[[Signal], Awaitable[bool]]], Awaitable[CopyReport]]


@dataclass(frozen=True, slots=True)
class DispatchSignals:
    """Serves signals until none is left that may be served now."""

    uow: UnitOfWorkFactory
    copier: Copier
    clock: Clock
    metrics: Metrics
    owner: str

    async def __call__(self, lanes: Sequence[Lane]) -> int:
        """Return how many signals were served."""
        served = 0
        while (signal := await self._claim(lanes)) is not None:
            await self._serve(signal)
            served += 1
        return served

    async def _claim(self, lanes: Sequence[Lane]) -> Signal | None:
        async with self.uow() as uow:
            signal = await uow.signals.claim(self.clock.now(), _LEASE, self.owner, lanes)
            await uow.commit()
        return signal

    async def _serve(self, signal: Signal) -> None:
        keeper = asyncio.create_task(self._keep(signal), name=f"lease of {signal.id}")
        try:
            report = await self.copier(signal, self.owner, self._superseded)
        except DomainError as error:
            self.metrics.count("dispatch_failed", code=error.code)
            await end(keeper)
            await self._lapse_soon(signal)
            return
        finally:
            await end(keeper)
        state = SignalState.PENDING
        if report.complete:
            state = SignalState.EXPIRED if report.expired else SignalState.DONE
        await self._finish(signal, state)

    async def _lapse_soon(self, signal: Signal) -> None:
        """Keep the claim for a moment and let it lapse: meanwhile the signals behind this one are served."""
        async with self.uow() as uow:
            await uow.signals.extend(signal.id, self.owner, self.clock.now() + _TRY_AGAIN_AFTER)
            await uow.commit()

    async def _keep(self, signal: Signal) -> None:
        while True:
            await asyncio.sleep(_EXTEND_EVERY_S)
            async with self.uow() as uow:
                await uow.signals.extend(signal.id, self.owner, self.clock.now() + _LEASE)
                await uow.commit()

    async def _superseded(self, signal: Signal) -> bool:
        async with self.uow() as uow:
            return await uow.signals.superseded(signal)

    async def _finish(self, signal: Signal, state: SignalState) -> None:
        async with self.uow() as uow:
            await uow.signals.finish(signal.id, self.owner, state)
            await uow.commit()
        self.metrics.count("signals_served", state=state.value)


@dataclass(frozen=True, slots=True)
class RingAgain:
    """Ring for signals that wait in the database although nobody works on them: the broker lost the bell."""

    uow: UnitOfWorkFactory
    bell: SignalBell
    clock: Clock
    metrics: Metrics
    deferred: Callable[[int], Awaitable[Sequence[tuple[SignalId, Lane]]]]

    async def __call__(self) -> int:
        """Return how many were rung for."""
        reopened = await self.deferred(100)
        async with self.uow() as uow:
            waiting = await uow.signals.waiting(self.clock.now(), _FORGOTTEN_AFTER)
        for signal_id, lane in [*waiting, *reopened]:
            await self.bell.ring(signal_id, lane)
        self.metrics.count("bells_rung_again", len(waiting))
        return len(waiting) + len(reopened)
