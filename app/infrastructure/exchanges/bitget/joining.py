"""Joins what the venue tells in separate channels: an execution with the order it belongs to, a wallet with positions.

An execution does not say whether its order may only reduce, and not always our id, so it waits for a word on the order;
the venue sends one beside every execution, before it or after it. Funding is not announced at all: a wallet that is told
in another hour than before, or that changed without an execution, is taken for a sign that some may have been settled.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from app.domain.exchanges.ports import BalanceUpdate, OrderUpdate, ProtectionUpdate, StreamEvent
from app.domain.exchanges.protection import ProtectionReport
from app.domain.shared.execution import Fill, OrderReport, VenuePosition
from app.domain.shared.market import Symbol
from app.domain.shared.money import NO_MONEY
from app.infrastructure.exchanges.bitget.wire.events import Fact, Positions, Wallet
from app.infrastructure.exchanges.reading import ZERO

FUNDING_REASON: Final = "FUNDING_FEE"
UNTOLD: Final = ""
"""The venue does not say why a wallet changed."""


class TooManyWaiting(Exception):
    """Executions wait for orders of which nothing is said: the connection is not to be trusted."""


class Joining:
    """One connection's memory: reports of the latest `kept` orders, and executions that wait, `waiting_max` at most.

    `funded` says that positions pay funding here.
    """

    def __init__(self, kept: int = 2000, waiting_max: int = 1000, *, funded: bool = True) -> None:
        self._funded = funded
        self._kept = kept
        self._waiting_max = waiting_max
        self.clear()

    def clear(self) -> None:
        """Forget everything: a new connection begins, and what came before is asked for by REST."""
        self._reports: OrderedDict[str, OrderReport] = OrderedDict()
        self._waiting: dict[str, list[Fill]] = {}
        self._changed: tuple[VenuePosition, ...] = ()
        self._held: frozenset[Symbol] = frozenset()
        self._told: Wallet | None = None
        self._traded = False

    def take(self, facts: Iterable[Fact]) -> Iterator[StreamEvent]:
        """Yield the events that these facts complete; raises TooManyWaiting."""
        for fact in facts:
            if isinstance(fact, OrderReport):
                yield from self._order(fact)
            elif isinstance(fact, Fill):
                yield from self._fill(fact)
            elif isinstance(fact, ProtectionReport):
                yield ProtectionUpdate(fact)
            elif isinstance(fact, Positions):
                self._positions(fact.positions)
            else:
                yield self._wallet(fact)

    def _order(self, report: OrderReport) -> Iterator[StreamEvent]:
        self._reports[report.order_id] = report
        self._reports.move_to_end(report.order_id)
        while len(self._reports) > self._kept:
            self._reports.popitem(last=False)
        waiting = self._waiting.pop(report.order_id, None) if report.executed else None
        if waiting is None:
            yield OrderUpdate(report, None)
        else:
            yield from (OrderUpdate(report, _named(fill, report)) for fill in waiting)

    def _fill(self, fill: Fill) -> Iterator[StreamEvent]:
        self._traded = True
        report = self._reports.get(fill.order_id)
        # A report from before this execution would say less than the execution does: the next one is waited for.
        if report is not None and report.executed:
            yield OrderUpdate(report, _named(fill, report))
            return
        self._waiting.setdefault(fill.order_id, []).append(fill)
        if sum(len(fills) for fills in self._waiting.values()) > self._waiting_max:
            raise TooManyWaiting

    def _positions(self, positions: tuple[VenuePosition, ...]) -> None:
        # The venue lists what is open: what is no longer listed has become flat.
        now = frozenset(position.symbol for position in positions)
        gone = (VenuePosition(symbol, ZERO, ZERO, NO_MONEY, 0) for symbol in sorted(self._held - now))
        self._changed = (*positions, *gone)
        self._held = now

    def _wallet(self, fact: Wallet) -> StreamEvent:
        positions, self._changed = self._changed, ()
        reason = FUNDING_REASON if self._may_be_funding(fact) else UNTOLD
        self._told, self._traded = fact, False
        return BalanceUpdate(fact.balance, NO_MONEY, reason, fact.at, positions, fact.asset)

    def _may_be_funding(self, fact: Wallet) -> bool:
        before = self._told
        if not self._funded or before is None:
            return False
        other_hour = before.at.replace(minute=0, second=0, microsecond=0) != fact.at.replace(
            minute=0, second=0, microsecond=0
        )
        return other_hour or (before.balance != fact.balance and not self._traded)


def _named(fill: Fill, report: OrderReport) -> Fill:
    return fill if fill.client_order_id else replace(fill, client_order_id=report.client_order_id)
