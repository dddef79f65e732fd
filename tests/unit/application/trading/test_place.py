"""The placer: each order once and as committed, lanes that do not block each other, every failure an outcome."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from app.application.trading.place import ToSend
from app.application.trading.ports import Window
from app.domain.exchanges.outcomes import Accepted, Outcome, Unknown, VenueUnavailable
from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.errors import DomainError, InvalidValue
from app.domain.shared.ids import ClientOrderId
from app.domain.trading.order import OrderState
from tests.fakes.clock import START
from tests.unit.application.trading.crew import Crew
from tests.unit.application.trading.rows import ACCOUNT, put, report
from tests.unit.domain.builders import BTC, instrument

WINDOW = Window(signed_ms=1_000, valid_ms=5_000, look_at=START + timedelta(seconds=5))


@pytest.fixture
def crew() -> Crew:
    return Crew()


def to_send(crew: Crew, number: int, *, exit_: bool = False, leverage: int | None = None) -> ToSend:
    one = put(crew.book, number, exit_=exit_, wallet="1000000")
    stored = crew.book.stored(one)
    return ToSend(
        ACCOUNT, b"sealed", ClientOrderId(one), stored.side, stored.order_quantity, exit_, 0, leverage
    )


async def test_what_is_sent_is_what_was_committed_and_once(crew: Crew) -> None:
    order = to_send(crew, 1)

    async def accept(placed: PlaceOrder) -> Outcome:
        return Accepted(report(crew.book.stored(placed.client_order_id)))

    crew.gateway.on_place = accept
    async with crew:
        await crew.placer.send(instrument(), [order], WINDOW, START)
        await crew.settler.drained()
    [placed] = crew.gateway.placed
    assert (placed.signed_ms, placed.valid_ms, placed.client_order_id) == (1_000, 5_000, "c1-0")
    assert (placed.side, placed.quantity, placed.reduce_only) == (order.side, order.quantity, False)
    assert crew.order("c1-0").state is OrderState.FILLED
    assert crew.metrics.seen["leader_to_ack_seconds"] == 1


async def test_entries_that_hang_do_not_hold_an_exit_up(crew: Crew) -> None:
    entries = [to_send(crew, number) for number in range(200)]
    way_out = to_send(crew, 999, exit_=True)
    gate, gone = asyncio.Event(), asyncio.Event()

    async def answer(placed: PlaceOrder) -> Outcome:
        if placed.reduce_only:
            gone.set()
        else:
            await gate.wait()
        return Unknown("late")

    crew.gateway.on_place = answer
    async with crew, asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(crew.placer.send(instrument(), entries, WINDOW, None))
        while len(crew.gateway.placed) < 96:
            await asyncio.sleep(0)
        group.create_task(crew.placer.send(instrument(), [way_out], WINDOW, None))
        await gone.wait()
        assert sum(not placed.reduce_only for placed in crew.gateway.placed) == 96
        gate.set()
    assert len({placed.client_order_id for placed in crew.gateway.placed}) == 201


async def test_a_leverage_that_was_told_is_remembered(crew: Crew) -> None:
    async with crew:
        await crew.placer.send(instrument(), [to_send(crew, 1, leverage=7)], WINDOW, None)
    assert crew.book.told == [(ACCOUNT, BTC, 7)]


@pytest.mark.parametrize("error", [VenueUnavailable("It is away."), InvalidValue("No leverage of 7.")])
async def test_without_its_leverage_nothing_of_an_order_leaves(crew: Crew, error: DomainError) -> None:
    crew.gateway.leverage_error = error
    async with crew:
        await crew.placer.send(instrument(), [to_send(crew, 1, leverage=7)], WINDOW, None)
        await crew.settler.drained()
    assert crew.gateway.placed == []
    assert (crew.order("c1-0").state, crew.order("c1-0").code) == (OrderState.NOT_SENT, "NOT_SENT")
    assert crew.trade("c1-0").retry_at == START + timedelta(milliseconds=250)
    assert crew.book.told == []


async def test_a_key_that_does_not_open_stops_its_own_order_only(crew: Crew) -> None:
    crew.factory.refusal = InvalidValue("The sealed key does not open.")
    async with crew:
        await crew.placer.send(instrument(), [to_send(crew, 1), to_send(crew, 2)], WINDOW, None)
        await crew.settler.drained()
    assert {row.state for row in crew.book.orders.values()} == {OrderState.NOT_SENT}
    assert crew.trade("c1-0").hold_left == crew.trade("c1-0").hold


async def test_a_lane_is_free_again_after_any_outcome(crew: Crew) -> None:
    crew.factory.refusal = InvalidValue("The sealed key does not open.")
    orders = [to_send(crew, number) for number in range(300)]
    async with crew, asyncio.timeout(20):
        await crew.placer.send(instrument(), orders, WINDOW, None)
    assert crew.metrics.seen["orders_sent"] == 300
