"""Joins what the venue tells in separate topics: an execution with the order it belongs to, a wallet with positions.

An execution does not say whether its order may only reduce, so it waits for a word on the order; the venue sends one
beside every execution, before it or after it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from app.domain.exchanges.ports import BalanceUpdate, OrderUpdate, ProtectionUpdate, StreamEvent
from app.domain.exchanges.protection import ProtectionReport
from app.domain.shared.execution import Fill, OrderReport, VenuePosition
from app.domain.shared.market import Symbol
from app.domain.shared.money import NO_MONEY
from app.infrastructure.exchanges.bybit.wire.events import Fact, FundingPaid, PositionChanged, Wallet

FUNDING_REASON: Final = "FUNDING_FEE"
UNTOLD: Final = ""
"""The stream does not say why a wallet changed; that it was a transfer, the log tells later."""


class TooManyWaiting(Exception):
    """Executions wait for orders of which nothing is said: the connection is not to be trusted."""


class Joining:
    """One connection's memory: reports of the latest `kept` orders, and executions that wait, `waiting_max` at most."""

    def __init__(self, kept: int = 2000, waiting_max: int = 1000) -> None:
        self._kept = kept
        self._waiting_max = waiting_max
        self.clear()

    def clear(self) -> None:
        """Forget everything: a new connection begins, and what came before is asked for by REST."""
        self._reports: OrderedDict[str, OrderReport] = OrderedDict()
        self._waiting: dict[str, list[Fill]] = {}
        self._wallets: dict[str, Wallet] = {}
        self._positions: dict[Symbol, VenuePosition] = {}
        self._funded: set[str] = set()

    def take(self, facts: Iterable[Fact]) -> Iterator[StreamEvent]:
        """Yield the events that these facts complete; raises TooManyWaiting. Positions go out with the wallet that comes
        with them, else with the one last told; before any is told they wait.
        """
        moved: datetime | None = None
        for fact in facts:
            if isinstance(fact, OrderReport):
                yield from self._order(fact)
            elif isinstance(fact, Fill):
                yield from self._fill(fact)
            elif isinstance(fact, ProtectionReport):
                yield ProtectionUpdate(fact)
            elif isinstance(fact, PositionChanged):
                self._positions[fact.position.symbol], moved = fact.position, fact.at
            else:
                yield from self._money(fact)
        if self._positions and self._wallets and moved is not None:
            yield self._update(next(iter(self._wallets.values())), moved)

    def _order(self, report: OrderReport) -> Iterator[StreamEvent]:
        self._reports[report.order_id] = report
        self._reports.move_to_end(report.order_id)
        while len(self._reports) > self._kept:
            self._reports.popitem(last=False)
        waiting = self._waiting.pop(report.order_id, None)
        if waiting is None:
            yield OrderUpdate(report, None)
        else:
            yield from (OrderUpdate(report, fill) for fill in waiting)

    def _fill(self, fill: Fill) -> Iterator[StreamEvent]:
        report = self._reports.get(fill.order_id)
        # A report from before this execution would say less than the execution does: the next one is waited for.
        if report is not None and report.executed:
            yield OrderUpdate(report, fill)
            return
        self._waiting.setdefault(fill.order_id, []).append(fill)
        if sum(len(fills) for fills in self._waiting.values()) > self._waiting_max:
            raise TooManyWaiting

    def _money(self, fact: Wallet | FundingPaid) -> Iterator[StreamEvent]:
        if isinstance(fact, Wallet):
            self._wallets[fact.asset] = fact
        else:
            self._funded.add(fact.asset)
        if (wallet := self._wallets.get(fact.asset)) is not None:
            yield self._update(wallet, fact.at)

    def _update(self, wallet: Wallet, at: datetime) -> BalanceUpdate:
        reason = FUNDING_REASON if wallet.asset in self._funded else UNTOLD
        self._funded.discard(wallet.asset)
        positions = tuple(self._positions.values())
        self._positions.clear()
        return BalanceUpdate(wallet.balance, NO_MONEY, reason, at, positions, wallet.asset)
