"""Two follows of one account in one market, on a real database: whichever commits first, the orders that are out of a lot that
is not alone could together close no more than it.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.trading.evidence import Evidence
from app.application.trading.protect_ports import Guarded, StoredProtection
from app.domain.shared.execution import Action, OrderStatus
from app.domain.shared.ids import FollowId, WhaleId
from app.domain.shared.money import Quantity
from app.domain.signals.signal import Signal
from app.domain.trading.order import OrderEvent
from app.domain.trading.protection import ProtectionState
from tests.fakes.clock import START, FakeClock
from tests.integration.postgres.cast import make_whales
from tests.integration.postgres.hot_scene import MARKETS, OWNER, WINDOW
from tests.integration.postgres.test_hot_recovery import HIDE, SOON, book
from tests.integration.postgres.test_protections import Guarding
from tests.unit.domain.builders import D

State = ProtectionState
EXIT_WAITS = ("DEFERRED", "PROTECTION_STILL_RESTS")
ENTRY_WAITS = ("DEFERRED", "OTHER_MAY_OVERSELL")
COPIED = ("COPIED", "AS_ASKED")


class Sharing(Guarding):
    """The first follow holds a lot of 5; the other follow of its account holds nothing yet."""

    other: FollowId = FollowId(0)
    other_whale: WhaleId = WhaleId(0)

    async def begin(self) -> None:
        self.whale, self.other_whale = await make_whales(self.engine, self.clock, 2)
        await self.hold()
        columns = (
            "mode, value, leverage_max, drift_max, sides, symbols_allowed, symbols_denied, tiny, tiny_factor_max,"
            " state, user_id, account_id"
        )
        await self.run(
            f"INSERT INTO follows (whale_id, {columns}) SELECT :whale, {columns} FROM follows",
            whale=self.other_whale,
        )
        self.other = FollowId(await self.value("SELECT max(id) FROM follows"))

    @property
    def first(self) -> FollowId:
        return self.ids[0][0]

    async def entry(self) -> Signal:
        return await self.signal(whale=self.other_whale)

    async def enters(self) -> None:
        """Let the other follow hold a lot of its own."""
        entry = await self.entry()
        await self.copy(entry)
        assert await self.decided(entry) == COPIED
        await self.filled(entry)

    async def filled(self, signal: Signal) -> None:
        """Let the venue execute the whole of a signal's order."""
        [(cid, quantity)] = await self.rows(
            "SELECT client_order_id, quantity FROM orders WHERE signal_id = :id", id=signal.id
        )
        told = await self.report(cid, OrderStatus.FILLED, str(quantity))
        fills = (await self.fill(cid, f"t{signal.id.int}", str(quantity)),)
        await book(self, Evidence(cid, report=told, fills=fills))

    async def decided(self, signal: Signal) -> tuple[str, str] | None:
        rows = await self.rows("SELECT outcome, code FROM decisions WHERE signal_id = :id", id=signal.id)
        return (rows[0][0], rows[0][1]) if rows else None

    async def gone(self, row: StoredProtection) -> None:
        """Let a protection be proven cancelled."""
        assert await self.protections.change(replace(row, state=State.CANCELED), row.state)

    async def mine(self) -> Guarded:
        [mine] = [one for one in await self.protections.guarded() if one.follow_id == self.first]
        return mine


@pytest.fixture
async def scene(engine: AsyncEngine, clock: FakeClock) -> Sharing:
    made = Sharing(engine, clock)
    await made.begin()
    return made


async def test_the_exit_of_a_lot_that_is_alone_goes_beside_the_stop_that_rests(scene: Sharing) -> None:
    await scene.resting()
    way_out = await scene.signal(Action.CLOSE)
    assert await scene.copy(way_out) == {scene.first}
    assert not (await scene.mine()).shared


@pytest.mark.parametrize("booked", [False, True], ids=["coming", "held"])
async def test_beside_another_lot_an_exit_waits_until_nothing_of_its_follow_may_sell(
    scene: Sharing, booked: bool
) -> None:
    stop = await scene.resting()
    entry = await scene.entry()
    assert await scene.copy(entry) == {scene.other}
    if booked:
        await scene.filled(entry)
    way_out = await scene.signal(Action.CLOSE)
    assert await scene.copy(way_out) == frozenset()
    assert await scene.decided(way_out) == EXIT_WAITS
    guarded = await scene.mine()
    assert (guarded.leaving, guarded.shared) == (True, True)
    await scene.run("UPDATE signals SET state = 'DONE' WHERE id = :id", id=way_out.id)
    assert await scene.executions.deferred(9) == []
    await scene.gone(stop)
    [(reopened, _)] = await scene.protections.reopen(stop)
    assert reopened == way_out.id
    await scene.run(
        "UPDATE signals SET state = 'DISPATCHING', owner = :o WHERE id = :id", o=OWNER, id=way_out.id
    )
    assert await scene.copy(way_out) == {scene.first}


async def test_an_exit_that_waits_is_withdrawn_for_even_when_the_other_lot_has_gone_meanwhile(
    scene: Sharing,
) -> None:
    await scene.resting()
    await scene.enters()
    await scene.copy(await scene.signal(Action.CLOSE))
    await scene.run(
        "UPDATE positions SET quantity = 0, cost = 0, margin = 0 WHERE follow_id = :f", f=scene.other
    )
    guarded = await scene.mine()
    assert (guarded.leaving, guarded.shared) == (True, True)


async def test_an_exit_planned_while_its_lot_was_alone_is_not_committed_after_anothers_entry(
    scene: Sharing,
) -> None:
    await scene.resting()
    way_out = await scene.signal(Action.CLOSE)
    prepared, _ = scene.plan(way_out, await scene.copies.snapshot(way_out, START, MARKETS))
    assert await scene.copy(await scene.entry()) == {scene.other}
    assert len(prepared) == 1
    assert await scene.copies.commit(way_out, OWNER, prepared, (), WINDOW) == frozenset()
    assert await scene.copy(way_out) == frozenset()
    assert await scene.decided(way_out) == EXIT_WAITS


