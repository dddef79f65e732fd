from __future__ import annotations

from decimal import Decimal

import pytest

from simulator.engine.conditional import Conditional, ConditionalStatus, ConditionalType
from simulator.engine.margin import available, free, locked
from simulator.engine.order import OrderRequest, OrderType, PositionSide, Side, Status, TimeInForce
from simulator.engine.refusal import Reason, Refusal
from tests.unit.simulator.builders import BTC, SPOT, Markets

D = Decimal


def refused(markets: Markets, *args: object, **more: object) -> Reason:
    with pytest.raises(Refusal) as caught:
        markets.trade(*args, **more)  # type: ignore[arg-type]  # forwarded by name
    return caught.value.reason


def test_buying_pays_the_fee_in_the_coin_and_selling_in_the_quote_currency() -> None:
    markets = Markets()
    account = markets.account(usdt="1000", btc="0", fee="0.01")
    bought = markets.trade(account, SPOT, Side.BUY, "2")
    assert account.wallets == {"USDT": 1000 - bought.cost, "BTC": D("1.98")}
    before = account.wallets["USDT"]
    sold = markets.trade(account, SPOT, Side.SELL, "1")
    assert account.wallets == {"USDT": before + sold.cost * D("0.99"), "BTC": D("0.98")}
    assert [(f.commission_asset, f.commission) for f in account.fills] == [
        ("BTC", D("0.02")),
        ("USDT", sold.cost / 100),
    ]
    assert [(c.kind, c.asset) for c in account.changes] == [
        ("DEPOSIT", "USDT"), ("TRADE", "USDT"), ("TRADE", "BTC"), ("COMMISSION", "BTC"),
        ("TRADE", "BTC"), ("TRADE", "USDT"), ("COMMISSION", "USDT"),
    ]  # fmt: skip
    assert not account.positions


@pytest.mark.parametrize(
    ("side", "price", "reached", "asset", "amount"),
    [(Side.BUY, "98.0", "97.9", "USDT", "196"), (Side.SELL, "102.0", "102.1", "BTC", "2")],
)
def test_a_resting_order_locks_what_it_would_give_and_frees_it_when_it_ends(
    side: Side, price: str, reached: str, asset: str, amount: str
) -> None:
    markets, quantity = Markets(), "2"
    account, state = markets.account(usdt="250", btc="3"), markets.exchange.state
    order = markets.trade(account, SPOT, side, quantity, price)
    assert locked(state, account, asset) == D(amount)
    assert free(state, account, asset) == account.wallets[asset] - D(amount)
    assert refused(markets, account, SPOT, side, quantity, price) is Reason.INSUFFICIENT_MARGIN
    markets.exchange.desk.cancel(account, order)
    assert locked(state, account, asset) == 0
    filled = markets.trade(account, SPOT, side, quantity, price)
    markets.price(reached, SPOT)
    assert filled.status is Status.FILLED
    assert locked(state, account, asset) == 0


@pytest.mark.parametrize(
    ("side", "quantity", "price"),
    [(Side.BUY, "11", ""), (Side.BUY, "11", "99.0"), (Side.SELL, "3", ""), (Side.SELL, "3", "101.0")],
)
def test_what_the_account_does_not_have_is_refused(side: Side, quantity: str, price: str) -> None:
    markets = Markets()
    account = markets.account(usdt="1000", btc="2")
    assert refused(markets, account, SPOT, side, quantity, price) is Reason.INSUFFICIENT_MARGIN
    assert not account.orders


@pytest.mark.parametrize(
    "more", [{"reduce_only": True}, {"close_position": True}, {"position_side": PositionSide.LONG}]
)
def test_what_needs_a_position_is_refused_at_spot(more: dict[str, object]) -> None:
    markets = Markets()
    account, exchange = markets.account(), markets.exchange
    assert refused(markets, account, SPOT, Side.SELL, "1", **more) is Reason.NOT_AT_SPOT
    for ask in (
        lambda: exchange.set_leverage(account, SPOT, 1),
        lambda: exchange.set_isolated(account, SPOT, isolated=True),
        lambda: exchange.fund(SPOT, D("0.001")),
    ):
        with pytest.raises(Refusal) as caught:
            ask()
        assert caught.value.reason is Reason.NOT_AT_SPOT


def test_spot_works_in_hedge_mode_and_its_orders_do_not_hinder_the_switch() -> None:
    markets = Markets()
    account = markets.account()
    markets.trade(account, SPOT, Side.BUY, "1", "98.0")
    markets.exchange.set_hedge_mode(account, hedge=True)
    assert markets.trade(account, SPOT, Side.BUY, "1").status is Status.FILLED


def test_margin_and_spot_share_one_wallet() -> None:
    markets = Markets()
    account, state = markets.account(usdt="100"), markets.exchange.state
    markets.exchange.set_leverage(account, BTC, 1)
    markets.trade(account, SPOT, Side.BUY, "0.5", "98.0")
    assert available(state, account) == D(51)
    assert refused(markets, account, BTC, Side.BUY, "0.6") is Reason.INSUFFICIENT_MARGIN
    markets.trade(account, BTC, Side.BUY, "0.5")
    assert refused(markets, account, SPOT, Side.BUY, "0.1") is Reason.INSUFFICIENT_MARGIN
    markets.exchange.set_leverage(account, BTC, 20)
    markets.price("400")
    assert (
        available(state, account) > free(state, account, "USDT") == 51
    )  # profit not realised cannot be spent


