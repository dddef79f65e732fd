"""The first look at a leader: what is part of its positions and what came after is told by the venue, not by a clock."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.application.whales import tell_apart
from app.domain.shared.execution import VenuePosition
from app.domain.shared.market import Side
from app.domain.shared.money import ZERO, Money
from app.domain.whales.first_look import held_at_first
from app.domain.whales.intent import Burst
from tests.fakes.clock import START
from tests.unit.application.trading.rows import shown
from tests.unit.application.whales.watched import CONNECTED, HOLDS_TWO, Watch, update
from tests.unit.domain.builders import BTC, D, fill

MS = timedelta(milliseconds=1)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tell_apart, "_READING_PAUSE_S", 0)


def holds(quantity: str) -> list[VenuePosition]:
    return [VenuePosition(BTC, D(quantity), D(100), Money(D(0)), 7)] if D(quantity) else []


@pytest.mark.parametrize("off", [-900, -300, -1, 0, 1, 300, 900])
@pytest.mark.parametrize("first", ["0", "2", "-3"])
async def test_what_came_after_the_first_look_is_copied_whatever_our_clock_is_off_by(
    first: str, off: int
) -> None:
    one = Watch()
    one.gateway.held = holds(first)
    await one.run(CONNECTED)
    later = fill("1", quantity="5", final=True, at=START + off * MS)
    one.gateway.held, one.gateway.executions = holds(str(D(first) + 5)), [later]
    await one.run(CONNECTED, update(later))
    assert one.orders() == [("7", ["1"])]
    assert await one.position() == D(first) + 5


@pytest.mark.parametrize("off", [-900, -300, -1, 0, 1, 300, 900])
@pytest.mark.parametrize("listed", [True, False])
async def test_what_the_first_look_holds_already_is_not_copied_whatever_our_clock_is_off_by(
    off: int, listed: bool
) -> None:
    """Nor when the venue's list of executions shows it late."""
    one = Watch()
    one.gateway.held = [HOLDS_TWO]
    early = fill("1", quantity="2", final=True, at=START + off * MS)
    one.gateway.executions = [early] if listed else []
    await one.run(CONNECTED, update(early))
    assert shown(one.taken, await one.position()) == ([], 2)
    one.gateway.held = []
    closed = fill("2", Side.SELL, "2", order_id="8", final=True, at=START + 5000 * MS)
    one.gateway.executions = [early, closed]
    await one.run(CONNECTED, update(early), update(closed))
    assert one.orders() == [("8", ["2"])]
    assert await one.position() == 0


async def test_an_order_that_the_first_look_cut_in_two_is_copied_by_its_later_part() -> None:
    one = Watch()
    one.gateway.held = [HOLDS_TWO]
    await one.run(CONNECTED)
    before = fill("1", quantity="2", at=START + 20 * MS)
    after = fill("2", quantity="3", final=True, at=START + 30 * MS)
    one.gateway.held, one.gateway.executions = holds("5"), [before, after]
    await one.run(CONNECTED, update(before), update(after))
    assert one.orders() == [("7", ["2"])]
    assert await one.position() == 5


@pytest.mark.parametrize("off", [-900, -1, 0, 300, 900])
async def test_what_the_first_look_holds_and_the_stream_lost_is_not_copied_after_a_later_trade(
    off: int,
) -> None:
    one = Watch()
    one.gateway.held = [HOLDS_TWO]
    await one.run(CONNECTED)
    early = fill("1", quantity="2", final=True, at=START + off * MS)
    later = fill("2", order_id="8", final=True, at=START + 5000 * MS)
    one.gateway.held, one.gateway.executions = holds("3"), [later]
    await one.run(update(later))
    one.gateway.executions = [early, later]
    await one.run(CONNECTED)
    assert one.orders() == [("8", ["2"])]
    assert await one.position() == 3


async def test_where_the_figures_explain_nothing_the_clock_decides() -> None:
    one = Watch()
    one.gateway.held = [HOLDS_TWO]
    await one.run(CONNECTED)
    before, after = fill("1", at=START - 20 * MS), fill("2", order_id="8", final=True, at=START + 20 * MS)
    one.gateway.held, one.gateway.executions = holds("77"), [before, after]
    await one.run(CONNECTED, update(before), update(after))
    assert one.orders() == [("8", ["2"])]


SURE = 1000 * MS


@given(
    sizes=st.lists(st.integers(-4, 4).filter(bool), max_size=8),
    cut=st.integers(0, 8),
    off=st.integers(-3, 12),
)
def test_a_cut_explains_what_moved_and_the_true_one_is_found_when_it_is_the_only_one(
    sizes: list[int], cut: int, off: int
) -> None:
    fills = [
        fill(str(n), Side.BUY if size > 0 else Side.SELL, str(abs(size)), at=START + n * MS)
        for n, size in enumerate(sizes)
    ]
    later = sizes[cut:]
    held = held_at_first(fills, D(sum(later)), START + off * MS, SURE)
    assert held is not None
    rest = tuple(fills[len(held) :])
    assert (Burst(BTC, "7", rest).signed_quantity if rest else ZERO) == sum(later)
    if sum(sum(sizes[n:]) == sum(later) for n in range(len(sizes) + 1)) == 1:
        assert list(held) == fills[:cut]


def test_an_execution_long_after_the_look_was_not_part_of_it_whatever_the_figures_say() -> None:
    """A position may stand still for other reasons: coins moved out, or a venue whose positions lag."""
    later = [fill("1", at=START + 500 * MS), fill("2", order_id="8", at=START + 60_000 * MS)]
    assert held_at_first(later, ZERO, START, SURE) is None


def test_what_no_cut_explains_is_said_to_be_unexplained() -> None:
    assert held_at_first([fill("1")], D(7), START, SURE) is None


def test_a_round_trip_is_told_by_the_clock_alone() -> None:
    trip = [
        fill("1", at=START + 100 * MS),
        fill("2", Side.SELL, order_id="8", at=START + 200 * MS),
    ]
    assert held_at_first(trip, ZERO, START, SURE) == []
    assert held_at_first(trip, ZERO, START + 300 * MS, SURE) == trip
