"""A venue of the library as a row of the registry: its parts share one library object per pool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from app.domain.exchanges.ports import ExchangeGateway, PrivateStream
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Venue
from app.infrastructure.exchanges.generic.account import GenericAccount
from app.infrastructure.exchanges.generic.bell import Bell
from app.infrastructure.exchanges.generic.feed import PollingFeed
from app.infrastructure.exchanges.generic.gateway import GenericGateway
from app.infrastructure.exchanges.generic.library import Library
from app.infrastructure.exchanges.generic.market import GenericMarket
from app.infrastructure.exchanges.generic.recipe import Recipe
from app.infrastructure.exchanges.guarded import GuardedGateway
from app.infrastructure.exchanges.http import Transport
from app.infrastructure.exchanges.market import ListedMarket
from app.infrastructure.exchanges.settings import VenueSettings
from app.infrastructure.exchanges.shared import VenueShared


@dataclass(frozen=True, slots=True)
class Parts:
    """What builds a venue's market, gateways and streams."""

    market: Callable[[Transport, VenueSettings], ListedMarket]
    gateway: Callable[[VenueShared, AccountId, bytes], ExchangeGateway]
    stream: Callable[[VenueShared, AccountId, bytes], PrivateStream]


def parts(venue: Venue, recipe: Recipe) -> Parts:
    """Return the builders of a venue by its recipe. The library object lives as long as the pool's transport."""
    libraries: WeakKeyDictionary[Transport, Library] = WeakKeyDictionary()

    def market(transport: Transport, settings: VenueSettings) -> ListedMarket:
        libraries[transport] = Library(recipe, transport, settings)
        return GenericMarket(venue, libraries[transport])

    def gateway(shared: VenueShared, account: AccountId, sealed: bytes) -> ExchangeGateway:
        return GenericGateway(shared, libraries[shared.transport], account, sealed)

    def stream(shared: VenueShared, account: AccountId, sealed: bytes) -> PrivateStream:
        guarded = GuardedGateway(gateway(shared, account, sealed), shared.guard, account)
        listening = GenericAccount(shared, libraries[shared.transport], account, sealed)
        return PollingFeed(shared, guarded, Bell(listening) if recipe.rings else None)

    return Parts(market, gateway, stream)
