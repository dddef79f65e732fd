from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.engine.book import SyntheticBook, walk
from simulator.engine.listing import default_instruments
from simulator.engine.order import (
    Order,
    OrderRequest,
    OrderType,
    Origin,
    PositionSide,
    Side,
    Status,
    TimeInForce,
)
from simulator.engine.refusal import Reason, Refusal
from tests.unit.simulator.builders import Bench

D = Decimal


def test_a_small_market_order_fills_once_at_the_best_price() -> None:
    bench = Bench()
    account = bench.account()
    order = bench.market(account, Side.BUY, "1")
    assert (order.status, order.average_price, len(account.fills)) == (Status.FILLED, D("100.1"), 1)


def test_a_large_market_order_walks_several_levels_with_distinct_trade_ids() -> None:
    bench = Bench()
    account = bench.account("1000000")
    order = bench.market(account, Side.SELL, "30")
    prices = [fill.price for fill in account.fills]
    assert order.status is Status.FILLED
    assert len(prices) >= 2
    assert prices == sorted(prices, reverse=True)
    assert len({fill.trade_id for fill in account.fills}) == len(prices)
    assert sum(fill.quantity for fill in account.fills) == 30


def test_what_exceeds_the_whole_book_expires() -> None:
    bench = Bench()
    account = bench.account("100000000")
    order = bench.market(account, Side.BUY, "5000")
    assert order.status is Status.EXPIRED
    assert 0 < order.executed < order.quantity
    assert bench.held(account) == order.executed


@pytest.mark.parametrize(
    ("time_in_force", "price", "status", "executed"),
    [
        (TimeInForce.GTC, "100.1", Status.FILLED, "1"),
        (TimeInForce.GTC, "100.0", Status.NEW, "0"),
        (TimeInForce.IOC, "100.0", Status.EXPIRED, "0"),
        (TimeInForce.FOK, "100.0", Status.EXPIRED, "0"),
        (TimeInForce.FOK, "100.1", Status.FILLED, "1"),
        (TimeInForce.GTX, "100.0", Status.NEW, "0"),
    ],
)
def test_time_in_force_decides_what_becomes_of_a_limit_order(
    time_in_force: TimeInForce, price: str, status: Status, executed: str
) -> None:
    bench = Bench()
    order = bench.limit(bench.account(), Side.BUY, "1", price, time_in_force)
    assert (order.status, order.executed) == (status, D(executed))


def test_fill_or_kill_takes_nothing_when_it_cannot_take_all() -> None:
    bench = Bench()
    account = bench.account("1000000")
    order = bench.limit(account, Side.BUY, "200", "100.1", TimeInForce.FOK)
    assert (order.status, order.executed, len(account.fills)) == (Status.EXPIRED, D(0), 0)


def test_a_post_only_order_that_would_take_is_refused_and_leaves_no_trace() -> None:
    bench = Bench()
    account = bench.account()
    with pytest.raises(Refusal) as caught:
        bench.limit(account, Side.BUY, "1", "100.1", TimeInForce.GTX)
    assert caught.value.reason is Reason.POST_ONLY_WOULD_TAKE
    assert not account.orders


def test_a_resting_order_fills_as_maker_at_its_own_price_when_the_tape_crosses_it() -> None:
    bench = Bench()
    account = bench.account()
    order = bench.limit(account, Side.BUY, "1", "99.0")
    bench.price("99.5")
    assert order.status is Status.NEW
    bench.price("98.0")
    fill = account.fills[0]
    assert (order.status, fill.price, fill.maker) == (Status.FILLED, D("99.0"), True)
    assert fill.commission == D("99.0") * account.maker_fee


def test_a_cancelled_order_no_longer_fills_and_cannot_be_cancelled_twice() -> None:
    bench = Bench()
    account = bench.account()
    order = bench.limit(account, Side.BUY, "1", "99.0")
    bench.exchange.desk.cancel(account, order)
    bench.price("98.0")
    assert (order.status, order.executed) == (Status.CANCELED, D(0))
    with pytest.raises(Refusal):
        bench.exchange.desk.cancel(account, order)


def test_an_amended_order_matches_at_its_new_price() -> None:
    bench = Bench()
    account = bench.account()
    order = bench.limit(account, Side.BUY, "1", "99.0")
    with pytest.raises(Refusal) as caught:
        bench.exchange.desk.amend(account, order, D("99.0"), D(1))
    assert caught.value.reason is Reason.NO_AMENDMENT
    bench.exchange.desk.amend(account, order, D("100.1"), D(2))
    assert (order.status, order.executed, len(account.open_orders)) == (Status.FILLED, D(2), 0)


def _rejects(bench: Bench, **more: object) -> Reason:
    with pytest.raises(Refusal) as caught:
        bench.market(
            bench.exchange.state.by_key[next(iter(bench.exchange.state.by_key))], Side.BUY, "1", **more
        )
    return caught.value.reason


def test_reduce_only_with_nothing_to_reduce_is_refused() -> None:
    bench = Bench()
    account = bench.account()
    assert _rejects(bench, reduce_only=True) is Reason.REDUCE_ONLY_REJECTED
    bench.market(account, Side.BUY, "1")
    assert _rejects(bench, reduce_only=True) is Reason.REDUCE_ONLY_REJECTED


