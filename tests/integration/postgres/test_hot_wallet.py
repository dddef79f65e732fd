"""Wallets without executions: the venue's word, funding, transfers, leverage; each booked once, whoever tells it twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.trading.execution_ports import Changes, LedgerEntry
from app.domain.shared.ids import AccountId
from app.domain.shared.money import Money
from app.domain.trading.position import Position
from tests.fakes.clock import START, FakeClock
from tests.integration.postgres.hot_scene import HotScene
from tests.unit.domain.builders import BTC, D

POSITION = (
    "INSERT INTO positions (account_id, symbol, follow_id, quantity, cost) VALUES (:a, :s, :f, :q, 100)"
)


@pytest.fixture
async def scene(engine: AsyncEngine, clock: FakeClock) -> HotScene:
    made = HotScene(engine, clock)
    await made.followers(1)
    return made


def entry(account: AccountId, key: str, amount: str, kind: str = "FUNDING") -> LedgerEntry:
    return LedgerEntry(account, key, kind, Money(D(amount)), BTC if kind == "FUNDING" else None, START)


async def wallet(scene: HotScene) -> Decimal:
    found: Decimal = await scene.value("SELECT wallet FROM funds WHERE account_id = :a", a=scene.ids[0][1])
    return found


async def ledger(scene: HotScene) -> list[tuple[object, ...]]:
    rows = await scene.rows("SELECT kind, amount FROM ledger_entries ORDER BY at, kind")
    return [(kind, amount) for kind, amount in rows]


async def test_the_venues_word_on_a_wallet_is_a_deposit_first_and_an_adjustment_later(
    scene: HotScene,
) -> None:
    account = scene.ids[0][1]
    for minutes, amount in ((0, "1500"), (1, "1500"), (2, "1490")):
        await scene.executions.sync_wallet(account, Money(D(amount)), START + timedelta(minutes=minutes))
    assert await wallet(scene) == 1490
    assert await ledger(scene) == [("DEPOSIT", 500), ("ADJUSTMENT", -10)]
    assert await scene.value("SELECT high_water FROM funds WHERE account_id = :a", a=account) == 1500


async def test_funding_is_booked_once_however_many_tell_of_it(scene: HotScene) -> None:
    follow, account = scene.ids[0]
    await scene.run(POSITION, a=account, s=BTC, f=follow, q=2)
    told = [entry(account, "FUNDING:1", "-3"), entry(account, "FUNDING:2", "1")]
    await asyncio.gather(*(scene.executions.book_funding(told) for _ in range(6)))
    assert await wallet(scene) == 998
    assert await scene.rows("SELECT funding FROM positions") == [(-2,)]
    assert await scene.value("SELECT realised_today FROM funds WHERE account_id = :a", a=account) == -2
    assert len(await ledger(scene)) == 2


@pytest.mark.parametrize(
    ("lots", "shares"),
    [((3, 1), [D("-3"), D("-1")]), ((1, 2), [D("-1.333333333333333333"), D("-2.666666666666666667")])],
)
async def test_funding_is_shared_by_what_each_follow_holds(
    scene: HotScene, lots: tuple[int, ...], shares: list[Decimal]
) -> None:
    account = scene.ids[0][1]
    for follow, lot in enumerate(lots):
        await scene.run(POSITION, a=account, s=BTC, f=follow, q=lot)
    await scene.executions.book_funding([entry(account, "FUNDING:1", "-4")])
    assert [row[0] for row in await scene.rows("SELECT funding FROM positions ORDER BY follow_id")] == shares


async def test_funding_on_lots_that_net_to_nothing_still_reaches_the_wallet(scene: HotScene) -> None:
    account = scene.ids[0][1]
    for follow, lot in ((1, 2), (2, -2)):
        await scene.run(POSITION, a=account, s=BTC, f=follow, q=lot)
    await scene.executions.book_funding([entry(account, "FUNDING:1", "-4")])
    assert await wallet(scene) == 996


async def test_funding_of_a_market_that_was_left_reaches_the_wallet(scene: HotScene) -> None:
    await scene.executions.book_funding([entry(scene.ids[0][1], "FUNDING:1", "-4")])
    assert await wallet(scene) == 996


async def test_funding_that_arrives_while_a_fill_is_booked_is_kept(scene: HotScene) -> None:
    follow, account = scene.ids[0]
    await scene.run(POSITION, a=account, s=BTC, f=follow, q=2)
    await scene.copy(await scene.signal())
    async with scene.executions.session() as session:
        await session.attempts(await scene.cids())
        key = (account, BTC, follow)
        before = (await session.positions([key]))[key]
        task = asyncio.ensure_future(scene.executions.book_funding([entry(account, "FUNDING:1", "-4")]))
        await scene.blocked_or_done(task)
        after = Position(D(7), Money(D(600)), Money(D(60)), funding=before.funding)
        await session.write(Changes(positions={key: after}))
    await task
    assert await scene.rows("SELECT quantity, funding FROM positions") == [(7, -4)]


async def test_a_transfer_changes_wallet_and_high_water_once_and_is_no_result(scene: HotScene) -> None:
    account = scene.ids[0][1]
    for _ in range(2):
        await scene.executions.book_transfer(entry(account, "TRANSFER:1", "-400", "WITHDRAWAL"))
    assert await scene.rows(
        "SELECT wallet, high_water, realised_today FROM funds WHERE account_id = :a", a=account
    ) == [(600, 600, 0)]


async def test_what_the_venue_was_told_of_leverage_is_remembered_and_replaced(scene: HotScene) -> None:
    account = scene.ids[0][1]
    for leverage in (5, 7):
        await scene.executions.leverage_is([(account, BTC, leverage)])
    assert await scene.rows("SELECT leverage FROM account_markets") == [(7,)]


async def test_two_follows_of_one_account_may_tell_the_same_leverage_at_once(scene: HotScene) -> None:
    account = scene.ids[0][1]
    await scene.executions.leverage_is([(account, BTC, 5), (account, BTC, 7)])
    assert await scene.rows("SELECT leverage FROM account_markets") == [(7,)]


async def test_an_account_holds_something_while_any_position_is_open(scene: HotScene) -> None:
    follow, account = scene.ids[0]
    assert not await scene.executions.holds_positions(account)
    await scene.run(POSITION, a=account, s=BTC, f=follow, q=-1)
    assert await scene.executions.holds_positions(account)


@pytest.mark.parametrize("known", [False, True])
async def test_the_venues_word_is_not_taken_while_an_order_is_out_whose_money_it_counts_already(
    scene: HotScene, known: bool
) -> None:
    account = scene.ids[0][1]
    if known:
        await scene.executions.sync_wallet(account, Money(D(1000)), START, beside_coins=True)
    await scene.copy(await scene.signal())
    await scene.executions.sync_wallet(
        account, Money(D(500)), START + timedelta(minutes=1), beside_coins=True
    )
    assert await wallet(scene) == (1000 if known else 500)
