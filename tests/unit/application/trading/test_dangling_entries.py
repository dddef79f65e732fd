"""An entry that rests at the venue: cancelled when its time is over, and what it did is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.exchanges.venue import FenceRule
from app.domain.shared.execution import OrderStatus
from app.domain.shared.ids import ClientOrderId
from app.domain.trading.order import OrderState
from app.domain.trading.trade import TradeState
from tests.fakes.clock import START
from tests.unit.application.trading.crew import Crew
from tests.unit.application.trading.rows import ACCOUNT, execution, put, report

S = timedelta(seconds=1)


@pytest.fixture
def crew() -> Crew:
    return Crew()


def resting(crew: Crew, executed: str = "0", *, exit_: bool = False) -> ClientOrderId:
    one = put(crew.book, state=OrderState.OPEN, exit_=exit_)
    crew.order(one).look_at = START
    stored = crew.book.stored(one)
    status = OrderStatus.OPEN if executed == "0" else OrderStatus.PARTIAL
    crew.gateway.reports[one] = report(stored, status, executed)
    if executed != "0":
        crew.gateway.executions.append(execution(stored, "1", executed))
    return one


async def looked(crew: Crew) -> None:
    async with crew:
        crew.clock.advance(31 * S)
        await crew.recover(lambda venue: FenceRule(validity=5 * S, engine_timeout=10 * S))()


@pytest.mark.parametrize("executed", ["0", "0.5"])
@pytest.mark.parametrize("over", ["the leader has left", "the signal has expired"])
async def test_an_entry_whose_time_is_over_is_cancelled_and_its_hold_released(
    crew: Crew, over: str, executed: str
) -> None:
    one = resting(crew, executed)
    crew.trade(one).superseded = over == "the leader has left"
    crew.trade(one).expires_at = START + (30 * S if over == "the signal has expired" else 3600 * S)
    await looked(crew)
    assert crew.order(one).state is OrderState.CANCELED
    assert crew.trade(one).settled
    assert crew.trade(one).hold_left == 0
    assert crew.trade(one).state is not TradeState.WAITING
    assert crew.book.funds[ACCOUNT].held == 0
    assert len(crew.book.fills) == (executed != "0")


@pytest.mark.parametrize("exit_", [False, True])
async def test_an_entry_that_has_time_and_every_exit_rest_on(crew: Crew, exit_: bool) -> None:
    one = resting(crew, exit_=exit_)
    crew.trade(one).superseded = exit_
    crew.trade(one).expires_at = None if exit_ else START + 3600 * S
    await looked(crew)
    assert crew.order(one).state is OrderState.OPEN
    assert crew.gateway.reports[one].status is OrderStatus.OPEN
