"""The keeper: what rests equals what each position wants, through moves, exits, crashes, refusals and two workers at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.shared.execution import Action
from app.domain.shared.ids import AccountId, FollowId
from app.domain.shared.market import Instrument, Side, Symbol, Venue
from app.domain.shared.money import Price, Ratio
from app.domain.shared.protection_terms import ProtectionTerms, TakeProfit, UnprotectedPolicy
from app.domain.shared.triggers import ProtectionStatus
from app.domain.trading.protection import ProtectionState
from tests.unit.application.trading.guard import STOP, TRAILING, Guardhouse
from tests.unit.domain.builders import D

State = ProtectionState
LADDER = ProtectionTerms(
    stop_loss=Ratio(D("0.1")),
    take_profits=(
        TakeProfit(Ratio(D("0.05")), Ratio(D("0.5"))),
        TakeProfit(Ratio(D("0.1")), Ratio(D("0.5"))),
    ),
)
CLOSING = replace(STOP, unprotected=UnprotectedPolicy.CLOSE)


async def test_a_second_pass_over_what_rests_sends_nothing() -> None:
    house = Guardhouse(LADDER)
    await house.beat(5)
    assert house.resting == ["90", "105", "110"]
    assert len(house.venue.protected) == 3
    assert house.venue.withdrawn == []


async def test_a_short_is_closed_by_buying_above() -> None:
    house = Guardhouse(quantity="-1")
    await house.beat()
    [sent] = house.venue.protected
    assert (sent.side, sent.trigger) == (Side.BUY, D("110.0"))


async def test_a_moved_stop_rests_before_the_old_one_is_cancelled() -> None:
    house = Guardhouse(TRAILING)
    await house.beat()
    house.mark("110")
    await house.beat()
    assert house.resting == ["90", "99"]
    await house.beat()
    assert house.resting == ["99"]
    assert house.states == [State.CANCELED, State.RESTING]


async def test_a_moved_stop_that_is_refused_leaves_the_old_one_resting() -> None:
    house = Guardhouse(TRAILING)
    await house.beat()
    house.mark("110")
    house.venue.fate = "refused"
    await house.beat(30)
    assert house.resting == ["90"]
    assert house.venue.withdrawn == []


async def test_a_move_of_less_than_a_thousandth_is_not_worth_a_request() -> None:
    house = Guardhouse(TRAILING)
    await house.beat()
    house.mark("100.05")
    await house.beat(3)
    assert house.resting == ["90"]


async def test_a_stop_never_moves_back() -> None:
    house = Guardhouse(TRAILING)
    house.mark("110")
    await house.beat(2)
    house.mark("101")
    await house.beat(3)
    assert house.resting == ["99"]


async def test_at_spot_the_old_one_goes_first_for_its_coins_are_locked_and_the_new_one_does_not_wait() -> (
    None
):
    house = Guardhouse(TRAILING, venue=Venue.BINANCE_SPOT)
    await house.beat()
    for mark, before, after in (("110", "90", "99"), ("120", "99", "108"), ("130", "108", "117")):
        house.mark(mark)
        assert house.resting == [before]
        await house.beat()
        assert house.resting == []
        await house.beat()
        assert house.resting == [after]


async def test_at_spot_what_rests_is_cancelled_when_an_exit_is_on_its_way_and_placed_again_for_what_is_left() -> (
    None
):
    house = Guardhouse(venue=Venue.BINANCE_SPOT)
    await house.beat()
    house.held.leaving = True
    await house.beat(2)
    assert house.resting == []
    house.held.leaving, house.held.quantity = False, D("0.4")
    await house.beat()
    assert house.resting == ["90"]
    assert house.venue.protected[-1].quantity == D("0.4")


async def test_at_spot_a_ladder_beside_a_stop_is_watched_and_not_placed() -> None:
    house = Guardhouse(LADDER, venue=Venue.BINANCE_SPOT)
    await house.beat(3)
    assert house.resting == ["90"]
    house.mark("106")
    await house.beat(3)
    [exit_] = house.book.left.values()
    assert (exit_.action, exit_.fraction) == (Action.REDUCE, D("0.5"))
    assert len(house.bell.rung) == 1


async def test_elsewhere_what_rests_stays_while_an_exit_is_on_its_way_and_nothing_is_added() -> None:
    house = Guardhouse(TRAILING)
    await house.beat()
    house.held.leaving = True
    house.mark("110")
    await house.beat(3)
    assert house.resting == ["90"]
    assert len(house.venue.protected) == 1


async def test_everything_is_cancelled_when_the_position_is_gone() -> None:
    house = Guardhouse(LADDER)
    await house.beat()
    house.gone()
    await house.beat(2)
    assert house.resting == []
    assert await house.book.guarded() == []


async def test_a_rung_that_did_its_work_is_not_placed_again_and_the_stop_is_made_smaller() -> None:
    house = Guardhouse(LADDER)
    await house.beat()
    first = next(cid for cid, p in house.venue.protections.items() if p.trigger == D("105.0"))
    await house.desk.heard(house.venue.becomes(first, ProtectionStatus.TRIGGERED))
    house.held.quantity = D("0.5")
    await house.beat(3)
    assert sorted(house.resting) == ["110", "90"]
    stop = [p for p in house.venue.protected if p.trigger == D("90.0")]
    assert [p.quantity for p in stop] == [D(1), D("0.5")]


async def test_of_two_workers_with_the_same_view_one_places() -> None:
    house = Guardhouse()
    sender = house.worker_sender()
    [view] = await house.book.guarded()
    await house.keep._keep(view, frozenset())
    await house.keeper(sender)._keep(view, frozenset())
    assert len(house.venue.protected) == 1
    assert house.states == [State.RESTING]


async def test_of_two_workers_with_the_same_view_one_cancels() -> None:
    house = Guardhouse()
    await house.beat()
    house.gone()
    [view] = await house.book.guarded()
    await house.keep._keep(view, frozenset())
    await house.keeper(house.worker_sender())._keep(view, frozenset())
    assert len(house.venue.withdrawn) == 1


async def test_a_worker_that_acts_on_a_view_from_before_the_close_leaves_nothing_behind() -> None:
    house = Guardhouse()
    [old] = await house.book.guarded()
    house.gone()
    await house.keep._keep(old, frozenset())
    assert house.resting == ["90"]
    await house.beat(2)
    assert house.resting == []


async def test_a_trigger_that_the_price_has_passed_leaves_at_once_and_asks_once() -> None:
    house = Guardhouse()
    house.mark("89")
    await house.beat(3)
    [exit_] = house.book.left.values()
    assert (exit_.action, exit_.scope, exit_.fraction) == (Action.CLOSE, house.held.follow_id, D(1))
    assert len(house.bell.rung) == 1
    assert house.venue.protected == []


async def test_where_nothing_can_rest_the_mark_is_watched() -> None:
    house = Guardhouse(venue=Venue.CCXT_GATE)
    await house.beat(60)
    assert house.venue.protected == []
    assert house.metrics.seen["positions_unprotected"] == 0
    house.mark("90")
    await house.beat()
    assert len(house.book.left) == 1


async def test_a_position_without_its_stop_for_too_long_is_told_and_left_where_its_terms_say_so() -> None:
    for terms, left in ((STOP, 0), (CLOSING, 1)):
        house = Guardhouse(terms)
        house.venue.fate = "refused"
        await house.beat(9)
        assert house.metrics.seen["positions_unprotected"] == 0
        await house.beat(20)
        assert house.metrics.seen["positions_unprotected"] > 5
        assert len(house.book.left) == left


async def test_a_stop_that_rests_in_time_ends_the_bareness() -> None:
    house = Guardhouse(CLOSING)
    house.venue.fate = "refused"
    await house.beat(3)
    [bare] = await house.book.guarded()
    assert bare.bare_since is not None
    house.venue.fate = "rests"
    await house.beat(20)
    [covered] = await house.book.guarded()
    assert covered.bare_since is None
    assert house.book.left == {}


async def test_one_that_its_owner_cancels_is_placed_again_after_a_pause() -> None:
    house = Guardhouse()
    await house.beat()
    for _ in range(3):
        one = next(cid for cid, p in house.venue.protections.items() if not p.status.is_final)
        await house.desk.heard(house.venue.becomes(one, ProtectionStatus.CANCELED))
        await house.keep()
        assert house.resting == []
        await house.beat(20)
        assert house.resting == ["90"]


async def test_a_venue_without_a_price_changes_nothing_and_stops_nobody() -> None:
    house = Guardhouse()
    await house.beat()
    house.quotes.mark_error = VenueUnavailable("away")
    await house.beat(3)
    assert house.resting == ["90"]
    assert house.metrics.seen["lookup_failed"] == 3


async def test_a_new_position_begins_anew() -> None:
    house = Guardhouse(TRAILING)
    house.mark("120")
    await house.beat(2)
    house.gone()
    await house.beat(2)
    house.clock.advance(timedelta(minutes=1))
    house.held.quantity, house.held.opened_at, house.held.best = D(1), house.clock.now(), None
    house.held.entry = Price(D(120))
    await house.beat(2)
    assert house.resting == ["108"]
    assert len({sent.client_order_id for sent in house.venue.protected}) == len(house.venue.protected)


async def test_a_rung_that_was_watched_and_sold_counts_as_done_for_the_next() -> None:
    house = Guardhouse(LADDER, venue=Venue.BINANCE_SPOT, quantity="1")
    await house.beat(2)
    house.mark("105")
    await house.beat()
    house.held.quantity = D("0.5")  # the first rung sold half
    house.mark("110")
    await house.beat()
    assert [exit_.fraction for exit_ in house.book.left.values()] == [D("0.5"), 1]


async def test_one_position_that_cannot_be_reckoned_leaves_no_other_unguarded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = Guardhouse()
    broken = replace(house.held, follow_id=FollowId(10), account_id=AccountId(20))
    house.book.positions.insert(0, broken)
    instrument = house.quotes.instrument
    asked = 0

    async def first_fails(venue: Venue, sym: Symbol) -> Instrument:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise ZeroDivisionError
        return await instrument(venue, sym)

    monkeypatch.setattr(house.quotes, "instrument", first_fails)
    await house.keep()
    assert [row.state for row in house.rows] == [State.RESTING]
    assert house.book.of(broken) == []
