"""An exchange with a clock that tests turn, and short ways to trade on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from simulator.engine.account import Account
from simulator.engine.exchange import Exchange, NewAccount
from simulator.engine.instrument import Instrument
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
