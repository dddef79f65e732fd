"""Sending protections: each id leaves once, what becomes of it is found by asking, and nothing is forgotten at the venue."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.exchanges.outcomes import VenueUnavailable
from app.domain.shared.errors import NotFound
from app.domain.shared.triggers import ProtectionStatus
from app.domain.trading.protection import ProtectionState
from tests.fakes.venue import OneGateway
from tests.unit.application.trading.guard import Guardhouse, Killed
from tests.unit.domain.builders import D

State = ProtectionState
AN_HOUR = timedelta(hours=1)


async def test_an_answer_that_was_lost_is_found_by_asking_and_nothing_is_sent_twice() -> None:
    house = Guardhouse()
    house.venue.fate = "lost"
    await house.keep()
    assert house.states == [State.UNKNOWN]
    await house.beat(3)
    assert house.states == [State.RESTING]
    assert len(house.venue.protected) == 1


async def test_what_the_venue_never_took_is_proven_absent_only_beyond_the_fence_and_then_placed_anew() -> (
    None
):
    house = Guardhouse()
    house.venue.fate = "gone"
    await house.keep()
    house.venue.fate = "rests"
    await house.beat(5)
    assert house.states == [State.UNKNOWN]
    assert house.resting == []
    await house.beat(60)
    assert house.states == [State.ABSENT, State.RESTING]
    first, second = house.venue.protected
    assert first.client_order_id != second.client_order_id


async def test_a_crash_between_the_commit_and_the_sending_costs_one_attempt_and_never_two() -> None:
    house = Guardhouse()
    house.venue.fate = "killed"
    [view] = await house.book.guarded()
    with pytest.raises(Killed):
        await house.keep._keep(view, frozenset())
    assert house.states == [State.PLACING]
    house.venue.protected.clear()  # nothing of it left the machine
    house.venue.fate = "rests"
    await house.beat(4)
    assert house.states == [State.PLACING]
    assert house.venue.protected == []
    await house.beat(60)
    assert house.states == [State.ABSENT, State.RESTING]
    assert house.resting == ["90"]


async def test_a_restart_after_it_was_taken_adopts_what_rests() -> None:
    house = Guardhouse()
    house.venue.fate = "lost"
    sent = house.sender
    await house.keep()
    house.sender, house.keep = house.worker_sender(), house.keeper(sent)
    await house.beat(2)
    assert house.states == [State.RESTING]
    assert len(house.venue.protected) == 1


@pytest.mark.parametrize("fate", ["refused", "not sent"])
async def test_what_is_refused_or_never_left_is_tried_again_ever_more_slowly(fate: str) -> None:
    house = Guardhouse()
    house.venue.fate = fate
    await house.beat(300)
    assert 5 < len(house.venue.protected) < 15
    house.venue.fate = "rests"
    await house.beat(70)
    assert house.resting == ["90"]


async def test_the_signed_time_is_the_one_that_was_committed() -> None:
    house = Guardhouse()
    await house.keep()
    [row], [sent] = house.rows, house.venue.protected
    assert (sent.signed_ms, sent.valid_ms) == (row.signed_ms, row.valid_ms)


async def test_one_that_was_called_absent_and_appears_late_is_withdrawn_with_the_position() -> None:
    """Without a word of the stream: it is looked at until it cannot appear any more."""
    house = Guardhouse()
    house.venue.fate = "lost"
    await house.keep()
    [first] = house.venue.protections
    house.venue.hidden.add(first)
    house.venue.fate = "rests"
    await house.beat(60)
    assert house.states == [State.ABSENT, State.RESTING]
    house.gone()
    await house.beat(5)
    assert house.states == [State.ABSENT, State.CANCELED]
    house.venue.hidden.clear()
    await house.beat(90)
    assert house.states == [State.CANCELED, State.CANCELED]
    assert house.resting == []


async def test_the_watch_for_an_absent_one_ends_at_the_horizon() -> None:
    house = Guardhouse()
    house.venue.fate = "gone"
    await house.keep()
    house.gone()
    await house.beat(60)
    assert house.states == [State.ABSENT]
    await house.beat(30, AN_HOUR)
    assert house.rows[0].look_at is None


async def test_a_cancellation_that_is_not_answered_is_asked_for_again() -> None:
    house = Guardhouse()
    await house.keep()
    house.gone()
    house.venue.cancels = "lost"
    await house.beat(4)
    assert house.states == [State.CANCELING]
    assert house.resting == ["90"]
    house.venue.cancels = "done"
    await house.beat(15)
    assert house.states == [State.CANCELED]
    assert house.resting == []


async def test_a_cancellation_and_a_trigger_that_cross_end_as_what_was_executed_and_as_one_exit() -> None:
    house = Guardhouse()
    await house.keep()
    [one] = house.venue.protections
    told = house.venue.becomes(one, ProtectionStatus.TRIGGERED)
    house.gone()
    await house.beat()
    assert house.states == [State.TRIGGERED]
    await house.desk.heard(told)
    await house.desk.heard(told)
    assert [row.order_id for row in house.book.became] == ["o-1"]


async def test_what_was_called_canceled_and_did_trigger_becomes_an_exit_all_the_same() -> None:
    house = Guardhouse()
    await house.keep()
    [one] = house.venue.protections
    await house.desk.heard(house.venue.becomes(one, ProtectionStatus.CANCELED))
    assert house.states == [State.CANCELED]
    await house.desk.heard(house.venue.becomes(one, ProtectionStatus.TRIGGERED))
    assert house.states == [State.TRIGGERED]
    assert len(house.book.became) == 1


async def test_old_news_of_what_has_triggered_changes_nothing() -> None:
    house = Guardhouse()
    await house.keep()
    [one] = house.venue.protections
    resting = house.venue.protections[one]
    await house.desk.heard(house.venue.becomes(one, ProtectionStatus.TRIGGERED))
    await house.desk.heard(resting)
    assert house.states == [State.TRIGGERED]


async def test_a_protection_that_is_not_ours_is_left_alone() -> None:
    house = Guardhouse()
    await house.keep()
    [one] = house.venue.protections
    told = house.venue.becomes(one, ProtectionStatus.CANCELED)
    house.book.rows.clear()
    await house.desk.heard(told)
    assert house.rows == []


async def test_one_that_the_venue_has_forgotten_is_placed_anew_after_several_answers() -> None:
    house = Guardhouse()
    await house.keep()
    house.venue.protections.clear()
    await house.beat(1, timedelta(seconds=61))
    assert house.states == [State.RESTING]
    await house.beat(8)
    assert house.states[0] is State.EXPIRED
    assert house.metrics.seen["protections_vanished"] == 1
    await house.beat(60)
    assert house.resting == ["90"]


async def test_one_that_vanished_while_it_was_cancelled_is_canceled() -> None:
    house = Guardhouse()
    await house.keep()
    house.gone()
    house.venue.protections.clear()
    await house.beat(10)
    assert house.states == [State.CANCELED]


async def test_an_error_of_the_venue_says_nothing() -> None:
    house = Guardhouse()
    await house.keep()
    house.venue.read_error = VenueUnavailable("maintenance")
    await house.beat(40, timedelta(seconds=30))
    assert house.states == [State.RESTING]
    assert house.metrics.seen["lookup_failed"] > 5


async def test_a_key_that_cannot_be_opened_means_that_nothing_left() -> None:
    house = Guardhouse()
    refusal = NotFound("The vault has no such key.")
    sender = house.worker_sender()
    object.__setattr__(sender, "gateways", OneGateway(house.venue, refusal))
    await house.keeper(sender)()
    [row] = house.rows
    assert row.state is State.NOT_SENT
    assert "no such key" in (row.message or "")
    assert row.quantity == D(1)
