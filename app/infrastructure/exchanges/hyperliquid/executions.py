"""All executions of an account on one market: pages of a list of all markets, and the orders that they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.shared.clock import epoch_ms
from app.domain.shared.execution import Fill, OrderReport, OrderStatus
from app.domain.shared.market import Instrument
from app.domain.shared.money import Price, Quantity, settle_down
from app.infrastructure.exchanges.hyperliquid.rest import HyperliquidAccount
from app.infrastructure.exchanges.hyperliquid.wire import fills, orders
from app.infrastructure.exchanges.hyperliquid.wire.answer import question
from app.infrastructure.exchanges.hyperliquid.wire.coins import coin_of
from app.infrastructure.exchanges.hyperliquid.wire.ids import cloid_of
from app.infrastructure.exchanges.reading import ZERO

_UNNAMED: Final = timedelta(days=7)
"""How far back executions are sought when nobody says since when."""

_SETTLES: Final = timedelta(minutes=10)
"""For so long an order and its executions may tell different quantities, one of them being late."""

_MARGIN_MS: Final = 1000


class Executions:
    """Questions about one market."""

    def __init__(self, account: HyperliquidAccount, instrument: Instrument) -> None:
        self._account = account
        self._instrument = instrument
        self._coin = coin_of(instrument)

    async def order(self, name: str | int) -> orders.FoundOrder | None:
        """Return the order that the venue knows by its own number, or by our id's cloid; None when it knows none."""
        oid = cloid_of(name) if isinstance(name, str) else name
        body = question("orderStatus", user=self._account.user(), oid=oid)
        return await self._account.ask(body, lambda answer: orders.read_found(answer, self._coin))

    async def report(self, found: orders.FoundOrder, client_id: str = "") -> OrderReport:
        """Return the report of an order, with the mean price of its executions, which the order itself does not tell.

        An order that ended early is believed when its executions say the same.
        """
        report = orders.report_of(
            found.row.order, self._instrument.symbol, found.row.status, found.at, client_id
        )
        if not report.executed:
            return report
        rows = [row for row in await self._pages(*_life(found)) if row.oid == found.row.order.oid]
        done = sum((Decimal(row.sz) for row in rows), ZERO)
        if done == report.executed:
            worth = sum((Decimal(row.sz) * Decimal(row.px) for row in rows), ZERO)
            return replace(report, average_price=Price(settle_down(worth / done)))
        if report.status in (OrderStatus.FILLED, OrderStatus.PARTIAL):
            return report
        if self._account.shared.now() - found.at < _SETTLES:
            raise VenueUnavailable("The venue's order and its executions do not agree yet.")
        return replace(report, executed=Quantity(min(done, report.quantity)))

    async def fetch(self, since: datetime | None, order_id: str | None) -> list[Fill]:
        """Return executions of an order, since a time, or of the last seven days; oldest first."""
        names: Mapping[int, str] = {}
        if order_id is not None:
            found = await self.order(int(order_id)) if order_id.isdecimal() else None
            if found is None:
                return []
            first, last = _life(found)
            names = {found.row.order.oid: found.row.order.cloid or ""}
        else:
            first, last = epoch_ms(since or self._account.shared.now() - _UNNAMED), None
        rows = [row for row in await self._pages(first, last) if row.coin == self._coin]
        if order_id is not None:
            rows = [row for row in rows if row.oid in names]
        names = names or await self._cloids(rows)
        rates = self._account.shared.marks.marks
        told = [
            fills.fill_of(_named(row, names), self._instrument.symbol, rates)
            for row in sorted(rows, key=lambda row: (row.time, row.tid))
        ]
        return [fill for fill in told if since is None or fill.at >= since]

    async def _pages(self, first_ms: int, last_ms: int | None) -> list[fills.FillRow]:
        found: dict[int, fills.FillRow] = {}
        user = self._account.user()
        while last_ms is None or first_ms <= last_ms:
            page = await self._account.ask(fills.fills_question(user, first_ms, last_ms), fills.read_fills)
            known = len(found)
            found.update((row.tid, row) for row in page)
            if len(page) < fills.PAGE:
                break
            # A page is full: the list goes on after its latest row, of which there may be more in the same ms.
            times = [row.time for row in page]
            if page[0].time <= page[-1].time:
                first_ms = max(times) if len(found) > known and max(times) > first_ms else first_ms + 1
            else:
                last_ms = min(times) if last_ms is None or min(times) < last_ms else last_ms - 1
        return list(found.values())

    async def _cloids(self, rows: Sequence[fills.FillRow]) -> Mapping[int, str]:
        """Return the cloids of the orders of these executions, by number, where the list itself does not tell them: a
        list in which one execution bears a cloid tells those of all.
        """
        if any(row.cloid for row in rows):
            return {}
        found: dict[int, str] = {}
        for oid in dict.fromkeys(row.oid for row in rows):
            order = await self.order(oid)
            if order is not None:
                found[oid] = order.row.order.cloid or ""
        return found


def _life(found: orders.FoundOrder) -> tuple[int, int | None]:
    """Return the times within which an order's executions lie; an order that lives on has no end."""
    first = found.row.order.timestamp - _MARGIN_MS
    ended = orders.status_of(found.row.status).is_final
    return max(0, first), found.row.status_timestamp + _MARGIN_MS if ended else None


def _named(row: fills.FillRow, names: Mapping[int, str]) -> fills.FillRow:
    return msgspec.structs.replace(row, cloid=row.cloid or names.get(row.oid) or None)