@pytest.mark.parametrize("amount", ["5", "100", "1500"])
def test_a_market_order_may_name_the_amount_to_spend(amount: str) -> None:
    markets = Markets()
    account = markets.account()
    order = markets.trade(account, SPOT, Side.BUY, "0", quote_quantity=D(amount))
    assert (order.status, order.quote_quantity, order.cost <= D(amount)) == (Status.FILLED, D(amount), True)
    assert D(amount) - order.cost < D("1.05")  # one step more would not have been paid for
    assert (
        refused(markets, account, SPOT, Side.BUY, "0", quote_quantity=D(4)) is Reason.NOTIONAL_BELOW_MINIMUM
    )


def test_an_order_whose_wallet_was_emptied_meanwhile_expires() -> None:
    markets = Markets()
    account, desk = markets.account(usdt="100"), markets.exchange.desk
    order = markets.trade(account, SPOT, Side.BUY, "1", "98.0")
    acknowledged = desk.accept(
        markets.account(usdt="100", label="bob"), OrderRequest(SPOT, Side.BUY, OrderType.MARKET, D("0.5"))
    )
    markets.exchange.deposit(account, D(-50))
    bob = markets.exchange.state.accounts[acknowledged.account_id]
    markets.exchange.deposit(bob, D(-60))
    markets.price("97", SPOT)
    desk.settle(bob, acknowledged)
    assert (order.status, acknowledged.status) == (Status.EXPIRED, Status.EXPIRED)
    assert (account.wallets["USDT"], bob.wallets["USDT"]) == (D(50), D(40))


def test_an_amended_order_locks_anew() -> None:
    markets = Markets()
    account, desk = markets.account(usdt="200"), markets.exchange.desk
    order = markets.trade(account, SPOT, Side.BUY, "2", "98.0")
    with pytest.raises(Refusal):
        desk.amend(account, order, D("98.0"), D(3))
    desk.amend(account, order, D("97.0"), D("2.05"))
    assert locked(markets.exchange.state, account, "USDT") == D("198.85")


def test_a_replayed_sale_needs_the_coins() -> None:
    markets = Markets()
    account, desk = markets.account(btc="1"), markets.exchange.desk
    sale = OrderRequest(SPOT, Side.SELL, OrderType.MARKET, D(2))
    with pytest.raises(Refusal) as caught:
        desk.book(account, sale, [(D(100), D(2))], final=True)
    assert caught.value.reason is Reason.INSUFFICIENT_MARGIN
    assert desk.book(account, sale, [(D(100), D(1))], final=True).status is Status.FILLED


def waiting(
    kind: ConditionalType, trigger: str, quantity: str, group: str = "", side: Side = Side.SELL
) -> Conditional:
    request = OrderRequest(SPOT, side, OrderType.MARKET, D(quantity))
    return Conditional(0, "", "", kind, request, D(trigger), "MARK_PRICE", 0, 0, group=group)


def test_a_conditional_sale_locks_its_coins_and_frees_them_to_sell() -> None:
    markets = Markets()
    account, exchange = markets.account(btc="2"), markets.exchange
    stop = waiting(ConditionalType.STOP_MARKET, "97", "2")
    stop.account_id = account.account_id
    exchange.conditionals.place(account, stop)
    assert (locked(exchange.state, account, "BTC"), free(exchange.state, account, "BTC")) == (D(2), D(0))
    assert refused(markets, account, SPOT, Side.SELL, "1") is Reason.INSUFFICIENT_MARGIN
    markets.price("96")
    assert (stop.status, account.wallets["BTC"]) == (ConditionalStatus.FINISHED, D(0))
    assert locked(exchange.state, account, "BTC") == 0


@pytest.mark.parametrize(
    ("price", "fired", "other"),
    [
        ("96", ConditionalStatus.FINISHED, ConditionalStatus.EXPIRED),
        ("", ConditionalStatus.CANCELED, ConditionalStatus.CANCELED),
    ],
)
def test_a_pair_locks_once_and_one_cancels_the_other(
    price: str, fired: ConditionalStatus, other: ConditionalStatus
) -> None:
    markets = Markets()
    account, desk = markets.account(btc="2"), markets.exchange.conditionals
    stop = waiting(ConditionalType.STOP_MARKET, "97", "1.5", "pair")
    profit = waiting(ConditionalType.TAKE_PROFIT_MARKET, "103", "2", "pair")
    for one in (stop, profit):
        one.account_id = account.account_id
        desk.place(account, one)
    assert locked(markets.exchange.state, account, "BTC") == 2
    if price:
        markets.price(price)
    else:
        desk.cancel(account, stop)
    assert (stop.status, profit.status) == (fired, other)
    assert locked(markets.exchange.state, account, "BTC") == 0


def test_a_conditional_that_locks_what_is_not_there_is_refused() -> None:
    markets = Markets()
    account = markets.account(usdt="100", btc="1")
    for one in (
        waiting(ConditionalType.STOP_MARKET, "97", "1.1"),
        waiting(ConditionalType.STOP_MARKET, "103", "1", side=Side.BUY),
    ):
        with pytest.raises(Refusal) as caught:
            markets.exchange.conditionals.place(account, one)
        assert caught.value.reason is Reason.INSUFFICIENT_MARGIN
    assert not account.reserves


def test_a_fill_or_kill_and_a_post_only_order_at_spot_leave_the_wallets_alone() -> None:
    markets = Markets()
    account = markets.account()
    killed = markets.trade(account, SPOT, Side.BUY, "50", "100.1", time_in_force=TimeInForce.FOK)
    assert killed.status is Status.EXPIRED
    assert (
        refused(markets, account, SPOT, Side.BUY, "1", "101.0", time_in_force=TimeInForce.GTX)
        is Reason.POST_ONLY_WOULD_TAKE
    )
    assert account.wallets == {"USDT": D(10000), "BTC": D(10)}