@given(held=st.integers(1, 500), asked=st.integers(1, 1000), long=st.booleans())
def test_a_reduce_only_order_never_flips_a_position(held: int, asked: int, long: bool) -> None:
    bench = Bench()
    account = bench.account("100000")
    opening, closing = (Side.BUY, Side.SELL) if long else (Side.SELL, Side.BUY)
    bench.market(account, opening, str(D(held) / 10))
    order = bench.market(account, closing, str(D(asked) / 10), reduce_only=True)
    left = max(0, held - asked)
    assert abs(bench.held(account)) == D(left) / 10
    assert order.quantity == D(min(held, asked)) / 10


def test_a_resting_reduce_only_order_expires_once_the_position_is_flat() -> None:
    bench = Bench()
    account = bench.account()
    bench.market(account, Side.BUY, "1")
    resting = bench.limit(account, Side.SELL, "1", "104.0", reduce_only=True)
    bench.market(account, Side.SELL, "1")
    assert (resting.status, account.open_orders) == (Status.EXPIRED, {})


def test_hedge_legs_are_separate_and_a_close_beyond_the_leg_is_refused() -> None:
    bench = Bench()
    account = bench.account()
    bench.exchange.set_hedge_mode(account, hedge=True)
    long, short = PositionSide.LONG, PositionSide.SHORT
    bench.market(account, Side.BUY, "2", position_side=long)
    bench.market(account, Side.SELL, "1", position_side=short)
    assert (bench.held(account, long), bench.held(account, short)) == (D(2), D(-1))
    with pytest.raises(Refusal) as caught:
        bench.market(account, Side.SELL, "3", position_side=long)
    assert caught.value.reason is Reason.REDUCE_ONLY_REJECTED
    bench.market(account, Side.SELL, "2", position_side=long)
    assert (bench.held(account, long), bench.held(account, short)) == (D(0), D(-1))


@pytest.mark.parametrize(
    ("hedge", "more", "reason"),
    [
        (True, {}, Reason.POSITION_SIDE_MISMATCH),
        (False, {"position_side": PositionSide.LONG}, Reason.POSITION_SIDE_MISMATCH),
        (True, {"position_side": PositionSide.LONG, "reduce_only": True}, Reason.REDUCE_ONLY_IN_HEDGE_MODE),
    ],
)
def test_the_position_side_must_match_the_mode(hedge: bool, more: dict[str, object], reason: Reason) -> None:
    bench = Bench()
    account = bench.account()
    if hedge:
        bench.exchange.set_hedge_mode(account, hedge=True)
    assert _rejects(bench, **more) is reason


@pytest.mark.parametrize(
    ("quantity", "price", "reason"),
    [
        ("0", "100", Reason.QUANTITY_NOT_POSITIVE),
        ("0.001", "100", Reason.QUANTITY_PRECISION),
        ("10001", "100", Reason.QUANTITY_ABOVE_MAXIMUM),
        ("1", "0", Reason.PRICE_NOT_POSITIVE),
        ("1", "99.05", Reason.PRICE_PRECISION),
        ("1", "106", Reason.PRICE_ABOVE_BAND),
        ("1", "94", Reason.PRICE_BELOW_BAND),
        ("0.04", "100", Reason.NOTIONAL_BELOW_MINIMUM),
    ],
)
def test_every_limit_of_an_instrument_bites(quantity: str, price: str, reason: Reason) -> None:
    bench = Bench()
    with pytest.raises(Refusal) as caught:
        bench.limit(bench.account("10000000"), Side.BUY, quantity, price)
    assert caught.value.reason is reason


@given(seed=st.integers(0, 1000), quantity=st.integers(1, 100_000), buy=st.booleans())
def test_walking_a_book_never_takes_more_than_asked_nor_worse_prices_first(
    seed: int, quantity: int, buy: bool
) -> None:
    instrument = default_instruments()[0]
    side = Side.BUY if buy else Side.SELL
    levels = SyntheticBook(instrument, seed).at(instrument.price).against(side)
    taken = walk(levels, side, D(quantity) / 1000, None)
    prices = [price for price, _ in taken]
    assert sum(size for _, size in taken) <= D(quantity) / 1000
    assert prices == sorted(prices, reverse=not buy)
    assert all(not size % instrument.step for _, size in taken)


def test_the_same_seed_gives_the_same_book_and_tape() -> None:
    first, second = Bench(), Bench()
    assert first.exchange.state.ladder("BTCUSDT") == second.exchange.state.ladder("BTCUSDT")
    assert first.exchange.tick(50) == second.exchange.tick(50)


def test_booked_executions_are_taken_exactly_and_continue_under_their_id() -> None:
    bench = Bench()
    account = bench.account()

    def book(executions: list[tuple[str, str]], *, final: bool) -> Order:
        request = OrderRequest(
            "BTCUSDT", Side.BUY, OrderType.MARKET, D(0), client_order_id="lead-1", origin=Origin.OPERATOR
        )
        return bench.exchange.desk.book(account, request, [(D(p), D(q)) for p, q in executions], final=final)

    first = book([("97.123", "0.5")], final=False)
    assert first.status is Status.PARTIALLY_FILLED
    second = book([("98", "0.25"), ("99", "0.25")], final=True)
    assert second is first
    assert (second.status, second.quantity, second.average_price) == (Status.FILLED, D(1), D("97.8115"))
    assert [fill.price for fill in account.fills] == [D("97.123"), D(98), D(99)]
    with pytest.raises(Refusal):
        book([("98", "0.001")], final=True)
