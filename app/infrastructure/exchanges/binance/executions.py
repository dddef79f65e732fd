"""All executions of an account on one market: pages by trade id, and windows of time that the venue accepts."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from app.domain.shared.clock import epoch_ms
from app.domain.shared.execution import Fill
from app.domain.shared.market import Instrument, MarketKind
from app.infrastructure.exchanges.binance.dialects import Dialect
from app.infrastructure.exchanges.binance.rest import BinanceAccount
from app.infrastructure.exchanges.binance.wire.trades import fills_text, last_trade_id

_LEAD_MS: Final = 60_000
"""How far the venue's clock may be ahead of ours."""


class Executions:
    """One question for executions; they come without client order ids, which the venue does not tell here."""

    def __init__(self, account: BinanceAccount, dialect: Dialect, instrument: Instrument) -> None:
        self._account = account
        self._dialect = dialect
        self._instrument = instrument

    async def fetch(self, since: datetime | None, order_id: str | None) -> list[Fill]:
        """Return executions, oldest first: of an order, since a time, or the newest page of what the venue keeps."""
        if order_id is not None:
            # Other orders' executions are left out here too: a venue that overlooks the parameter would show them.
            found = [fill for fill in await self._pages(order_id, None, None) if fill.order_id == order_id]
        elif since is None:
            found = await self._page(None, None, None)
        elif self._instrument.kind is MarketKind.SPOT:
            found = await self._since_at_spot(epoch_ms(since))
        else:
            found = await self._since(epoch_ms(since))
        return [fill for fill in found if since is None or fill.at >= since]

    async def _since(self, start: int) -> list[Fill]:
        found: dict[str, Fill] = {}
        while start <= self._now():
            end = start + self._dialect.trades_window_ms
            for fill in await self._pages(None, (start, end), None):
                found.setdefault(fill.trade_id, fill)
            start = end + 1
        return list(found.values())

    async def _since_at_spot(self, start: int) -> list[Fill]:
        """Ask for the newest page first, which for most accounts is all there is: a spot window is a mere day. Then look
        for the first execution, and go on by trade id from there.
        """
        newest = await self._page(None, None, None)
        if len(newest) < self._dialect.trades_page or epoch_ms(newest[0].at) < start:
            return newest
        while start <= self._now():
            end = start + self._dialect.trades_window_ms
            first = await self._page(None, None, (start, end))
            if first:
                return await self._pages(None, None, int(first[0].trade_id))
            start = end + 1
        return []

    def _now(self) -> int:
        return epoch_ms(self._account.shared.now()) + _LEAD_MS

    async def _pages(
        self, order_id: str | None, window: tuple[int, int] | None, from_id: int | None
    ) -> list[Fill]:
        """Return every page, from the trade `from_id` or the beginning of the window on."""
        found: list[Fill] = []
        while True:
            page = await self._page(order_id, from_id, window)
            found.extend(page)
            if len(page) < self._dialect.trades_page:
                return found
            from_id, window = last_trade_id(page) + 1, None

    async def _page(
        self, order_id: str | None, from_id: int | None, window: tuple[int, int] | None
    ) -> list[Fill]:
        shared, page = self._account.shared, self._dialect.trades_page
        return await self._account.call(
            "GET",
            self._dialect.trades,
            fills_text(self._instrument, order_id=order_id, from_id=from_id, window=window, page=page),
            lambda body: self._dialect.read_fills(self._instrument, body, shared.marks.marks),
        )
