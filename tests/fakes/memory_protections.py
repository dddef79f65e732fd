"""A book of protections in memory: rows and positions as the database keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from app.application.trading.protect_ports import Guarded, Looked, StoredProtection
from app.domain.exchanges.venue import CAPABILITIES
from app.domain.shared.clock import Clock
from app.domain.shared.ids import AccountId, ClientOrderId, FollowId, SignalId, WhaleId
from app.domain.shared.market import MarketKind, Symbol, Venue
from app.domain.shared.money import Price
from app.domain.shared.protection_terms import ProtectionTerms
from app.domain.signals.priority import Lane
from app.domain.signals.signal import Signal
from app.domain.trading.protection import IS_LIVE, ProtectionState

LOOKED_AT = IS_LIVE | {ProtectionState.ABSENT}


@dataclass
class Held:
    """A follow's position on one market; `leaving` says that an exit is on its way."""

    follow_id: FollowId
    symbol: Symbol
    venue: Venue
    quantity: Decimal
    entry: Price
    opened_at: datetime
    terms: ProtectionTerms
    account_id: AccountId = AccountId(21)
    leaving: bool = False
    shared: bool = False
    best: Price | None = None
    bare_since: datetime | None = None


@dataclass
class MemoryProtections:
    """ProtectionBook. `became` are the exits of triggers, of which `booked` are settled; `left` the exits that were asked
    for and `over` those of them that closed what they could, `waiting` those that wait for what rests to be gone.
    """

    clock: Clock
    positions: list[Held] = field(default_factory=list)
    rows: dict[ClientOrderId, StoredProtection] = field(default_factory=dict)
    made_at: dict[ClientOrderId, datetime] = field(default_factory=dict)
    became: list[StoredProtection] = field(default_factory=list)
    left: dict[SignalId, Signal] = field(default_factory=dict)
    booked: set[SignalId] = field(default_factory=set)
    waiting: list[tuple[SignalId, Lane]] = field(default_factory=list)
    over: set[SignalId] = field(default_factory=set)

    def of(self, held: Held) -> list[StoredProtection]:
        mine = [r for r in self.rows.values() if (r.follow_id, r.symbol) == (held.follow_id, held.symbol)]
        return sorted(mine, key=lambda row: (row.rung, row.attempt))

    async def guarded(self) -> Sequence[Guarded]:
        return [
            made
            for held in self.positions
            if (made := self._guarded(held)).quantity or any(row.state in IS_LIVE for row in made.rows)
        ]

    def _guarded(self, held: Held) -> Guarded:
        rows = self.of(held)
        newest: dict[str, int] = {}
        for row in rows:
            newest[row.rung] = row.attempt
        return Guarded(
            follow_id=held.follow_id,
            whale_id=WhaleId(1),
            account_id=held.account_id,
            venue=held.venue,
            symbol=held.symbol,
            sealed=b"sealed",
            hedged=False,
            terms=held.terms,
            quantity=held.quantity,
            entry=held.entry if held.quantity else None,
            opened_at=held.opened_at,
            best=held.best,
            bare_since=held.bare_since,
            leaving=held.leaving,
            shared=held.shared,
            rows=tuple(
                row
                for row in rows
                if row.state in IS_LIVE or self.made_at[row.client_order_id] >= held.opened_at
            ),
            newest=newest,
        )

    async def begin(self, rows: Sequence[StoredProtection]) -> frozenset[ClientOrderId]:
        known = {(row.follow_id, row.symbol, row.rung, row.attempt) for row in self.rows.values()}
        ours = set()
        for row in rows:
            if not self._may_place(row):
                continue
            if (row.follow_id, row.symbol, row.rung, row.attempt) not in known:
                self.rows[row.client_order_id] = replace(row, updated_at=self.clock.now())
                self.made_at[row.client_order_id] = self.clock.now()
                ours.add(row.client_order_id)
        return frozenset(ours)

    def _may_place(self, row: StoredProtection) -> bool:
        spot = CAPABILITIES[row.venue].kind is MarketKind.SPOT
        return any(
            not (spot or held.shared) or (not held.leaving and abs(held.quantity) >= row.quantity)
            for held in self.positions
            if held.follow_id == row.follow_id
        )

    async def change(self, row: StoredProtection, was: ProtectionState) -> bool:
        if self.rows[row.client_order_id].state is not was:
            return False
        self.rows[row.client_order_id] = replace(row, updated_at=self.clock.now())
        return True

    async def trigger(self, row: StoredProtection, was: ProtectionState, at: datetime) -> bool:
        if not await self.change(row, was):
            return False
        self.became.append(row)
        return True

    async def by_client_id(self, client_order_id: str) -> StoredProtection | None:
        return self.rows.get(ClientOrderId(client_order_id))

    async def due(self, now: datetime, limit: int, hide_for: timedelta) -> Sequence[Looked]:
        due = [
            row
            for row in self.rows.values()
            if (row.state in LOOKED_AT or (self._unbooked(row) and row.order_id is None))
            and row.look_at is not None
            and row.look_at <= now
        ][:limit]
        for row in due:
            self.rows[row.client_order_id] = replace(row, look_at=now + hide_for)
        return [Looked(self.rows[row.client_order_id], b"sealed") for row in due]

    async def remember(self, position: Guarded, best: Price | None, bare_since: datetime | None) -> None:
        for held in self.positions:
            if (held.follow_id, held.symbol) == (position.follow_id, position.symbol):
                held.best, held.bare_since = best, bare_since

    async def asked(self, exits: Sequence[SignalId]) -> frozenset[SignalId]:
        return frozenset(exits) & self.left.keys()

    def _unbooked(self, row: StoredProtection) -> bool:
        return row.state is ProtectionState.TRIGGERED and row.signal_id not in self.booked

    async def may_sell(self, follows: Sequence[FollowId], symbol: Symbol) -> Sequence[Looked]:
        return [
            Looked(row, b"sealed")
            for row in self.rows.values()
            if row.follow_id in follows and row.symbol == symbol
            if row.state in IS_LIVE or self._unbooked(row)
        ]

    async def reopen(self, row: StoredProtection) -> Sequence[tuple[SignalId, Lane]]:
        if await self.may_sell([row.follow_id], row.symbol):
            return ()
        reopened, self.waiting = self.waiting, []
        return reopened

    async def number(self, row: StoredProtection, at: datetime) -> bool:
        stored = self.rows[row.client_order_id]
        if stored.state is not ProtectionState.TRIGGERED or stored.order_id is not None:
            return False
        self.rows[row.client_order_id] = replace(stored, order_id=row.order_id, look_at=None)
        return True

    async def leave(self, signal: Signal) -> tuple[SignalId, Lane] | None:
        if signal.id in self.left:
            return None
        self.left[signal.id] = signal
        return signal.id, signal.lane

    async def spent(self, signal: Signal) -> datetime | None:
        return self.left[signal.id].created_at if signal.id in self.over else None
