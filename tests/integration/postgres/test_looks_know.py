"""What whoever looks into a doubt is told beside it: whether the leader has left since, whether the lot has company, and what
all follows of the account hold.
"""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.trading.evidence import Evidence
from app.domain.shared.execution import Action, OrderStatus
from app.domain.shared.ids import AccountId
from app.domain.trading.order import OrderEvent
from tests.fakes.clock import FakeClock
from tests.integration.postgres.hot_scene import LOOK_AT
from tests.integration.postgres.test_hot_recovery import HIDE, SOON, book
from tests.integration.postgres.test_shared_lots import Sharing
from tests.unit.domain.builders import BTC, D


@pytest.fixture
async def scene(engine: AsyncEngine, clock: FakeClock) -> Sharing:
    made = Sharing(engine, clock)
    await made.begin()
    return made


def account(scene: Sharing) -> AccountId:
    return scene.ids[0][1]


async def order_of(scene: Sharing, signal_id: object) -> str:
    return str(await scene.value("SELECT client_order_id FROM orders WHERE signal_id = :id", id=signal_id))


async def test_a_doubt_is_superseded_by_the_leaders_close_and_not_by_a_followers_own(scene: Sharing) -> None:
    await scene.copy(await scene.signal())
    await scene.signal(Action.CLOSE, scope=scene.first)
    await scene.signal(Action.CLOSE, whale=scene.other_whale)
    assert [doubt.superseded for doubt in await scene.executions.doubts(LOOK_AT, 9, HIDE)] == [False]
    await scene.signal(Action.CLOSE)
    assert [doubt.superseded for doubt in await scene.executions.doubts(LOOK_AT + HIDE, 9, HIDE)] == [True]


async def test_an_exit_in_doubt_is_shared_once_another_lot_is_coming_and_an_entry_never(
    scene: Sharing,
) -> None:
    await scene.copy(await scene.signal(Action.CLOSE))
    assert [doubt.shared for doubt in await scene.executions.doubts(LOOK_AT, 9, HIDE)] == [False]
    await scene.copy(await scene.entry())
    told = {d.attempt.key.leg: d.shared for d in await scene.executions.doubts(LOOK_AT + HIDE, 9, HIDE)}
    assert told == {"EXIT": True, "ENTRY": False}


async def test_an_exit_in_doubt_is_shared_while_another_lot_is_held(scene: Sharing) -> None:
    await scene.enters()
    await scene.copy(await scene.signal(Action.CLOSE))
    assert [doubt.shared for doubt in await scene.executions.doubts(LOOK_AT, 9, HIDE)] == [True]


async def test_what_is_held_adds_all_follows_and_what_was_executed_and_not_booked(scene: Sharing) -> None:
    assert await scene.executions.held(account(scene), BTC) == 5
    await scene.enters()
    assert await scene.executions.held(account(scene), BTC) == 10
    way_out = await scene.signal(Action.CLOSE)
    await scene.copy(way_out)
    cid = await order_of(scene, way_out.id)
    assert await scene.executions.held(account(scene), BTC) == 10
    await book(scene, Evidence(cid, report=await scene.report(cid, OrderStatus.PARTIAL, "2")))
    assert await scene.executions.held(account(scene), BTC) == 8
    await book(scene, Evidence(cid, fills=(await scene.fill(cid, "x1", "1"),)))
    assert await scene.value("SELECT sum(quantity) FROM positions") == D(9)
    assert await scene.executions.held(account(scene), BTC) == 8


async def test_what_is_held_is_not_known_while_an_entry_may_be_executing(scene: Sharing) -> None:
    entry = await scene.entry()
    await scene.copy(entry)
    assert await scene.executions.held(account(scene), BTC) is None
    never = Evidence(await order_of(scene, entry.id), event=OrderEvent.NEVER_LEFT, retry_at=SOON)
    await book(scene, never)
    assert await scene.executions.held(account(scene), BTC) == 5
