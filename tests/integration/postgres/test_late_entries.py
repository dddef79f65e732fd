"""An entry that was given up, and that the venue shows after the leader has left: its lot is closed, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.shared.execution import Action
from tests.integration.postgres.hot_scene import MARKETS, OWNER, WINDOW
from tests.integration.postgres.machine_scene import MachineScene
from tests.unit.domain.builders import D

ROUNDS = 12


async def sent(world: MachineScene) -> None:
    while world.in_hand:
        await world.send(0)
    await world.book(*world.venue.news)
    world.venue.news.clear()


async def executed_unseen(world: MachineScene) -> None:
    """Everything in hand is executed at the venue, which neither says so nor shows it."""
    while world.in_hand:
        world.venue.fates = ["lost"]
        await world.send(0)
    world.venue.news.clear()


async def given_up(world: MachineScene) -> None:
    """Let time pass until what the venue does not show was called absent and its signal has expired."""
    for _ in range(ROUNDS):
        world.clock.advance(timedelta(seconds=8))
        await world.recover()
    await sent(world)


async def calm(world: MachineScene) -> None:
    for order in world.venue.orders:
        world.show(order)
    for _ in range(ROUNDS):
        world.clock.advance(timedelta(minutes=2))
        await world.recover(workers=2)
        await world.serve_again()
        await sent(world)


def net(world: MachineScene) -> Sequence[int]:
    return [int(world.venue.net(account)) for _, account in world.scene.ids]


@pytest.fixture
async def world(engine: AsyncEngine) -> MachineScene:
    return await MachineScene.made(engine)


async def exits_of_late_entries(world: MachineScene) -> int:
    number: int = await world.scene.value(
        "SELECT count(*) FROM signals WHERE source = 'LEADER' AND scope IS NOT NULL"
    )
    return number


async def test_what_appears_after_a_close_of_the_rest_is_closed_too(world: MachineScene) -> None:
    await world.signal(Action.OPEN, 1)
    await sent(world)
    await world.signal(Action.OPEN, 1)
    await executed_unseen(world)
    await given_up(world)
    await world.signal(Action.CLOSE, 1)
    await sent(world)
    assert net(world) == [5, 5], "only what was known is closed"
    await calm(world)
    assert net(world) == [0, 0]
    assert await exits_of_late_entries(world) == 2
    assert await world.wrong() == {}
    assert await world.unlike_the_venue() == []


async def test_a_lot_that_the_leader_opened_anew_stays(world: MachineScene) -> None:
    await world.signal(Action.OPEN, 1)
    await sent(world)
    await world.signal(Action.OPEN, 1)
    await executed_unseen(world)
    await given_up(world)
    await world.signal(Action.CLOSE, 1)
    await sent(world)
    await world.signal(Action.OPEN, 1)
    await sent(world)
    await calm(world)
    assert net(world) == [5, 5]
    assert await world.wrong() == {}


async def test_what_appears_while_its_leader_is_still_in_stays(world: MachineScene) -> None:
    await world.signal(Action.OPEN, 1)
    await executed_unseen(world)
    await given_up(world)
    await calm(world)
    assert net(world) == [5, 5]
    assert await exits_of_late_entries(world) == 0


async def test_two_entries_that_appear_at_once_are_each_closed_in_full(world: MachineScene) -> None:
    await world.signal(Action.OPEN, 1)
    await sent(world)
    for _ in range(2):
        await world.signal(Action.OPEN, 1)
        await executed_unseen(world)
    await given_up(world)
    await world.signal(Action.CLOSE, 1)
    await sent(world)
    await calm(world)
    assert net(world) == [0, 0]
    held = [row.quantity for row in await world.scene.rows("SELECT quantity FROM positions")]
    assert held == [D(0), D(0)]
    assert await world.wrong() == {}


async def test_a_lot_that_was_on_its_way_when_the_late_one_appeared_stays(world: MachineScene) -> None:
    await world.signal(Action.OPEN, 1)
    await sent(world)
    await world.signal(Action.OPEN, 1)
    await executed_unseen(world)
    await given_up(world)
    await world.signal(Action.CLOSE, 1)
    await sent(world)
    await world.signal(Action.OPEN, 1)
    newest = list(world.in_hand)
    for order in world.venue.orders:
        world.show(order)
    world.clock.advance(timedelta(seconds=2))
    world.in_hand.clear()
    await recovered(world)
    world.in_hand.extend(newest)
    assert await exits_of_late_entries(world) == 2
    await sent(world)
    await calm(world)
    assert net(world) == [5, 5], "of the late lot all is closed, of the newest nothing"
    assert await world.wrong() == {}


async def recovered(world: MachineScene) -> None:
    """Look at what was called absent until it is found, within the window of what is still in hand."""
    await world.scene.run("UPDATE orders SET look_at = :now WHERE state = 'ABSENT'", now=world.clock.now())
    await world.recover()


async def test_what_a_protection_sold_closed_nothing_of_what_was_not_there(world: MachineScene) -> None:
    await world.signal(Action.OPEN, 1)
    await sent(world)
    await world.signal(Action.OPEN, 1)
    await executed_unseen(world)
    await given_up(world)
    await world.signal(Action.REDUCE, 1)
    await world.scene.run("UPDATE signals SET source = 'PROTECTION' WHERE action = 'REDUCE'")
    await sent(world)
    held = net(world)
    await calm(world)
    assert net(world) == held
    assert await exits_of_late_entries(world) == 0


async def test_an_exit_that_was_planned_without_what_was_booked_since_is_planned_again(
    world: MachineScene,
) -> None:
    await world.signal(Action.OPEN, 1)
    await sent(world)
    exit_ = await world.scene.signal(Action.CLOSE)
    found = await world.scene.copies.snapshot(exit_, world.clock.now(), MARKETS)
    prepared, decisions = world.scene.plan(exit_, found)
    await world.scene.run(
        "UPDATE positions SET quantity = quantity + 1 WHERE follow_id = :f", f=found[0].follower.follow_id
    )
    ours = await world.scene.copies.commit(exit_, OWNER, prepared, decisions, WINDOW)
    assert ours == {found[1].follower.follow_id}
