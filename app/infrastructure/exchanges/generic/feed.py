"""An account's events by asking, when a bell rings and at every heartbeat: a stream for exchanges whose sockets we do
not read ourselves.

Each look compares positions, resting orders and the wallet with the last one and fetches the executions of the markets
that changed. What begins and ends between two looks changes neither positions nor orders, only the wallet: then the
stream says `Connected` anew, for whatever happened must be fetched. Without the bell it is late by up to a heartbeat.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from app.application.shared.ending import end
from app.domain.exchanges.outcomes import VenueError, VenueThrottled
from app.domain.exchanges.ports import BalanceUpdate, Connected, ExchangeGateway, OrderUpdate, StreamEvent
from app.domain.shared.errors import DomainError
from app.domain.shared.execution import Fill, OrderReport, VenueBalance, VenuePosition
from app.domain.shared.market import Symbol
from app.domain.shared.money import Money
from app.infrastructure.exchanges.backoff import full_jitter
from app.infrastructure.exchanges.generic.bell import Bell
from app.infrastructure.exchanges.shared import VenueShared

T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)
_OVERLAP: Final = timedelta(seconds=60)
"""How far back executions are asked for again: an exchange may show one later than another that came after it."""
_LEAD: Final = timedelta(seconds=1)
"""How far the exchange's clock may be behind ours: what came before the stream lived is not told."""
_TOLD_MAX: Final = 5000
UNTOLD: Final = ""
"""No reason of a changed wallet is known."""


@dataclass(slots=True)
class Seen:
    """What the last look showed."""

    positions: Mapping[Symbol, tuple[VenuePosition, ...]]
    orders: Mapping[str, OrderReport]
    wallet: VenueBalance


@dataclass(slots=True)
class Told:
    """Executions that were told already, bounded."""

    trades: dict[tuple[Symbol, str], None] = field(default_factory=dict)

    def new(self, fill: Fill) -> bool:
        """Return whether the execution was not told yet, and note it."""
        key = (fill.symbol, fill.trade_id)
        if key in self.trades:
            return False
        self.trades[key] = None
        while len(self.trades) > _TOLD_MAX:
            del self.trades[next(iter(self.trades))]
        return True


class PollingFeed:
    """Implements PrivateStream on a gateway."""

    def __init__(self, shared: VenueShared, gateway: ExchangeGateway, bell: Bell | None = None) -> None:
        """`bell` makes looks come early; without one, or while it is silent, they come at every heartbeat."""
        self._shared = shared
        self._gateway = gateway
        self._bell = bell
        self._settings = shared.settings.stream
        self._closed = asyncio.Event()
        self._told = Told()
        self._since = self._live_from = shared.now()

    async def events(self) -> AsyncIterator[StreamEvent]:
        """Yield events until closed."""
        if self._bell is not None:
            self._bell.start()
        seen: Seen | None = None
        attempt = 0
        while not self._closed.is_set():
            wait_s, failed = self._settings.heartbeat_s, True
            try:
                now = await self._unless_closed(self._look())
                if now is None:
                    return
                news = await self._unless_closed(self._news(seen, now))
                if news is None:
                    return
                seen, attempt, failed = now, 0, False
                for event in news:
                    if not self._closed.is_set():
                        yield event
            except VenueThrottled as error:
                wait_s, seen = max(wait_s, error.retry_after.total_seconds()), None
            except (VenueError, DomainError) as error:
                _LOG.info("an account's look at its venue failed: %s", error.code)
                wait_s, seen = (
                    full_jitter(attempt, self._settings.backoff_base_s, self._settings.backoff_cap_s),
                    None,
                )
                attempt += 1
            quiet = self._bell is None or failed
            await self._unless_closed(
                asyncio.sleep(wait_s) if quiet or self._bell is None else self._bell.wait(wait_s)
            )

    async def close(self) -> None:
        """Stop and let `events` end."""
        self._closed.set()
        if self._bell is not None:
            await self._bell.close()

    async def _unless_closed(self, job: Awaitable[T]) -> T | None:
        """Return what the job returns; None when the stream was closed meanwhile."""
        working = asyncio.ensure_future(job)
        closing = asyncio.ensure_future(self._closed.wait())
        try:
            await asyncio.wait({working, closing}, return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else None
        finally:
            await end(working, closing)

    async def _look(self) -> Seen:
        positions: dict[Symbol, tuple[VenuePosition, ...]] = {}
        for position in await self._gateway.positions():
            positions[position.symbol] = (*positions.get(position.symbol, ()), position)
        orders = {report.order_id: report for report in await self._gateway.open_orders()}
        return Seen(positions, orders, await self._gateway.balance())

    async def _news(self, before: Seen | None, now: Seen) -> list[StreamEvent]:
        at = self._shared.now()
        if before is None:
            self._since = self._live_from = at
            return [Connected(at), self._wallet(now.wallet, now.wallet, now, at)]
        events: list[StreamEvent] = []
        changed = set(_changed(before, now))
        for name in sorted(changed):
            events += await self._of_market(name, before, now)
        moved = before.wallet.wallet != now.wallet.wallet
        if moved and not changed:
            events.append(Connected(at))
        if moved or changed:
            events.append(self._wallet(before.wallet, now.wallet, now, at))
        self._since = at
        return events

    def _wallet(self, before: VenueBalance, now: VenueBalance, seen: Seen, at: datetime) -> BalanceUpdate:
        positions = tuple(position for rows in seen.positions.values() for position in rows)
        return BalanceUpdate(now.wallet, Money(now.wallet - before.wallet), UNTOLD, at, positions)

    async def _of_market(self, name: Symbol, before: Seen, now: Seen) -> list[StreamEvent]:
        instrument = await self._shared.instruments.instrument(name)
        events: list[StreamEvent] = []
        reports: dict[str, OrderReport | None] = {}
        since = max(self._since - _OVERLAP, self._live_from - _LEAD)
        for fill in await self._gateway.fills(instrument, since=since):
            if not self._told.new(fill):
                continue
            if fill.order_id not in reports:
                reports[fill.order_id] = await self._gateway.order_by_venue_id(instrument, fill.order_id)
            report = reports[fill.order_id]
            if report is not None:
                events.append(OrderUpdate(report, replace(fill, client_order_id=report.client_order_id)))
        gone = [
            row for row in before.orders.values() if row.symbol == name and row.order_id not in now.orders
        ]
        for row in gone:
            if row.order_id not in reports:
                report = await self._gateway.order_by_venue_id(instrument, row.order_id)
                if report is not None:
                    events.append(OrderUpdate(report, None))
        here = [row for row in now.orders.values() if row.symbol == name]
        fresh = [row for row in here if row.order_id not in before.orders and row.order_id not in reports]
        return [*events, *(OrderUpdate(row, None) for row in fresh)]


def _changed(before: Seen, now: Seen) -> Iterable[Symbol]:
    """Yield the markets whose positions or resting orders differ."""
    for name in before.positions.keys() | now.positions.keys():
        if _held(before, name) != _held(now, name):
            yield name
    for order_id in before.orders.keys() | now.orders.keys():
        old, new = before.orders.get(order_id), now.orders.get(order_id)
        if old is None or new is None or (old.executed, old.status) != (new.executed, new.status):
            found = new or old
            if found is not None:
                yield found.symbol


def _held(seen: Seen, name: Symbol) -> list[tuple[object, object]]:
    return sorted(
        ((row.quantity, row.entry_price) for row in seen.positions.get(name, ())), key=lambda pair: str(pair)
    )
