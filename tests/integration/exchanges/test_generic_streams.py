"""The stream by asking: the same cases as for a venue's own socket, but for those that are about sockets, and that of
the slow reader: forty orders that cancel each other out between two looks are told by the wallet alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.domain.exchanges.outcomes import Accepted
from app.domain.exchanges.ports import BalanceUpdate, Connected, OrderUpdate, StreamEvent
from app.domain.shared.execution import OrderStatus
from app.domain.shared.market import Side, Venue
from app.infrastructure.exchanges.settings import StreamSettings
from tests.contract.exchanges.conftest import MakePool, Trader, new_trader
from tests.contract.exchanges.dialects import Dialect
from tests.contract.exchanges.test_streams import (  # noqa: F401 - the cases are the import
    test_a_closed_stream_ends,
    test_a_pool_starts_without_its_venue_and_finds_it_later,
    test_an_order_comes_with_its_fill,
    test_the_wallet_is_told_when_it_changes,
    upcoming,
)
from tests.integration.exchanges.simulated import GENERIC
from tests.support.simulator import SimulatorProcess


async def test_what_cancels_out_between_two_looks_makes_the_stream_say_that_it_must_be_fetched(
    trader: Trader, events: AsyncIterator[StreamEvent]
) -> None:
    assert isinstance(await upcoming(events, BalanceUpdate), BalanceUpdate)
    await trader.fill(Side.BUY)
    await trader.fill(Side.SELL, reduce_only=True)
    async with asyncio.timeout(20):
        async for event in events:
            if isinstance(event, Connected | OrderUpdate):
                break
    missed = await trader.gateway.fills(trader.instrument)
    assert len(missed) == 2


async def test_an_order_is_told_when_it_rests_and_when_it_is_cancelled(
    trader: Trader, events: AsyncIterator[StreamEvent]
) -> None:
    await upcoming(events, BalanceUpdate)
    placed = trader.order(limit="63000")
    assert isinstance(await trader.gateway.place(placed), Accepted)
    resting = await upcoming(events, OrderUpdate)
    assert (resting.report.client_order_id, resting.report.status) == (
        placed.client_order_id,
        OrderStatus.OPEN,
    )
    await trader.gateway.cancel(trader.instrument, placed.client_order_id)
    gone = await upcoming(events, OrderUpdate)
    assert (gone.report.client_order_id, gone.report.status) == (placed.client_order_id, OrderStatus.CANCELED)


async def test_a_venue_that_is_away_for_a_while_is_connected_anew(
    trader: Trader, dialect: Dialect, simulator: SimulatorProcess, events: AsyncIterator[StreamEvent]
) -> None:
    await upcoming(events, BalanceUpdate)
    simulator.operator.add_fault(
        dialect.balance, "http_status", status=503, times=3, account_id=trader.account_id
    )
    assert isinstance(await upcoming(events, Connected), Connected)


async def test_a_bell_tells_at_once_what_a_heartbeat_would_tell_late(
    make_pool: MakePool, venue: Venue, simulator: SimulatorProcess
) -> None:
    if not GENERIC[venue][0].rings:
        pytest.skip("no socket of the library rings here")
    pool = make_pool(stream=StreamSettings(heartbeat_s=3600))
    await pool.start()
    trader = await new_trader(pool, venue, simulator)
    stream = trader.stream()
    live = stream.events()
    await upcoming(live, BalanceUpdate)
    told = asyncio.ensure_future(upcoming(live, OrderUpdate))
    async with asyncio.timeout(20):
        while not told.done():  # until the bell listens, nothing is told
            await trader.fill()
    assert (await told).fill is not None
    await stream.close()


async def test_a_bell_that_cannot_listen_costs_speed_only(
    make_pool: MakePool, dialect: Dialect, venue: Venue, simulator: SimulatorProcess
) -> None:
    simulator.operator.add_fault("WS", "drop")
    pool = make_pool()
    await pool.start()
    trader = await new_trader(pool, venue, simulator)
    stream = trader.stream()
    live = stream.events()
    await upcoming(live, BalanceUpdate)
    await trader.fill()
    assert (await upcoming(live, OrderUpdate)).fill is not None
    await stream.close()
