"""A pretended venue, vault and wallet book for the use cases of accounts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from app.domain.exchanges.outcomes import RefusalKind, VenueError, VenueRefused, VenueUnsupported
from app.domain.exchanges.ports import ExchangeGateway, KeyFacts, MarketData, PrivateStream
from app.domain.exchanges.requests import PositionMode
from app.domain.shared.execution import VenueBalance
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Venue
from app.domain.shared.money import Money
from app.domain.users.account import ApiKey

GOOD = KeyFacts(can_trade=True, can_withdraw=False, ip_restricted=True)
UNKNOWN_KEY = VenueRefused("Unknown key.", RefusalKind.KEY, "-2015")
UNTOLD = VenueUnsupported("The venue does not tell what a key may do.")


@dataclass(slots=True)
class PretendedVenue:
    """GatewayFactory and gateway; `meanwhile` happens while the venue is being asked, `unread` is raised by the read of
    the wallet, `mode` is None where the venue does not tell it.
    """

    facts: KeyFacts = GOOD
    error: VenueError | None = None
    meanwhile: Callable[[], None] | None = None
    mode: PositionMode | None = PositionMode.ONE_WAY
    unread: VenueError | None = None

    def gateway(self, account: AccountId, venue: Venue, sealed: bytes) -> ExchangeGateway:
        return self  # type: ignore[return-value]  # only what the use cases ask of a gateway is pretended

    def stream(self, account: AccountId, venue: Venue, sealed: bytes) -> PrivateStream:
        raise NotImplementedError

    def market(self, venue: Venue) -> MarketData:
        raise NotImplementedError

    async def key_facts(self) -> KeyFacts:
        if self.meanwhile is not None:
            self.meanwhile()
        if self.error is not None:
            raise self.error
        return self.facts

    async def position_mode(self) -> PositionMode:
        if self.mode is None:
            raise VenueUnsupported("The venue has no such setting.")
        return self.mode

    async def balance(self, asset: str | None = None) -> VenueBalance:
        if self.unread is not None:
            raise self.unread
        return VenueBalance("USDT", Money(Decimal(100)), Money(Decimal(100)))


class PlainVault:
    """Vault that seals nothing."""

    def seal(self, account: AccountId, venue: Venue, key: ApiKey) -> bytes:
        return f"{account}|{key.key}".encode()

    def open(self, account: AccountId, venue: Venue, sealed: bytes) -> ApiKey:
        raise NotImplementedError


@dataclass(slots=True)
class Wallets:
    """WalletBook that remembers."""

    written: dict[AccountId, Money] = field(default_factory=dict)

    async def sync_wallet(
        self, account: AccountId, wallet: Money, at: datetime, *, beside_coins: bool = False
    ) -> None:
        self.written[account] = wallet
