"""Watch one leader: its private stream becomes bursts, its bursts become signals; gaps are filled by REST.

Rules.
 - When a watch begins for a leader that we know nothing of, its positions are taken as they stand and nothing is
   traded on them: followers copy what happens from now on.
 - The first look reads the positions twice around one instant; only if nothing moved do they stand, and fills up to
   that instant are part of them. A fill so close to it that the clocks' error decides is judged by what the position
   has moved by since, read until two readings agree.
 - On every (re)connection, fills since the last one that was consumed are fetched and go the same way; what the
   stream delivers meanwhile waits, so fills are worked through in order.
 - A venue may show a fill late, and a stream may lose one: while the watch lasts, the positions are read again, soon
   after a connection and then every minute, and a market on which they differ from ours is caught up.
 - A failed or empty answer says nothing: a leader is flat only when its fills say so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final, Protocol

from app.application.shared.ending import end
from app.application.shared.telemetry import Metrics
from app.application.shared.uow import UnitOfWorkFactory
from app.application.whales.tell_apart import TellApart, by_order, held, is_history
from app.domain.exchanges.outcomes import VenueError, VenueUnavailable
from app.domain.exchanges.ports import (
    BalanceUpdate,
    Connected,
    ExchangeGateway,
    OrderUpdate,
    PrivateStream,
    StreamEvent,
)
from app.domain.exchanges.venue import CAPABILITIES
from app.domain.shared.clock import Clock
from app.domain.shared.errors import NotFound
from app.domain.shared.market import Instrument, MarketKind, Symbol, Venue
from app.domain.shared.money import Money
from app.domain.whales.intent import Burst, BurstCollector, BurstRule
from app.domain.whales.whale import Whale

_OVERLAP: Final = timedelta(seconds=60)
"""How much longer than the newest consumed fill an unseen one may have been on its way; repeats are told by their ids."""
_LOOKS_AGAIN: Final = tuple(timedelta(seconds=pause) for pause in (2, 5, 10, 30, 60))
_CATCH_UP_TRIES: Final = 5

Ingest = Callable[[Whale, Burst, Instrument, Money | None, int | None], Awaitable[int]]


class InstrumentSource(Protocol):
    """Knows the instruments of a venue."""

    async def instrument(self, venue: Venue, sym: Symbol) -> Instrument:
        """Return the instrument, or raise NotFound."""
        ...


class WatchLeader:
    """One leader's watch; run it until cancelled."""

    def __init__(
        self,
        whale: Whale,
        stream: PrivateStream,
        gateway: ExchangeGateway,
        instruments: InstrumentSource,
        uow: UnitOfWorkFactory,
        ingest: Ingest,
        clock: Clock,
        metrics: Metrics,
        rule: BurstRule,
        venue_now: Callable[[], datetime] | None = None,
    ) -> None:
        self._whale = whale
        self._stream = stream
        self._gateway = gateway
        self._instruments = instruments
        self._uow = uow
        self._ingest = ingest
        self._clock = clock
        self._metrics = metrics
        self._collector = BurstCollector(rule)
        self._venue_now = venue_now or clock.now
        self._since: datetime | None = None
        self._tell_apart = TellApart(whale, gateway, self._listed, uow, metrics)
        self._equity: Money | None = None
        # One wallet stands behind linear contracts alone; coins and coin margin would have to be valued first.
        self._collateral = CAPABILITIES[whale.venue].collateral
        self._has_equity = CAPABILITIES[whale.venue].kind is MarketKind.LINEAR
        self._leverage: dict[Symbol, int] = {}
        self._looks = 0
        self._look_at: datetime | None = None

    async def run(self) -> None:
        """Follow the stream; bursts are decided by the collector's rule on our clock."""
        inbox: asyncio.Queue[StreamEvent | None] = asyncio.Queue(maxsize=10_000)
        reader = asyncio.create_task(self._read(inbox))
        try:
            while True:
                event = await self._next(inbox)
                if event is not None:
                    await self._take(event)
                elif reader.done() and inbox.empty():
                    await self._decide_due(everything=True)
                    reader.result()
                    return
                await self._decide_due()
                await self._look_again()
        finally:
            await end(reader)
            await self._stream.close()

    async def _read(self, inbox: asyncio.Queue[StreamEvent | None]) -> None:
        try:
            async for event in self._stream.events():
                await inbox.put(event)
        finally:
            await inbox.put(None)

    async def _next(self, inbox: asyncio.Queue[StreamEvent | None]) -> StreamEvent | None:
        due = min((at for at in (self._collector.next_due(), self._look_at) if at is not None), default=None)
        if due is None:
            return await inbox.get()
        wait_s = max((due - self._clock.now()).total_seconds(), 0)
        try:
            async with asyncio.timeout(wait_s):
                return await inbox.get()
        except TimeoutError:
            return None

    async def _take(self, event: StreamEvent) -> None:
        if isinstance(event, Connected):
            await self._catch_up()
            self._looks, self._look_at = 0, self._clock.now() + _LOOKS_AGAIN[0]
        elif isinstance(event, BalanceUpdate):
            if self._has_equity and event.asset == self._collateral:
                self._equity = event.balance
            self._leverage |= {p.symbol: p.leverage for p in event.positions if p.leverage > 0}
        elif (
            isinstance(event, OrderUpdate)
            and event.fill is not None
            and not is_history(event.fill, self._since)
        ):
            await self._tell_apart(event.fill.symbol, (event.fill,), self._since)
            burst = self._collector.add(event.fill, self._clock.now())
            if burst is not None:
                await self._decide(burst)

    async def _decide_due(self, *, everything: bool = False) -> None:
        now = self._clock.now() + (timedelta(days=1) if everything else timedelta(0))
        for burst in self._collector.due(now):
            await self._decide(burst)

    async def _decide(self, burst: Burst) -> None:
        instrument = await self._listed(burst.symbol)
        if instrument is None:
            return
        leverage = self._leverage.get(burst.symbol)
        made = await self._ingest(self._whale, burst, instrument, self._equity, leverage)
        self._metrics.count("leader_fills", len(burst.fills))
        self._metrics.count("leader_bursts", signals=str(made))

    async def _listed(self, sym: Symbol) -> Instrument | None:
        """Return the instrument; None, counted, for a market that is paused or gone, which stops no other one's copying."""
        try:
            return await self._instruments.instrument(self._whale.venue, sym)
        except NotFound:
            self._metrics.count("leader_bursts", signals="unknown_market")
            return None

    async def _catch_up(self) -> None:
        for tried in range(1, _CATCH_UP_TRIES + 1):
            try:
                await self._read_account()
                return
            except VenueError as error:
                self._metrics.count("lookup_failed", code=error.code)
                if tried == _CATCH_UP_TRIES:
                    raise
                await asyncio.sleep(tried)

    async def _read_account(self) -> None:
        if self._has_equity:
            self._equity = (await self._gateway.balance()).wallet
        before = await self._gateway.positions()
        looked_at = self._venue_now()
        positions = await self._gateway.positions()
        self._leverage |= {p.symbol: p.leverage for p in positions if p.leverage > 0}
        async with self._uow() as uow:
            self._since = since = await uow.leaders.watched_since(self._whale.id)
            if since is None:
                if held(before) != held(positions):
                    raise VenueUnavailable(
                        "The leader trades while its positions are first read; they are read again."
                    )
                for position in positions:
                    await uow.leaders.set_position(self._whale.id, position.symbol, position.quantity)
                await uow.leaders.begin_watch(self._whale.id, looked_at)
                await uow.commit()
                self._since = looked_at
                return
            newest = await uow.leaders.newest_fills(self._whale.id)
        for sym in {*newest, *(position.symbol for position in positions)}:
            await self._fetch_missed(sym, newest.get(sym, since))

    async def _look_again(self) -> None:
        """Catch up where the venue's positions are not those that its fills have made of ours."""
        if self._look_at is None or self._clock.now() < self._look_at:
            return
        if self._collector.next_due() is not None:  # what differs then is only not decided yet
            self._look_at = self._clock.now() + _LOOKS_AGAIN[0]
            return
        self._looks += 1
        self._look_at = self._clock.now() + _LOOKS_AGAIN[min(self._looks, len(_LOOKS_AGAIN) - 1)]
        try:
            theirs = held(await self._gateway.positions())
            async with self._uow() as uow:
                newest = await uow.leaders.newest_fills(self._whale.id)
                ours = {sym: await uow.leaders.position(self._whale.id, sym) for sym in {*newest, *theirs}}
            for sym, quantity in ours.items():
                if quantity != theirs.get(sym, 0) and self._since is not None:
                    self._metrics.count("leader_markets_missed", venue=self._whale.venue.value)
                    await self._fetch_missed(sym, newest.get(sym, self._since))
        except VenueError as error:
            self._metrics.count("lookup_failed", code=error.code)

    async def _fetch_missed(self, sym: Symbol, since: datetime) -> None:
        instrument = await self._listed(sym)
        if instrument is None:
            return
        fills = await self._gateway.fills(instrument, since=since - _OVERLAP)
        await self._tell_apart(sym, fills, self._since)
        for burst in by_order([fill for fill in fills if not is_history(fill, self._since)]):
            await self._decide(burst)
