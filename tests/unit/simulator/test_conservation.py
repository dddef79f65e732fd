"""Nothing is made or lost: whatever is traded, each wallet is the sum of its recorded movements, and each movement has its
cause in a fill, a deposit, a funding or the insurance fund.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.engine.account import Account
from simulator.engine.conditional import Conditional, ConditionalStatus, ConditionalType
from simulator.engine.instrument import Kind, kind_of
from simulator.engine.margin import available, cross_balance, free, isolated_margin, locked, total_margin
from simulator.engine.order import Fill, OrderRequest, OrderType, Side
from simulator.engine.refusal import Refusal
from tests.unit.simulator.builders import BTC, INVERSE, SPOT, Markets

D = Decimal
SYMBOLS = (BTC, SPOT, INVERSE)
CENT = D("0.00000001")

Numbers = st.integers(-90, 90).filter(bool)
Steps = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["market", "limit", "stop", "accept", "amount"]), st.sampled_from(SYMBOLS), Numbers),
        st.tuples(st.just("price"), st.sampled_from(SYMBOLS), st.integers(800, 1200)),
        st.tuples(st.sampled_from(["fund", "withdraw"]), st.sampled_from((BTC, INVERSE)), st.integers(-40, 40)),
        st.tuples(st.just("cancel"), st.sampled_from(SYMBOLS), st.just(0)),
    ),
    max_size=40,
)  # fmt: skip


def size_of(symbol: str, number: int) -> Decimal:
    return D(abs(number)) * (10 if symbol == INVERSE else 1) / (1 if symbol == INVERSE else 10)


def stop(account: Account, symbol: str, side: Side, size: Decimal) -> Conditional:
    request = OrderRequest(symbol, side, OrderType.MARKET, size)
    trigger, kind = D(103 if side is Side.BUY else 97), ConditionalType.STOP_MARKET
    return Conditional(0, "", account.account_id, kind, request, trigger, "MARK_PRICE", 0, 0)


def act(markets: Markets, account: Account, what: str, symbol: str, number: int) -> None:
    exchange, side = markets.exchange, Side.BUY if number > 0 else Side.SELL
    size, away = size_of(symbol, number), "98.0" if number > 0 else "102.0"
    acts: dict[str, Callable[[], object]] = {
        "market": lambda: markets.trade(account, symbol, side, str(size)),
        "limit": lambda: markets.trade(account, symbol, side, str(size), away),
        "amount": lambda: markets.trade(account, SPOT, side, "0", quote_quantity=size * 100),
        "accept": lambda: exchange.desk.settle(
            account, exchange.desk.accept(account, OrderRequest(symbol, side, OrderType.MARKET, size))
        ),
        "stop": lambda: exchange.conditionals.place(account, stop(account, symbol, side, size)),
        "price": lambda: exchange.set_price(symbol, D(number) / 10),
        "fund": lambda: exchange.fund(symbol, D(number) / 10000),
        "withdraw": lambda: exchange.deposit(account, D(number), "USDT" if symbol == BTC else "BTC"),
        "cancel": lambda: exchange.desk.cancel_all(account, symbol),
    }
    try:
        acts[what]()
    except Refusal:
        return


def traded(fill: Fill) -> tuple[Decimal, Decimal]:
    """Return what a spot fill moved before fees: coins and quote currency."""
    sign = fill.side.sign
    return fill.quantity * sign, -(fill.quantity * fill.price) * sign


@settings(max_examples=80)
@given(steps=Steps, isolated=st.sets(st.sampled_from([BTC, INVERSE])))
def test_every_wallet_is_the_sum_of_its_causes(steps: list[tuple[str, str, int]], isolated: set[str]) -> None:
    markets = Markets()
    account = markets.account(usdt="2000", btc="20", fee="0.001")
    for symbol in sorted(isolated):
        markets.exchange.set_isolated(account, symbol, isolated=True)
    for what, symbol, number in steps:
        act(markets, account, what, symbol, number)
    sums: dict[tuple[str, str], Decimal] = {}
    for change in account.changes:
        key = (change.asset, change.kind)
        sums[key] = sums.get(key, D(0)) + change.amount
    fills = account.fills
    spot = [fill for fill in fills if kind_of(fill.symbol) is Kind.SPOT]
    for asset, wallet in account.wallets.items():
        kinds = {kind: amount for (where, kind), amount in sums.items() if where == asset}
        assert sum(kinds.values(), D(0)) == wallet
        settled = [f for f in fills if f.symbol == (BTC if asset == "USDT" else INVERSE)]
        assert kinds.get("REALIZED_PNL", D(0)) == sum((f.realised_pnl for f in settled), D(0))
        assert kinds.get("COMMISSION", D(0)) == -sum(
            (f.commission for f in fills if f.commission_asset == asset), D(0)
        )
        part = 0 if asset == "BTC" else 1
        assert kinds.get("TRADE", D(0)) == sum((traded(f)[part] for f in spot), D(0))
    state = markets.exchange.state
    for asset in ("USDT", "BTC"):
        held = locked(state, account, asset)
        assert held >= 0
        tied = total_margin(state, account, asset) - isolated_margin(state, account, asset)
        left = cross_balance(state, account, asset) - tied - held
        assert abs(available(state, account, asset) - left) < D("1e-18")  # the one-pass form says the same
        assert 0 <= free(state, account, asset) <= max(D(0), account.wallets[asset] - held)
    waiting = markets.exchange.conditionals.live(account)
    spots = {c.reserve for c in waiting if kind_of(c.request.symbol) is Kind.SPOT}
    assert set(account.reserves) == spots
    assert all(c.status is ConditionalStatus.NEW for c in waiting)


@settings(max_examples=80)
@given(numbers=st.lists(Numbers, min_size=1, max_size=20), mark=st.integers(970, 1030))
def test_exchanging_coins_conserves_their_worth_less_fee_and_spread(numbers: list[int], mark: int) -> None:
    markets = Markets()
    account = markets.account(usdt="2000", btc="20")
    for number in numbers:
        act(markets, account, "market", SPOT, number)
    coins = account.wallets["BTC"] - 20
    money = account.wallets["USDT"] - 2000
    paid = sum((fill.quantity * fill.price * fill.side.sign for fill in account.fills), D(0))
    assert coins == sum((fill.quantity * fill.side.sign for fill in account.fills), D(0))
    assert money == -paid
    assert money + coins * 100 <= 0  # at an unmoved mark every trade gives up its spread
    assert min(account.wallets.values()) >= 0


@settings(max_examples=80)
@given(numbers=st.lists(st.tuples(Numbers, st.integers(900, 1100)), min_size=1, max_size=20))
def test_inverse_profit_is_what_the_coins_say(numbers: list[tuple[int, int]]) -> None:
    markets = Markets()
    account = markets.account(btc="500")
    for number, price in numbers:
        markets.price(str(D(price) / 10), INVERSE)
        act(markets, account, "market", INVERSE, number)
    position, mark = next(iter(account.positions.values())), markets.exchange.state.mark(INVERSE)
    coins = sum((f.quantity / f.price * f.side.sign for f in account.fills), D(0))
    profit = account.wallets["BTC"] - 500 + position.unrealised(mark)
    assert abs(profit - (coins - position.quantity / mark)) <= CENT * len(account.fills)
