"""The exit of a protection that triggered: what recovery makes of it when its order was never placed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.exchanges.protection import ProtectionReport
from app.domain.exchanges.venue import FenceRule
from app.domain.shared.execution import VenuePosition
from app.domain.shared.market import Side, Venue
from app.domain.shared.money import NO_MONEY, Money, Price, Quantity
from app.domain.shared.triggers import ProtectionStatus, TriggerKind
from app.domain.trading.order import OrderState
from app.domain.trading.position import Position
from tests.fakes.clock import START
from tests.unit.application.trading.crew import Crew
from tests.unit.application.trading.guard import Guardhouse
from tests.unit.application.trading.rows import ACCOUNT, FOLLOW, execution, put, report
from tests.unit.application.trading.test_resend_beside import OTHER
from tests.unit.domain.builders import BTC, D

FENCE = FenceRule(validity=timedelta(seconds=5), engine_timeout=timedelta(seconds=10))
LONG = Position(D(1), Money(D(100)), Money(D(20)))
STATUS = ProtectionStatus


@pytest.fixture
def crew() -> Crew:
    crew = Crew()
    crew.book.kept[ACCOUNT, BTC, FOLLOW] = LONG
    return crew


async def passes(crew: Crew, number: int) -> None:
    for _ in range(number):
        crew.clock.advance(timedelta(seconds=20))
        await crew.recover(lambda venue: FENCE)()


def said(one: str, word: ProtectionStatus) -> ProtectionReport:
    return ProtectionReport(
        Venue.BINANCE_USDM, BTC, "p-1", one, Side.SELL, TriggerKind.STOP_LOSS, Price(D(90)), Quantity(D(1)), word, None,
        START,
    )  # fmt: skip


@pytest.mark.parametrize("word", [STATUS.REJECTED, STATUS.EXPIRED, STATUS.CANCELED])
async def test_an_exit_whose_order_the_venue_failed_to_place_goes_on_as_an_order_of_ours(
    crew: Crew, word: ProtectionStatus
) -> None:
    one = put(crew.book, exit_=True, state=OrderState.OPEN)
    crew.gateway.protections[one] = said(one, STATUS.TRIGGERED)
    async with crew:
        await passes(crew, 3)
        assert (crew.book.orders[one].state, crew.gateway.placed) == (OrderState.OPEN, [])
        crew.gateway.protections[one] = said(one, word)
        await passes(crew, 6)
    assert crew.book.orders[one].state is OrderState.REJECTED
    sent = crew.gateway.placed[0]
    assert (sent.side, sent.quantity, sent.reduce_only) == (Side.SELL, D(1), True)
    assert sent.client_order_id != one


def fails(crew: Crew, *, shared: bool = False) -> str:
    """The exit of a protection of which the venue says that it triggered and became no order."""
    if shared:
        crew.book.kept[ACCOUNT, BTC, OTHER] = LONG
    one = put(crew.book, exit_=True, state=OrderState.OPEN)
    crew.gateway.protections[one] = said(one, STATUS.REJECTED)
    return one


@pytest.mark.parametrize(("holding", "sent"), [("2", True), ("1", False)])
async def test_beside_another_lot_it_goes_on_once_the_venue_holds_all_of_our_books(
    crew: Crew, holding: str, *, sent: bool
) -> None:
    one = fails(crew, shared=True)
    crew.gateway.held = [VenuePosition(BTC, D(holding), D(0), NO_MONEY, 1)]
    async with crew:
        await passes(crew, 6)
        assert bool(crew.gateway.placed) is sent
        assert crew.book.orders[one].state is (OrderState.REJECTED if sent else OrderState.OPEN)
        await passes(crew, 60)
    assert crew.gateway.placed  # no close is kept for good


async def test_a_fill_that_says_otherwise_is_booked_and_nothing_is_sent(crew: Crew) -> None:
    one = fails(crew)
    stored = crew.book.stored(one)
    crew.gateway.executions.append(replace(execution(stored, "9", "1"), order_id="its own"))
    crew.gateway.reports["its own"] = replace(report(stored), order_id="its own")
    async with crew:
        await passes(crew, 6)
    assert crew.gateway.placed == []
    assert crew.book.orders[one].state is OrderState.FILLED


async def test_an_ordinary_exit_that_the_venue_does_not_show_keeps_its_place(crew: Crew) -> None:
    one = put(crew.book, exit_=True, state=OrderState.OPEN)
    async with crew:
        await passes(crew, 6)
    assert (crew.book.orders[one].state, crew.gateway.placed) == (OrderState.OPEN, [])


async def test_an_entry_is_never_taken_for_a_protection(crew: Crew) -> None:
    one = put(crew.book, state=OrderState.OPEN)
    crew.gateway.protections[one] = said(one, STATUS.REJECTED)
    async with crew:
        await passes(crew, 6)
    assert (crew.book.orders[one].state, crew.gateway.placed) == (OrderState.OPEN, [])


async def test_a_protection_that_the_venue_rejects_late_ends_with_its_code() -> None:
    house = Guardhouse()
    await house.keep()
    [one] = house.venue.protections
    await house.desk.heard(house.venue.becomes(one, STATUS.REJECTED))
    [row] = house.rows
    assert (row.state.value, row.code) == ("REJECTED", "VENUE_REJECTED")
