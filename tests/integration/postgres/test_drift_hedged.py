"""Accounts that keep a long and a short position apart: only the leg of our lots tells what became of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.exchanges.requests import PositionMode
from app.domain.shared.market import Side
from tests.fakes.clock import FakeClock
from tests.integration.postgres.drift_scene import DriftScene
from tests.unit.domain.builders import BTC


@pytest.fixture
async def scene(engine: AsyncEngine, clock: FakeClock) -> DriftScene:
    made = DriftScene(engine, clock)
    await made.lots()
    made.gateway.mode = PositionMode.HEDGE
    made.gateway.executions[0] = replace(made.gateway.executions[0], position_side=Side.BUY)
    return made


def on_leg(scene: DriftScene, leg: Side, signed: str) -> str:
    """Let the owner trade on one leg; return the trade id."""
    fill = scene.owner_trades(signed, realised="0" if leg is Side.SELL else "-3")
    scene.gateway.executions[-1] = replace(fill, position_side=leg)
    return fill.trade_id


async def closed_by(scene: DriftScene) -> list[str]:
    rows = await scene.rows("SELECT trade_id FROM fills WHERE leg = 'EXIT' ORDER BY trade_id")
    return [row.trade_id for row in rows]


async def test_a_closed_leg_is_explained_by_its_own_fills_and_not_by_the_other_legs(
    scene: DriftScene,
) -> None:
    close = on_leg(scene, Side.BUY, "-2")
    on_leg(scene, Side.SELL, "-1")
    scene.venue_holds("-1")
    assert ("EXTERNAL_CLOSE", BTC, "booked") in await scene.look()
    assert await closed_by(scene) == [close]
    assert await scene.held() == [0]
    await scene.audit_is_clean()


async def test_a_part_of_a_leg_beside_the_owners_own_short_is_booked(scene: DriftScene) -> None:
    on_leg(scene, Side.SELL, "-5")
    close = on_leg(scene, Side.BUY, "-0.5")
    on_leg(scene, Side.SELL, "2")
    scene.venue_holds("1.5", "-3")
    assert ("EXTERNAL_CLOSE", BTC, "booked") in await scene.look()
    assert await closed_by(scene) == [close]
    await scene.audit_is_clean()
    scene.clock.advance(scene.reconcile.patience.spread)
    await scene.look()
    before = await scene.fingerprint()
    await scene.look()
    assert await scene.fingerprint() == before


async def test_what_the_owner_does_on_the_other_leg_is_his(scene: DriftScene) -> None:
    on_leg(scene, Side.SELL, "-5")
    scene.venue_holds("2", "-5")
    assert ("MANUAL_TRADE", BTC, "new") in await scene.look()
    assert await scene.held() == [2]
    assert await closed_by(scene) == []


async def test_where_positions_net_the_side_of_a_position_means_nothing(scene: DriftScene) -> None:
    scene.gateway.mode = PositionMode.ONE_WAY
    fill = scene.owner_trades("-2")
    scene.gateway.executions[-1] = replace(fill, position_side=Side.SELL)
    assert ("EXTERNAL_CLOSE", BTC, "booked") in await scene.look()
    assert await closed_by(scene) == [fill.trade_id]
