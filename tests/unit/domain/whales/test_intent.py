from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given

from app.domain.shared.execution import Action
from app.domain.shared.market import Side
from app.domain.whales.intent import Intent, net
from tests.unit.domain.builders import PROPERTY, D, decimals

BUY, SELL = Side.BUY, Side.SELL
DUST = D("0.001")
SIGNED = decimals("-20", "20", 4)


@pytest.mark.parametrize(
    ("before", "change", "action", "steps"),
    [
        ("0", "2", Action.OPEN, [(Action.OPEN, BUY, "2", "1")]),
        ("0", "-2", Action.OPEN, [(Action.OPEN, SELL, "2", "1")]),
        ("2", "3", Action.ADD, [(Action.ADD, BUY, "3", "1")]),
        ("-2", "-3", Action.ADD, [(Action.ADD, SELL, "3", "1")]),
        ("4", "-1", Action.REDUCE, [(Action.REDUCE, SELL, "1", "0.25")]),
        ("-4", "1", Action.REDUCE, [(Action.REDUCE, BUY, "1", "0.25")]),
        ("4", "-4", Action.CLOSE, [(Action.CLOSE, SELL, "4", "1")]),
        ("-4", "4", Action.CLOSE, [(Action.CLOSE, BUY, "4", "1")]),
        ("4", "-7", Action.FLIP, [(Action.CLOSE, SELL, "4", "1"), (Action.OPEN, SELL, "3", "1")]),
        ("-4", "7", Action.FLIP, [(Action.CLOSE, BUY, "4", "1"), (Action.OPEN, BUY, "3", "1")]),
        # A rest below the dust limit is flat, at either end.
        ("4", "-3.9995", Action.CLOSE, [(Action.CLOSE, SELL, "4", "1")]),
        ("4", "-4.0005", Action.CLOSE, [(Action.CLOSE, SELL, "4", "1")]),
        ("-4", "3.9995", Action.CLOSE, [(Action.CLOSE, BUY, "4", "1")]),
        ("0.0005", "-2", Action.OPEN, [(Action.OPEN, SELL, "1.9995", "1")]),
        ("-0.0005", "2", Action.OPEN, [(Action.OPEN, BUY, "1.9995", "1")]),
        # The limit itself is not dust.
        ("4", "-3.999", Action.REDUCE, [(Action.REDUCE, SELL, "3.999", "0.99975")]),
        ("0", "0.001", Action.OPEN, [(Action.OPEN, BUY, "0.001", "1")]),
        ("0.0009", "0.0001", Action.OPEN, [(Action.OPEN, BUY, "0.001", "1")]),
    ],
)
def test_a_change_of_position_means_one_action(
    before: str, change: str, action: Action, steps: list[tuple[Action, Side, str, str]]
) -> None:
    intent = net(D(before), D(change), DUST)
    assert intent is not None
    assert intent.action is action
    assert (intent.before, intent.after) == (D(before), D(before) + D(change))
    assert [(step.action, step.side, step.quantity, step.fraction) for step in intent.steps] == [
        (kind, side, D(quantity), D(fraction)) for kind, side, quantity, fraction in steps
    ]


@pytest.mark.parametrize(
    ("before", "change"),
    [("0", "0"), ("5", "0"), ("0", "0.0009"), ("0.0005", "-0.001"), ("0.0005", "0.0001")],
)
def test_a_change_from_flat_to_flat_means_nothing(before: str, change: str) -> None:
    assert net(D(before), D(change), DUST) is None


def test_without_a_dust_limit_the_smallest_rest_is_a_position() -> None:
    intent = net(D(1), D("-0.999999999"), D(0))
    assert intent is not None
    assert intent.action is Action.REDUCE


@PROPERTY
@given(SIGNED, SIGNED)
def test_replaying_the_steps_from_before_reaches_after(before: Decimal, change: Decimal) -> None:
    intent = net(before, change, DUST)
    reached = before if intent is None else replayed(before, intent)
    assert abs(reached - (before + change)) < 2 * DUST


@PROPERTY
@given(SIGNED, SIGNED)
def test_without_dust_the_replay_is_exact(before: Decimal, change: Decimal) -> None:
    intent = net(before, change, D(0))
    assert (before if intent is None else replayed(before, intent)) == before + change


@PROPERTY
@given(SIGNED, SIGNED)
def test_a_short_leader_is_read_as_the_mirror_image_of_a_long_one(before: Decimal, change: Decimal) -> None:
    intent, mirror = net(before, change, DUST), net(-before, -change, DUST)
    if intent is None or mirror is None:
        assert intent is mirror
        return
    assert intent.action is mirror.action
    assert [step.side.opposite for step in intent.steps] == [step.side for step in mirror.steps]
    assert [(step.quantity, step.fraction) for step in intent.steps] == [
        (step.quantity, step.fraction) for step in mirror.steps
    ]


@PROPERTY
@given(SIGNED, SIGNED)
def test_a_step_is_never_empty_and_only_a_reduction_has_a_part(before: Decimal, change: Decimal) -> None:
    intent = net(before, change, DUST)
    for step in intent.steps if intent else ():
        assert step.quantity > 0
        assert 0 < step.fraction <= 1
        assert (step.fraction < 1) is (step.action is Action.REDUCE)
        assert step.action is not Action.FLIP


@PROPERTY
@given(SIGNED, decimals("0.01", "0.99", 2))
def test_a_reduction_says_which_share_was_closed(before: Decimal, share: Decimal) -> None:
    if abs(before) < 1:
        return
    intent = net(before, -before * share, DUST)
    assert intent is not None
    assert intent.action is Action.REDUCE
    assert abs(intent.steps[0].fraction - share) <= D("1E-18")


def replayed(before: Decimal, intent: Intent) -> Decimal:
    position = before
    for step in intent.steps:
        if step.action is Action.CLOSE:
            assert step.side.sign * position < 0
            position = D(0)
        elif step.action is Action.REDUCE:
            position += step.side.sign * step.quantity
        else:
            # An opening step names the whole position that follows; one that adds names the difference.
            start = position if step.action is Action.ADD else D(0)
            position = start + step.side.sign * step.quantity
    return position
