from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.engine.conditional import Conditional, ConditionalStatus, ConditionalType
from simulator.engine.margin import available, maintenance, position_margin, total_margin, unrealised
from simulator.engine.order import OrderRequest, OrderType, PositionSide, Side, Status
from simulator.engine.position import Position
from simulator.engine.refusal import Reason, Refusal
from tests.unit.simulator.builders import BTC, Bench

D = Decimal


@pytest.mark.parametrize(
    ("fills", "quantity", "entry", "realised"),
    [
        ([("1", "100")], "1", "100", "0"),
        ([("1", "100"), ("1", "110")], "2", "105", "0"),
        ([("2", "100"), ("-1", "110")], "1", "100", "10"),
        ([("-2", "100"), ("1", "90")], "-1", "100", "10"),
        ([("1", "100"), ("-3", "90")], "-2", "90", "-10"),
        ([("-1", "100"), ("3", "90")], "2", "90", "10"),
        ([("1", "100"), ("-1", "130")], "0", "0", "30"),
    ],
)
def test_fills_net_into_a_position(
    fills: list[tuple[str, str]], quantity: str, entry: str, realised: str
) -> None:
    position = Position(BTC, PositionSide.BOTH)
    total = sum((position.apply(D(size), D(price)) for size, price in fills), D(0))
    assert (position.quantity, position.entry_price, total) == (D(quantity), D(entry), D(realised))


Fills = st.lists(
    st.tuples(st.integers(-50, 50).filter(bool), st.integers(50, 150)).map(
        lambda pair: (D(pair[0]), D(pair[1]))
    ),
    min_size=1,
    max_size=30,
)


@given(fills=Fills, mark=st.integers(50, 150).map(D))
def test_realised_plus_unrealised_is_what_the_cash_flow_says(
    fills: list[tuple[Decimal, Decimal]], mark: Decimal
) -> None:
    position = Position(BTC, PositionSide.BOTH)
    realised = sum((position.apply(size, price) for size, price in fills), D(0))
    cash = -sum((size * price for size, price in fills), D(0))
    assert abs(realised + position.unrealised(mark) - (cash + position.quantity * mark)) < D("1e-15")


Steps = st.lists(
    st.one_of(
        st.tuples(st.just("market"), st.integers(-80, 80).filter(bool)),
        st.tuples(st.just("limit"), st.integers(-80, 80).filter(bool)),
        st.tuples(st.just("price"), st.integers(960, 1040)),
        st.tuples(st.just("fund"), st.integers(-30, 30)),
        st.tuples(st.just("deposit"), st.integers(1, 500)),
        st.tuples(st.just("cancel"), st.just(0)),
    ),
    max_size=40,
)


@settings(max_examples=60)
@given(steps=Steps)
def test_money_is_conserved_and_every_index_agrees(steps: list[tuple[str, int]]) -> None:
    bench = Bench()
    account = bench.account("2000")
    for what, number in steps:
        side = Side.BUY if number > 0 else Side.SELL
        try:
            if what == "market":
                bench.market(account, side, str(D(abs(number)) / 10))
            elif what == "limit":
                away = "98.0" if side is Side.BUY else "102.0"
                bench.limit(account, side, str(D(abs(number)) / 10), away)
            elif what == "price":
                bench.price(str(D(number) / 10))
            elif what == "fund":
                bench.exchange.fund(BTC, D(number) / 10000)
            elif what == "deposit":
                bench.exchange.deposit(account, D(number))
            else:
                bench.exchange.desk.cancel_all(account, BTC)
        except Refusal:
            continue
    ledger = bench.exchange.state.ledger
    by_kind: dict[str, Decimal] = {}
    for change in ledger.balances:
        by_kind[change.kind] = by_kind.get(change.kind, D(0)) + change.amount
    assert sum(by_kind.values(), D(0)) == account.wallet
    assert by_kind.get("COMMISSION", D(0)) == -sum((fill.commission for fill in ledger.fills), D(0))
    assert by_kind.get("REALIZED_PNL", D(0)) == sum((fill.realised_pnl for fill in ledger.fills), D(0))
    assert bench.held(account) == sum((fill.quantity * fill.side.sign for fill in ledger.fills), D(0))
    for order in ledger.orders:
        assert order.executed == sum(f.quantity for f in ledger.fills if f.order_id == order.order_id)
        assert (order.order_id in account.open_orders) is order.is_open
        assert (order.order_id in bench.exchange.state.resting[BTC]) is order.is_open
    assert (account.account_id in bench.exchange.state.holders[BTC]) is (bench.held(account) != 0)
    seqs = [item.seq for items in (ledger.orders, ledger.fills) for item in items]
    seqs += [item.seq for items in (ledger.balances, ledger.events) for item in items]
    assert len(set(seqs)) == len(seqs)


