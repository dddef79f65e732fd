from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.engine.margin import available, maintenance, position_margin, total_margin, unrealised
from simulator.engine.order import OrderRequest, OrderType, PositionSide, Side, Status
from simulator.engine.position import Position
from simulator.engine.refusal import Reason, Refusal
from tests.unit.simulator.builders import BTC, INVERSE, SPOT, Markets

D = Decimal


@pytest.mark.parametrize(
    ("fills", "quantity", "entry", "realised"),
    [
        ([("100", "100")], "100", "100", "0"),
        ([("100", "100"), ("300", "150")], "400", "133.3333333333", "0"),
        ([("200", "100"), ("-100", "125")], "100", "100", "0.2"),
        ([("-200", "100"), ("100", "80")], "-100", "100", "0.25"),
        ([("100", "100"), ("-300", "80")], "-200", "80", "-0.25"),
        ([("100", "100"), ("-100", "200")], "0", "0", "0.5"),
    ],
)
def test_face_value_nets_at_the_harmonic_mean(
    fills: list[tuple[str, str]], quantity: str, entry: str, realised: str
) -> None:
    position = Position(INVERSE, PositionSide.BOTH)
    total = sum((position.apply(D(size), D(price)) for size, price in fills), D(0))
    assert (position.quantity, total) == (D(quantity), D(realised))
    assert abs(position.entry_price - D(entry)) < D("1e-9")


Fills = st.lists(
    st.tuples(st.integers(-500, 500).filter(bool), st.integers(50, 150)).map(
        lambda pair: (D(pair[0]), D(pair[1]))
    ),
    min_size=1,
    max_size=30,
)


@given(fills=Fills, mark=st.integers(50, 150).map(D))
def test_realised_plus_unrealised_is_what_the_coin_flow_says(
    fills: list[tuple[Decimal, Decimal]], mark: Decimal
) -> None:
    position = Position(INVERSE, PositionSide.BOTH)
    realised = sum((position.apply(size, price) for size, price in fills), D(0))
    coins = sum((size / price for size, price in fills), D(0))
    assert abs(realised + position.unrealised(mark) - (coins - position.quantity / mark)) < D("1e-20")


def test_margin_fees_and_profit_are_coins_of_that_wallet_alone() -> None:
    markets = Markets()
    account, state = markets.account(usdt="500", btc="1", fee="0.001"), markets.exchange.state
    markets.exchange.set_leverage(account, INVERSE, 10)
    order = markets.trade(account, INVERSE, Side.BUY, "500")
    fill = account.fills[0]
    assert order.average_price == D("100.1")
    assert (fill.commission_asset, fill.commission) == ("BTC", D("0.00499500"))
    assert position_margin(state, account, "BTC") == total_margin(state, account, "BTC") == D("0.5")
    assert maintenance(state, account, "BTC") == D("0.025")
    assert [f(state, account) for f in (position_margin, unrealised, available)] == [D(0), D(0), D(500)]
    markets.price("125", INVERSE)
    markets.trade(account, INVERSE, Side.SELL, "500")
    assert account.wallets["USDT"] == 500
    # 500 / 100.1 - 500 / 124.9 coins, less both fees
    assert abs(account.wallets["BTC"] - (1 + D(500) / D("100.1") - D(500) / D("124.9")) + D("0.0089982")) < D(
        "1e-7"
    )


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_the_margin_check_counts_coins(side: Side) -> None:
    markets = Markets()
    account = markets.account(btc="1")
    markets.exchange.set_leverage(account, INVERSE, 10)
    with pytest.raises(Refusal) as caught:
        markets.trade(account, INVERSE, side, "1001")
    assert caught.value.reason is Reason.INSUFFICIENT_MARGIN
    markets.trade(account, INVERSE, side, "980")
    price = "98.0" if side is Side.BUY else "102.0"
    with pytest.raises(Refusal):
        markets.trade(account, INVERSE, side, "50", price)
    assert (
        markets.trade(account, INVERSE, side.SELL if side is Side.BUY else side.BUY, "900").status
        is Status.FILLED
    )


