"""An exchange with a clock that tests turn, and short ways to trade on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from simulator.engine.account import Account
from simulator.engine.exchange import Exchange, NewAccount
from simulator.engine.instrument import Instrument, Kind
from simulator.engine.order import Order, OrderRequest, OrderType, PositionSide, Side, TimeInForce

BTC = "BTCUSDT"


@dataclass
class HandClock:
    now_ms: int = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now_ms


@dataclass
class Bench:
    """One exchange with one instrument at 100, tick 0.1, step 0.01, two ticks of spread, ten contracts a level."""

    clock: HandClock = field(default_factory=HandClock)

    def __post_init__(self) -> None:
        d = Decimal
        instrument = Instrument(
            BTC, "BTC", "USDT", d(100), d("0.1"), d("0.01"), d("0.01"), d(5), max_quantity=d(10_000),
            max_market_quantity=d(5_000), spread_ticks=2, depth_quantity=d(10),
        )  # fmt: skip
        self.exchange = Exchange(7, self.clock, (instrument,))

    def account(self, balance: str = "10000", label: str = "alice") -> Account:
        return self.exchange.open_account(NewAccount(label, Decimal(balance)))

    def market(self, account: Account, side: Side, quantity: str, **more: object) -> Order:
        return self.place(account, side, quantity, OrderType.MARKET, **more)

    def limit(
        self, account: Account, side: Side, quantity: str, price: str,
        time_in_force: TimeInForce = TimeInForce.GTC, **more: object,
    ) -> Order:  # fmt: skip
        return self.place(
            account,
            side,
            quantity,
            OrderType.LIMIT,
            price=Decimal(price),
            time_in_force=time_in_force,
            **more,
        )

    def place(self, account: Account, side: Side, quantity: str, kind: OrderType, **more: object) -> Order:
        request = OrderRequest(BTC, side, kind, Decimal(quantity), **more)  # type: ignore[arg-type]  # forwarded by name
        return self.exchange.desk.place(account, request)

    def held(self, account: Account, side: PositionSide = PositionSide.BOTH) -> Decimal:
        return account.held(BTC, side)

    def price(self, price: str) -> None:
        self.exchange.set_price(BTC, Decimal(price))


SPOT = "BTCUSDT:SPOT"
INVERSE = "BTCUSD:INVERSE"


@dataclass
class Markets:
    """One exchange with one coin in all three kinds, each at 100 with tick 0.1 and ten units a level; no fees unless
    asked for. `trade` places a market order, or a limit order when a price is given.
    """

    clock: HandClock = field(default_factory=HandClock)

    def __post_init__(self) -> None:
        d = Decimal
        shape = {"max_quantity": d(10_000), "max_market_quantity": d(5_000), "spread_ticks": 2}
        self.exchange = Exchange(
            7,
            self.clock,
            (
                Instrument(BTC, "BTC", "USDT", d(100), d("0.1"), d("0.01"), d("0.01"), d(5), **shape),  # type: ignore[arg-type]  # forwarded by name
                Instrument(SPOT, "BTC", "USDT", d(100), d("0.1"), d("0.01"), d("0.01"), d(5), kind=Kind.SPOT, **shape),  # type: ignore[arg-type]  # the same
                Instrument(INVERSE, "BTC", "USD", d(100), d("0.1"), d(1), d(1), d(1), kind=Kind.INVERSE,
                           depth_quantity=d(1000), **shape),  # type: ignore[arg-type]  # the same
            ),
        )  # fmt: skip

    def account(self, usdt: str = "10000", btc: str = "10", fee: str = "0", label: str = "alice") -> Account:
        wanted = NewAccount(
            label,
            Decimal(usdt),
            taker_fee=Decimal(fee),
            maker_fee=Decimal(fee),
            balances={"BTC": Decimal(btc)},
        )
        return self.exchange.open_account(wanted)

    def trade(
        self, account: Account, symbol: str, side: Side, quantity: str, price: str = "", **more: object
    ) -> Order:
        kind = OrderType.LIMIT if price else OrderType.MARKET
        request = OrderRequest(symbol, side, kind, Decimal(quantity), Decimal(price or 0), **more)  # type: ignore[arg-type]  # forwarded by name
        return self.exchange.desk.place(account, request)

    def price(self, price: str, symbol: str = BTC) -> None:
        self.exchange.set_price(symbol, Decimal(price))
