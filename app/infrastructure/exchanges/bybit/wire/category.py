"""The three kinds of market behind one interface, as a table: what the venue calls them and where they differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from app.domain.shared.market import MarketKind, Symbol, Venue

COLLATERAL: Final = "USDT"


@dataclass(frozen=True, slots=True)
class Category:
    """`word` is the venue's own. `contract` is the type of the contracts that are ours. `settled` narrows a list to all
    of ours where the venue wants that. `protections` is the filter under which waiting protections are listed.
    `topics_at_once` is how many topics one subscription to public data may name.
    """

    venue: Venue
    word: str
    kind: MarketKind
    contract: str
    settled: str
    protections: str
    private_topics: tuple[str, ...]
    topics_at_once: int = 100

    @property
    def is_spot(self) -> bool:
        """Whether coins are held, not positions."""
        return self.kind is MarketKind.SPOT

    @property
    def public_path(self) -> str:
        """Where the public stream is."""
        return f"/v5/public/{self.word}"

    @property
    def default_asset(self) -> str | None:
        """The wallet that pays; None where each market has its own."""
        return None if self.kind is MarketKind.INVERSE else COLLATERAL

    def settle(self, symbol: Symbol) -> str:
        """Return the asset of fees and profits of a market."""
        base, _, quote = symbol.rpartition("-")
        return base if self.kind is MarketKind.INVERSE else quote

    def owns(self, base: str, quote: str, settle: str) -> bool:
        """Return whether a market is ours to trade: paid in USDT, or inverse against the dollar."""
        if self.kind is MarketKind.INVERSE:
            return (quote, settle) == ("USD", base)
        return (quote, settle) == (COLLATERAL, COLLATERAL)


CATEGORIES: Final[Mapping[Venue, Category]] = MappingProxyType(
    {
        # A subscription to spot topics names ten at most: Bybit v5 documentation, connect.
        Venue.BYBIT_SPOT: Category(
            venue=Venue.BYBIT_SPOT,
            word="spot",
            kind=MarketKind.SPOT,
            contract="",
            settled="",
            protections="tpslOrder",
            private_topics=("order.spot", "execution.spot", "wallet"),
            topics_at_once=10,
        ),
        Venue.BYBIT_LINEAR: Category(
            venue=Venue.BYBIT_LINEAR,
            word="linear",
            kind=MarketKind.LINEAR,
            contract="LinearPerpetual",
            settled=f"settleCoin={COLLATERAL}",
            protections="StopOrder",
            private_topics=("order.linear", "execution.linear", "position.linear", "wallet"),
        ),
        Venue.BYBIT_INVERSE: Category(
            venue=Venue.BYBIT_INVERSE,
            word="inverse",
            kind=MarketKind.INVERSE,
            contract="InversePerpetual",
            settled="",
            protections="StopOrder",
            private_topics=("order.inverse", "execution.inverse", "position.inverse", "wallet"),
        ),
    }
)
