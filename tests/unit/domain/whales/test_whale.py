from __future__ import annotations

import pytest

from app.domain.shared.errors import IllegalTransition
from app.domain.shared.ids import AccountId, WhaleId
from app.domain.shared.market import Venue
from app.domain.whales.events import WhalePaused, WhaleResumed
from app.domain.whales.whale import WHALE_LIFECYCLE, Whale, WhaleChange, WhaleState, WhaleTier
from tests.unit.domain.builders import NOW, check_step, every_pair

A, P, B = WhaleState.ACTIVE, WhaleState.PAUSED, WhaleState.BANNED
ROWS = [
    (A, WhaleChange.PAUSE, P),
    (P, WhaleChange.RESUME, A),
    (A, WhaleChange.BAN, B),
    (P, WhaleChange.BAN, B),
]


def whale(state: WhaleState = WhaleState.ACTIVE) -> Whale:
    return Whale(WhaleId(1), "Moby", Venue.BINANCE_USDM, AccountId(2), WhaleTier.PREMIUM, state)


@pytest.mark.parametrize(("state", "change", "after"), every_pair(WHALE_LIFECYCLE, ROWS))
def test_each_change_of_a_whale(state: WhaleState, change: WhaleChange, after: WhaleState | None) -> None:
    check_step(WHALE_LIFECYCLE, state, change, after)


def test_a_ban_is_for_good() -> None:
    assert [state for state in WhaleState if WHALE_LIFECYCLE.is_terminal(state)] == [WhaleState.BANNED]


@pytest.mark.parametrize(("state", "copied"), [(A, True), (P, False), (B, False)])
def test_only_an_active_whales_entries_are_copied(state: WhaleState, *, copied: bool) -> None:
    assert whale(state).entries_are_copied is copied


def test_a_pause_and_its_end_are_told_once_each() -> None:
    one = whale()
    one.pause("too wild", NOW)
    assert one.state is P
    one.resume(NOW)
    assert one.state is A
    assert one.events.take() == (
        WhalePaused(at=NOW, whale_id=one.id, reason="too wild"),
        WhaleResumed(at=NOW, whale_id=one.id),
    )


def test_a_ban_is_told_and_cannot_be_undone() -> None:
    one = whale()
    one.ban("fraud", NOW)
    assert one.events.take() == (WhalePaused(at=NOW, whale_id=one.id, reason="fraud"),)
    with pytest.raises(IllegalTransition):
        one.resume(NOW)
    assert one.state is B
    assert one.events.take() == ()
