"""Telling the first positions of a leader apart from its first trades.

A watch begins with the positions as they stand. A fill so close to that instant that the clocks' error decides is part of
them or a trade of its own: what the position has moved by since tells, read until two readings agree.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Protocol

from app.application.shared.telemetry import Metrics
from app.application.shared.uow import UnitOfWorkFactory
from app.domain.exchanges.outcomes import VenueError
from app.domain.exchanges.ports import ExchangeGateway
from app.domain.shared.errors import ConcurrencyConflict
from app.domain.shared.execution import Fill, VenuePosition
from app.domain.shared.market import Instrument, Symbol
from app.domain.whales.first_look import held_at_first
from app.domain.whales.intent import Burst
from app.domain.whales.whale import Whale

_CLOCK_ERROR: Final = timedelta(seconds=1)
"""Our estimate of the venue's clock is off by less: one that is not known to a quarter of a second is not used."""
_READINGS_MAX: Final = 5
_READING_PAUSE_S: Final = 0.5


class Listed(Protocol):
    """Finds a market of the leader."""

    async def __call__(self, sym: Symbol, /) -> Instrument | None:
        """Return its instrument; None for a market that is not listed: nothing of it is ever decided."""
        ...


def is_history(fill: Fill, looked_at: datetime | None) -> bool:
    """Return whether a fill was surely part of the positions that the watch began with."""
    return looked_at is not None and fill.at <= looked_at - _CLOCK_ERROR


def held(positions: Sequence[VenuePosition]) -> dict[Symbol, Decimal]:
    """Return what is held, by market."""
    return {position.symbol: position.quantity for position in positions if position.quantity}


def by_order(fills: Sequence[Fill]) -> Sequence[Burst]:
    """Group fetched fills by their order, in the order in which the orders first executed."""
    groups: dict[str, list[Fill]] = {}
    for fill in fills:
        groups.setdefault(fill.order_id, []).append(fill)
    return tuple(Burst(group[0].symbol, order_id, tuple(group)) for order_id, group in groups.items())


@dataclass
class TellApart:
    """Consumes what the first positions hold of each market, before any fill that may be part of them counts."""

    whale: Whale
    gateway: ExchangeGateway
    listed: Listed
    uow: UnitOfWorkFactory
    metrics: Metrics
    _told: set[Symbol] = field(default_factory=set)

    async def __call__(self, sym: Symbol, fills: Sequence[Fill], looked_at: datetime | None) -> None:
        """Judge the market once; `fills` are news of it. ConcurrencyConflict where another feed decides meanwhile."""
        if looked_at is None or sym in self._told:
            return
        if not any(abs(fill.at - looked_at) < _CLOCK_ERROR for fill in fills):
            return
        instrument = await self.listed(sym)
        if instrument is None:
            return
        async with self.uow() as uow:
            ours = await uow.leaders.position(self.whale.id, sym)
        part = await self._unseen(sym, await self._held_at_first(instrument, ours, looked_at, fills))
        async with self.uow() as uow:
            if await uow.leaders.position(self.whale.id, sym) != ours:
                raise ConcurrencyConflict("Another feed has decided on this market meanwhile.")
            for burst in by_order(part):
                await uow.leaders.consume(self.whale.id, burst, ours, None)
            await uow.commit()
        self._told.add(sym)

    async def _unseen(self, sym: Symbol, fills: Sequence[Fill]) -> Sequence[Fill]:
        if not fills:
            return ()
        async with self.uow() as uow:
            fresh = await uow.leaders.unseen(self.whale.id, Burst(sym, fills[0].order_id, tuple(fills)))
        return () if fresh is None else fresh.fills

    async def _held_at_first(
        self, instrument: Instrument, ours: Decimal, looked_at: datetime, fills: Sequence[Fill]
    ) -> Sequence[Fill]:
        sym = instrument.symbol
        last: Sequence[Fill] | None = None
        for _ in range(_READINGS_MAX):
            try:
                before = held(await self.gateway.positions()).get(sym, Decimal(0))
                told = await self.gateway.fills(instrument, since=looked_at - _CLOCK_ERROR)
                after = held(await self.gateway.positions()).get(sym, Decimal(0))
            except VenueError as error:
                self.metrics.count("lookup_failed", code=error.code)
            else:
                every = {fill.trade_id: fill for fill in (*fills, *told) if not is_history(fill, looked_at)}
                fills = await self._unseen(sym, sorted(every.values(), key=lambda fill: fill.at))
                part = (
                    held_at_first(fills, after - ours, looked_at, _CLOCK_ERROR) if before == after else None
                )
                if part is not None and part == last:
                    return part
                last = part
            await asyncio.sleep(_READING_PAUSE_S)
        # The figures explain nothing (a deposit, a fee in coins, a leader who never rests): the clock is the best left.
        return [fill for fill in fills if not is_history(fill, looked_at) and fill.at <= looked_at]