@pytest.mark.parametrize(("coins", "accepted"), [("0.905", False), ("0.91", True)])
def test_the_margin_check_counts_the_immediate_loss_to_the_mark(coins: str, accepted: bool) -> None:
    markets = Markets()
    account = markets.account(btc=coins)
    markets.exchange.set_leverage(account, INVERSE, 10)
    request = OrderRequest(INVERSE, Side.BUY, OrderType.MARKET, D(900))  # 0.9 of margin, 0.009 lost at once
    if accepted:
        assert markets.exchange.desk.place(account, request).status is Status.FILLED
    else:
        with pytest.raises(Refusal):
            markets.exchange.desk.place(account, request)


@pytest.mark.parametrize(
    ("side", "rate", "amount"), [(Side.BUY, "0.001", "-0.005"), (Side.SELL, "0.001", "0.005")]
)
def test_funding_is_paid_in_coins(side: Side, rate: str, amount: str) -> None:
    markets = Markets()
    account = markets.account()
    markets.trade(account, INVERSE, side, "500")
    assert markets.exchange.fund(INVERSE, D(rate)) == 1
    change = account.changes[-1]
    assert (change.kind, change.asset, change.amount) == ("FUNDING_FEE", "BTC", D(amount))


def test_each_wallet_is_liquidated_for_its_own_positions_only() -> None:
    markets = Markets()
    account, state = markets.account(usdt="1000", btc="1"), markets.exchange.state
    markets.trade(account, INVERSE, Side.BUY, "1500")
    markets.trade(account, BTC, Side.BUY, "5")
    spare = markets.trade(account, BTC, Side.BUY, "1", "96.0")
    closing = markets.trade(account, INVERSE, Side.SELL, "100", "103.0")
    markets.price("94.5")
    assert account.held(INVERSE, PositionSide.BOTH) == 1500
    markets.price("93", INVERSE)
    assert account.held(INVERSE, PositionSide.BOTH) == 0
    assert account.held(BTC, PositionSide.BOTH) == 6
    assert (spare.status, closing.status) == (Status.FILLED, Status.CANCELED)
    assert account.wallets["BTC"] >= 0
    liquidation = state.ledger.orders[-1]
    assert (liquidation.symbol, liquidation.client_order_id.startswith("autoclose-")) == (INVERSE, True)


def test_a_shortfall_in_coins_is_cleared_in_coins() -> None:
    markets = Markets()
    account = markets.account(btc="1")
    markets.trade(account, INVERSE, Side.BUY, "1500")
    markets.price("50", INVERSE)
    change = account.changes[-1]
    assert (change.kind, change.asset, account.wallets["BTC"]) == ("INSURANCE_CLEAR", "BTC", D(0))
    assert account.wallets["USDT"] == 10000


def test_a_market_that_is_named_never_passes_through_its_siblings_price() -> None:
    markets = Markets()
    account = markets.account()
    order = markets.trade(account, SPOT, Side.BUY, "1", "98.0")
    markets.exchange.set_prices({BTC: D(97), SPOT: D(100)})
    assert order.is_open
    markets.exchange.set_price(BTC, D(97))
    assert order.status is Status.FILLED


def test_the_siblings_of_a_linear_market_follow_its_price_unless_named() -> None:
    markets = Markets()
    exchange, marks = markets.exchange, markets.exchange.state.tape.marks
    exchange.set_price(BTC, D("104.27"))
    assert marks == {BTC: D("104.27"), SPOT: D("104.2"), INVERSE: D("104.2")}
    exchange.set_prices({BTC: D("101"), SPOT: D("99.5")})
    assert marks == {BTC: D("101"), SPOT: D("99.5"), INVERSE: D("101")}
    exchange.set_price(INVERSE, D("98"))
    assert marks == {BTC: D("101"), SPOT: D("99.5"), INVERSE: D("98")}
    exchange.tick(5)
    assert marks[BTC] == marks[SPOT] == marks[INVERSE]
    with pytest.raises(Refusal) as caught:
        exchange.set_prices({BTC: D(90), "NOPE": D(1)})
    assert caught.value.reason is Reason.UNKNOWN_SYMBOL
    assert marks[BTC] != 90
