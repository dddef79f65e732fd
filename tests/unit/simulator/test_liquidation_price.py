from __future__ import annotations

from decimal import Decimal

import pytest

from simulator.engine.liquidation_price import liquidation_price
from simulator.engine.order import PositionSide, Side
from tests.unit.simulator.builders import BTC, INVERSE, Markets

D = Decimal


@pytest.mark.parametrize("isolated", [False, True])
@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
@pytest.mark.parametrize(("symbol", "quantity"), [(BTC, "9"), (INVERSE, "900")])
def test_the_shown_price_is_where_the_liquidation_strikes(
    symbol: str, quantity: str, side: Side, isolated: bool
) -> None:
    markets = Markets()
    account, state = markets.account(usdt="100", btc="1"), markets.exchange.state
    if isolated:
        markets.exchange.set_isolated(account, symbol, isolated=True)
    markets.trade(account, symbol, side, quantity)
    position = account.position(symbol, PositionSide.BOTH)
    price = liquidation_price(state, account, position)
    assert 80 < price < 120
    markets.price(str(price + D("0.001") * side.sign), symbol)
    assert position.quantity
    assert abs(liquidation_price(state, account, position) - price) < D("1e-6")
    markets.price(str(price - D("0.001") * side.sign), symbol)
    assert not position.quantity
    assert liquidation_price(state, account, position) == 0


def test_a_position_that_the_wallet_covers_at_any_price_shows_none() -> None:
    markets = Markets()
    account = markets.account(usdt="10000")
    markets.trade(account, BTC, Side.BUY, "1")
    position = account.position(BTC, PositionSide.BOTH)
    assert liquidation_price(markets.exchange.state, account, position) == 0