async def test_an_entry_planned_before_anothers_exit_is_not_committed_while_stop_and_exit_are_out(
    scene: Sharing,
) -> None:
    stop = await scene.resting()
    entry = await scene.entry()
    prepared, _ = scene.plan(entry, await scene.copies.snapshot(entry, START, MARKETS))
    way_out = await scene.signal(Action.CLOSE)
    assert await scene.copy(way_out) == {scene.first}
    assert await scene.copies.commit(entry, OWNER, prepared, (), WINDOW) == frozenset()
    assert await scene.copy(entry) == frozenset()
    assert await scene.decided(entry) == ENTRY_WAITS
    await scene.filled(way_out)
    assert await scene.copy(entry) == frozenset()  # the stop rests still, and would close the entry
    await scene.gone(stop)
    await scene.run("UPDATE signals SET state = 'DONE' WHERE id = :id", id=entry.id)
    assert [found for found, _ in await scene.protections.reopen(stop)] == [entry.id]
    await scene.run(
        "UPDATE signals SET state = 'DISPATCHING', owner = :o WHERE id = :id", o=OWNER, id=entry.id
    )
    assert await scene.copy(entry) == {scene.other}
    assert await scene.decided(entry) == COPIED


async def test_of_an_exit_and_anothers_entry_that_commit_at_once_beside_a_stop_one_does(
    scene: Sharing,
) -> None:
    await scene.resting()
    way_out, entry = await scene.signal(Action.CLOSE), await scene.entry()
    plans = [
        (signal, scene.plan(signal, await scene.copies.snapshot(signal, START, MARKETS))[0])
        for signal in (way_out, entry)
    ]
    won = await asyncio.gather(
        *(scene.copies.commit(signal, OWNER, prepared, (), WINDOW) for signal, prepared in plans)
    )
    assert sorted(map(len, won)) == [0, 1]


async def test_beside_what_triggered_and_is_not_booked_yet_an_exit_waits_and_anothers_entry_goes(
    scene: Sharing,
) -> None:
    stop = await scene.resting()
    triggered = replace(stop, state=State.TRIGGERED, order_id="v9")
    assert await scene.protections.trigger(triggered, State.RESTING, START)
    entry, way_out = await scene.entry(), await scene.signal(Action.CLOSE)
    assert await scene.copy(entry) == {scene.other}  # one exit is out, of what is held
    assert await scene.copy(way_out) == frozenset()
    told = replace(await scene.report(stop.client_order_id, OrderStatus.FILLED, "5"), order_id="v9")
    fills = (await scene.fill(stop.client_order_id, "x1", "5"),)
    await book(scene, Evidence(stop.client_order_id, report=told, fills=fills))
    assert await scene.copy(way_out) == frozenset()
    assert await scene.decided(way_out) == ("SKIPPED", "NOTHING_TO_CLOSE")


async def test_an_entry_waits_for_a_ladder_that_could_close_more_than_its_lot_and_the_keeper_learns_of_it(
    scene: Sharing,
) -> None:
    await scene.resting()
    rung = replace(await scene.row(1), rung="TP1", quantity=Quantity(D(2)))
    assert await scene.protections.begin([rung])
    assert not (await scene.mine()).shared
    entry = await scene.entry()
    await scene.copy(entry)
    assert await scene.decided(entry) == ENTRY_WAITS
    assert (await scene.mine()).shared
    await scene.gone(rung)
    assert await scene.copy(entry) == {scene.other}


async def test_beside_another_lot_a_protection_is_begun_for_what_no_other_order_may_sell(
    scene: Sharing,
) -> None:
    await scene.enters()
    stop = await scene.resting()
    assert not await scene.protections.begin([await scene.row(1)])
    await scene.gone(stop)
    way_out = await scene.signal(Action.REDUCE)
    assert await scene.copy(way_out) == {scene.first}
    assert not await scene.protections.begin([await scene.row(1)])  # a view from before the exit
    await scene.filled(way_out)
    assert not await scene.protections.begin([await scene.row(1)])
    alone = "UPDATE positions SET quantity = 0, cost = 0, margin = 0 WHERE follow_id = :f"
    await scene.run(alone, f=scene.other)
    assert await scene.protections.begin([await scene.row(1)])


async def test_an_exit_is_sent_again_beside_another_lot_when_nothing_of_its_follow_rests(
    scene: Sharing,
) -> None:
    await scene.enters()
    way_out = await scene.signal(Action.CLOSE)
    assert await scene.copy(way_out) == {scene.first}
    cid = await scene.value("SELECT client_order_id FROM orders WHERE signal_id = :id", id=way_out.id)
    await book(scene, Evidence(cid, event=OrderEvent.NEVER_LEFT, retry_at=SOON))
    late = await scene.row()
    await scene.run(
        "UPDATE positions SET quantity = 0, cost = 0, margin = 0 WHERE follow_id = :f", f=scene.other
    )
    assert await scene.protections.begin([late])
    assert len(await scene.executions.waiting(SOON, 9, HIDE)) == 1  # alone, it only reduces
    await scene.run("UPDATE positions SET quantity = 5, cost = 500 WHERE follow_id = :f", f=scene.other)
    await scene.run("UPDATE trades SET retry_at = :at WHERE state = 'WAITING'", at=SOON)
    assert await scene.executions.waiting(SOON, 9, HIDE) == []
    await scene.gone(late)
    [again] = await scene.executions.waiting(SOON, 9, HIDE)
    assert again.closable == 5