def test_margin_counts_positions_and_the_larger_side_of_open_orders() -> None:
    bench = Bench()
    account, state = bench.account(), bench.exchange.state
    bench.exchange.set_leverage(account, BTC, 10)
    bench.market(account, Side.BUY, "2")
    bench.price("100")
    assert (position_margin(state, account), maintenance(state, account)) == (D(20), D(1))
    bench.limit(account, Side.BUY, "1", "99.0")
    bench.limit(account, Side.SELL, "1", "101.0")
    assert total_margin(state, account) == D("29.9")
    assert available(state, account) == account.wallet + unrealised(state, account) - D("29.9")
    bench.exchange.desk.cancel_all(account, BTC)
    bench.limit(account, Side.SELL, "5", "101.0")
    assert total_margin(state, account) == D("30.5")  # 5 asks beyond the long of 2: 505 - 200


def test_an_order_the_margin_does_not_cover_is_refused_and_leaves_no_trace() -> None:
    bench = Bench()
    account = bench.account("10")
    with pytest.raises(Refusal) as caught:
        bench.market(account, Side.BUY, "2")
    assert caught.value.reason is Reason.INSUFFICIENT_MARGIN
    assert not account.orders
    assert account.wallet == 10
    bench.market(account, Side.BUY, "1")
    with pytest.raises(Refusal):
        bench.market(account, Side.BUY, "1")
    bench.market(account, Side.SELL, "1")


@settings(max_examples=60)
@given(quantities=st.lists(st.integers(-300, 300).filter(bool), min_size=1, max_size=12))
def test_an_accepted_order_never_leaves_the_available_margin_negative(quantities: list[int]) -> None:
    bench = Bench()
    account = bench.account("500")
    state = bench.exchange.state
    for quantity in quantities:
        before = total_margin(state, account)
        try:
            bench.market(account, Side.BUY if quantity > 0 else Side.SELL, str(D(abs(quantity)) / 10))
        except Refusal:
            continue
        # An order that does not raise the margin passes unchecked: closing must always be possible.
        assert total_margin(state, account) <= before or available(state, account) >= 0


@pytest.mark.parametrize(("side", "rate", "fee"), [(Side.BUY, "0.001", "-0.2"), (Side.SELL, "0.001", "0.2")])
def test_longs_pay_positive_funding_and_shorts_receive_it(side: Side, rate: str, fee: str) -> None:
    bench = Bench()
    account = bench.account()
    bench.market(account, side, "2")
    assert bench.exchange.fund(BTC, D(rate)) == 1
    assert (account.changes[-1].kind, account.changes[-1].amount) == ("FUNDING_FEE", D(fee))


def test_an_account_below_maintenance_is_liquidated_and_never_owes() -> None:
    bench = Bench()
    account = bench.account("60")
    bench.market(account, Side.BUY, "10")
    resting = bench.limit(account, Side.SELL, "1", "104.0", reduce_only=True)
    bench.price("95")
    assert bench.held(account) == 10
    bench.price("94")
    closing = bench.exchange.state.ledger.orders[-1]
    assert bench.held(account) == 0
    assert resting.status is Status.CANCELED
    assert closing.client_order_id.startswith("autoclose-")
    assert account.wallet >= 0
    bench.price("80")
    assert bench.exchange.state.ledger.orders[-1] is closing


