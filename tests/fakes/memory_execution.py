"""An execution book in memory: rows as the database keeps them, changed by the same `Changes`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from app.application.trading.execution_ports import (
    AttemptKey,
    Changes,
    DecisionChange,
    Doubt,
    ExecutionSession,
    LedgerEntry,
    LeftSince,
    OrderChange,
    Resend,
    StoredAttempt,
    TradeChange,
    WaitingTrade,
)
from app.application.trading.ports import Window
from app.domain.shared.events import Event
from app.domain.shared.ids import AccountId, ClientOrderId, FollowId, SignalId
from app.domain.shared.market import Side, Symbol, Venue
from app.domain.shared.money import Money, Quantity
from app.domain.signals.priority import Lane
from app.domain.signals.signal import Signal
from app.domain.trading.order import OrderState
from app.domain.trading.position import Position
from app.domain.trading.trade import TradeState
from tests.fakes.execution_rows import FundsRow, OrderRow, TradeKey, TradeRow

PositionKey = tuple[AccountId, Symbol, FollowId]
_DOUBT = (OrderState.SUBMITTING, OrderState.UNKNOWN, OrderState.ABSENT, OrderState.OPEN, OrderState.PARTIAL)


@dataclass
class MemoryExecution:
    """ExecutionBook and its session. `writes` counts `write`; `fail_on` makes a batch with that id fail."""

    trades: dict[TradeKey, TradeRow] = field(default_factory=dict)
    orders: dict[str, OrderRow] = field(default_factory=dict)
    funds: dict[AccountId, FundsRow] = field(default_factory=dict)
    kept: dict[PositionKey, Position] = field(default_factory=dict)
    fills: dict[tuple[AccountId, Symbol, str], tuple[Side, Quantity, AttemptKey]] = field(
        default_factory=dict
    )
    ledger: list[LedgerEntry] = field(default_factory=list)
    decisions: list[DecisionChange] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    given_up: list[tuple[AttemptKey, str, str]] = field(default_factory=list)
    deferred_signals: dict[FollowId, tuple[SignalId, Lane]] = field(default_factory=dict)
    left: list[LeftSince] = field(default_factory=list)
    asked: list[Signal] = field(default_factory=list)
    told: list[tuple[AccountId, Symbol, int]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    fail_on: str | None = None
    venue: Venue = Venue.BINANCE_USDM

    def session(self) -> AbstractAsyncContextManager[ExecutionSession]:
        return self._session()

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[ExecutionSession]:
        yield self

    async def attempts(self, client_order_ids: Sequence[str]) -> Mapping[str, StoredAttempt]:
        if self.fail_on in client_order_ids:
            raise RuntimeError("The database refused.")
        self.batches.append(len(client_order_ids))
        return {cid: self.stored(cid) for cid in client_order_ids if cid in self.orders}

    def stored(self, cid: str) -> StoredAttempt:
        order = self.orders[cid]
        key = order.key
        trade = self.trades[key.follow_id, key.signal_id, key.leg]
        return StoredAttempt(
            key=key,
            account_id=trade.account_id,
            venue=self.venue,
            symbol=trade.symbol,
            side=trade.side,
            reduce_only=trade.reduce_only,
            client_order_id=order.client_order_id,
            order_state=order.state,
            signed_ms=order.signed_ms,
            valid_ms=order.valid_ms,
            order_quantity=order.quantity,
            order_executed=order.executed,
            venue_order_id=order.venue_order_id,
            looks=order.looks,
            trade_state=trade.state,
            trade_attempt=trade.attempt,
            trade_quantity=trade.quantity,
            trade_executed=trade.executed,
            trade_booked=trade.booked,
            leverage=trade.leverage,
            hold=trade.hold,
            hold_left=trade.hold_left,
            look_at=order.look_at,
            retry_at=trade.retry_at,
        )

    async def seen(
        self, fills: Sequence[tuple[AccountId, Symbol, str]]
    ) -> frozenset[tuple[AccountId, Symbol, str]]:
        return frozenset(key for key in fills if key in self.fills)

    async def positions(self, keys: Sequence[PositionKey]) -> Mapping[PositionKey, Position]:
        return {key: self.kept.get(key, Position()) for key in keys}

    async def write(self, changes: Changes) -> None:
        for order in changes.orders:
            self._write_order(order)
        for trade in changes.trades:
            self._write_trade(trade)
        self.kept.update(changes.positions or {})
        for change in changes.funds:
            row = self.funds[change.account_id]
            row.wallet = Money(row.wallet + change.wallet)
            row.held = Money(row.held + change.held)
            row.margin = Money(row.margin + change.margin)
        for booked in changes.fills:
            key = (booked.account_id, booked.fill.symbol, booked.fill.trade_id)
            assert key not in self.fills, "a fill is stored once"
            self.fills[key] = (booked.fill.side, booked.fill.quantity, booked.key)
        keys = {(entry.account_id, entry.entry_key) for entry in self.ledger}
        assert not keys & {(entry.account_id, entry.entry_key) for entry in changes.ledger}
        self.ledger.extend(changes.ledger)
        self.decisions.extend(changes.decisions)
        self.events.extend(changes.events)

    def _write_order(self, change: OrderChange) -> None:
        row = next(order for order in self.orders.values() if order.key == change.key)
        row.state, row.executed, row.looks = change.state, change.executed, change.looks
        row.look_at = change.look_at
        row.venue_order_id = change.venue_order_id or row.venue_order_id
        row.code = change.code or row.code
        row.acked = row.acked or change.acked

    def _write_trade(self, change: TradeChange) -> None:
        row = self.trades[change.key.follow_id, change.key.signal_id, change.key.leg]
        row.state, row.executed, row.booked = change.state, change.executed, change.booked
        row.hold_left, row.settled, row.retry_at = change.hold_left, change.settled, change.retry_at

    async def reopen(self, follows: Sequence[FollowId]) -> Sequence[tuple[SignalId, Lane]]:
        return [self.deferred_signals.pop(f) for f in follows if f in self.deferred_signals]

    async def left_since(self, entries: Sequence[tuple[FollowId, SignalId]]) -> Sequence[LeftSince]:
        return [one for one in self.left if (one.follow_id, one.entry.id) in entries]

    async def ask_exits(self, exits: Sequence[Signal]) -> Sequence[tuple[SignalId, Lane]]:
        known = {signal.id for signal in self.asked}
        new = [signal for signal in exits if signal.id not in known]
        self.asked.extend(new)
        return [(signal.id, signal.lane) for signal in new]

    async def doubts(self, now: datetime, limit: int, hide_for: timedelta) -> Sequence[Doubt]:
        due = [
            o
            for o in self.orders.values()
            if o.state in _DOUBT and o.look_at is not None and o.look_at <= now
        ][:limit]
        for order in due:
            order.look_at = now + hide_for
        return [self._doubt(order) for order in due]

    def _doubt(self, order: OrderRow) -> Doubt:
        trade = self.trades[order.key.follow_id, order.key.signal_id, order.key.leg]
        shared = any(
            lot.quantity and key[:2] == (trade.account_id, trade.symbol) and key[2] != order.key.follow_id
            for key, lot in self.kept.items()
        )
        return Doubt(
            self.stored(order.client_order_id), b"sealed", trade.expires_at, trade.superseded, shared
        )

    async def unbooked(self, now: datetime, older_than: timedelta, limit: int) -> Sequence[Doubt]:
        return [
            self._doubt(order)
            for order in self.orders.values()
            if order.executed and self._is_unbooked(order.key, now - older_than)
        ][:limit]

    def _is_unbooked(self, key: AttemptKey, before: datetime) -> bool:
        trade = self.trades[key.follow_id, key.signal_id, key.leg]
        old = trade.changed_at is None or trade.changed_at <= before
        return not trade.settled and trade.executed > trade.booked and old

    async def waiting(self, now: datetime, limit: int, hide_for: timedelta) -> Sequence[WaitingTrade]:
        due = [
            t
            for t in self.trades.values()
            if t.state is TradeState.WAITING and t.retry_at is not None and t.retry_at <= now
        ][:limit]
        found = []
        for trade in due:
            trade.retry_at = now + hide_for
            order = next(o for o in self.orders.values() if o.key == AttemptKey(*trade.key, trade.attempt))
            position = self.kept.get((trade.account_id, trade.symbol, trade.key[0]), Position())
            found.append(
                WaitingTrade(
                    attempt=self.stored(order.client_order_id),
                    sealed=b"sealed",
                    signal_expires_at=trade.expires_at,
                    superseded=trade.superseded,
                    closable=Quantity(abs(position.quantity)),
                    stopped=trade.stopped,
                    denied=trade.denied,
                )
            )
        return found

    async def resubmit(self, ready: Sequence[Resend], window: Window) -> frozenset[ClientOrderId]:
        ours = set()
        for item in ready:
            key = item.waiting.attempt.key
            trade = self.trades[key.follow_id, key.signal_id, key.leg]
            if trade.state is not TradeState.WAITING or trade.attempt != key.attempt:
                continue
            assert item.quantity > 0, "the database refuses an empty order"
            trade.state, trade.attempt, trade.retry_at = TradeState.WORKING, key.attempt + 1, None
            self.orders[item.client_order_id] = OrderRow(
                AttemptKey(key.follow_id, key.signal_id, key.leg, key.attempt + 1),
                item.client_order_id,
                item.quantity,
                window.signed_ms,
                window.valid_ms,
                window.look_at,
            )
            ours.add(item.client_order_id)
        return frozenset(ours)

    async def abandon(self, trades: Sequence[tuple[AttemptKey, str, str]]) -> None:
        for key, code, reason in trades:
            trade = self.trades[key.follow_id, key.signal_id, key.leg]
            if trade.state in (TradeState.WAITING, TradeState.ABSENT):
                row = self.funds[trade.account_id]
                row.held = Money(row.held - trade.hold_left)
                trade.state, trade.hold_left = TradeState.ABANDONED, Money(Decimal(0))
                trade.settled, trade.retry_at = trade.executed <= trade.booked, None
                self.given_up.append((key, code, reason))

    async def deferred(self, limit: int) -> Sequence[tuple[SignalId, Lane]]:
        return list(self.deferred_signals.values())[:limit]

    async def known_order_ids(self, account: AccountId, symbol: Symbol, since: datetime) -> frozenset[str]:
        return frozenset(o.venue_order_id for o in self.orders.values() if o.venue_order_id is not None)

    async def held(self, account: AccountId, symbol: Symbol) -> Decimal | None:
        here = [row for row in self.trades.values() if (row.account_id, row.symbol) == (account, symbol)]
        if any(not row.reduce_only and row.state is TradeState.WORKING for row in here):
            return None
        rows = [p.quantity for key, p in self.kept.items() if key[:2] == (account, symbol)]
        return sum(rows, Decimal(0))

    async def sync_wallet(
        self, account: AccountId, wallet: Money, at: datetime, *, beside_coins: bool = False
    ) -> None:
        self.funds[account] = FundsRow(wallet)

    async def book_funding(self, entries: Sequence[LedgerEntry]) -> None:
        known = {entry.entry_key for entry in self.ledger}
        self.ledger.extend(entry for entry in entries if entry.entry_key not in known)

    async def holds_positions(self, account: AccountId) -> bool:
        return any(key[0] == account and position.quantity for key, position in self.kept.items())

    async def book_transfer(self, entry: LedgerEntry) -> None:
        await self.book_funding([entry])

    async def leverage_is(self, told: Sequence[tuple[AccountId, Symbol, int]]) -> None:
        self.told.extend(told)
