"""What a venue can do and promises, as data: the life cycle and the guards read it, never `if venue == ...`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from app.domain.shared.market import MarketKind, Venue


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
    `weight_window` name it, and no such window gets more than its share. `collateral` is the asset of the wallet that
    orders are paid from, None where each market has its own. Without `reduces` the venue has no reduce-only orders,
    so that an exit sent twice could sell twice; without `finds_by_client_id` it cannot be asked for our ids.
    """

    kind: MarketKind
    collateral: str | None
    id_uniqueness: IdUniqueness
    validity: timedelta
    orders_per_account_10s: int
    weight_per_ip_minute: int
    engine_timeout: timedelta = timedelta(seconds=10)
    orders_window: timedelta = timedelta(seconds=10)
    weight_window: timedelta = timedelta(minutes=1)
    reduces: bool = True
    finds_by_client_id: bool = True
    hedges: bool = True
    protects: bool = True


def _binance(kind: MarketKind, collateral: str | None, orders: int, weight: int) -> Capabilities:
    # recvWindow default 5000 ms; API timeout 10 s with code -1007 "status unknown": Binance documentation.
    return Capabilities(
        kind=kind,
        collateral=collateral,
        id_uniqueness=IdUniqueness.OPEN_ORDERS,
        validity=timedelta(seconds=5),
        orders_per_account_10s=orders,
        weight_per_ip_minute=weight,
        reduces=kind is not MarketKind.SPOT,
        hedges=kind is not MarketKind.SPOT,
    )


def _bybit(kind: MarketKind, collateral: str | None, orders_10s: int) -> Capabilities:
    # recv_window default 5000 ms; 10 requests a second and account (20 for spot) in a rolling window, 600 requests in
    # 5 s and address, every request counting one: Bybit v5 documentation, guide and rate-limit rules. How long an
    # acknowledged order may take inside is not published: as long as a reply is waited for is assumed.
    return Capabilities(
        kind=kind,
        collateral=collateral,
        id_uniqueness=IdUniqueness.ALWAYS,
        validity=timedelta(seconds=5),
        orders_per_account_10s=orders_10s,
        weight_per_ip_minute=7200,
        orders_window=timedelta(seconds=1),
        weight_window=timedelta(seconds=5),
        reduces=kind is not MarketKind.SPOT,
        hedges=kind is MarketKind.LINEAR,
    )


def _okx(kind: MarketKind) -> Capabilities:
    # The header expTime bounds the execution; 60 orders in 2 s per account and instrument; reads are limited per
    # endpoint and account (10 to 60 in 2 s), for which an address budget of 10 a second stands: OKX v5 documentation.
    return Capabilities(
        kind=kind,
        collateral="USDT",
        id_uniqueness=IdUniqueness.OPEN_ORDERS,
        validity=timedelta(seconds=5),
        orders_per_account_10s=300,
        weight_per_ip_minute=6000,
        orders_window=timedelta(seconds=2),
        weight_window=timedelta(seconds=2),
        reduces=kind is not MarketKind.SPOT,
        hedges=kind is not MarketKind.SPOT,
    )


def _bitget(kind: MarketKind) -> Capabilities:
    # A request is refused when its timestamp lies more than 30 s behind (code 40008); a spot order states a shorter window
    # of its own (`receiveWindow`), futures orders and plans cannot. 10 orders a second and account; an address may make
    # 6000 requests a minute in all (the 20 a second are those of each public endpoint): Bitget v2 documentation.
    return Capabilities(
        kind=kind,
        collateral="USDT",
        id_uniqueness=IdUniqueness.OPEN_ORDERS,
        validity=timedelta(seconds=30),
        orders_per_account_10s=100,
        weight_per_ip_minute=6000,
        orders_window=timedelta(seconds=1),
        reduces=kind is not MarketKind.SPOT,
        hedges=kind is not MarketKind.SPOT,
    )


