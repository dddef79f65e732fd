"""Does a hand-made entry name a real market, at a price that this market has?"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.exchanges.ports import GatewayFactory
from app.domain.shared.errors import InvalidValue
from app.domain.shared.market import Symbol, Venue
from app.domain.shared.money import Price


class UnknownSymbol(InvalidValue):
    """The venue does not trade this market."""

    code = "unknown_symbol"


class PriceOffMarket(InvalidValue):
    """The reference price is far from the mark price: probably a slip of the hand."""

    code = "price_off_market"


@dataclass(frozen=True, slots=True)
class MarketCheck:
    """Refuse an entry on an unknown market, or at a price more than `band` (a ratio) away from the mark.

    A venue that does not answer refuses the entry too: what cannot be checked is not traded.
    """

    gateways: GatewayFactory
    band: Decimal = Decimal("0.1")

    async def __call__(self, venue: Venue, symbol: Symbol, reference: Price) -> None:
        """Pass, or raise UnknownSymbol, PriceOffMarket or VenueUnavailable."""
        market = self.gateways.market(venue)
        if all(instrument.symbol != symbol for instrument in await market.instruments()):
            raise UnknownSymbol("The leader's venue does not trade this symbol.")
        mark = (await market.marks()).get(symbol)
        if mark is None:
            raise VenueUnavailable("The venue tells no mark price for this symbol now.")
        if abs(reference - mark) > mark * self.band:
            raise PriceOffMarket("The reference price is too far from the mark price.", band=self.band)
