"""What an account did: executions of any stretch of time, and orders found without asking for our id.

An exchange tells so many executions at most; a stretch that fills a page is halved until none does, so nothing is
missed whichever end the exchange counts from.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.shared.clock import epoch_ms
from app.domain.shared.execution import Fill, OrderReport
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument
from app.infrastructure.exchanges.generic.account import GenericAccount, listed
from app.infrastructure.exchanges.generic.recipe import Row
from app.infrastructure.exchanges.generic.rows import client_id, fill_of, instant, report_of, text
from app.infrastructure.exchanges.reading import Unreadable

_WEEK: Final = timedelta(days=7)
_LEAD: Final = timedelta(minutes=1)
"""The exchange's clock may be ahead of ours by this much."""

_BEFORE: Final = timedelta(minutes=1)
_AGE_MAX: Final = timedelta(days=1000)
"""No order of ours rests for longer; a time before that would be asked for window after window from the year 1970 on."""

_PAGES_MAX: Final = 100


class History:
    """One question about one market."""

    def __init__(self, account: GenericAccount, instrument: Instrument) -> None:
        self._account = account
        self._instrument = instrument
        self._unified = account.unified(instrument)
        self._recipe = account.recipe

    async def fills(self, since: datetime | None, order_id: str | None) -> list[Fill]:
        """Return executions since a time (a week without one), or of an order, oldest first."""
        if order_id is not None:
            return await self._of_order(order_id, since)
        return await self._since(since or self._now() - _WEEK)

    def _now(self) -> datetime:
        return self._account.shared.now()

    async def _of_order(self, order_id: str, since: datetime | None) -> list[Fill]:
        if self._recipe.order_trades:
            rows = await self._account.ask(
                lambda client: client.fetch_order_trades(order_id, self._unified), listed
            )
            if len(rows) < self._recipe.fill_page:
                return self._chosen(self._read(rows), since, order_id)
        order = await self._account.ask_for(
            lambda client: client.fetch_order(order_id, self._unified), self._began
        )
        began = order if order is not None else self._now() - _WEEK
        return self._chosen(await self._since(began - _BEFORE), since, order_id)

    def _began(self, answer: object) -> datetime:
        if not isinstance(answer, dict):
            raise Unreadable("an order that is none")
        began, now = instant(answer, "timestamp"), self._now()
        if not now - _AGE_MAX <= began <= now + _LEAD:
            raise Unreadable("an order's time out of bounds")
        return began

    async def _since(self, since: datetime) -> list[Fill]:
        window = self._recipe.fill_window
        if window is None:
            rows = await self._backwards(epoch_ms(since))
        else:
            rows = []
            first, last, width = (
                epoch_ms(since),
                epoch_ms(self._now() + _LEAD),
                window // timedelta(milliseconds=1),
            )
            while first <= last:
                rows += await self._between(first, min(first + width - 1, last))
                first += width
        return self._chosen(self._read(rows), since, None)

    async def _between(self, first_ms: int, last_ms: int) -> list[Row]:
        recipe = self._recipe
        rows = await self._account.ask(
            lambda client: client.fetch_my_trades(
                self._unified, first_ms, recipe.fill_page, {recipe.fill_until: last_ms}
            ),
            listed,
        )
        if len(rows) < recipe.fill_page:
            return rows
        if first_ms >= last_ms:
            raise VenueUnavailable("More executions fell into one instant than the venue tells at once.")
        middle = (first_ms + last_ms) // 2
        return await self._between(first_ms, middle) + await self._between(middle + 1, last_ms)

    async def _backwards(self, since_ms: int) -> list[Row]:
        """Go back from now by the time of the oldest execution told so far."""
        rows: dict[str, Row] = {}
        before = ""
        for _ in range(_PAGES_MAX):
            page = await self._page_before(before)
            known = len(rows)
            rows |= {text(row, "id"): row for row in page}
            with _readable():
                times = [instant(row, "timestamp") for row in page]
            if not times or len(rows) == known or epoch_ms(min(times)) < since_ms:
                return [row for row in rows.values() if row.get("symbol") == self._unified]
            before = min(times).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        raise VenueUnavailable("The venue's list of executions does not end.")

    async def _page_before(self, before: str) -> list[Row]:
        params = {"lastFillTime": before} if before else {}
        return await self._account.ask(
            lambda client: client.fetch_my_trades(None, None, None, params), listed
        )

    async def _list(self, method: str) -> list[Row]:
        return await self._account.ask(lambda client: getattr(client, method)(self._unified), listed)

    def _read(self, rows: list[Row]) -> list[Fill]:
        marks = self._account.shared.marks.marks
        with _readable():
            return [
                fill_of(row, self._instrument, self._recipe, marks, unified=self._unified) for row in rows
            ]

    def _chosen(self, fills: list[Fill], since: datetime | None, order_id: str | None) -> list[Fill]:
        found = {fill.trade_id: fill for fill in fills if order_id is None or fill.order_id == order_id}
        chosen = [fill for fill in found.values() if since is None or fill.at >= since]
        return sorted(chosen, key=lambda fill: (fill.at, len(fill.trade_id), fill.trade_id))

    async def order(self, client_order_id: ClientOrderId) -> OrderReport | None:
        """Look for our id among the resting orders and the latest ones; None when all lists answered without it."""
        recipe = self._recipe
        for method in ("fetch_open_orders", *recipe.histories):
            rows = await self._list(method)
            for row in rows:
                if recipe.is_ours(self._id_of(row), client_order_id):
                    return await self._told(row, client_order_id)
        return None

    def _id_of(self, row: Row) -> str:
        with _readable():
            return client_id(row)

    async def _told(self, row: Row, client_order_id: ClientOrderId) -> OrderReport:
        with _readable():
            found = report_of(row, self._instrument, self._recipe, unified=self._unified)
        return named(found, client_order_id)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except Unreadable as error:
        raise VenueUnavailable(f"The venue's answer cannot be read: {error}.") from None


def named(report: OrderReport, client_order_id: ClientOrderId) -> OrderReport:
    """Return the report under our own id, whatever spelling the exchange knows it by."""
    return OrderReport(
        venue=report.venue,
        symbol=report.symbol,
        order_id=report.order_id,
        client_order_id=client_order_id,
        side=report.side,
        status=report.status,
        quantity=report.quantity,
        executed=report.executed,
        average_price=report.average_price,
        reduce_only=report.reduce_only,
        at=report.at,
    )
