"""All executions of an account on one market: pages, windows of seven days, and the profits that another list tells."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.shared.clock import epoch_ms
from app.domain.shared.execution import Fill
from app.domain.shared.market import Instrument
from app.domain.shared.money import Money
from app.infrastructure.exchanges.bybit.paging import LEAD_MS, pages, windows
from app.infrastructure.exchanges.bybit.rest import BybitAccount
from app.infrastructure.exchanges.bybit.wire import fills, ledger
from app.infrastructure.exchanges.bybit.wire.category import CATEGORIES

_LOG: Final = logging.getLogger(__name__)
_LOG_LATE_MAX: Final = timedelta(minutes=10)
"""For so long an execution without its entry in the log is taken for one whose entry is still to come."""


class Executions:
    """One question for executions."""

    def __init__(self, account: BybitAccount, instrument: Instrument) -> None:
        self._account = account
        self._instrument = instrument

    async def fetch(self, since: datetime | None, order_id: str | None) -> list[Fill]:
        """Return executions of an order, since a time, or of the last seven days; oldest first."""
        found: dict[str, Fill] = {}
        unpriced: set[str] = set()
        if since is None or order_id is not None:
            await self._pages(order_id, None, found, unpriced)
        else:
            for window in windows(epoch_ms(since), epoch_ms(self._account.shared.now())):
                await self._pages(None, window, found, unpriced)
        chosen = [fill for fill in found.values() if since is None or fill.at >= since]
        # The venue lists the newest first; executions of one instant keep the order in which it counts them.
        chosen.reverse()
        chosen.sort(key=lambda fill: fill.at)
        missing = [fill for fill in chosen if fill.trade_id in unpriced]
        return fills.with_profits(chosen, await self._profits(missing)) if missing else chosen

    async def _pages(
        self, order_id: str | None, window: tuple[int, int] | None, found: dict[str, Fill], unpriced: set[str]
    ) -> None:
        rates = self._account.shared.marks.marks

        def text(cursor: str) -> str:
            return fills.fills_text(self._instrument, order_id=order_id, window=window, cursor=cursor)

        def read(body: bytes) -> tuple[tuple[list[Fill], frozenset[str]], str]:
            page, without, following = fills.read_fills(self._instrument, body, rates)
            return (page, without), following

        async for page, without in pages(self._account, "/v5/execution/list", text, read):
            for fill in page:
                found.setdefault(fill.trade_id, fill)
            unpriced |= without

    async def _profits(self, missing: list[Fill]) -> Mapping[str, Money]:
        profits: dict[str, Money] = {}
        category = CATEGORIES[self._instrument.venue]
        first, last = epoch_ms(missing[0].at), epoch_ms(missing[-1].at)
        for window in windows(first, max(first, last - LEAD_MS)):

            def text(cursor: str, window: tuple[int, int] = window) -> str:
                return ledger.profits_text(category, window, cursor)

            async for page in pages(self._account, ledger.PATH, text, ledger.read_profits):
                profits |= page
        untold = [fill for fill in missing if fill.trade_id not in profits]
        if untold:
            self._judge(untold)
        return profits

    def _judge(self, untold: list[Fill]) -> None:
        # Booked without its profit an execution would be wrong for ever, so the log is waited for, within reason.
        if any(self._account.shared.now() - fill.at < _LOG_LATE_MAX for fill in untold):
            raise VenueUnavailable("The venue's log does not tell the profit of an execution yet.")
        _LOG.warning(
            "account %s: the venue's log lacks the profit of %d executions",
            self._account.account,
            len(untold),
        )
