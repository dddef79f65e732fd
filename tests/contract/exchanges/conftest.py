"""The venue port over the wire: a pool on a real simulator process, and accounts opened there."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from app.domain.exchanges.outcomes import Accepted
from app.domain.exchanges.ports import ExchangeGateway, PrivateStream
from app.domain.exchanges.protection import PlaceProtection
from app.domain.exchanges.requests import OrderType, PlaceOrder, PositionMode, TimeInForce
from app.domain.shared.execution import OrderReport, VenueBalance
from app.domain.shared.ids import AccountId, ClientOrderId
from app.domain.shared.market import Instrument, Side, Symbol, Venue
from app.domain.shared.money import Quantity, price, quantity
from app.domain.shared.triggers import TriggerKind
from app.domain.users.account import ApiKey
from app.infrastructure.exchanges.registry import VenuePool
from app.infrastructure.exchanges.settings import (
    BreakerSettings,
    RetrySettings,
    StreamSettings,
    VenueSettings,
)
from tests.contract.exchanges.cards import every_venue, venues_for
from tests.contract.exchanges.dialects import DIALECTS, Dialect
from tests.support.simulator import SimulatorProcess

_numbers = itertools.count(1)


class PlainVault:
    """Seals nothing: these keys open a pretended exchange."""

    def seal(self, account: AccountId, venue: Venue, key: ApiKey) -> bytes:
        return f"{key.key}:{key.secret}:{key.passphrase}".encode()

    def open(self, account: AccountId, venue: Venue, sealed: bytes) -> ApiKey:
        return ApiKey(*sealed.decode().split(":"))


@dataclass
class Trader:
    """One account through the pool; `account_id` is the exchange's."""

    pool: VenuePool
    venue: Venue
    account_id: str
    account: AccountId
    sealed: bytes = field(repr=False)
    instrument: Instrument

    @property
    def gateway(self) -> ExchangeGateway:
        return self.pool.gateway(self.account, self.venue, self.sealed)

    def stream(self) -> PrivateStream:
        return self.pool.stream(self.account, self.venue, self.sealed)

    @property
    def symbol(self) -> Symbol:
        return self.instrument.symbol

    @property
    def size(self) -> Quantity:
        return quantity(DIALECTS[self.venue].size)

    async def wallet(self) -> VenueBalance:
        """The wallet that pays."""
        return await self.gateway.balance(DIALECTS[self.venue].asset)

    async def held(self) -> Decimal:
        """The signed quantity that the venue says is held."""
        rows = [row.quantity for row in await self.gateway.positions() if row.symbol == self.symbol]
        return sum(rows, Decimal(0))

    def order(
        self, side: Side = Side.BUY, size: str = "", *, reduce_only: bool = False, cid: str = "", age_ms: int = 0,
        valid_ms: int = 5000, limit: str = "", tif: TimeInForce = TimeInForce.GTC,
        mode: PositionMode = PositionMode.ONE_WAY,
    ) -> PlaceOrder:  # fmt: skip
        name = ClientOrderId(cid or f"c{next(_numbers):026d}")
        signed = self.pool.now_ms(self.venue) - age_ms
        return PlaceOrder(
            self.instrument, side, quantity(size) if size else self.size, reduce_only, name, signed, valid_ms,
            OrderType.LIMIT if limit else OrderType.MARKET, price(limit) if limit else None, tif, mode,
        )  # fmt: skip

    def protection(
        self,
        kind: TriggerKind,
        trigger: str,
        side: Side = Side.SELL,
        mode: PositionMode = PositionMode.ONE_WAY,
    ) -> PlaceProtection:
        name = ClientOrderId(f"c{next(_numbers):026d}")
        return PlaceProtection(
            self.instrument,
            side,
            kind,
            price(trigger),
            self.size,
            name,
            self.pool.now_ms(self.venue),
            5000,
            mode,
        )

    async def settled(self, placed: PlaceOrder) -> OrderReport:
        """What became of an order: some venues match after they answer."""
        async with asyncio.timeout(10):
            while True:
                found = await self.gateway.order(self.instrument, placed.client_order_id)
                if found is not None and found.status.is_final:
                    return found

    async def fill(self, side: Side = Side.BUY, *, reduce_only: bool = False) -> OrderReport:
        """Place a market order and wait for its end."""
        placed = self.order(side, reduce_only=reduce_only)
        assert isinstance(await self.gateway.place(placed), Accepted)
        return await self.settled(placed)


MakePool = Callable[..., VenuePool]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every case runs on every venue that its card is for."""
    if "venue" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("card")
        needs = marker.args[1] if marker is not None else every_venue
        metafunc.parametrize("venue", venues_for(needs), ids=lambda venue: venue.value)


@pytest.fixture
def dialect(venue: Venue) -> Dialect:
    """What the simulated exchange calls things at this venue."""
    return DIALECTS[venue]


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
        limits={
            "weight_per_minute": 10_000_000, "orders_per_10s": 1_000_000, "orders_per_minute": 1_000_000,
            "requests_per_5s": 10_000_000, "requests_per_uid": 1_000_000, "uid_window_ms": 1000,
        }
    )  # fmt: skip


def venue_settings(process: SimulatorProcess, **change: object) -> VenueSettings:
    values: dict[str, object] = {
        "base_url": process.base_url,
        "ws_url": process.ws_url,
        "order_timeout_s": 0.5,
        "read_timeout_s": 0.5,
        "connections_warm": 2,
        "weight_per_minute": 1_000_000,
        "orders_per_10s": 1_000_000,
        "retry": RetrySettings(attempts=3, base_s=0.01, cap_s=0.05, patience_s=2.0),
        "breaker": BreakerSettings(failures=1000),
        "stream": StreamSettings(heartbeat_s=1.0, backoff_base_s=0.01, backoff_cap_s=0.1),
        **change,
    }
    return VenueSettings(**values)  # type: ignore[arg-type]  # a test names any field


@pytest.fixture
async def make_pool(simulator: SimulatorProcess, venue: Venue) -> AsyncIterator[MakePool]:
    pools: list[VenuePool] = []

    def make(**change: object) -> VenuePool:
        pool = VenuePool({venue: venue_settings(simulator, **change)}, PlainVault())
        pools.append(pool)
        return pool

    yield make
    for pool in pools:
        await pool.close()


MakeTrader = Callable[[VenuePool], "Trader"]


async def new_trader(pool: VenuePool, venue: Venue, simulator: SimulatorProcess, **account: object) -> Trader:
    number, dialect = next(_numbers), DIALECTS[venue]
    options = {
        "label": f"contract-{venue.value}-{number}",
        "balance": "10000",
        **dialect.account(number),
        **account,
    }
    (row,) = simulator.operator.open_accounts([options])
    key = ApiKey(row["api_key"], row["api_secret"], dialect.passphrase)
    sealed = PlainVault().seal(AccountId(number), venue, key)
    instrument = await pool.instrument(venue, dialect.symbol)
    return Trader(pool, venue, row["account_id"], AccountId(number), sealed, instrument)


@pytest.fixture
async def pool(make_pool: MakePool) -> VenuePool:
    made = make_pool()
    await made.start()
    return made


@pytest.fixture
async def trader(pool: VenuePool, venue: Venue, simulator: SimulatorProcess) -> Trader:
    return await new_trader(pool, venue, simulator)
