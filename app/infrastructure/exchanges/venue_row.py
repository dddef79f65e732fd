"""A row of the table of venues: how to build one venue's parts. A venue more is its folder with such rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.domain.exchanges.ports import ExchangeGateway, PrivateStream
from app.domain.shared.ids import AccountId
from app.domain.shared.market import Symbol
from app.domain.shared.money import Price
from app.infrastructure.exchanges.guard import Costs
from app.infrastructure.exchanges.http import Transport
from app.infrastructure.exchanges.market import ListedMarket
from app.infrastructure.exchanges.settings import VenueSettings
from app.infrastructure.exchanges.shared import VenueShared


@dataclass(frozen=True, slots=True)
class VenueRow:
    """How to build one venue's parts; paths are behind the addresses of its settings.

    `weight_pool` names venues that count an address's requests together; alone, a venue is its own.
    """

    market: Callable[[Transport, VenueSettings], ListedMarket]
    gateway: Callable[[VenueShared, AccountId, bytes], ExchangeGateway]
    stream: Callable[[VenueShared, AccountId, bytes], PrivateStream]
    costs: Costs
    read_marks: Callable[[bytes, Mapping[str, Symbol]], Mapping[Symbol, Price]] = lambda raw, names: {}
    marks_path: Callable[[VenueSettings], str] | None = None
    ping_path: str = ""
    subscribe_marks: Callable[[Iterable[str]], Sequence[str]] | None = None
    ping: str | None = None
    weight_pool: str = ""
