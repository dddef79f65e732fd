"""Protection that rests at the exchange: it holds while we are away, and triggers on the right side."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.exchanges.outcomes import DefiniteNo, RefusalKind, Unknown
from app.domain.exchanges.protection import PlaceProtection, Protected, ProtectionReport
from app.domain.exchanges.requests import PositionMode
from app.domain.shared.execution import Fill
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import MarketKind, Side
from app.domain.shared.triggers import ProtectionStatus, TriggerKind
from tests.contract.exchanges.cards import card, protecting, protecting_both_sides, protecting_shorts
from tests.contract.exchanges.conftest import Trader
from tests.contract.exchanges.dialects import Dialect
from tests.support.simulator import SimulatorProcess

STOP, TAKE = TriggerKind.STOP_LOSS, TriggerKind.TAKE_PROFIT


async def told(trader: Trader, placed: PlaceProtection, wanted: ProtectionStatus) -> ProtectionReport:
    """The venue's word on a protection, once it is this one: some venues act after they answer."""
    async with asyncio.timeout(10):
        while True:
            found = await trader.gateway.protection(trader.instrument, placed.client_order_id)
            if found is not None and found.status is wanted:
                return found


async def executed(trader: Trader, side: Side) -> list[Fill]:
    """The fills of a side, once there are any."""
    async with asyncio.timeout(10):
        while True:
            fills = await trader.gateway.fills(
                trader.instrument, since=datetime.now(UTC) - timedelta(minutes=5)
            )
            if found := [fill for fill in fills if fill.side is side]:
                return found


@card("PRT-01", protecting)
@pytest.mark.parametrize(("kind", "trigger"), [(STOP, "60000"), (TAKE, "68000")])
async def test_a_protection_rests_is_found_and_cancelled(
    trader: Trader, kind: TriggerKind, trigger: str
) -> None:
    await trader.fill()
    placed = trader.protection(kind, trigger)
    got = await trader.gateway.protect(placed)
    assert isinstance(got, Protected)
    found = await told(trader, placed, ProtectionStatus.RESTING)
    assert (found.kind, found.trigger, found.side) == (kind, placed.trigger, Side.SELL)
    assert found.quantity == trader.size
    assert found.protection_id == got.report.protection_id
    (listed,) = await trader.gateway.open_protections(trader.instrument)
    assert listed.client_order_id == placed.client_order_id
    assert len(await trader.gateway.open_protections()) == 1
    assert await trader.gateway.open_orders(trader.instrument) == []
    await trader.gateway.cancel_protection(trader.instrument, placed.client_order_id)
    assert (await told(trader, placed, ProtectionStatus.CANCELED)).order_id is None
    assert list(await trader.gateway.open_protections(trader.instrument)) == []


@card("PRT-02", protecting)
@pytest.mark.parametrize(
    ("kind", "trigger", "price"), [(STOP, "63000", "62900.0"), (TAKE, "65000", "65100.0")]
)
async def test_a_long_is_closed_when_the_price_reaches_its_protection(
    trader: Trader, simulator: SimulatorProcess, kind: TriggerKind, trigger: str, price: str
) -> None:
    await trader.fill()
    held = await trader.held()
    placed = trader.protection(kind, trigger)
    assert isinstance(await trader.gateway.protect(placed), Protected)
    simulator.operator.set_prices(BTCUSDT="64010.0")
    assert (await told(trader, placed, ProtectionStatus.RESTING)).order_id is None
    simulator.operator.set_prices(BTCUSDT=price)
    found = await told(trader, placed, ProtectionStatus.TRIGGERED)
    fills = await executed(trader, Side.SELL)
    assert sum(fill.quantity for fill in fills) == trader.size
    assert {fill.order_id for fill in fills} == {found.order_id}
    assert await trader.held() == held - trader.size


@card("PRT-03", protecting_shorts)
@pytest.mark.parametrize(
    ("kind", "trigger", "price"), [(STOP, "65000", "65100.0"), (TAKE, "63000", "62900.0")]
)
async def test_a_shorts_protection_stands_on_the_other_side(
    trader: Trader, simulator: SimulatorProcess, kind: TriggerKind, trigger: str, price: str
) -> None:
    await trader.fill(Side.SELL)
    placed = trader.protection(kind, trigger, Side.BUY)
    assert isinstance(await trader.gateway.protect(placed), Protected)
    simulator.operator.set_prices(BTCUSDT=price)
    await told(trader, placed, ProtectionStatus.TRIGGERED)
    await executed(trader, Side.BUY)
    assert await trader.held() == 0


@card("PRT-04", protecting)
async def test_a_protection_that_would_trigger_at_once_is_refused(trader: Trader) -> None:
    await trader.fill()
    got = await trader.gateway.protect(trader.protection(STOP, "66000"))
    assert isinstance(got, DefiniteNo)
    assert got.kind is RefusalKind.WOULD_TRIGGER


@card("PRT-05", protecting)
async def test_a_lost_reply_to_a_protection_is_unknown_and_it_is_found_by_its_id(
    trader: Trader, dialect: Dialect, simulator: SimulatorProcess
) -> None:
    await trader.fill()
    endpoint = dialect.protect or dialect.create
    simulator.operator.add_fault(endpoint, "timeout_after", times=1, account_id=trader.account_id)
    placed = trader.protection(STOP, "60000")
    assert isinstance(await trader.gateway.protect(placed), Unknown)
    await told(trader, placed, ProtectionStatus.RESTING)
    assert len(await trader.gateway.open_protections(trader.instrument)) == 1


@card("PRT-06", protecting)
async def test_a_protection_that_nobody_placed_is_none(trader: Trader) -> None:
    nobody = ClientOrderId("c" + "0" * 26)
    assert await trader.gateway.protection(trader.instrument, nobody) is None
    assert await trader.gateway.cancel_protection(trader.instrument, nobody) is None


@card("PRT-07", protecting_both_sides)
async def test_in_hedge_mode_a_protection_guards_its_own_side(
    trader: Trader, simulator: SimulatorProcess
) -> None:
    hedge = PositionMode.HEDGE
    await trader.gateway.set_position_mode(hedge)
    for side in Side:
        opened = trader.order(side, mode=hedge)
        await trader.gateway.place(opened)
        await trader.settled(opened)
    placed = trader.protection(STOP, "63000", mode=hedge)
    assert isinstance(await trader.gateway.protect(placed), Protected)
    simulator.operator.set_prices(BTCUSDT="62900.0")
    await told(trader, placed, ProtectionStatus.TRIGGERED)
    async with asyncio.timeout(10):
        while [row.quantity for row in await trader.gateway.positions()] != [-trader.size]:
            pass
    assert trader.instrument.kind is not MarketKind.SPOT
