"""What the hot path meets outside: a scripted gateway and its factory, a stream, quotes, the venue's clock, a bell."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from app.domain.exchanges.outcomes import NotSent, Outcome, VenueError
from app.domain.exchanges.ports import ExchangeGateway, KeyFacts, MarketData, PrivateStream, StreamEvent
from app.domain.exchanges.protection import PlaceProtection, ProtectionOutcome, ProtectionReport
from app.domain.exchanges.requests import MarginMode, PlaceOrder, PositionMode
from app.domain.shared.clock import Clock
from app.domain.shared.errors import DomainError, NotFound
from app.domain.shared.execution import (
    FeeRates,
    Fill,
    FundingPayment,
    OrderReport,
    OrderStatus,
    VenueBalance,
    VenuePosition,
)
from app.domain.shared.ids import AccountId, ClientOrderId, SignalId
from app.domain.shared.market import Instrument, Symbol, Venue
from app.domain.shared.money import Money, Price
from app.domain.signals.priority import Lane

Placed = Callable[[PlaceOrder], Awaitable[Outcome]]
ToProtect = Callable[[PlaceProtection], Awaitable[ProtectionOutcome]]


async def _nothing_leaves(_: PlaceOrder) -> Outcome:
    return NotSent("nobody said what becomes of it")


async def _nothing_protects(_: PlaceProtection) -> ProtectionOutcome:
    return NotSent("nobody said what becomes of it")


@dataclass
class ScriptedGateway:
    """ExchangeGateway: answers what it is told to; an exception in a field is raised instead."""

    on_place: Placed = _nothing_leaves
    reports: dict[str, OrderReport] = field(default_factory=dict)
    executions: list[Fill] = field(default_factory=list)
    held: list[VenuePosition] = field(default_factory=list)
    payments: list[FundingPayment] = field(default_factory=list)
    wallet: Money = Money(Decimal(1000))
    read_error: VenueError | None = None
    leverage_error: DomainError | None = None
    placed: list[PlaceOrder] = field(default_factory=list)
    leverages: list[int] = field(default_factory=list)
    asked_since: list[datetime | None] = field(default_factory=list)
    margin_modes: list[MarginMode] = field(default_factory=list)
    mode: PositionMode = PositionMode.ONE_WAY
    on_protect: ToProtect = _nothing_protects
    protected: list[PlaceProtection] = field(default_factory=list)
    protections: dict[str, ProtectionReport] = field(default_factory=dict)

    async def place(self, order: PlaceOrder) -> Outcome:
        self.placed.append(order)
        return await self.on_place(order)

    async def cancel(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        found = self.reports.get(client_order_id)
        if found is not None and found.status in (OrderStatus.OPEN, OrderStatus.PARTIAL):
            found = self.reports[client_order_id] = replace(found, status=OrderStatus.CANCELED)
        return found

    async def order(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        self._read()
        return self.reports.get(client_order_id)

    async def order_by_venue_id(self, instrument: Instrument, order_id: str) -> OrderReport | None:
        self._read()
        return next((row for row in self.reports.values() if row.order_id == order_id), None)

    async def open_orders(self, instrument: Instrument | None = None) -> Sequence[OrderReport]:
        return ()

    async def fills(
        self, instrument: Instrument, *, since: datetime | None = None, order_id: str | None = None
    ) -> Sequence[Fill]:
        self._read()
        self.asked_since.append(since)
        return [
            fill
            for fill in self.executions
            if fill.symbol == instrument.symbol
            and (order_id is None or fill.order_id == order_id)
            and (since is None or fill.at >= since)
        ]

    async def positions(self) -> Sequence[VenuePosition]:
        self._read()
        return self.held

    async def balance(self, asset: str | None = None) -> VenueBalance:
        self._read()
        return VenueBalance(asset or "USDT", self.wallet, self.wallet)

    async def funding(self, since: datetime) -> Sequence[FundingPayment]:
        self._read()
        return [payment for payment in self.payments if payment.at >= since]

    async def set_leverage(self, instrument: Instrument, leverage: int) -> int:
        if self.leverage_error is not None:
            raise self.leverage_error
        self.leverages.append(leverage)
        return leverage

    async def set_margin_mode(self, instrument: Instrument, mode: MarginMode) -> None:
        self.margin_modes.append(mode)

    async def position_mode(self) -> PositionMode:
        self._read()
        return self.mode

    async def set_position_mode(self, mode: PositionMode) -> None:
        self.mode = mode

    async def fee_rates(self, instrument: Instrument) -> FeeRates:
        self._read()
        return FeeRates(maker=Decimal("0.0002"), taker=Decimal("0.0005"))

    async def protect(self, protection: PlaceProtection) -> ProtectionOutcome:
        self.protected.append(protection)
        return await self.on_protect(protection)

    async def cancel_protection(
        self, instrument: Instrument, client_order_id: ClientOrderId
    ) -> ProtectionReport | None:
        self._read()
        return self.protections.get(client_order_id)

    async def protection(
        self, instrument: Instrument, client_order_id: ClientOrderId
    ) -> ProtectionReport | None:
        self._read()
        return self.protections.get(client_order_id)

    async def open_protections(self, instrument: Instrument | None = None) -> Sequence[ProtectionReport]:
        self._read()
        return [row for row in self.protections.values() if not row.status.is_final]

    async def key_facts(self) -> KeyFacts:
        return KeyFacts(can_trade=True, can_withdraw=False, ip_restricted=True)

    def _read(self) -> None:
        if self.read_error is not None:
            raise self.read_error


@dataclass
class OneGateway:
    """GatewayFactory: the same gateway for every account; `refusal` is raised instead (a vault that cannot open)."""

    account: ScriptedGateway
    refusal: DomainError | None = None

    def gateway(self, account: AccountId, venue: Venue, sealed: bytes) -> ExchangeGateway:
        if self.refusal is not None:
            raise self.refusal
        return self.account

    def stream(self, account: AccountId, venue: Venue, sealed: bytes) -> PrivateStream:
        return ScriptedStream(())

    def market(self, venue: Venue) -> MarketData:
        raise NotFound("No market data is scripted.")


class ScriptedStream:
    """PrivateStream: says its events in order; an asyncio.Event among them is waited for first."""

    def __init__(self, script: Sequence[StreamEvent | asyncio.Event]) -> None:
        self._script = script
        self.closed = False

    async def events(self) -> AsyncIterator[StreamEvent]:
        for item in self._script:
            if isinstance(item, asyncio.Event):
                await item.wait()
            else:
                yield item

    async def close(self) -> None:
        self.closed = True


@dataclass
class FixedQuotes:
    """Quotes, and the instruments of a watch; `mark_error` is raised instead of a mark."""

    instruments: Mapping[Symbol, Instrument]
    price: Price = Price(Decimal(100))
    mark_error: VenueError | None = None

    async def instrument(self, venue: Venue, sym: Symbol) -> Instrument:
        try:
            return self.instruments[sym]
        except KeyError:
            raise NotFound("No such instrument.", symbol=sym) from None

    async def mark(self, venue: Venue, sym: Symbol) -> Price:
        if self.mark_error is not None:
            raise self.mark_error
        return self.price


@dataclass
class ClockOfVenue:
    """VenueClock: our own clock, off by `ahead`."""

    clock: Clock
    ahead: timedelta = timedelta(0)

    def now_ms(self, venue: Venue) -> int:
        return int((self.clock.now() + self.ahead).timestamp() * 1000)


@dataclass
class HeardBell:
    """SignalBell: remembers; `broken` raises."""

    rung: list[tuple[SignalId, Lane]] = field(default_factory=list)
    broken: bool = False

    async def ring(self, signal_id: SignalId, lane: Lane) -> None:
        if self.broken:
            raise OSError("The broker is away.")
        self.rung.append((signal_id, lane))


@dataclass
class HeardTurns:
    """Turns: everybody's turn has come; remembers who was to come soon."""

    asked_for: list[AccountId] = field(default_factory=list)

    async def take(self, accounts: Sequence[AccountId], at_most: int) -> frozenset[AccountId]:
        return frozenset(accounts[:at_most])

    async def soon(self, account: AccountId) -> None:
        self.asked_for.append(account)


@dataclass
class Counts:
    """Metrics: sums by name."""

    seen: Counter[str] = field(default_factory=Counter)

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        self.seen[name] += amount

    def gauge(self, name: str, value: float, **labels: str) -> None:
        self.seen[name] = int(value)

    def seconds(self, name: str, value: float, **labels: str) -> None:
        self.seen[name] += 1
