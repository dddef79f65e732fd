"""The keeper beside another follow's lot: no two orders of a position are out that could together close more than it is."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.application.trading.withdraw import Withdraw
from app.domain.shared.execution import Action
from app.domain.shared.ids import SignalId
from app.domain.shared.market import Venue
from app.domain.signals.priority import Lane
from app.domain.trading.protection import ProtectionState
from tests.unit.application.trading.guard import Guardhouse
from tests.unit.application.trading.test_protect import LADDER
from tests.unit.domain.builders import BTC, D

WAITING = (SignalId(UUID(int=7)), Lane.EXITS)


async def test_a_ladder_that_rests_gives_way_to_the_stop_when_another_lot_joins_and_comes_back_after_it() -> (
    None
):
    house = Guardhouse(LADDER)
    await house.beat()
    assert house.resting == ["90", "105", "110"]
    house.held.shared = True
    await house.beat(2)
    assert house.resting == ["90"]
    house.held.shared = False
    await house.beat()
    assert house.resting == ["90", "105", "110"]


async def test_a_rung_beside_a_stop_is_watched_and_sells_its_share_by_an_exit() -> None:
    house = Guardhouse(LADDER)
    house.held.shared = True
    await house.beat(2)
    assert house.resting == ["90"]
    house.mark("106")
    await house.beat(2)
    [exit_] = house.book.left.values()
    assert (exit_.action, exit_.fraction) == (Action.REDUCE, D("0.5"))


async def test_what_rests_is_cancelled_while_an_exit_goes_or_waits_and_placed_again_for_what_is_left() -> (
    None
):
    house = Guardhouse()
    house.held.shared = True
    await house.beat()
    house.held.leaving = True
    await house.beat(2)
    assert house.resting == []
    house.held.leaving, house.held.quantity = False, D("0.4")
    await house.beat()
    assert (house.resting, house.venue.protected[-1].quantity) == (["90"], D("0.4"))


@pytest.mark.parametrize("venue", [Venue.BINANCE_USDM, Venue.BINANCE_SPOT])
async def test_a_lot_that_cannot_leave_though_its_stop_is_withdrawn_is_told_as_unprotected(
    venue: Venue,
) -> None:
    house = Guardhouse(venue=venue)
    house.held.shared = venue is Venue.BINANCE_USDM
    await house.beat()
    house.held.leaving = True
    await house.beat(30)
    assert (house.resting, len(house.venue.protected)) == ([], 1)
    assert house.metrics.seen["positions_unprotected"] > 5


async def test_the_end_of_what_rests_rings_for_what_waited_for_it() -> None:
    house = Guardhouse()
    await house.beat()
    house.held.leaving = house.held.shared = True
    house.book.waiting.append(WAITING)
    withdraw = Withdraw(house.book, house.sender, house.quotes, house.metrics)
    assert await withdraw([house.held.follow_id], BTC) == {house.held.follow_id}
    assert house.states == [ProtectionState.CANCELED]
    assert [rung[0] for rung in house.bell.rung] == [WAITING[0]]


async def test_a_view_from_before_the_exit_places_nothing() -> None:
    house = Guardhouse()
    house.held.shared = True
    [old] = await house.book.guarded()
    house.held.leaving = True
    await house.keep._keep(old, frozenset())
    assert house.venue.protected == []
