"""The book of protections on PostgreSQL: an attempt is begun once, a change wins once, a trigger becomes its exit in one piece."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.trading.audit import AuditBounds
from app.application.trading.evidence import Evidence
from app.application.trading.protect_ports import Guarded, StoredProtection
from app.domain.shared.execution import Action, OrderStatus
from app.domain.shared.ids import ClientOrderId, SignalId, WhaleId, requested_signal_id
from app.domain.shared.market import Side, Venue
from app.domain.shared.money import Price, Quantity
from app.domain.shared.triggers import TriggerKind
from app.domain.signals.priority import Priority
from app.domain.signals.signal import Signal, SignalSource
from app.domain.trading.protection import ProtectionState
from app.infrastructure.postgres.audit import PostgresAuditor
from app.infrastructure.postgres.protection_book import PostgresProtectionBook
from app.infrastructure.postgres.uow import PostgresUnitOfWork
from tests.fakes.clock import START, FakeClock
from tests.integration.postgres.hot_scene import HotScene
from tests.integration.postgres.test_hot_recovery import book
from tests.unit.domain.builders import BTC, D

State = ProtectionState
HIDE = timedelta(seconds=10)
SOON = START + timedelta(seconds=1)
STOP = {"stop_loss": "0.1"}


class Guarding(HotScene):
    """Followers whose terms ask for a stop; `hold` gives each a position."""

    @property
    def protections(self) -> PostgresProtectionBook:
        return PostgresProtectionBook(self.engine, lambda: PostgresUnitOfWork(self.engine, self.clock))

    async def hold(self, number: int = 1) -> None:
        await self.followers(number, protection=STOP)
        await self.run(
            "INSERT INTO ledger_entries (account_id, entry_key, kind, amount, at)"
            " SELECT account_id, 'first', 'DEPOSIT', wallet, now() FROM funds"
        )
        await self.copy(await self.signal())
        for place, cid in enumerate(await self.cids()):
            told = await self.report(cid, OrderStatus.FILLED, "5")
            await book(self, Evidence(cid, report=told, fills=(await self.fill(cid, f"e{place}", "5"),)))

    async def row(self, attempt: int = 0, state: State = State.PLACING, of: int = 0) -> StoredProtection:
        follow, account = self.ids[of]
        name = f"p{of}-{attempt}"
        return StoredProtection(
            follow_id=follow,
            symbol=BTC,
            rung="SL",
            attempt=attempt,
            account_id=account,
            venue=Venue.BINANCE_USDM,
            client_order_id=ClientOrderId(name),
            signal_id=SignalId(UUID(int=1000 + of * 10 + attempt)),
            kind=TriggerKind.STOP_LOSS,
            side=Side.SELL,
            trigger=Price(D(90)),
            quantity=Quantity(D(5)),
            state=state,
            signed_ms=1,
            valid_ms=5000,
            look_at=SOON,
        )

    async def resting(self, of: int = 0, attempt: int = 0) -> StoredProtection:
        row = await self.row(of=of, attempt=attempt)
        assert await self.protections.begin([row])
        rests = replace(row, state=State.RESTING, protection_id="7")
        assert await self.protections.change(rests, State.PLACING)
        return rests

    async def guard(self) -> Guarded:
        [one] = await self.protections.guarded()
        return one


@pytest.fixture
def scene(engine: AsyncEngine, clock: FakeClock) -> Guarding:
    return Guarding(engine, clock)


async def wrong(scene: Guarding) -> set[str]:
    findings = await PostgresAuditor(scene.engine).findings(AuditBounds())
    return {finding.name for finding in findings if not finding.is_clean}


async def test_of_eight_workers_one_begins_an_attempt(scene: Guarding) -> None:
    await scene.hold()
    row = await scene.row()
    won = await asyncio.gather(*(scene.protections.begin([row]) for _ in range(8)))
    assert sorted(len(ids) for ids in won) == [0] * 7 + [1]


async def test_of_eight_workers_one_change_wins_and_the_others_see_what_is_newer(scene: Guarding) -> None:
    await scene.hold()
    row = await scene.resting()
    asked = replace(row, state=State.CANCELING)
    won = await asyncio.gather(*(scene.protections.change(asked, State.RESTING) for _ in range(8)))
    assert sorted(won) == [False] * 7 + [True]
    found = await scene.protections.by_client_id(row.client_order_id)
    assert found is not None
    assert (found.state, found.protection_id) == (State.CANCELING, "7")
    assert await scene.protections.by_client_id("a stranger's") is None


async def test_a_held_position_is_guarded_with_its_entry_and_its_attempts(scene: Guarding) -> None:
    await scene.hold()
    await scene.resting()
    one = await scene.guard()
    assert (one.follow_id, one.quantity, one.entry, one.leaving) == (scene.ids[0][0], D(5), D(100), False)
    assert one.terms.stop_loss == D("0.1")
    assert ([row.state for row in one.rows], one.newest) == ([State.RESTING], {"SL": 0})


async def test_a_position_without_terms_is_not_guarded_and_a_flat_one_only_while_something_is_left(
    scene: Guarding,
) -> None:
    await scene.hold()
    await scene.run("UPDATE follows SET protection = '{}'")
    assert not await scene.protections.guarded()
    row = await scene.resting()
    assert len((await scene.guard()).rows) == 1
    await scene.run("UPDATE positions SET quantity = 0, cost = 0, margin = 0")
    assert (await scene.guard()).quantity == 0
    await scene.protections.change(replace(row, state=State.CANCELED), State.RESTING)
    assert not await scene.protections.guarded()


async def test_the_attempts_of_an_earlier_position_do_not_count_but_their_numbers_do(scene: Guarding) -> None:
    await scene.hold()
    row = await scene.resting()
    await scene.protections.change(replace(row, state=State.CANCELED), State.RESTING)
    await scene.run("UPDATE positions SET opened_at = now() + interval '1 second'")
    one = await scene.guard()
    assert (one.rows, one.newest) == ((), {"SL": 0})


async def test_a_trigger_becomes_one_exit_with_all_that_belongs_to_it(scene: Guarding) -> None:
    await scene.hold()
    row = await scene.resting()
    done = replace(row, state=State.TRIGGERED, order_id="v9")
    won = await asyncio.gather(*(scene.protections.trigger(done, State.RESTING, START) for _ in range(4)))
    assert sorted(won) == [False] * 3 + [True]
    assert (await scene.guard()).leaving
    assert await wrong(scene) == set()
    told = replace(await scene.report(row.client_order_id, OrderStatus.FILLED, "5"), order_id="v9")
    fills = (await scene.fill(row.client_order_id, "x1", "5"),)
    await book(scene, Evidence(row.client_order_id, report=told, fills=fills))
    assert await scene.value("SELECT quantity FROM positions") == 0
    assert await scene.rows("SELECT state, settled FROM trades WHERE leg = 'EXIT'") == [("FILLED", True)]
    assert await scene.rows(
        "SELECT code FROM decisions d JOIN signals s ON s.id = d.signal_id WHERE s.source = 'PROTECTION'"
    ) == [("PROTECTION_TRIGGERED",)]
    assert await wrong(scene) == set()


async def test_what_is_due_is_taken_once_and_given_back_by_a_worker_that_dies(scene: Guarding) -> None:
    await scene.hold(6)
    for number in range(6):
        await scene.protections.begin([await scene.row(of=number)])
    assert await scene.protections.due(START, 9, HIDE) == []
    taken = await asyncio.gather(*(scene.protections.due(SOON, 2, HIDE) for _ in range(4)))
    ids = [looked.row.client_order_id for looks in taken for looked in looks]
    assert len(ids) == len(set(ids)) == 6
    assert await scene.protections.due(SOON, 9, HIDE) == []
    assert len(await scene.protections.due(SOON + HIDE, 9, HIDE)) == 6


@pytest.mark.parametrize("state", State)
async def test_what_may_still_appear_is_looked_at_and_what_has_ended_is_not(
    scene: Guarding, state: State
) -> None:
    await scene.hold()
    await scene.protections.begin([await scene.row(state=state)])
    looked_at = state in (State.PLACING, State.UNKNOWN, State.RESTING, State.CANCELING, State.ABSENT)
    assert len(await scene.protections.due(SOON, 9, HIDE)) == looked_at


async def test_the_best_mark_and_the_bareness_are_those_of_the_position_that_is_held(scene: Guarding) -> None:
    await scene.hold()
    await scene.protections.remember(await scene.guard(), Price(D(120)), START)
    one = await scene.guard()
    assert one.best == D(120)
    assert one.bare_since == START
    await scene.run("UPDATE positions SET opened_at = opened_at + interval '1 second'")
    one = await scene.guard()
    assert (one.best, one.bare_since) == (None, None)


async def test_an_exit_that_was_asked_for_is_asked_for_once(scene: Guarding) -> None:
    await scene.hold()
    one = await scene.guard()
    made = Signal(
        id=requested_signal_id("protection:1", "reached"),
        source=SignalSource.PROTECTION,
        whale_id=WhaleId(one.whale_id),
        venue=one.venue,
        symbol=one.symbol,
        action=Action.CLOSE,
        side=Side.SELL,
        quantity=Quantity(D(5)),
        fraction=D(1),
        reference_price=Price(D(90)),
        priority=Priority.HIGH,
        leader_at=START,
        created_at=START,
        trace_id="reached",
        scope=one.follow_id,
    )
    asked = await asyncio.gather(*(scene.protections.leave(replace(made)) for _ in range(4)))
    assert sum(answer is not None for answer in asked) == 1
    assert await scene.value("SELECT count(*) FROM signals WHERE source = 'PROTECTION'") == 1


async def test_the_best_mark_never_gets_worse_whichever_worker_stores_last(scene: Guarding) -> None:
    await scene.hold()
    [late] = await scene.protections.guarded()
    await scene.protections.remember(late, Price(D(120)), None)
    await scene.protections.remember(late, Price(D(110)), START)
    [now] = await scene.protections.guarded()
    assert now.best == D(120)
    assert now.bare_since == START


async def test_a_stop_may_be_moved_more_often_than_a_small_number_counts(scene: Guarding) -> None:
    await scene.hold()
    row = await scene.row(32_768)
    assert await scene.protections.begin([row]) == {row.client_order_id}


async def test_exits_that_were_asked_for_are_known(scene: Guarding) -> None:
    await scene.hold()
    [known] = await scene.rows("SELECT id FROM signals")
    other = requested_signal_id("protection:1", "nobody asked")
    assert await scene.protections.asked([SignalId(known.id), other]) == {known.id}
    assert await scene.protections.asked([]) == frozenset()
