"""A pretended venue behind the gateway port: what it says is set by the test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NoReturn

from app.domain.exchanges.outcomes import RefusalKind, VenueRefused, VenueUnavailable
from app.domain.exchanges.ports import ExchangeGateway, KeyFacts, MarketData, PrivateStream
from app.domain.exchanges.requests import PositionMode
from app.domain.shared.execution import VenueBalance
from app.domain.shared.ids import AccountId, SignalId
from app.domain.shared.market import Instrument, Symbol, Venue
from app.domain.shared.money import Money, Price, Quantity
from app.domain.signals.priority import Lane

BTC = Symbol("BTC-USDT")
MARK = Price(Decimal(64000))
GOOD_KEY = KeyFacts(can_trade=True, can_withdraw=False, ip_restricted=True)
WALLET = Money(Decimal("1234.5"))
INSTRUMENT = Instrument(
    venue=Venue.BINANCE_USDM,
    symbol=BTC,
    venue_symbol="BTCUSDT",
    tick=Decimal("0.1"),
    step=Decimal("0.001"),
    quantity_min=Quantity(Decimal("0.001")),
    quantity_max=Quantity(Decimal(1000)),
    notional_min=Money(Decimal(5)),
)


@dataclass(slots=True)
class PretendedVenue:
    """GatewayFactory, and every gateway and market that it gives."""

    facts: KeyFacts = GOOD_KEY
    is_down: bool = False
    refuses_key: bool = False
    sealed_seen: list[bytes] = field(default_factory=list)

    def gateway(self, account: AccountId, venue: Venue, sealed: bytes) -> ExchangeGateway:
        self.sealed_seen.append(sealed)
        return self  # type: ignore[return-value]  # only what the API asks of a gateway is pretended

    def stream(self, account: AccountId, venue: Venue, sealed: bytes) -> PrivateStream:
        raise NotImplementedError

    def market(self, venue: Venue) -> MarketData:
        return self

    async def key_facts(self) -> KeyFacts:
        self._answer()
        if self.refuses_key:
            raise VenueRefused("The key is not known.", RefusalKind.KEY, "-2015")
        return self.facts

    async def position_mode(self) -> PositionMode:
        self._answer()
        return PositionMode.ONE_WAY

    async def balance(self, asset: str | None = None) -> VenueBalance:
        self._answer()
        return VenueBalance("USDT", WALLET, WALLET)

    async def instruments(self) -> Sequence[Instrument]:
        self._answer()
        return [INSTRUMENT]

    async def marks(self) -> Mapping[Symbol, Price]:
        self._answer()
        return {BTC: MARK}

    async def server_time_ms(self) -> int:
        return 0

    def _answer(self) -> None:
        if self.is_down:
            self._fail()

    def _fail(self) -> NoReturn:
        raise VenueUnavailable("The venue does not answer.")


@dataclass(slots=True)
class RecordingBell:
    """SignalBell that remembers."""

    rung: list[tuple[SignalId, Lane]] = field(default_factory=list)

    async def ring(self, signal_id: SignalId, lane: Lane) -> None:
        self.rung.append((signal_id, lane))
