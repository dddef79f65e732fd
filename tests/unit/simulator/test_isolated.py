from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.engine.account import Account
from simulator.engine.conditional import Conditional, ConditionalStatus, ConditionalType
from simulator.engine.instrument import Instrument
from simulator.engine.margin import available, isolated_margin, total_margin
from simulator.engine.order import OrderRequest, OrderType, PositionSide, Side, Status
from simulator.engine.position import Position
from simulator.engine.refusal import Reason, Refusal
from tests.unit.simulator.builders import BTC, INVERSE, Markets

D = Decimal
ASSETS = {BTC: "USDT", INVERSE: "BTC"}


def isolated(symbol: str = BTC, leverage: int = 10, **account: str) -> tuple[Markets, Account, Position]:
    markets = Markets()
    opened = markets.account(**account)
    markets.exchange.set_isolated(opened, symbol, isolated=True)
    markets.exchange.set_leverage(opened, symbol, leverage)
    return markets, opened, opened.position(symbol, PositionSide.BOTH)


def test_the_margin_moves_with_the_size() -> None:
    markets, account, position = isolated()
    markets.trade(account, BTC, Side.BUY, "2")
    assert position.margin == D("20.02")
    markets.trade(account, BTC, Side.BUY, "2")
    assert position.margin == D("40.04")
    markets.trade(account, BTC, Side.SELL, "1")
    assert position.margin == D("30.03")
    markets.trade(account, BTC, Side.SELL, "4")
    assert (position.quantity, position.margin) == (D(-1), D("9.99"))
    markets.trade(account, BTC, Side.BUY, "1")
    assert position.margin == 0


def test_profit_of_an_isolated_position_is_not_available_to_others() -> None:
    markets, account, position = isolated(usdt="1000")
    state = markets.exchange.state
    markets.trade(account, BTC, Side.BUY, "2")
    free = available(state, account)
    assert free == 1000 - position.margin
    markets.price("150")
    assert available(state, account) == free
    markets.trade(account, BTC, Side.BUY, "1", "145.0")
    assert total_margin(state, account) == position.margin + D("14.5")
    assert available(state, account) == free - D("14.5")


@pytest.mark.parametrize(
    ("symbol", "quantity", "side", "held", "gone"),
    [
        (BTC, "5", Side.BUY, "91", "90.4"),
        (BTC, "5", Side.SELL, "109", "109.6"),
        (INVERSE, "500", Side.BUY, "91.8", "91.4"),  # in coins a long loses faster than a short
        (INVERSE, "500", Side.SELL, "110", "110.6"),
    ],
)
def test_an_isolated_position_is_liquidated_alone_however_full_the_wallet_is(
    symbol: str, quantity: str, side: Side, held: str, gone: str
) -> None:
    markets, account, position = isolated(symbol)
    other = INVERSE if symbol == BTC else BTC
    markets.trade(account, other, side, "1")
    markets.trade(account, symbol, side, quantity)
    resting = markets.trade(account, symbol, side, quantity, "97.0" if side is Side.BUY else "103.0")
    markets.exchange.desk.cancel(account, resting)
    markets.price(held, symbol)
    assert position.quantity
    before, margin = account.wallets[ASSETS[symbol]], position.margin
    markets.price(gone, symbol)
    assert (position.quantity, position.margin) == (D(0), D(0))
    assert before - account.wallets[ASSETS[symbol]] <= margin
    assert account.held(other, PositionSide.BOTH)


@pytest.mark.parametrize("symbol", [BTC, INVERSE])
@pytest.mark.parametrize("price", ["90", "70", "20", "1"])
def test_a_gap_costs_no_more_than_the_margin(symbol: str, price: str) -> None:
    markets, account, position = isolated(symbol, fee="0.001")
    markets.trade(account, symbol, Side.BUY, "5" if symbol == BTC else "500")
    before, margin = account.wallets[ASSETS[symbol]], position.margin
    markets.price(price, symbol)
    assert position.quantity == 0
    assert before - account.wallets[ASSETS[symbol]] <= margin
    if price != "90":
        assert account.changes[-1].kind == "INSURANCE_CLEAR"
        assert before - account.wallets[ASSETS[symbol]] == margin


def test_the_liquidation_of_the_cross_positions_spares_isolated_ones() -> None:
    d = Decimal
    markets, account, position = isolated(usdt="60", leverage=2)
    eth = Instrument(
        "ETHUSDT", "ETH", "USDT", d(100), d("0.1"), d("0.01"), d("0.01"), d(5), depth_quantity=d(100)
    )
    markets.exchange.list_instrument(eth)
    markets.trade(account, BTC, Side.BUY, "1")
    markets.trade(account, "ETHUSDT", Side.BUY, "1.5")
    margin = position.margin
    markets.price("80", "ETHUSDT")
    assert account.held("ETHUSDT", PositionSide.BOTH) == 0
    assert (position.quantity, position.margin, account.wallet) == (d(1), margin, margin)
    markets.price("51")
    markets.price("20")
    assert (position.quantity, account.wallet) == (d(0), d(0))


@pytest.mark.parametrize(
    ("closed", "price", "margin", "lost"),
    [
        ("1", "95", "40.04", "5.1"),
        ("1", "80", "29.95", "20.1"),
        ("1", "20", "0", "50.05"),
        ("5", "50", "0", "50.05"),
    ],
)
def test_a_loss_beyond_its_share_eats_the_rest_of_the_margin_and_no_more(
    closed: str, price: str, margin: str, lost: str
) -> None:
    markets, account, position = isolated()
    markets.trade(account, BTC, Side.BUY, "5")
    assert position.margin == D("50.05")
    request = OrderRequest(BTC, Side.SELL, OrderType.MARKET, D(closed))
    markets.exchange.desk.book(account, request, [(D(price), D(closed))], final=True)
    assert (position.margin, 10000 - account.wallet) == (D(margin), D(lost))


