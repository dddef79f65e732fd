"""Exits that were put off, on a real database: served later, they leave what the leader has opened since."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.trading.evidence import Evidence
from app.domain.shared.execution import Action, OrderStatus
from app.domain.signals.signal import Signal
from app.domain.trading.order import OrderEvent
from tests.fakes.clock import START, FakeClock
from tests.integration.postgres.hot_scene import MARKETS, HotScene
from tests.integration.postgres.test_hot_recovery import book
from tests.unit.domain.builders import D


@pytest.fixture
async def scene(engine: AsyncEngine, clock: FakeClock) -> HotScene:
    made = HotScene(engine, clock)
    await made.followers(1)
    return made


async def cid_of(scene: HotScene, signal: Signal) -> str:
    found = await scene.value("SELECT client_order_id FROM orders WHERE signal_id = :id", id=signal.id)
    assert isinstance(found, str)
    return found


async def filled(scene: HotScene, signal: Signal, trade_id: str) -> None:
    cid = await cid_of(scene, signal)
    quantity = await scene.value("SELECT quantity FROM orders WHERE client_order_id = :c", c=cid)
    report = await scene.report(cid, OrderStatus.FILLED, str(quantity))
    await book(scene, Evidence(cid, report=report, fills=(await scene.fill(cid, trade_id, str(quantity)),)))


async def decided(scene: HotScene, signal: Signal) -> tuple[str, str]:
    [row] = await scene.rows("SELECT outcome, code FROM decisions WHERE signal_id = :id", id=signal.id)
    return row[0], row[1]


async def absent_then_left(scene: HotScene, fraction: str = "1") -> tuple[Signal, Signal]:
    """An entry that the venue does not have, and the leader's exit after it, which waits for it."""
    lost = await scene.signal()
    await scene.copy(lost)
    cid = await cid_of(scene, lost)
    await book(scene, Evidence(cid, event=OrderEvent.LOST), Evidence(cid, event=OrderEvent.PROVEN_ABSENT))
    way_out = await scene.signal(Action.CLOSE if fraction == "1" else Action.REDUCE)
    await scene.run("UPDATE signals SET fraction = :f WHERE id = :id", f=D(fraction), id=way_out.id)
    await scene.copy(way_out)
    assert await decided(scene, way_out) == ("DEFERRED", "ENTRY_STILL_OPEN")
    return lost, way_out


async def test_an_exit_that_was_put_off_does_not_close_what_a_newer_signal_opened(scene: HotScene) -> None:
    lost, way_out = await absent_then_left(scene)
    newer = await scene.signal()
    await scene.copy(newer)
    await filled(scene, newer, "1")
    await scene.copy(way_out)
    assert await decided(scene, way_out) == ("DEFERRED", "ENTRY_STILL_OPEN")  # the older may still appear
    await scene.run("UPDATE trades SET state = 'ABANDONED', settled = true WHERE signal_id = :id", id=lost.id)
    await scene.copy(way_out)
    assert await decided(scene, way_out) == ("SKIPPED", "OPENED_LATER")
    assert await scene.value("SELECT count(*) FROM trades WHERE leg = 'EXIT'") == 0


async def test_a_late_entry_is_closed_beside_the_newer_that_stays(scene: HotScene) -> None:
    lost, way_out = await absent_then_left(scene)
    newer = await scene.signal()
    await scene.copy(newer)
    await filled(scene, newer, "1")
    await filled(scene, lost, "2")
    assert await scene.value("SELECT quantity FROM positions") == 10
    await scene.copy(way_out)
    assert await decided(scene, way_out) == ("COPIED", "AS_ASKED")
    assert await scene.value("SELECT quantity FROM trades WHERE leg = 'EXIT'") == 5


@pytest.mark.parametrize(("cut", "closes"), [("0.5", D("1.25")), ("1", None)])
async def test_a_later_reduction_took_its_share_of_both(scene: HotScene, cut: str, closes: object) -> None:
    lost, way_out = await absent_then_left(scene, "0.5")
    newer = await scene.signal()
    await scene.copy(newer)
    await filled(scene, newer, "1")
    await filled(scene, lost, "2")
    later = await scene.signal(Action.REDUCE if cut != "1" else Action.CLOSE)
    later.fraction, way_out.fraction = D(cut), D("0.5")
    await scene.run("UPDATE signals SET fraction = :f WHERE id = :id", f=D(cut), id=later.id)
    [found] = await scene.copies.snapshot(later, START, MARKETS)
    assert found.follower.opened_later == 0  # for itself nothing is later
    await scene.copy(later)
    await filled(scene, later, "3")
    await scene.copy(way_out)
    exits = await scene.rows(
        "SELECT quantity FROM trades WHERE leg = 'EXIT' AND signal_id = :id", id=way_out.id
    )
    assert exits == ([] if closes is None else [(closes,)])


@pytest.mark.parametrize(
    "code", ["VENUE_AWAY", "PROTECTION_STILL_RESTS", "MARKET_UNLISTED", "ENTRY_STILL_OPEN"]
)
async def test_an_entry_that_may_still_appear_holds_back_only_the_exit_that_waits_for_it(
    scene: HotScene, code: str
) -> None:
    _, way_out = await absent_then_left(scene)
    await scene.run(
        "UPDATE decisions SET code = :code, decided_at = now() - interval '1 minute' WHERE signal_id = :id",
        code=code,
        id=way_out.id,
    )
    await scene.run("UPDATE signals SET state = 'DONE' WHERE id = :id", id=way_out.id)
    reopened = [signal for signal, _ in await scene.executions.deferred(10)]
    assert reopened == ([] if code == "ENTRY_STILL_OPEN" else [way_out.id])


async def test_an_outcome_known_anew_does_not_let_the_exit_close_it(scene: HotScene) -> None:
    """The fill of the newer entry puts the exit back in line at once, a day before the older is given up."""
    _, way_out = await absent_then_left(scene)
    newer = await scene.signal()
    await scene.copy(newer)
    await filled(scene, newer, "1")
    await scene.run("UPDATE signals SET state = 'DONE' WHERE id = :id", id=way_out.id)
    async with scene.executions.session() as session:
        [(reopened, _)] = await session.reopen([scene.ids[0][0]])
    assert reopened == way_out.id
    [found] = await scene.copies.snapshot(way_out, START, MARKETS)
    assert (found.follower.held, found.follower.opened_later) == (D(5), D(5))
