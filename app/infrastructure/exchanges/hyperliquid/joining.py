"""Joins what the venue tells in separate channels: an execution with its order, an end with the trigger that it is of.

An execution does not say whether its order may only reduce, so it waits for a word on the order: an update of it, or the
list of all that rests, which also tells of orders from before this connection. What was executed is the
larger of what the order says and what its executions on this connection add up to, for either may come first. An order's
update does not say that it is a trigger; the list of all that waits does.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from app.domain.exchanges.ports import BalanceUpdate, OrderUpdate, ProtectionUpdate, StreamEvent
from app.domain.exchanges.protection import ProtectionReport
from app.domain.shared.execution import Fill, OrderReport, OrderStatus
from app.domain.shared.money import NO_MONEY, Price, Quantity, settle_down
from app.domain.shared.triggers import ProtectionStatus
from app.infrastructure.exchanges.hyperliquid.wire.events import (
    Fact,
    FundingPaid,
    OrderChanged,
    Waiting,
    Wallet,
)
from app.infrastructure.exchanges.hyperliquid.wire.protections import status_after
from app.infrastructure.exchanges.reading import ZERO

FUNDING_REASON: Final = "FUNDING_FEE"
UNTOLD: Final = ""
"""The venue does not say why a wallet changed."""


class TooManyWaiting(Exception):
    """Executions wait for orders of which nothing is said: the connection is not to be trusted."""


@dataclass(slots=True)
class _Known:
    """What this connection told of one order."""

    report: OrderReport | None = None
    fills: dict[str, Fill] = field(default_factory=dict)
    waiting: list[Fill] = field(default_factory=list)

    def learns(self, report: OrderReport) -> bool:
        """Take a report in unless a later one came before it."""
        before = self.report
        if before is not None and (
            (before.status.is_final and not report.status.is_final) or before.executed > report.executed
        ):
            return False
        self.report = report
        return True

    def brought_up(self) -> OrderReport:
        """Return the report with the executions seen; only for an order of which something was said."""
        assert self.report is not None
        seen = sum((fill.quantity for fill in self.fills.values()), ZERO)
        report = self.report
        done = min(report.quantity, max(report.executed, seen))
        status = report.status
        if not status.is_final and done:
            status = OrderStatus.FILLED if done == report.quantity else OrderStatus.PARTIAL
        mean = report.average_price
        if done and seen == done:
            worth = sum((fill.quantity * fill.price for fill in self.fills.values()), Decimal(0))
            mean = Price(settle_down(worth / done))
        return replace(report, executed=Quantity(done), status=status, average_price=mean)


class Joining:
    """One connection's memory: the latest `kept` orders and triggers, and `waiting_max` executions that wait."""

    def __init__(self, kept: int = 2000, waiting_max: int = 1000) -> None:
        self._kept = kept
        self._waiting_max = waiting_max
        self.clear()

    def clear(self) -> None:
        """Forget everything: a new connection begins, and what came before is asked for by REST."""
        self._orders: OrderedDict[str, _Known] = OrderedDict()
        self._triggers: OrderedDict[str, ProtectionReport] = OrderedDict()
        self._waiting = 0
        self._wallet: Wallet | None = None
        self._funded = False

    def take(self, facts: Iterable[Fact]) -> Iterator[StreamEvent]:
        """Yield the events that these facts complete; raises TooManyWaiting."""
        for fact in facts:
            if isinstance(fact, OrderChanged):
                yield from self._changed(fact)
            elif isinstance(fact, Fill):
                yield from self._fill(fact)
            elif isinstance(fact, Waiting):
                for report in fact.orders:
                    yield from self._rests(report)
                yield from self._triggers_waiting(fact)
            else:
                yield from self._money(fact)

    def _order(self, order_id: str) -> _Known:
        found = self._orders.setdefault(order_id, _Known())
        self._orders.move_to_end(order_id)
        while len(self._orders) > self._kept:
            _, dropped = self._orders.popitem(last=False)
            self._waiting -= len(dropped.waiting)
        return found

    def _changed(self, fact: OrderChanged) -> Iterator[StreamEvent]:
        report = fact.report
        yield from self._trigger_changed(report, fact.word)
        known = self._order(report.order_id)
        if not known.learns(report):
            return  # a later word on this order came first
        told = self._waited_for(known)
        yield from told
        if not told:
            yield OrderUpdate(known.brought_up(), None)

    def _rests(self, report: OrderReport) -> Iterator[StreamEvent]:
        """Take in an order of the list: nothing changed that was not or will not be told, except what waited for it."""
        known = self._order(report.order_id)
        if known.learns(report):
            yield from self._waited_for(known)

    def _waited_for(self, known: _Known) -> list[OrderUpdate]:
        fills, known.waiting = known.waiting, []
        self._waiting -= len(fills)
        brought = known.brought_up()
        return [OrderUpdate(brought, fill) for fill in fills]

    def _fill(self, fill: Fill) -> Iterator[StreamEvent]:
        known = self._order(fill.order_id)
        if fill.trade_id in known.fills:
            return
        known.fills[fill.trade_id] = fill
        if known.report is not None:
            yield OrderUpdate(known.brought_up(), fill)
            return
        known.waiting.append(fill)
        self._waiting += 1
        if self._waiting > self._waiting_max:
            raise TooManyWaiting

    def _triggers_waiting(self, fact: Waiting) -> Iterator[StreamEvent]:
        for report in fact.protections:
            if report.protection_id not in self._triggers:
                self._triggers[report.protection_id] = report
                yield ProtectionUpdate(report)
        while len(self._triggers) > self._kept:
            self._triggers.popitem(last=False)

    def _trigger_changed(self, report: OrderReport, word: str) -> Iterator[StreamEvent]:
        known = self._triggers.get(report.order_id)
        if known is None or known.status.is_final:
            return
        status = status_after(word)
        if status is not known.status:
            order_id = report.order_id if status is ProtectionStatus.TRIGGERED else None
            changed = replace(known, status=status, order_id=order_id, at=report.at)
            self._triggers[report.order_id] = changed
            yield ProtectionUpdate(changed)

    def _money(self, fact: Wallet | FundingPaid) -> Iterator[StreamEvent]:
        before = self._wallet
        if isinstance(fact, Wallet):
            self._wallet = fact
        else:
            self._funded = True
        wallet = self._wallet
        if wallet is None:
            return
        same = before is not None and (before.balance.wallet, before.positions) == (
            wallet.balance.wallet, wallet.positions,
        )  # fmt: skip
        if same and not self._funded:
            return  # the venue repeats itself every few seconds
        reason, self._funded = FUNDING_REASON if self._funded else UNTOLD, False
        balance = wallet.balance
        yield BalanceUpdate(balance.wallet, NO_MONEY, reason, fact.at, wallet.positions, balance.asset)
