"""What is told of which event: the gravest are counted, so that an alarm can hang on them."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from app.application.risk.flatten import Flatten
from app.application.shared.bus import Delivery, Handler
from app.application.users.stop_follow import CloseStoppedFollow
from app.config.reactions import reactions
from app.domain.shared.ids import AccountId, FollowId, SignalId
from app.domain.trading.events import ExitGivenUp
from tests.fakes.clock import START
from tests.fakes.venue import Counts, HeardBell
from tests.unit.domain.builders import BTC


async def test_an_exit_that_is_given_up_is_counted_for_an_alarm() -> None:
    metrics = Counts()
    nobody = cast("CloseStoppedFollow", None), cast("Flatten", None)  # nothing here asks them
    table = reactions(HeardBell(), metrics, *nobody)
    event = ExitGivenUp(
        at=START, account_id=AccountId(1), follow_id=FollowId(2), signal_id=SignalId(UUID(int=3)), symbol=BTC
    )
    for handler in table[event.name]:
        assert isinstance(handler, Handler)
        await handler.run(Delivery(7, event))
    assert metrics.seen["exits_given_up"] == 1
