"""An exit at spot waits for what could sell beside it: it is withdrawn at once, and its end puts the exit back in line."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.application.trading.withdraw import Withdraw
from app.domain.shared.ids import SignalId
from app.domain.shared.market import Venue
from app.domain.shared.triggers import ProtectionStatus
from app.domain.signals.priority import Lane
from app.domain.trading.protection import ProtectionState
from tests.unit.application.trading.guard import TRAILING, Guardhouse
from tests.unit.domain.builders import BTC

State = ProtectionState
WAITING = (SignalId(UUID(int=7)), Lane.EXITS)


async def spot_house() -> tuple[Guardhouse, Withdraw]:
    house = Guardhouse(venue=Venue.BINANCE_SPOT)
    await house.beat()
    assert house.resting == ["90"]
    house.held.leaving = True
    house.book.waiting.append(WAITING)
    return house, Withdraw(house.book, house.sender, house.quotes, house.metrics)


async def test_what_rests_is_withdrawn_and_the_exit_is_rung_for() -> None:
    house, withdraw = await spot_house()
    assert await withdraw([house.held.follow_id], BTC) == {house.held.follow_id}
    assert house.resting == []
    assert [rung[0] for rung in house.bell.rung] == [WAITING[0]]


async def test_a_cancellation_that_is_not_answered_frees_nothing_until_it_is_proven() -> None:
    house, withdraw = await spot_house()
    house.venue.cancels = "lost"
    assert await withdraw([house.held.follow_id], BTC) == frozenset()
    assert house.bell.rung == []
    house.venue.cancels = "done"
    await house.beat(3)
    assert house.states == [State.CANCELED]
    assert len(house.bell.rung) == 1


async def test_one_that_triggers_meanwhile_frees_the_exit_when_it_is_booked_and_not_before() -> None:
    house, withdraw = await spot_house()
    [one] = house.venue.protections
    house.venue.becomes(one, ProtectionStatus.TRIGGERED)
    assert await withdraw([house.held.follow_id], BTC) == frozenset()
    assert house.states == [State.TRIGGERED]
    assert house.bell.rung == []
    house.book.booked.add(house.rows[0].signal_id)
    assert await withdraw([house.held.follow_id], BTC) == {house.held.follow_id}


async def test_one_that_never_was_is_proven_absent_and_frees_the_exit() -> None:
    house = Guardhouse(venue=Venue.BINANCE_SPOT)
    house.venue.fate = "gone"
    await house.keep()
    house.held.leaving = True
    house.book.waiting.append(WAITING)
    withdraw = Withdraw(house.book, house.sender, house.quotes, house.metrics)
    assert await withdraw([house.held.follow_id], BTC) == frozenset()
    await house.beat(60)
    assert house.states == [State.ABSENT]
    assert len(house.bell.rung) == 1


async def test_a_view_from_before_the_exit_places_nothing_at_spot() -> None:
    house = Guardhouse(venue=Venue.BINANCE_SPOT)
    [old] = await house.book.guarded()
    house.held.leaving = True
    await house.keep._keep(old, frozenset())
    assert house.venue.protected == []


@pytest.mark.parametrize(("shared", "between"), [(False, ["90", "99"]), (True, [])])
async def test_in_a_shared_account_the_old_stop_goes_before_the_new_one_rests(
    shared: bool, between: list[str]
) -> None:
    house = Guardhouse(TRAILING)
    house.held.shared = shared
    await house.beat()
    house.mark("110")
    await house.beat()
    assert house.resting == between
    await house.beat()
    assert house.resting == ["99"]


async def test_a_number_that_is_told_later_than_the_trigger_is_kept() -> None:
    house = Guardhouse()
    await house.keep()
    [one] = house.venue.protections
    told = house.venue.becomes(one, ProtectionStatus.TRIGGERED)
    house.venue.unnumber(one)
    await house.desk.heard(house.venue.protections[one])
    assert (house.states, house.rows[0].order_id) == ([State.TRIGGERED], None)
    await house.beat(2)
    assert [row.order_id for row in house.rows][:1] == [None]
    house.venue.protections[one] = told
    await house.beat(20)
    assert [row.order_id for row in house.rows][:1] == ["o-1"]
    assert len(house.book.became) == 1


async def test_a_number_that_a_stream_tells_later_is_kept_and_never_changed() -> None:
    house = Guardhouse()
    await house.keep()
    [one] = house.venue.protections
    told = house.venue.becomes(one, ProtectionStatus.TRIGGERED)
    house.venue.unnumber(one)
    await house.desk.heard(house.venue.protections[one])
    for _ in range(2):
        await house.desk.heard(told)
    assert (house.rows[0].order_id, house.rows[0].look_at) == ("o-1", None)
