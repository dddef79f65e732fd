"""The settler: natural batches, one bad piece stops nobody, `drained` means booked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from app.application.trading.evidence import Evidence
from app.domain.shared.ids import AccountId, ClientOrderId, FollowId
from app.domain.signals.priority import Lane
from app.domain.trading.order import OrderEvent, OrderState
from app.domain.trading.trade import TradeState
from tests.fakes.execution_rows import OrderRow
from tests.unit.application.trading.crew import Crew
from tests.unit.application.trading.rows import FOLLOW, cid, execution, put, report, shown, signal


@pytest.fixture
def crew() -> Crew:
    return Crew()


def accounts(crew: Crew, number: int) -> list[ClientOrderId]:
    return [put(crew.book, n, account=AccountId(n), follow=FollowId(n)) for n in range(1, number + 1)]


async def lost(crew: Crew, ids: Sequence[ClientOrderId]) -> None:
    for one in ids:
        crew.settler.submit(Evidence(one, event=OrderEvent.LOST))
    await crew.settler.drained()


async def test_what_came_while_a_batch_was_written_makes_the_next_one(crew: Crew) -> None:
    ids = accounts(crew, 1201)
    async with crew:
        await lost(crew, ids)
    assert crew.book.batches == [500, 500, 201]
    assert {row.state for row in crew.book.orders.values()} == {OrderState.UNKNOWN}


async def test_drained_returns_at_once_when_nothing_waits(crew: Crew) -> None:
    async with crew:
        async with asyncio.timeout(5):
            await crew.settler.drained()


async def test_a_piece_that_cannot_be_booked_stops_no_other_and_is_told(crew: Crew) -> None:
    ids = accounts(crew, 20)
    crew.book.fail_on = ids[7]
    async with crew:
        await lost(crew, ids)
    booked = [one for one in ids if crew.order(one).state is OrderState.UNKNOWN]
    assert booked == [one for one in ids if one != ids[7]]
    assert [piece.client_order_id for _, piece in crew.alarms] == [ids[7]]
    assert crew.metrics.seen["settle_failed"] == 1


async def test_a_contradiction_is_told_and_the_rest_of_the_batch_is_booked(crew: Crew) -> None:
    one, other = accounts(crew, 2)
    wrong = report(crew.book.stored(one), executed="5")
    async with crew:
        crew.settler.submit(Evidence(one, report=wrong))
        await lost(crew, [other])
    assert crew.metrics.seen["evidence_quarantined"] == 1
    assert crew.order(other).state is OrderState.UNKNOWN


async def test_two_attempts_of_one_trade_are_booked_one_after_the_other(crew: Crew) -> None:
    first = put(crew.book, quantity="2")
    old = crew.order(first)
    crew.trade(first).attempt = 1
    again = cid(1, 1)
    key = type(old.key)(FOLLOW, signal(), old.key.leg, 1)
    crew.book.orders[again] = OrderRow(key, again, old.quantity, old.signed_ms, old.valid_ms, old.look_at)
    crew.order(first).state = OrderState.ABSENT
    pieces = [
        Evidence(
            one,
            report=report(crew.book.stored(one), executed="1"),
            fills=(execution(crew.book.stored(one), one, "1"),),
        )
        for one in (first, again)
    ]
    async with crew:
        for piece in (*pieces, *pieces):
            crew.settler.submit(piece)
        await crew.settler.drained()
    trade = crew.trade(first)
    assert shown(trade.executed, trade.booked) == (2, 2)
    assert (trade.state, trade.settled) == (TradeState.FILLED, True)
    assert crew.book.funds[trade.account_id].held == 0


async def test_only_foreign_evidence_writes_nothing(crew: Crew) -> None:
    async with crew:
        await lost(crew, [ClientOrderId("web_1")])
    assert crew.alarms == []
    assert crew.metrics.seen["evidence_booked"] == 0


async def test_stop_books_what_is_queued(crew: Crew) -> None:
    ids = accounts(crew, 3)
    crew.settler.start()
    for one in ids:
        crew.settler.submit(Evidence(one, event=OrderEvent.LOST))
    await crew.settler.stop()
    assert {row.state for row in crew.book.orders.values()} == {OrderState.UNKNOWN}


async def test_a_bell_that_is_broken_loses_no_booking(crew: Crew) -> None:
    one = put(crew.book)
    crew.bell.broken = True
    crew.book.deferred_signals[FOLLOW] = (signal(9), Lane.EXITS)
    async with crew:
        crew.settler.submit(Evidence(one, event=OrderEvent.REFUSED, code="-1", message="no"))
        await crew.settler.drained()
    assert crew.trade(one).state is TradeState.REJECTED
    assert crew.book.funds[crew.trade(one).account_id].held == 0
