"""An exit whose reply was lost, beside another follow's lot: sent twice it would close some of that as well."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.shared.execution import VenuePosition
from app.domain.shared.ids import FollowId
from app.domain.shared.money import NO_MONEY
from app.domain.trading.order import OrderState
from tests.unit.application.trading.crew import Crew
from tests.unit.application.trading.rows import ACCOUNT, FOLLOW, put
from tests.unit.application.trading.test_recover import LONG, passes
from tests.unit.domain.builders import BTC, D

OTHER = FollowId(12)


def beside(holding: str) -> Crew:
    """Two lots of one, an exit of the first whose reply was lost, and what the venue holds."""
    crew = Crew()
    put(crew.book, exit_=True)
    crew.book.kept[ACCOUNT, BTC, FOLLOW] = crew.book.kept[ACCOUNT, BTC, OTHER] = LONG
    crew.gateway.held = [VenuePosition(BTC, D(holding), D(0), NO_MONEY, 1)]
    return crew


@pytest.mark.parametrize(("holding", "sent"), [("2", True), ("3", True), ("1", False), ("-2", False)])
async def test_it_is_sent_again_once_the_venue_holds_all_of_our_books(holding: str, *, sent: bool) -> None:
    crew = beside(holding)
    async with crew:
        await passes(crew, 5)
    assert bool(crew.gateway.placed) is sent
    [order, *_] = crew.book.orders.values()
    assert (order.state, order.code) == (
        (OrderState.ABSENT, "ABSENT") if sent else (OrderState.UNKNOWN, "HOLDING_MISSING")
    )


async def test_what_the_venue_holds_says_nothing_while_an_entry_may_be_part_of_it() -> None:
    """The lost exit has sold one of the two, and the other follow's new entry has bought one that we do not know of yet."""
    crew = beside("2")
    entry = put(crew.book, 2, follow=OTHER)
    crew.gateway.reports.clear()
    crew.order(entry).look_at = crew.clock.now() + timedelta(days=1)
    async with crew:
        await passes(crew, 5)
    assert crew.gateway.placed == []


async def test_of_a_lot_that_is_alone_nothing_is_asked() -> None:
    crew = beside("0")
    del crew.book.kept[ACCOUNT, BTC, OTHER]
    async with crew:
        await passes(crew, 5)
    assert crew.gateway.placed


async def test_what_nobody_explains_does_not_keep_an_exit_for_good() -> None:
    crew = beside("1")
    async with crew:
        await passes(crew, 14)
    assert {sent.quantity for sent in crew.gateway.placed} == {1}
