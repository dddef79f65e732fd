"""An exit that is not sent again though its follow holds something is told, whatever ended it; nothing else is."""

from __future__ import annotations

import pytest

from app.application.trading.evidence import Evidence, of_outcome
from app.domain.exchanges.outcomes import DefiniteNo, RefusalKind
from app.domain.trading.events import ExitGivenUp
from app.domain.trading.order import OrderEvent
from app.domain.trading.trade import TradeState
from tests.fakes.clock import START
from tests.unit.application.trading.crew import Crew
from tests.unit.application.trading.rows import FOLLOW, put


@pytest.mark.parametrize("kind", list(RefusalKind))
@pytest.mark.parametrize("is_exit", [True, False])
def test_a_refused_exit_is_told_unless_it_goes_on_or_nothing_was_left(
    kind: RefusalKind, is_exit: bool
) -> None:
    crew = Crew()
    one = put(crew.book, exit_=is_exit)
    no = DefiniteNo(kind, "-1", "no")
    crew.take(of_outcome(one, no, START, is_exit=is_exit, attempt=0))
    ended = crew.trade(one).state is TradeState.REJECTED
    assert ended or kind is not RefusalKind.FILTER
    told = [event.follow_id for event in crew.book.events if isinstance(event, ExitGivenUp)]
    assert told == ([FOLLOW] if is_exit and ended and kind is not RefusalKind.NOTHING_TO_REDUCE else [])


def test_the_same_news_twice_is_told_once() -> None:
    crew = Crew()
    one = put(crew.book, exit_=True)
    for _ in range(2):
        crew.take(Evidence(one, event=OrderEvent.REFUSED, code="-1013", message="too small"))
    assert len([event for event in crew.book.events if isinstance(event, ExitGivenUp)]) == 1
