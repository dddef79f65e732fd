from __future__ import annotations

from decimal import Decimal

import pytest

from simulator.engine.conditional import Conditional, ConditionalStatus, ConditionalType
from simulator.engine.order import OrderRequest, OrderType, Side, Uniqueness
from simulator.engine.refusal import Reason, Refusal
from tests.unit.simulator.builders import Bench

D = Decimal


@pytest.mark.parametrize(
    ("rule", "while_open", "once_filled"),
    [("open", True, False), ("always", True, True), ("none", False, False)],
)
def test_the_uniqueness_rule_decides_when_a_client_id_may_return(
    rule: str, while_open: bool, once_filled: bool
) -> None:
    bench = Bench()
    account = bench.account()
    bench.exchange.state.rules.client_id_uniqueness = rule  # type: ignore[assignment]  # a parameter is plain text

    def refused() -> bool:
        try:
            bench.limit(account, Side.BUY, "1", "99.0", client_order_id="same")
        except Refusal as refusal:
            return refusal.reason is Reason.DUPLICATE_CLIENT_ID
        return False

    assert not refused()
    assert refused() is while_open
    bench.exchange.desk.cancel_all(account, "BTCUSDT")
    assert refused() is once_filled


@pytest.mark.parametrize(
    ("unique", "while_open", "once_filled"),
    [("open", True, False), ("always", True, True), ("none", False, False)],
)
@pytest.mark.parametrize("conditional", [False, True])
def test_each_venue_has_its_own_uniqueness_until_the_operator_says_otherwise(
    unique: Uniqueness, while_open: bool, once_filled: bool, conditional: bool
) -> None:
    bench = Bench()
    account, exchange = bench.account(), bench.exchange

    def refused() -> bool:
        try:
            if conditional:
                request = OrderRequest("BTCUSDT", Side.SELL, OrderType.MARKET, D(1), unique=unique)
                kind = ConditionalType.STOP_MARKET
                waiting = Conditional(0, "same", account.account_id, kind, request, D(97), "MARK_PRICE", 0, 0)
                exchange.conditionals.place(account, waiting)
            else:
                bench.limit(account, Side.BUY, "1", "99.0", client_order_id="same", unique=unique)
        except Refusal as refusal:
            return refusal.reason is Reason.DUPLICATE_CLIENT_ID
        return False

    assert not refused()
    assert refused() is while_open
    exchange.desk.cancel_all(account, "BTCUSDT")
    exchange.conditionals.end_all(account, None, ConditionalStatus.CANCELED)
    assert refused() is once_filled
    exchange.state.rules.client_id_uniqueness = "none"
    assert not refused()
