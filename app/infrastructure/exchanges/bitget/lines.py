"""The product lines as what builds their parts: a row of the registry each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Final

from app.domain.exchanges.ports import ExchangeGateway, PrivateStream
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Symbol, Venue
from app.domain.shared.money import Price
from app.infrastructure.exchanges.bitget.feed import BitgetFeed
from app.infrastructure.exchanges.bitget.futures import BitgetFuturesGateway
from app.infrastructure.exchanges.bitget.market import BitgetMarket, heard_tickers
from app.infrastructure.exchanges.bitget.spot import BitgetSpotGateway
from app.infrastructure.exchanges.bitget.wire.products import FUTURES, SPOT, Product
from app.infrastructure.exchanges.bitget.wire.socket import ticker_subscriptions
from app.infrastructure.exchanges.http import Transport
from app.infrastructure.exchanges.market import ListedMarket
from app.infrastructure.exchanges.settings import VenueSettings
from app.infrastructure.exchanges.shared import VenueShared


@dataclass(frozen=True, slots=True)
class Line:
    """What builds a line's market, gateways and streams, and what hears its marks."""

    market: Callable[[Transport, VenueSettings], ListedMarket]
    gateway: Callable[[VenueShared, AccountId, bytes], ExchangeGateway]
    stream: Callable[[VenueShared, AccountId, bytes], PrivateStream]
    read_marks: Callable[[bytes, Mapping[str, Symbol]], Mapping[Symbol, Price]]
    subscribe_marks: Callable[[Iterable[str]], Sequence[str]]


def _line(product: Product, gateway: Callable[[VenueShared, AccountId, bytes], ExchangeGateway]) -> Line:
    return Line(
        market=partial(BitgetMarket, product),
        gateway=gateway,
        stream=partial(BitgetFeed, product),
        read_marks=partial(heard_tickers, product),
        subscribe_marks=partial(ticker_subscriptions, product),
    )


LINES: Final[Mapping[Venue, Line]] = MappingProxyType(
    {
        Venue.BITGET_SPOT: _line(SPOT, BitgetSpotGateway),
        Venue.BITGET_USDT_FUTURES: _line(FUTURES, BitgetFuturesGateway),
    }
)
