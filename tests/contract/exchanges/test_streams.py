"""The private stream and the market streams against the simulated exchange, with faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

import pytest

from app.domain.exchanges.ports import (
    BalanceUpdate,
    Connected,
    OrderUpdate,
    ProtectionUpdate,
    StreamEvent,
)
from app.domain.exchanges.protection import Protected
from app.domain.shared.execution import OrderStatus
from app.domain.shared.market import Side, Venue
from app.domain.shared.money import price
from app.domain.shared.triggers import ProtectionStatus, TriggerKind
from app.infrastructure.exchanges.settings import StreamSettings
from tests.contract.exchanges.cards import card, protecting
from tests.contract.exchanges.conftest import MakePool, Trader, new_trader
from tests.contract.exchanges.dialects import Dialect
from tests.support.simulator import SimulatorProcess

T = TypeVar("T", bound=StreamEvent)


async def upcoming(events: AsyncIterator[StreamEvent], kind: type[T]) -> T:
    """The next event of this kind; others are passed over."""
    async with asyncio.timeout(20):
        async for event in events:
            if isinstance(event, kind):
                return event
    raise AssertionError("the stream ended")


async def filled(events: AsyncIterator[StreamEvent]) -> OrderUpdate:
    while True:
        update = await upcoming(events, OrderUpdate)
        if update.fill is not None:
            return update


@pytest.fixture
async def events(trader: Trader) -> AsyncIterator[AsyncIterator[StreamEvent]]:
    stream = trader.stream()
    live = stream.events()
    await upcoming(live, Connected)
    yield live
    await stream.close()


@card("STR-01")
async def test_an_order_comes_with_its_fill(trader: Trader, events: AsyncIterator[StreamEvent]) -> None:
    placed = trader.order()
    await trader.gateway.place(placed)
    update = await filled(events)
    assert update.fill is not None
    assert (update.fill.client_order_id, update.report.status) == (placed.client_order_id, OrderStatus.FILLED)
    (booked,) = await trader.gateway.fills(trader.instrument)
    assert (booked.trade_id, booked.fee, booked.price) == (
        update.fill.trade_id, update.fill.fee, update.fill.price
    )  # fmt: skip


@card("STR-02")
async def test_the_wallet_is_told_when_it_changes(
    trader: Trader, dialect: Dialect, events: AsyncIterator[StreamEvent]
) -> None:
    await trader.fill()
    wallet = (await trader.wallet()).wallet
    while (
        update := await upcoming(events, BalanceUpdate)
    ).balance != wallet or update.asset != dialect.asset:
        pass


@card("STR-03", protecting)
async def test_a_protection_is_told_when_it_rests_and_when_it_triggers(
    trader: Trader, simulator: SimulatorProcess, events: AsyncIterator[StreamEvent]
) -> None:
    await trader.fill()
    placed = trader.protection(TriggerKind.STOP_LOSS, "63000")
    assert isinstance(await trader.gateway.protect(placed), Protected)
    resting = await upcoming(events, ProtectionUpdate)
    assert resting.report.client_order_id == placed.client_order_id
    assert resting.report.status is ProtectionStatus.RESTING
    simulator.operator.set_prices(BTCUSDT="62900.0")
    while (update := await upcoming(events, ProtectionUpdate)).report.status is ProtectionStatus.RESTING:
        pass
    assert update.report.client_order_id == placed.client_order_id
    assert update.report.status is ProtectionStatus.TRIGGERED


@card("STR-04")
async def test_a_lost_connection_comes_back_and_what_was_missed_is_found_by_rest(
    trader: Trader, simulator: SimulatorProcess, events: AsyncIterator[StreamEvent]
) -> None:
    simulator.operator.add_fault("WS", "drop", account_id=trader.account_id)
    missed = trader.order()
    await trader.gateway.place(missed)
    simulator.operator.clear_faults()
    simulator.operator.post("/sim/disconnect", {"account_id": trader.account_id})
    await upcoming(events, Connected)
    await trader.settled(missed)
    (fill,) = await trader.gateway.fills(trader.instrument)
    assert fill.quantity == missed.quantity
    await trader.gateway.place(trader.order(Side.SELL, reduce_only=True))
    assert (await filled(events)).report.reduce_only


@card("STR-05")
async def test_a_silent_connection_is_noticed(
    trader: Trader, simulator: SimulatorProcess, events: AsyncIterator[StreamEvent]
) -> None:
    simulator.operator.add_fault("WS", "silence", times=1, account_id=trader.account_id)
    await trader.gateway.place(trader.order())
    await upcoming(events, Connected)
    await trader.gateway.place(trader.order())
    assert (await filled(events)).fill is not None


@card("STR-06")
async def test_an_expired_listen_key_is_replaced(
    trader: Trader, simulator: SimulatorProcess, events: AsyncIterator[StreamEvent]
) -> None:
    simulator.operator.add_fault("WS", "expire", times=1, account_id=trader.account_id)
    await trader.gateway.place(trader.order())
    await upcoming(events, Connected)
    await trader.gateway.place(trader.order())
    assert (await filled(events)).fill is not None


@card("STR-07")
async def test_the_listen_key_is_renewed_before_it_ends(
    make_pool: MakePool, venue: Venue, simulator: SimulatorProcess
) -> None:
    pool = make_pool(stream=StreamSettings(heartbeat_s=5, renew_s=0.1, backoff_base_s=0.01))
    await pool.start()
    trader = await new_trader(pool, venue, simulator)
    simulator.operator.settings(listen_key_valid_ms=1000)
    stream = trader.stream()
    live = stream.events()
    await upcoming(live, Connected)
    began = asyncio.get_running_loop().time()
    seen: list[StreamEvent] = []
    while asyncio.get_running_loop().time() < began + 2:  # twice the key's life, filled with work
        await trader.wallet()
    await trader.gateway.place(trader.order())
    while not seen or not (isinstance(seen[-1], OrderUpdate) and seen[-1].fill):
        seen.append(await asyncio.wait_for(anext(live), 10))
    assert not any(isinstance(event, Connected) for event in seen)
    await stream.close()


@card("STR-08")
async def test_a_stream_that_is_refused_is_asked_for_again(
    trader: Trader, dialect: Dialect, simulator: SimulatorProcess
) -> None:
    simulator.operator.post("/sim/faults", {"rules": [{**dialect.stream_refusal, "times": 8}]})
    stream = trader.stream()
    await upcoming(stream.events(), Connected)
    await stream.close()


@card("STR-09")
async def test_a_closed_stream_ends(trader: Trader) -> None:
    stream = trader.stream()
    live = stream.events()
    await upcoming(live, Connected)
    await stream.close()
    assert [event async for event in live] == []
    assert [event async for event in stream.events()] == []


@card("STR-10")
async def test_a_slow_reader_gets_everything_in_order(
    make_pool: MakePool, venue: Venue, simulator: SimulatorProcess
) -> None:
    pool = make_pool(stream=StreamSettings(queue=2))
    await pool.start()
    trader = await new_trader(pool, venue, simulator)
    stream = trader.stream()
    live = stream.events()
    await upcoming(live, Connected)
    for number in range(40):
        side = Side.SELL if number % 2 else Side.BUY
        await trader.fill(side, reduce_only=bool(number % 2))
    ids = [(await filled(live)).fill.trade_id for _ in range(40)]  # type: ignore[union-attr]  # `filled` has one
    assert ids == sorted(set(ids))
    await stream.close()


@card("STR-11")
async def test_marks_are_heard_and_polled(
    make_pool: MakePool, venue: Venue, dialect: Dialect, simulator: SimulatorProcess
) -> None:
    symbol = dialect.symbol
    pool = make_pool(marks_age_max_s=0.2)
    await pool.start()
    mark, _ = pool.mark(venue, symbol)
    assert mark == price("64000")
    async with asyncio.timeout(10):
        while pool.mark(venue, symbol)[0] != price("65000"):
            simulator.operator.set_prices(BTCUSDT="65000.0")
            await pool.market(venue).marks()
        while pool.mark(venue, symbol)[1] > 50:
            await pool.market(venue).server_time_ms()
    assert pool.marks(venue)[symbol] == price("65000")


@card("STR-12")
async def test_a_pool_starts_without_its_venue_and_finds_it_later(
    venue: Venue, dialect: Dialect, simulator: SimulatorProcess
) -> None:
    from app.domain.exchanges.outcomes import VenueUnavailable
    from app.infrastructure.exchanges.clock import VenueClockUntrusted
    from app.infrastructure.exchanges.registry import VenuePool
    from app.infrastructure.exchanges.settings import ClockSettings
    from tests.contract.exchanges.conftest import PlainVault, venue_settings

    simulator.operator.add_fault("*", "http_status", status=503)
    pool = VenuePool({venue: venue_settings(simulator, clock=ClockSettings(every_s=0.05))}, PlainVault())
    await pool.start()
    try:
        with pytest.raises(VenueUnavailable):
            await pool.instrument(venue, dialect.symbol)
        with pytest.raises(VenueClockUntrusted):
            pool.now_ms(venue)
        simulator.operator.clear_faults()
        assert (await pool.instrument(venue, dialect.symbol)).symbol == dialect.symbol
        async with asyncio.timeout(10):
            while not pool.clock(venue).is_trusted:
                await pool.market(venue).server_time_ms()
    finally:
        await pool.close()
