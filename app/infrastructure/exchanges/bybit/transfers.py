"""Money that came or went, which the stream does not tell apart from a trade's: when a wallet changes by something that
no execution explains, the transaction log is asked.

A question costs two requests, so it is only asked about changes that are left unexplained; a wrong suspicion costs a
question, never a booking. What the log tells is keyed by its own time and amount, so that hearing it twice is harmless.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from app.domain.exchanges.outcomes import VenueError
from app.domain.exchanges.ports import BalanceUpdate, StreamEvent
from app.domain.shared.clock import epoch_ms
from app.domain.shared.execution import Fill
from app.domain.shared.market import Side
from app.domain.shared.money import ZERO, Money
from app.infrastructure.exchanges.bybit.paging import pages, windows
from app.infrastructure.exchanges.bybit.rest import BybitAccount
from app.infrastructure.exchanges.bybit.wire import ledger
from app.infrastructure.exchanges.bybit.wire.category import Category
from app.infrastructure.exchanges.bybit.wire.events import Fact, FundingPaid, Wallet

_LOG: Final = logging.getLogger(__name__)
_ROUNDING: Final = Decimal("0.000001")
"""A wallet may be off by the venue's rounding of a fee; no transfer is so small."""

_SETTLES_S: Final = 1.0
"""Topics come apart: for so long after a wallet its executions may still be on their way."""

_WAITS_S: Final = (0.0, 2.0, 10.0)
"""The log may lag behind the stream: it is asked so often, after these waits."""

_LOOKS_BACK: Final = timedelta(seconds=60)


@dataclass(slots=True)
class _Watched:
    """One asset: the balance that was last explained, what is now said of it, and what executions account for.

    The log was read up to `since`; `doubted` is a wallet of which something may not have been heard; `first` is the
    balance that was heard before any was explained.
    """

    first: Money | None = None
    explained: Money | None = None
    since: datetime | None = None
    balance: Money | None = None
    at: datetime | None = None
    accounted: Money = field(default=Money(ZERO))
    doubted: bool = False

    @property
    def questions(self) -> int:
        """How often the log is to be asked until it tells something.

        A first balance that comes beside executions is taken for theirs unless it moves by something else at once: asking
        about each account's first trade would cost the address more than all else.
        """
        if self.balance is None:
            return 0
        if self.doubted:
            return 1
        if self.explained is None and self.accounted:
            moved = self.balance - (self.balance if self.first is None else self.first)
            return 0 if _same(moved, ZERO) or _same(moved, self.accounted) else 1
        known = self.explained is not None and _same(self.balance - self.explained, self.accounted)
        return 0 if known else len(_WAITS_S)

    def explain(self) -> None:
        """Take the balance as it is for explained."""
        self.explained, self.accounted, self.doubted = self.balance, Money(ZERO), False


def _same(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) <= _ROUNDING


class Transfers:
    """One account's watch; `run` beside the connection, `told` gives what was found."""

    def __init__(
        self,
        account: BybitAccount,
        category: Category,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._account = account
        self._category = category
        self._sleep = sleep
        self._watched: dict[str, _Watched] = {}
        self._changed = asyncio.Event()
        self._found: deque[BalanceUpdate] = deque()
        self._seen: deque[tuple[str, datetime, Money]] = deque(maxlen=100)
        self._began: datetime | None = None

    def note(self, facts: Iterable[Fact]) -> None:
        """Hear what the stream says."""
        for fact in facts:
            if isinstance(fact, Wallet):
                watched = self._watched.setdefault(fact.asset, _Watched())
                watched.balance, watched.at = fact.balance, fact.at
                if watched.first is None:
                    watched.first = fact.balance
                self._changed.set()
            elif isinstance(fact, FundingPaid):
                self._account_for(fact.asset, fact.amount)
            elif isinstance(fact, Fill):
                self._account_for(self._category.settle(fact.symbol), self._paid(fact))

    def _account_for(self, asset: str, amount: Money) -> None:
        watched = self._watched.setdefault(asset, _Watched())
        watched.accounted = Money(watched.accounted + amount)

    def _paid(self, fill: Fill) -> Money:
        """Return by how much an execution changed the wallet that pays."""
        if not self._category.is_spot:
            return Money(fill.realised_pnl - fill.fee)
        turned = fill.price * fill.quantity * (-1 if fill.side is Side.BUY else 1)
        return Money(turned - (ZERO if fill.base_fee else fill.fee))

    def told(self) -> Iterator[StreamEvent]:
        """Yield what was found since the last call."""
        while self._found:
            yield self._found.popleft()

    def connected(self, at: datetime) -> None:
        """Doubt every wallet that was heard of: what moved while the stream was away was not heard.

        What moved before the first connection is never told: it is in the balance that the account began with.
        """
        self._began = self._began or at
        for watched in self._watched.values():
            watched.doubted = True
            self._changed.set()

    async def run(self) -> None:
        """Ask about every change that is not explained, until cancelled."""
        while True:
            await self._changed.wait()
            await self._sleep(_SETTLES_S)
            self._changed.clear()
            for asset, watched in list(self._watched.items()):
                questions, at = watched.questions, watched.at
                watched.explain()
                if not questions or await self._answered(asset, watched, questions):
                    watched.since = at

    async def _answered(self, asset: str, watched: _Watched, questions: int) -> bool:
        """Ask until something is told; whether the last question was answered at all."""
        began = self._began or self._account.shared.now()
        first = began if watched.since is None else max(began, watched.since - _LOOKS_BACK)
        answered = False
        for wait_s in _WAITS_S[:questions]:
            await self._sleep(wait_s)
            try:
                if await self._account.shared.guard.read("transfers", lambda: self._ask(asset, first)):
                    return True
                answered = True
            except VenueError as error:
                answered = False
                _LOG.info("transfers of account %s not read: %s", self._account.account, error.code)
        return answered

    async def _ask(self, asset: str, first: datetime) -> bool:
        """Queue the transfers since then that were not told yet; whether there were any."""
        found: list[ledger.Transfer] = []
        for window in windows(epoch_ms(first), epoch_ms(self._account.shared.now())):
            for kind in ledger.TRANSFERS:
                found.extend(await self._page_through(asset, kind, window))
        fresh = [row for row in found if row.at >= first and (asset, row.at, row.amount) not in self._seen]
        for row in sorted(fresh, key=lambda row: row.at):
            self._seen.append((asset, row.at, row.amount))
            reason = "DEPOSIT" if row.amount > ZERO else "WITHDRAW"
            self._found.append(BalanceUpdate(row.balance, row.amount, reason, row.at, (), asset))
        return bool(fresh)

    async def _page_through(self, asset: str, kind: str, window: tuple[int, int]) -> list[ledger.Transfer]:
        found: list[ledger.Transfer] = []
        async for page in pages(
            self._account,
            ledger.PATH,
            lambda cursor: ledger.transfers_text(asset, kind, window, cursor),
            lambda body: ledger.read_transfers(body, asset),
        ):
            found.extend(page)
        return found