def _ccxt(
    collateral: str = "USDT",
    *,
    window: timedelta = timedelta(seconds=30),
    finds: bool = True,
    hedges: bool = False,
    unique: IdUniqueness = IdUniqueness.NONE,
) -> Capabilities:
    # Through a general library less is known and less is promised: 30 s where no shorter window can be set, two orders
    # and two requests a second, no protection at the exchange, ids that are not known to be unique.
    return Capabilities(
        kind=MarketKind.LINEAR,
        collateral=collateral,
        id_uniqueness=unique,
        validity=window,
        orders_per_account_10s=20,
        weight_per_ip_minute=120,
        orders_window=timedelta(seconds=5),
        weight_window=timedelta(seconds=10),
        finds_by_client_id=finds,
        hedges=hedges,
        protects=False,
    )


_SPOT, _LINEAR, _INVERSE = MarketKind.SPOT, MarketKind.LINEAR, MarketKind.INVERSE

CAPABILITIES: Final[Mapping[Venue, Capabilities]] = MappingProxyType(
    {
        # Limits of exchangeInfo: spot 6000 weight and 100 orders in 10 s; USD-M 2400 and 300; COIN-M 2400 and 300
        # (older tables of clients say 1200 in a minute, which 200 in 10 s keeps). Since 2026-06-30 USD-M and COIN-M share
        # one limit of their address; the counter in every reply tells each what the other has used.
        Venue.BINANCE_SPOT: _binance(_SPOT, "USDT", 100, 6000),
        Venue.BINANCE_USDM: _binance(_LINEAR, "USDT", 300, 2400),
        Venue.BINANCE_COINM: _binance(_INVERSE, None, 200, 2400),
        Venue.BYBIT_SPOT: _bybit(_SPOT, "USDT", 200),
        Venue.BYBIT_LINEAR: _bybit(_LINEAR, "USDT", 100),
        Venue.BYBIT_INVERSE: _bybit(_INVERSE, None, 100),
        Venue.OKX_SPOT: _okx(_SPOT),
        Venue.OKX_SWAP: _okx(_LINEAR),
        Venue.BITGET_SPOT: _bitget(_SPOT),
        Venue.BITGET_USDT_FUTURES: _bitget(_LINEAR),
        # The nonce is the signed timestamp and expiresAfter bounds the execution; 1200 weight a minute and address,
        # an order weighing one; an address may act 10,000 times and once more for each USDC it traded. Whether a
        # cloid may be used twice is not documented: none is assumed. Hyperliquid documentation, rate limits. Of a signer
        # the 20 highest nonces are kept and a lower one is refused, so no more than 20 orders may be on their way at
        # once: half of 40. Hyperliquid documentation, nonces and API wallets.
        Venue.HYPERLIQUID: Capabilities(
            kind=_LINEAR,
            collateral="USDC",
            id_uniqueness=IdUniqueness.NONE,
            validity=timedelta(seconds=5),
            orders_per_account_10s=40,
            weight_per_ip_minute=1200,
            hedges=False,
        ),
        # Orders are found by our id for a minute after their end at Gate, while they are open at KuCoin; Kraken cannot
        # be asked at all (but refuses an id in use and takes a deadline); HTX accepts a timestamp for five minutes.
        Venue.CCXT_GATE: _ccxt(window=timedelta(seconds=60), finds=False),
        Venue.CCXT_KUCOINFUTURES: _ccxt(finds=False, hedges=True),
        Venue.CCXT_KRAKENFUTURES: _ccxt("USD", finds=False, unique=IdUniqueness.OPEN_ORDERS),
        Venue.CCXT_MEXC: _ccxt(hedges=True),
        Venue.CCXT_BINGX: _ccxt(hedges=True, unique=IdUniqueness.OPEN_ORDERS),
        Venue.CCXT_HTX: _ccxt(window=timedelta(minutes=5), finds=False),
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
