"""From the outcome of one placement to evidence: each class, each kind of refusal, for entry and exit."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.application.trading.evidence import of_outcome
from app.domain.exchanges.outcomes import Accepted, DefiniteNo, Duplicate, NotSent, RefusalKind, Unknown
from app.domain.trading.order import OrderEvent
from tests.fakes.clock import START
from tests.unit.application.trading.rows import Desk, put, report

MS = timedelta(milliseconds=1)
TRIED_AGAIN, REFUSED = OrderEvent.NEVER_LEFT, OrderEvent.REFUSED

REFUSALS = [
    (RefusalKind.INSUFFICIENT_FUNDS, REFUSED, TRIED_AGAIN),
    (RefusalKind.FILTER, REFUSED, REFUSED),
    (RefusalKind.KEY, REFUSED, TRIED_AGAIN),
    (RefusalKind.CLOCK, TRIED_AGAIN, TRIED_AGAIN),
    (RefusalKind.THROTTLED, TRIED_AGAIN, TRIED_AGAIN),
    (RefusalKind.NOTHING_TO_REDUCE, REFUSED, REFUSED),
    (RefusalKind.WOULD_TRIGGER, REFUSED, TRIED_AGAIN),
    (RefusalKind.MODE, REFUSED, TRIED_AGAIN),
    (RefusalKind.OTHER, REFUSED, TRIED_AGAIN),
]


def test_the_table_of_refusals_is_complete() -> None:
    assert [kind for kind, _, _ in REFUSALS] == list(RefusalKind)


@pytest.mark.parametrize(("kind", "entry", "way_out"), REFUSALS)
def test_what_a_refusal_means(kind: RefusalKind, entry: OrderEvent, way_out: OrderEvent) -> None:
    for is_exit, event in ((False, entry), (True, way_out)):
        made = of_outcome("c", DefiniteNo(kind, "-9", "no"), START, is_exit=is_exit, attempt=0)
        assert (made.event, made.code, made.message, made.acked) == (event, "-9", "no", True)
        assert (made.retry_at is not None) is (event is TRIED_AGAIN)


def test_an_acceptance_is_the_venues_first_report() -> None:
    desk = Desk()
    told = report(desk.book.stored(put(desk.book)))
    made = of_outcome("c1-0", Accepted(told), START, is_exit=False, attempt=0)
    assert (made.report, made.event, made.acked, made.look_at) == (told, None, True, None)


def test_what_never_left_may_be_sent_again_after_a_pause() -> None:
    made = of_outcome("c", NotSent("no route"), START, is_exit=False, attempt=0)
    assert (made.event, made.retry_at, made.acked) == (OrderEvent.NEVER_LEFT, START + 250 * MS, False)


@pytest.mark.parametrize("outcome", [Unknown("timeout"), Duplicate("-4116", "duplicate")])
def test_what_nobody_knows_is_looked_up_soon_and_never_sent_again(outcome: Unknown | Duplicate) -> None:
    made = of_outcome("c", outcome, START, is_exit=True, attempt=0)
    assert (made.event, made.retry_at) == (OrderEvent.LOST, None)
    assert made.look_at is not None
    assert made.look_at - START <= 500 * MS


@pytest.mark.parametrize(
    ("attempt", "pause"), [(0, 250), (1, 500), (2, 1000), (7, 32_000), (8, 60_000), (35, 60_000)]
)
def test_each_attempt_waits_twice_as_long_up_to_a_minute(attempt: int, pause: int) -> None:
    made = of_outcome("c", NotSent("no route"), START, is_exit=True, attempt=attempt)
    assert made.retry_at == START + pause * MS


@pytest.mark.parametrize(
    "outcome", [NotSent("full", 3 * MS), DefiniteNo(RefusalKind.THROTTLED, "1", "", 3 * MS)]
)
def test_the_venues_own_word_on_when_to_come_back_is_kept(outcome: NotSent | DefiniteNo) -> None:
    assert of_outcome("c", outcome, START, is_exit=False, attempt=4).retry_at == START + 3 * MS
