from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shared.errors import InvalidValue
from app.domain.shared.market import Side
from app.domain.whales.intent import Burst, BurstCollector, BurstRule
from tests.unit.domain.builders import BTC, ETH, NOW, PROPERTY, D, decimals, fill

RULE = BurstRule(quiet=timedelta(milliseconds=100), open_max=timedelta(milliseconds=500))


def at(milliseconds: int) -> datetime:
    return NOW + timedelta(milliseconds=milliseconds)


def test_a_burst_without_fills_cannot_be_made() -> None:
    with pytest.raises(InvalidValue):
        Burst(BTC, "7", ())


def test_a_burst_sums_its_fills_by_sign_and_weighs_their_prices() -> None:
    burst = Burst(
        BTC,
        "7",
        (
            fill("1", Side.BUY, "1", "100", at=at(5)),
            fill("2", Side.BUY, "3", "104", at=at(9)),
            fill("3", Side.BUY, "1", "102", at=at(7)),
        ),
    )
    assert burst.signed_quantity == 5
    assert burst.average_price == D("102.8")
    assert burst.last_at == at(9)
    assert Burst(BTC, "7", (fill("1", Side.SELL, "2"),)).signed_quantity == -2


@PROPERTY
@given(
    st.lists(st.tuples(decimals("0.001", "100", 3), decimals("0.01", "90000", 2)), min_size=1, max_size=20)
)
def test_the_average_price_lies_between_the_lowest_and_the_highest(
    parts: list[tuple[Decimal, Decimal]],
) -> None:
    fills = tuple(
        fill(str(n), Side.SELL, str(quantity), str(price)) for n, (quantity, price) in enumerate(parts)
    )
    average = Burst(BTC, "7", fills).average_price
    prices = [price for _, price in parts]
    assert min(prices) - D("1E-18") <= average <= max(prices)
    volume = sum((quantity for quantity, _ in parts), D(0))
    assert abs(average * volume - sum((q * p for q, p in parts), D(0))) < D("1E-12")


def test_a_final_order_closes_its_burst_at_once() -> None:
    collector = BurstCollector(RULE)
    assert collector.add(fill("1"), at(0)) is None
    burst = collector.add(fill("2", final=True), at(1))
    assert burst is not None
    assert [one.trade_id for one in burst.fills] == ["1", "2"]
    assert collector.next_due() is None
    assert collector.due(at(10_000)) == ()


@pytest.mark.parametrize(
    ("seen", "now", "is_due"),
    [
        ([0], 99, False),
        ([0], 100, True),  # quiet for long enough
        ([0, 90], 100, False),  # the second fill began the silence anew
        ([0, 90], 190, True),
        ([0, 90, 180, 270, 360, 450], 499, False),
        ([0, 90, 180, 270, 360, 450], 500, True),  # open for long enough, though never quiet
    ],
)
def test_a_burst_closes_when_it_was_quiet_or_open_for_long_enough(
    seen: list[int], now: int, *, is_due: bool
) -> None:
    collector = BurstCollector(RULE)
    for number, moment in enumerate(seen):
        assert collector.add(fill(str(number)), at(moment)) is None
    bursts = collector.due(at(now))
    assert [len(burst.fills) for burst in bursts] == ([len(seen)] if is_due else [])


def test_a_fill_after_the_decision_begins_a_new_burst() -> None:
    collector = BurstCollector(RULE)
    collector.add(fill("1"), at(0))
    assert len(collector.due(at(100))) == 1
    collector.add(fill("2"), at(101))
    assert collector.due(at(200)) == ()
    (second,) = collector.due(at(201))
    assert [one.trade_id for one in second.fills] == ["2"]


def test_orders_and_markets_are_never_mixed() -> None:
    collector = BurstCollector(RULE)
    collector.add(fill("1", order_id="7"), at(0))
    collector.add(fill("2", order_id="8"), at(1))
    collector.add(fill("1", order_id="7", sym=ETH), at(2))
    bursts = collector.due(at(500))
    assert [(burst.symbol, burst.order_id) for burst in bursts] == [(BTC, "7"), (BTC, "8"), (ETH, "7")]


def test_nothing_is_due_while_nothing_is_open() -> None:
    collector = BurstCollector(RULE)
    assert collector.next_due() is None
    assert collector.due(at(0)) == ()


Arrival = tuple[int, str, bool]
ARRIVALS = st.lists(st.tuples(st.integers(0, 300), st.sampled_from("abc"), st.booleans()), max_size=40)


@PROPERTY
@given(ARRIVALS)
def test_each_fill_is_in_exactly_one_burst_in_the_order_in_which_it_came(arrivals: list[Arrival]) -> None:
    collector = BurstCollector(RULE)
    bursts: list[Burst] = []
    clock = 0
    for number, (wait, order, final) in enumerate(arrivals):
        clock += wait
        bursts += collector.due(at(clock))
        closed = collector.add(fill(str(number), order_id=order, final=final), at(clock))
        assert (closed is not None) is final
        bursts += [closed] if closed else []
    bursts += collector.due(at(clock + 500))
    taken = Counter(one.trade_id for burst in bursts for one in burst.fills)
    assert taken == Counter(str(number) for number in range(len(arrivals)))
    for order in "abc":
        came = [
            n for burst in bursts if burst.order_id == order for n in (int(f.trade_id) for f in burst.fills)
        ]
        assert came == sorted(came)
    assert collector.next_due() is None


@PROPERTY
@given(ARRIVALS)
def test_the_next_moment_is_the_first_at_which_something_is_due(arrivals: list[Arrival]) -> None:
    collector = BurstCollector(RULE)
    clock = 0
    for number, (wait, order, _) in enumerate(arrivals):
        clock += wait
        collector.add(fill(str(number), order_id=order), at(clock))
    while (moment := collector.next_due()) is not None:
        assert collector.due(moment - timedelta(microseconds=1)) == ()
        assert collector.due(moment) != ()
