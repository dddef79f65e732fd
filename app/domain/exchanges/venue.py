"""What a venue can do and promises, as data: the life cycle and the guards read it, never `if venue == ...`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from app.domain.shared.market import Venue


class IdUniqueness(StrEnum):
    """Among which orders a venue refuses a client order id that was used before."""

    OPEN_ORDERS = "OPEN_ORDERS"
    ALWAYS = "ALWAYS"
    NONE = "NONE"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """One venue's contract.

    `validity` is the window behind the signed timestamp after which a delayed copy of a request is refused by the
    venue: it is the fence. `engine_timeout` is how long an accepted request may still be on its way inside. The
    limits are stated in 10 s and in a minute; where the venue counts in a shorter window, `orders_window` and
    `weight_window` name it, and no such window gets more than its share.
    """

    id_uniqueness: IdUniqueness
    validity: timedelta
    engine_timeout: timedelta
    orders_per_account_10s: int
    weight_per_ip_minute: int
    orders_window: timedelta = timedelta(seconds=10)
    weight_window: timedelta = timedelta(minutes=1)


CAPABILITIES: Final[Mapping[Venue, Capabilities]] = MappingProxyType(
    {
        # recvWindow default 5000 ms; API timeout 10 s with code -1007 "status unknown"; order limits 300/10 s and
        # 2400 weight/min per IP: Binance derivatives documentation, rate-limit FAQ.
        Venue.BINANCE_USDM: Capabilities(
            id_uniqueness=IdUniqueness.OPEN_ORDERS,
            validity=timedelta(seconds=5),
            engine_timeout=timedelta(seconds=10),
            orders_per_account_10s=300,
            weight_per_ip_minute=2400,
        ),
        # recv_window default 5000 ms; 10 requests a second and account in a rolling window, 600 requests in 5 s and
        # address, every request counting one: Bybit v5 documentation, guide and rate-limit rules. How long an
        # acknowledged order may take inside is not published: as long as a reply is waited for is assumed.
        Venue.BYBIT_LINEAR: Capabilities(
            id_uniqueness=IdUniqueness.ALWAYS,
            validity=timedelta(seconds=5),
            engine_timeout=timedelta(seconds=10),
            orders_per_account_10s=100,
            weight_per_ip_minute=7200,
            orders_window=timedelta(seconds=1),
            weight_window=timedelta(seconds=5),
        ),
    }
)


@dataclass(frozen=True, slots=True)
class FenceRule:
    """When the absence of an order is proven (and not merely seen once).

    An order that was signed at t can no longer be executed after t + validity + engine_timeout + clock_error.
    From then on, `answers` negative answers, `spread` apart, prove its absence where the operator states a bound
    on how late an accepted order may become visible (`visibility_bound`); where the bound is None, absence is
    assumed, never proven, and an entry is not sent again.
    """

    validity: timedelta
    engine_timeout: timedelta
    clock_error: timedelta = timedelta(seconds=1)
    answers: int = 3
    spread: timedelta = timedelta(seconds=1)
    visibility_bound: timedelta | None = None

    @property
    def closes_after(self) -> timedelta:
        """How long after its signed timestamp an order can no longer come into being."""
        return self.validity + self.engine_timeout + self.clock_error

    @property
    def first_look_after(self) -> timedelta:
        """How long after its signed timestamp a negative answer begins to count."""
        return self.closes_after + (self.visibility_bound or timedelta(0))
