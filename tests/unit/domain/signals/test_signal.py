from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from app.domain.shared.errors import InvalidValue
from app.domain.shared.execution import Action, Leg
from app.domain.shared.ids import SignalId, WhaleId
from app.domain.shared.market import Side, Venue
from app.domain.shared.money import Price, Quantity
from app.domain.signals.events import SignalAccepted
from app.domain.signals.priority import Lane, Priority
from app.domain.signals.signal import (
    SIGNAL_LIFECYCLE,
    Signal,
    SignalSource,
    SignalState,
    SignalStep,
)
from tests.unit.domain.builders import BTC, NOW, D, check_step, every_pair

PENDING, DISPATCHING = SignalState.PENDING, SignalState.DISPATCHING
DONE, EXPIRED = SignalState.DONE, SignalState.EXPIRED
ROWS = [
    (PENDING, SignalStep.CLAIM, DISPATCHING),
    (DISPATCHING, SignalStep.CLAIM, DISPATCHING),
    (DISPATCHING, SignalStep.RELEASE, PENDING),
    (DISPATCHING, SignalStep.FINISH, DONE),
    (DISPATCHING, SignalStep.EXPIRE, EXPIRED),
    (DONE, SignalStep.REOPEN, PENDING),
    (EXPIRED, SignalStep.REOPEN, PENDING),
]


def signal(
    action: Action = Action.OPEN, fraction: Decimal = D(1), expires_at: datetime | None = None
) -> Signal:
    return Signal(
        id=SignalId(UUID(int=1)),
        source=SignalSource.LEADER,
        whale_id=WhaleId(1),
        venue=Venue.BINANCE_USDM,
        symbol=BTC,
        action=action,
        side=Side.BUY,
        quantity=Quantity(D(1)),
        fraction=fraction,
        reference_price=Price(D(100)),
        priority=Priority.MEDIUM,
        leader_at=NOW,
        created_at=NOW,
        trace_id="t",
        expires_at=expires_at,
    )


@pytest.mark.parametrize(("state", "step", "after"), every_pair(SIGNAL_LIFECYCLE, ROWS))
def test_each_step_of_a_signal(state: SignalState, step: SignalStep, after: SignalState | None) -> None:
    check_step(SIGNAL_LIFECYCLE, state, step, after)


def test_a_signal_is_one_direction() -> None:
    with pytest.raises(InvalidValue):
        signal(Action.FLIP)


@pytest.mark.parametrize("action", [Action.REDUCE, Action.CLOSE])
def test_an_exit_never_expires(action: Action) -> None:
    with pytest.raises(InvalidValue):
        signal(action, expires_at=NOW)
    assert not signal(action).is_expired(NOW + timedelta(days=365))


@pytest.mark.parametrize(
    ("after", "expired"), [(timedelta(seconds=-1), False), (timedelta(0), True), (timedelta(seconds=1), True)]
)
def test_an_entry_takes_no_new_risk_from_its_expiry_on(after: timedelta, *, expired: bool) -> None:
    assert signal(expires_at=NOW).is_expired(NOW + after) is expired


@pytest.mark.parametrize("fraction", ["0", "-0.5", "1.0001"])
def test_a_fraction_lies_above_0_and_at_most_at_1(fraction: str) -> None:
    with pytest.raises(InvalidValue):
        signal(Action.REDUCE, D(fraction))


@pytest.mark.parametrize("action", [Action.OPEN, Action.ADD])
def test_an_entry_is_whole(action: Action) -> None:
    with pytest.raises(InvalidValue):
        signal(action, D("0.5"))


@pytest.mark.parametrize(
    ("action", "leg", "lane"),
    [
        (Action.OPEN, Leg.ENTRY, Lane.MEDIUM),
        (Action.ADD, Leg.ENTRY, Lane.MEDIUM),
        (Action.REDUCE, Leg.EXIT, Lane.EXITS),
        (Action.CLOSE, Leg.EXIT, Lane.EXITS),
    ],
)
def test_the_action_decides_leg_and_lane(action: Action, leg: Leg, lane: Lane) -> None:
    one = signal(action)
    assert (one.leg, one.lane, one.is_exit) == (leg, lane, leg is Leg.EXIT)


def test_an_accepted_signal_rings_for_its_lane() -> None:
    one = signal(Action.CLOSE)
    one.accepted()
    assert one.events.take() == (SignalAccepted(at=NOW, signal_id=one.id, lane="signals.exits"),)
