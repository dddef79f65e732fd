"""The venue port: one gateway per account (Strategy), a factory that builds them, public market data, and a stream.

Contract, held by one suite for every venue: `place` and `protect` never raise and never send twice; reads raise
VenueError and return None or nothing only on a successful answer that says so; what a venue does not have raises
VenueUnsupported without asking.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from app.domain.exchanges.outcomes import Outcome
from app.domain.exchanges.protection import PlaceProtection, ProtectionOutcome, ProtectionReport
from app.domain.exchanges.requests import MarginMode, PlaceOrder, PositionMode
from app.domain.shared.execution import (
    FeeRates,
    Fill,
    FundingPayment,
    OrderReport,
    VenueBalance,
    VenuePosition,
)
from app.domain.shared.ids import AccountId, ClientOrderId
from app.domain.shared.market import Instrument, Symbol, Venue
from app.domain.shared.money import Money, Price


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """What a venue says an API key may do."""

    can_trade: bool
    can_withdraw: bool
    ip_restricted: bool


class ExchangeGateway(Protocol):
    """One account at one venue."""

    async def place(self, order: PlaceOrder) -> Outcome:
        """Send one order once. Never raises, never retries."""
        ...

    async def cancel(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        """Cancel an order; its last report, or None when the venue does not know it (which proves nothing)."""
        ...

    async def order(self, instrument: Instrument, client_order_id: ClientOrderId) -> OrderReport | None:
        """Return the venue's word on an order, None when it answered that there is none."""
        ...

    async def order_by_venue_id(self, instrument: Instrument, order_id: str) -> OrderReport | None:
        """Return the venue's word on an order by the venue's own id, None when it answered that there is none."""
        ...

    async def open_orders(self, instrument: Instrument | None = None) -> Sequence[OrderReport]:
        """Return the account's resting orders."""
        ...

    async def fills(
        self, instrument: Instrument, *, since: datetime | None = None, order_id: str | None = None
    ) -> Sequence[Fill]:
        """Return executions, oldest first: of one order, or since a time."""
        ...

    async def positions(self) -> Sequence[VenuePosition]:
        """Return positions that are not flat."""
        ...

    async def balance(self, asset: str | None = None) -> VenueBalance:
        """Return the wallet of an asset, zero when it holds none; without a name that of the venue's collateral, or of
        its quote currency at a spot venue. An inverse venue has a wallet per coin: there the name is needed.
        """
        ...

    async def funding(self, since: datetime) -> Sequence[FundingPayment]:
        """Return funding payments, oldest first."""
        ...

    async def set_leverage(self, instrument: Instrument, leverage: int) -> int:
        """Set the leverage of a market and return what the venue confirmed."""
        ...

    async def set_margin_mode(self, instrument: Instrument, mode: MarginMode) -> None:
        """Set the margin mode of a market (of the account, where the venue has it so); no change is no refusal."""
        ...

    async def position_mode(self) -> PositionMode:
        """Return whether positions net."""
        ...

    async def set_position_mode(self, mode: PositionMode) -> None:
        """Set whether positions net; no change is no refusal. Venues refuse it while orders or positions are open."""
        ...

    async def fee_rates(self, instrument: Instrument) -> FeeRates:
        """Return what the account pays on a market."""
        ...

    async def protect(self, protection: PlaceProtection) -> ProtectionOutcome:
        """Send one protection once. Never raises, never retries."""
        ...

    async def cancel_protection(
        self, instrument: Instrument, client_order_id: ClientOrderId
    ) -> ProtectionReport | None:
        """Cancel a protection; its last report, or None when the venue does not know it (which proves nothing)."""
        ...

    async def protection(
        self, instrument: Instrument, client_order_id: ClientOrderId
    ) -> ProtectionReport | None:
        """Return the venue's word on a protection, None when it answered that there is none."""
        ...

    async def open_protections(self, instrument: Instrument | None = None) -> Sequence[ProtectionReport]:
        """Return the account's waiting protections."""
        ...

    async def key_facts(self) -> KeyFacts:
        """Return what the key may do."""
        ...


class MarketData(Protocol):
    """A venue's public side."""

    async def instruments(self) -> Sequence[Instrument]:
        """Return all tradable instruments."""
        ...

    async def marks(self) -> Mapping[Symbol, Price]:
        """Return the mark price of every instrument."""
        ...

    async def server_time_ms(self) -> int:
        """Return the venue's clock."""
        ...


@dataclass(frozen=True, slots=True)
class Connected:
    """The stream is (again) live: whatever happened before must be fetched by REST."""

    at: datetime


@dataclass(frozen=True, slots=True)
class OrderUpdate:
    """An order changed; `fill` is the execution that changed it, if one did."""

    report: OrderReport
    fill: Fill | None


@dataclass(frozen=True, slots=True)
class BalanceUpdate:
    """The wallet changed to this, for the named reason of the venue (ORDER, FUNDING_FEE, DEPOSIT, ...)."""

    balance: Money
    change: Money
    reason: str
    at: datetime
    positions: tuple[VenuePosition, ...] = ()
    asset: str = "USDT"


@dataclass(frozen=True, slots=True)
class ProtectionUpdate:
    """A protection changed."""

    report: ProtectionReport


StreamEvent: TypeAlias = Connected | OrderUpdate | BalanceUpdate | ProtectionUpdate


class PrivateStream(Protocol):
    """One account's live events. It reconnects by itself and says `Connected` each time."""

    def events(self) -> AsyncIterator[StreamEvent]:
        """Yield events until closed."""
        ...

    async def close(self) -> None:
        """Stop the stream and let `events` end."""
        ...


class GatewayFactory(Protocol):
    """Builds what talks to venues; everything costly (pools, instruments, clocks) is shared per venue."""

    def gateway(self, account: AccountId, venue: Venue, sealed: bytes) -> ExchangeGateway:
        """Return the gateway of one account; cheap, keeps no connection of its own."""
        ...

    def stream(self, account: AccountId, venue: Venue, sealed: bytes) -> PrivateStream:
        """Return a new private stream of one account."""
        ...

    def market(self, venue: Venue) -> MarketData:
        """Return the venue's public side."""
        ...
