"""The venue port over the wire: a pool on a real simulator process, and accounts opened there."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field

import pytest

from app.domain.exchanges.ports import ExchangeGateway, PrivateStream
from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.ids import AccountId, ClientOrderId
from app.domain.shared.market import Instrument, Side, Symbol, Venue
from app.domain.shared.money import quantity
from app.domain.users.account import ApiKey
from app.infrastructure.exchanges.registry import VenuePool
from app.infrastructure.exchanges.settings import (
    BreakerSettings,
    RetrySettings,
    StreamSettings,
    VenueSettings,
)
from tests.support.simulator import SimulatorProcess

VENUE = Venue.BINANCE_USDM
BTC = Symbol("BTC-USDT")
ORDER = "POST /fapi/v1/order"
_numbers = itertools.count(1)


class PlainVault:
    """Seals nothing: these keys open a pretended exchange."""

    def seal(self, account: AccountId, venue: Venue, key: ApiKey) -> bytes:
        return f"{key.key}:{key.secret}".encode()

    def open(self, account: AccountId, venue: Venue, sealed: bytes) -> ApiKey:
        return ApiKey(*sealed.decode().split(":"))


@dataclass
class Trader:
    """One account through the pool; `account_id` is the exchange's."""

    pool: VenuePool
    account_id: str
    account: AccountId
    sealed: bytes = field(repr=False)
    instrument: Instrument

    @property
    def gateway(self) -> ExchangeGateway:
        return self.pool.gateway(self.account, VENUE, self.sealed)

    def stream(self) -> PrivateStream:
        return self.pool.stream(self.account, VENUE, self.sealed)

    def order(
        self, side: Side = Side.BUY, size: str = "0.010", *, reduce_only: bool = False, cid: str = "", age_ms: int = 0,
        valid_ms: int = 5000,
    ) -> PlaceOrder:  # fmt: skip
        name = ClientOrderId(cid or f"c{next(_numbers):025d}")
        signed = self.pool.now_ms(VENUE) - age_ms
        return PlaceOrder(self.instrument, side, quantity(size), reduce_only, name, signed, valid_ms)


MakePool = Callable[..., VenuePool]


@pytest.fixture(scope="module")
def shared_simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(seed=3) as process:
        yield process


@pytest.fixture
def simulator(shared_simulator: SimulatorProcess) -> Iterator[SimulatorProcess]:
    operator = shared_simulator.operator
    operator.set_prices(BTCUSDT="64000.0")
    yield shared_simulator
    operator.clear_faults()
    operator.settings(visibility_lag_ms=0, latency_ms=0, clock_skew_ms=0, listen_key_valid_ms=3_600_000)
    operator.settings(
        limits={"weight_per_minute": 10_000_000, "orders_per_10s": 1_000_000, "orders_per_minute": 1_000_000}
    )


def venue_settings(process: SimulatorProcess, **change: object) -> VenueSettings:
    values: dict[str, object] = {
        "base_url": process.base_url,
        "ws_url": process.ws_url,
        "order_timeout_s": 0.5,
        "read_timeout_s": 0.5,
        "connections_warm": 2,
        "weight_per_minute": 1_000_000,
        "retry": RetrySettings(attempts=3, base_s=0.01, cap_s=0.05, patience_s=2.0),
        "breaker": BreakerSettings(failures=1000),
        "stream": StreamSettings(heartbeat_s=1.0, backoff_base_s=0.01, backoff_cap_s=0.1),
        **change,
    }
    return VenueSettings(**values)  # type: ignore[arg-type]  # a test names any field


@pytest.fixture
async def make_pool(simulator: SimulatorProcess) -> AsyncIterator[MakePool]:
    pools: list[VenuePool] = []

    def make(**change: object) -> VenuePool:
        pool = VenuePool({VENUE: venue_settings(simulator, **change)}, PlainVault())
        pools.append(pool)
        return pool

    yield make
    for pool in pools:
        await pool.close()


MakeTrader = Callable[[VenuePool], "Trader"]


async def new_trader(pool: VenuePool, simulator: SimulatorProcess, **account: object) -> Trader:
    number = next(_numbers)
    row = simulator.operator.open_account(f"contract-{number}", **account)  # type: ignore[arg-type]  # free-form row
    sealed = PlainVault().seal(AccountId(number), VENUE, ApiKey(row["api_key"], row["api_secret"]))
    return Trader(pool, row["account_id"], AccountId(number), sealed, await pool.instrument(VENUE, BTC))


@pytest.fixture
async def pool(make_pool: MakePool) -> VenuePool:
    made = make_pool()
    await made.start()
    return made


@pytest.fixture
async def trader(pool: VenuePool, simulator: SimulatorProcess) -> Trader:
    return await new_trader(pool, simulator)