def test_funding_comes_out_of_the_positions_own_margin_and_no_further() -> None:
    markets, account, position = isolated()
    markets.trade(account, BTC, Side.BUY, "1")
    markets.exchange.fund(BTC, D("0.01"))
    assert (position.margin, account.changes[-1].amount) == (D("9.01"), D("-1"))
    before = account.wallet
    markets.exchange.fund(BTC, D("0.5"))
    assert account.held(BTC, PositionSide.BOTH) == 0
    assert account.wallet >= before - D("9.01")


def test_another_leverage_moves_the_margin_if_the_wallet_allows() -> None:
    markets, account, position = isolated(usdt="60")
    markets.trade(account, BTC, Side.BUY, "1")
    with pytest.raises(Refusal) as caught:
        markets.exchange.set_leverage(account, BTC, 1)
    assert (caught.value.reason, account.leverage(BTC), position.margin) == (
        Reason.INSUFFICIENT_MARGIN, 10, D("10.01"),
    )  # fmt: skip
    markets.exchange.set_leverage(account, BTC, 2)
    assert position.margin == D("50.05")
    markets.exchange.set_leverage(account, BTC, 20)
    assert position.margin == D("5.005")


def test_the_legs_of_hedge_mode_stand_apart() -> None:
    markets = Markets()
    account = markets.account()
    exchange = markets.exchange
    exchange.set_hedge_mode(account, hedge=True)
    exchange.set_isolated(account, BTC, isolated=True)
    exchange.set_leverage(account, BTC, 10)
    markets.trade(account, BTC, Side.BUY, "1", position_side=PositionSide.LONG)
    markets.trade(account, BTC, Side.SELL, "1", position_side=PositionSide.SHORT)
    markets.price("90")
    assert account.held(BTC, PositionSide.LONG) == 0
    assert account.held(BTC, PositionSide.SHORT) == -1


def stop(account: Account, side: Side, *, attached: bool = False) -> Conditional:
    kind = ConditionalType.STOP_MARKET
    request = OrderRequest(BTC, side, OrderType.MARKET, D(1), reduce_only=True)
    trigger = D(97 if side is Side.SELL else 103)
    return Conditional(
        0, "", account.account_id, kind, request, trigger, "MARK_PRICE", 0, 0, cancel_when_flat=attached
    )


@pytest.mark.parametrize("quantity", ["1", "2"])
def test_an_attached_stop_goes_with_its_position_and_a_lone_one_stays(quantity: str) -> None:
    markets = Markets()
    account, desk = markets.account(), markets.exchange.conditionals
    markets.trade(account, BTC, Side.BUY, "1")
    attached, lone = stop(account, Side.SELL, attached=True), stop(account, Side.SELL)
    for one in (attached, lone):
        desk.place(account, one)
    markets.trade(account, BTC, Side.BUY, "1")
    markets.trade(account, BTC, Side.SELL, "1")
    assert attached.status is ConditionalStatus.NEW
    markets.trade(account, BTC, Side.SELL, quantity)  # to flat, or through it
    assert (attached.status, lone.status) == (ConditionalStatus.CANCELED, ConditionalStatus.NEW)
    markets.price("96")
    assert lone.status is ConditionalStatus.REJECTED
    assert not desk.live(account)


def test_an_attached_stop_that_fires_is_told_as_triggered_and_finished_alone() -> None:
    markets = Markets()
    account, exchange = markets.account(), markets.exchange
    markets.trade(account, BTC, Side.BUY, "1")
    attached = exchange.conditionals.place(account, stop(account, Side.SELL, attached=True))
    markets.price("96")
    told = [event.kind for event in exchange.state.ledger.events if event.kind.startswith("CONDITIONAL")]
    assert told == ["CONDITIONAL_NEW", "CONDITIONAL_TRIGGERED", "CONDITIONAL_FINISHED"]
    assert attached.order is not None
    assert attached.order.status is Status.FILLED


Moves = st.lists(
    st.one_of(
        st.tuples(st.just("trade"), st.integers(-60, 60).filter(bool)),
        st.tuples(st.just("price"), st.integers(500, 1600)),
        st.tuples(st.just("fund"), st.integers(-300, 300)),
        st.tuples(st.just("leverage"), st.integers(1, 50)),
    ),
    max_size=25,
)


@settings(max_examples=60)
@given(moves=Moves, symbol=st.sampled_from([BTC, INVERSE]))
def test_between_two_trades_an_isolated_position_loses_at_most_its_margin(
    moves: list[tuple[str, int]], symbol: str
) -> None:
    markets, account, position = isolated(symbol, fee="0.001")
    asset = ASSETS[symbol]
    for what, number in moves:
        wallet, margin = account.wallets[asset], position.margin
        try:
            if what == "price":
                markets.price(str(D(number) / 10), symbol)
            elif what == "fund":
                markets.exchange.fund(symbol, D(number) / 1000)
            elif what == "leverage":
                markets.exchange.set_leverage(account, symbol, number)
            else:
                size = abs(number) if symbol == INVERSE else D(abs(number)) / 10
                markets.trade(account, symbol, Side.BUY if number > 0 else Side.SELL, str(size))
        except Refusal:
            continue
        if what != "trade":
            assert wallet - account.wallets[asset] <= margin
        assert position.margin >= 0
        assert position.quantity or not position.margin
        assert account.wallets[asset] >= isolated_margin(markets.exchange.state, account, asset)
