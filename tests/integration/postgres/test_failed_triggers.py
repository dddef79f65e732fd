"""A protection that triggered and whose order the venue never placed, on PostgreSQL: its exit goes on as an order of ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.trading.absence import Absence
from app.application.trading.evidence import Evidence
from app.domain.exchanges.protection import ProtectionReport
from app.domain.exchanges.venue import FenceRule
from app.domain.shared.execution import OrderStatus
from app.domain.shared.triggers import ProtectionStatus
from app.domain.trading.protection import ProtectionState
from tests.fakes.clock import START, FakeClock
from tests.fakes.venue import ClockOfVenue, ScriptedGateway
from tests.integration.postgres.hot_scene import WINDOW
from tests.integration.postgres.test_hot_recovery import HIDE, SOON, again, book
from tests.integration.postgres.test_protections import Guarding, wrong
from tests.unit.domain.builders import D, instrument

FENCE = FenceRule(validity=timedelta(seconds=5), engine_timeout=timedelta(0))


async def test_the_exit_of_a_failed_trigger_is_sent_again_and_nothing_waits_for_it_any_more(
    engine: AsyncEngine, clock: FakeClock
) -> None:
    scene = Guarding(engine, clock)
    await scene.hold()
    rests = await scene.resting()
    fired = replace(rests, state=ProtectionState.TRIGGERED)
    assert await scene.protections.trigger(fired, ProtectionState.RESTING, START)
    follow, _ = scene.ids[0]
    assert await scene.protections.may_sell([follow], rests.symbol)

    gateway, waits = ScriptedGateway(), []
    absence = Absence(scene.executions, ClockOfVenue(clock), clock, lambda _: FENCE)
    for status in (ProtectionStatus.TRIGGERED, ProtectionStatus.REJECTED):
        gateway.protections[rests.client_order_id] = ProtectionReport(
            rests.venue, rests.symbol, "7", rests.client_order_id, rests.side, rests.kind, rests.trigger, rests.quantity,
            status, None, START,
        )  # fmt: skip
        [doubt] = await scene.executions.doubts(clock.now() + HIDE, 10, timedelta(0))
        assert doubt.attempt.client_order_id == rests.client_order_id
        await book(scene, *await absence(doubt, gateway, instrument()))
        waits = list(await scene.executions.waiting(SOON, 10, HIDE))
        assert len(waits) == (status is ProtectionStatus.REJECTED)
    assert await scene.rows("SELECT state, code FROM orders WHERE client_order_id = 'p0-0'") == [
        ("REJECTED", "TRIGGER_FAILED")
    ]
    sent = again(waits[0])
    assert await scene.executions.resubmit([sent], WINDOW) == {sent.client_order_id}
    told = await scene.report(sent.client_order_id, OrderStatus.FILLED, "5")
    fill = await scene.fill(sent.client_order_id, "x1", "5")
    await book(scene, Evidence(sent.client_order_id, report=told, fills=(fill,)))
    assert await scene.rows("SELECT quantity FROM positions") == [(D(0),)]
    assert not await scene.protections.may_sell([follow], rests.symbol)
    assert await wrong(scene) == set()
