"""Limits and faults of the way: budgets kept, silence obeyed, reads repeated, orders never."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.exchanges.outcomes import Accepted, DefiniteNo, NotSent, RefusalKind, VenueThrottled
from app.domain.shared.market import Side, Venue
from app.infrastructure.exchanges import reasons
from app.infrastructure.exchanges.registry import VenuePool
from app.infrastructure.exchanges.settings import BreakerSettings, RetrySettings
from app.infrastructure.redis.client import connect
from tests.contract.exchanges.cards import card, counting
from tests.contract.exchanges.conftest import (
    MakePool,
    PlainVault,
    Trader,
    new_trader,
    venue_settings,
)
from tests.contract.exchanges.dialects import Dialect
from tests.support.simulator import SimulatorProcess


@card("LIM-01")
@pytest.mark.parametrize("which", [0, 1])
async def test_throttling_silences_the_address_until_its_end(
    trader: Trader, dialect: Dialect, simulator: SimulatorProcess, which: int
) -> None:
    status, body = dialect.throttles[which]
    simulator.operator.add_fault(
        dialect.create, "http_status", status=status, body=body, retry_after=30, times=1
    )
    got = await trader.gateway.place(trader.order())
    assert isinstance(got, DefiniteNo)
    assert (got.kind, got.retry_after) == (RefusalKind.THROTTLED, timedelta(seconds=30))
    silenced = await trader.gateway.place(trader.order())
    assert isinstance(silenced, NotSent)
    assert reasons.says(silenced.reason, reasons.SILENCED)
    with pytest.raises(VenueThrottled):
        await trader.wallet()
    assert simulator.operator.ledger("orders", trader.account_id) == []


@card("LIM-02")
async def test_the_order_limit_of_an_account_is_kept_without_a_refusal(
    make_pool: MakePool, venue: Venue, dialect: Dialect, simulator: SimulatorProcess
) -> None:
    simulator.operator.settings(limits=dict(dialect.limits))
    pool = make_pool(orders_per_10s=dialect.ten_orders, burst_share=1.0)
    await pool.start()
    trader = await new_trader(pool, venue, simulator)
    outcomes = [await trader.gateway.place(trader.order()) for _ in range(14)]
    assert not any(isinstance(got, DefiniteNo) for got in outcomes)
    assert sum(isinstance(got, Accepted) for got in outcomes) == 8
    exits = [await trader.gateway.place(trader.order(Side.SELL, reduce_only=True)) for _ in range(2)]
    assert all(isinstance(got, Accepted) for got in exits)


@card("LIM-03")
async def test_reads_are_repeated_after_faults(
    trader: Trader, dialect: Dialect, simulator: SimulatorProcess
) -> None:
    simulator.operator.add_fault(dialect.balance, "http_status", status=503, times=1)
    simulator.operator.add_fault(dialect.balance, "reset_before", times=1)
    assert (await trader.wallet()).wallet == dialect.wallet


@card("LIM-04")
async def test_retry_after_is_waited_for_when_it_is_short(
    make_pool: MakePool, venue: Venue, dialect: Dialect, simulator: SimulatorProcess
) -> None:
    pool = make_pool(retry=RetrySettings(attempts=3, base_s=0.01, patience_s=5.0))
    await pool.start()
    trader = await new_trader(pool, venue, simulator)
    simulator.operator.add_fault(
        dialect.balance, "http_status", status=429, body="{}", retry_after=1, times=1
    )
    assert (await trader.wallet()).wallet == dialect.wallet


@card("LIM-05")
async def test_workers_keep_an_accounts_limit_together(
    venue: Venue, dialect: Dialect, simulator: SimulatorProcess, redis_url: str
) -> None:
    simulator.operator.settings(limits=dict(dialect.limits))
    clients = [connect(redis_url), connect(redis_url)]
    settings = {venue: venue_settings(simulator, orders_per_10s=dialect.ten_orders, burst_share=1.0)}
    pools = [VenuePool(settings, PlainVault(), client) for client in clients]
    for pool in pools:
        await pool.start()
    trader = await new_trader(pools[0], venue, simulator)
    gateways = [pool.gateway(trader.account, venue, trader.sealed) for pool in pools]
    outcomes = [await gateways[n % 2].place(trader.order()) for n in range(14)]
    assert sum(isinstance(got, Accepted) for got in outcomes) == 8
    assert not any(isinstance(got, DefiniteNo) for got in outcomes)
    for pool, client in zip(pools, clients, strict=True):
        await pool.close()
        await client.aclose()


@card("LIM-06", counting)
async def test_the_venues_own_counter_is_believed(
    make_pool: MakePool, venue: Venue, dialect: Dialect, simulator: SimulatorProcess
) -> None:
    simulator.operator.settings(limits=dict(dialect.long_window))
    pools = [
        make_pool(orders_per_10s=dialect.ten_orders, burst_share=1.0),
        make_pool(orders_per_10s=dialect.ten_orders, burst_share=1.0),
    ]
    for pool in pools:
        await pool.start()
    trader = await new_trader(pools[0], venue, simulator)
    for _ in range(8):
        assert isinstance(await trader.gateway.place(trader.order()), Accepted)
    unaware = pools[1].gateway(trader.account, venue, trader.sealed)
    outcomes = [await unaware.place(trader.order()) for _ in range(3)]
    assert [isinstance(got, Accepted) for got in outcomes] == [True, False, False]


@card("LIM-07")
async def test_entries_that_fail_open_a_circuit_and_exits_still_go(
    make_pool: MakePool, venue: Venue, dialect: Dialect, simulator: SimulatorProcess
) -> None:
    pool = make_pool(breaker=BreakerSettings(failures=3, open_s=60))
    await pool.start()
    trader = await new_trader(pool, venue, simulator)
    await trader.gateway.place(trader.order())
    simulator.operator.add_fault(
        dialect.create, "http_status", status=503, times=3, account_id=trader.account_id
    )
    for _ in range(3):
        await trader.gateway.place(trader.order())
    refused = await trader.gateway.place(trader.order())
    assert isinstance(refused, NotSent)
    assert reasons.says(refused.reason, reasons.CIRCUIT_OPEN)
    assert isinstance(await trader.gateway.place(trader.order(Side.SELL, reduce_only=True)), Accepted)
