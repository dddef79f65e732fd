"""What of a recording is booked: positions follow the record, an order is one decision, gaps are settled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shared.market import Side
from app.presentation.demo.recording import RecordedFill, Recording
from app.presentation.demo.replay_plan import ReplayPlan, plan, symbol_of

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


def fill(order: str, side: str, quantity: str, start: str, **more: str | int) -> RecordedFill:
    after = timedelta(seconds=int(more.get("after_s", 0)))
    coin, price = str(more.get("coin", "BTC")), Decimal(str(more.get("price", "100")))
    return RecordedFill(coin, order, Side(side), price, Decimal(quantity), Decimal(start), NOON + after)


def planned(*fills: RecordedFill, pause: timedelta | None = None) -> ReplayPlan:
    return plan(Recording(fills), pause)


def ends(made: ReplayPlan) -> dict[str, Decimal]:
    held = dict(made.before)
    for booking in made.bookings:
        change = sum(quantity for _, quantity in booking.fills) * booking.side.sign
        held[booking.market.coin] = held.get(booking.market.coin, Decimal(0)) + change
    return held


def test_the_fills_of_one_order_go_out_together_and_the_last_is_final() -> None:
    made = planned(fill("1", "BUY", "1", "0"), fill("1", "BUY", "2", "1"), fill("2", "SELL", "3", "3"))
    assert [(len(b.fills), b.final) for b in made.bookings] == [(2, True), (1, True)]


def test_an_order_that_others_interrupt_is_final_only_at_its_end() -> None:
    made = planned(fill("1", "BUY", "1", "0"), fill("2", "BUY", "5", "1"), fill("1", "BUY", "1", "6"))
    assert [(b.order, b.final) for b in made.bookings] == [
        ("order-1", False),
        ("order-2", True),
        ("order-1", True),
    ]


def test_with_a_pause_an_order_that_rests_goes_out_in_parts() -> None:
    fills = (fill("1", "BUY", "1", "0"), fill("1", "BUY", "1", "1", after_s=60))
    assert [b.final for b in planned(*fills, pause=timedelta(seconds=10)).bookings] == [False, True]
    assert [b.final for b in planned(*fills).bookings] == [True]


def test_a_huge_order_goes_out_in_several_calls_and_only_the_last_is_final() -> None:
    made = planned(*(fill("1", "BUY", "1", str(start)) for start in range(1000)))
    assert [len(b.fills) for b in made.bookings] == [400, 400, 200]
    assert [b.final for b in made.bookings] == [False, False, True]


def test_what_is_held_before_the_record_is_taken_over_before_the_watch() -> None:
    made = planned(fill("1", "SELL", "2", "5.5055", price="0.5"))
    assert made.before == {"BTC": Decimal(5)}  # cut to the step that the sizes have
    assert ends(made) == {"BTC": Decimal(3)}


@pytest.mark.parametrize(
    ("price", "step"), [("97000", "0.00001"), ("100", "0.001"), ("99", "0.01"), ("0.07", "1")]
)
def test_a_step_is_worth_at_most_a_dollar(price: str, step: str) -> None:
    assert planned(fill("1", "BUY", "5", "0", price=price)).markets[0].step == Decimal(step)


def test_a_large_gap_is_settled_by_an_order_of_its_own() -> None:
    made = planned(fill("1", "BUY", "1", "0"), fill("2", "SELL", "1", "8"))
    assert [(b.order, b.side) for b in made.bookings][1] == ("gap-1", Side.BUY)
    assert made.corrections.own_orders == 1
    assert ends(made) == {"BTC": Decimal(7)}


def test_a_small_gap_is_settled_within_the_next_order() -> None:
    made = planned(fill("1", "BUY", "1000", "0"), fill("2", "BUY", "500", "997", after_s=1))
    assert (made.corrections.within_orders, made.corrections.own_orders) == (1, 0)
    assert ends(made) == {"BTC": Decimal(1497)}


@pytest.mark.parametrize("start", ["999.5", "1000.5"])
def test_an_order_that_ends_next_to_flat_ends_flat(start: str) -> None:
    made = planned(fill("1", "BUY", start, "0"), fill("2", "SELL", "1000", start, after_s=1))
    assert ends(made) == {"BTC": Decimal(0)}


def test_sizes_are_cut_to_five_decimals_and_what_is_left_of_none_is_dropped() -> None:
    made = planned(fill("1", "BUY", "1.0000019", "0"), fill("1", "BUY", "0.000001", "1.0000019"))
    assert (made.corrections.cut_sizes, made.corrections.dropped_fills) == (2, 1)
    assert made.bookings[0].fills == ((Decimal(100), Decimal(1)),)


@pytest.mark.parametrize(
    ("coin", "symbol"),
    [
        ("BTC", "BTCUSDT"),
        ("kPEPE", "KPEPEUSDT"),
        ("@107", "SPOT107USDT"),
        ("PURR/USDC", "PURRSPOTUSDT"),
        ("xyz:TSLA", "XYZTSLAUSDT"),
        ("?", "COINUSDT"),
    ],
)
def test_each_coin_gets_a_symbol(coin: str, symbol: str) -> None:
    assert symbol_of(coin, set()) == symbol
    assert symbol_of(coin, {symbol}) == symbol.replace("USDT", "N2USDT")


@given(st.lists(st.tuples(st.integers(-50, 50).filter(bool), st.integers(0, 5)), min_size=1, max_size=60))
def test_a_record_without_gaps_is_booked_without_corrections(steps: list[tuple[int, int]]) -> None:
    held, fills = 0, []
    for number, (change, same) in enumerate(steps):
        order = str(number - same)
        side = "BUY" if change > 0 else "SELL"
        fills.append(fill(f"{order}{side}", side, str(abs(change)), str(held), after_s=number))
        held += change
    made = planned(*fills)
    assert made.corrections.own_orders == made.corrections.within_orders == 0
    assert ends(made).get("BTC", Decimal(0)) == held
    assert sum(len(booking.fills) for booking in made.bookings) == len(fills)
    finals = [booking.order for booking in made.bookings if booking.final]
    assert len(finals) == len(set(finals)) == made.recorded_orders