def test_a_shortfall_is_cleared_by_the_insurance_fund() -> None:
    bench = Bench()
    account = bench.account("60")
    bench.market(account, Side.BUY, "10")
    bench.price("50")
    assert (account.wallet, account.changes[-1].kind) == (D(0), "INSURANCE_CLEAR")


def _conditional(kind: ConditionalType, side: Side, trigger: str, **more: object) -> Conditional:
    request = OrderRequest(BTC, side, OrderType.MARKET, D(1), **more)  # type: ignore[arg-type]  # forwarded by name
    return Conditional(0, "", "", kind, request, D(trigger), "MARK_PRICE", 0, 0)


@pytest.mark.parametrize(
    ("kind", "side", "trigger", "before", "after"),
    [
        (ConditionalType.STOP_MARKET, Side.SELL, "97", "97.1", "97"),
        (ConditionalType.STOP_MARKET, Side.BUY, "103", "102.9", "103"),
        (ConditionalType.TAKE_PROFIT_MARKET, Side.SELL, "103", "102.9", "103.5"),
        (ConditionalType.TAKE_PROFIT_MARKET, Side.BUY, "97", "97.1", "96"),
    ],
)
def test_a_conditional_order_fires_when_the_mark_reaches_it(
    kind: ConditionalType, side: Side, trigger: str, before: str, after: str
) -> None:
    bench = Bench()
    account = bench.account()
    waiting = _conditional(kind, side, trigger)
    waiting.account_id = account.account_id
    bench.exchange.conditionals.place(account, waiting)
    bench.price(before)
    assert not waiting.triggered_ms
    bench.price(after)
    assert waiting.status is ConditionalStatus.FINISHED
    assert waiting.order is not None
    assert waiting.order.original_type == kind.value
    assert bench.held(account) == side.sign


def test_a_conditional_order_that_would_fire_at_once_is_refused() -> None:
    bench = Bench()
    with pytest.raises(Refusal) as caught:
        bench.exchange.conditionals.place(
            bench.account(), _conditional(ConditionalType.STOP_MARKET, Side.SELL, "101")
        )
    assert caught.value.reason is Reason.WOULD_TRIGGER


def test_a_closing_stop_expires_with_its_position_and_a_reduce_only_one_is_rejected() -> None:
    bench = Bench()
    account = bench.account()
    bench.market(account, Side.BUY, "1")
    close = _conditional(ConditionalType.STOP_MARKET, Side.SELL, "97", close_position=True)
    reduce = _conditional(ConditionalType.STOP_MARKET, Side.SELL, "97", reduce_only=True)
    for waiting in (close, reduce):
        waiting.account_id = account.account_id
        bench.exchange.conditionals.place(account, waiting)
    bench.market(account, Side.SELL, "1")
    assert close.status is ConditionalStatus.EXPIRED
    bench.price("96")
    assert reduce.status is ConditionalStatus.REJECTED
    assert bench.held(account) == 0


def test_a_trailing_stop_follows_the_best_price() -> None:
    bench = Bench()
    account = bench.account()
    bench.market(account, Side.BUY, "1")
    trailing = _conditional(ConditionalType.TRAILING_STOP_MARKET, Side.SELL, "0", reduce_only=True)
    trailing.account_id, trailing.callback_rate = account.account_id, D(1)
    bench.exchange.conditionals.place(account, trailing)
    for price in ("100", "103", "102.5"):
        bench.price(price)
    assert trailing.trigger_price == D("101.97")
    bench.price("101.9")
    assert trailing.status is ConditionalStatus.FINISHED
    assert bench.held(account) == 0
