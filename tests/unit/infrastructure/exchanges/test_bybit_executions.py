"""Executions of every category: what fee they paid in which coin, what they earned, and what is no execution of ours."""

from __future__ import annotations

import json

import pytest

from app.domain.shared.execution import Fill
from app.domain.shared.market import Symbol, Venue
from app.domain.shared.money import money, price, quantity
from app.infrastructure.exchanges.bybit.wire.events import read_facts
from app.infrastructure.exchanges.reading import Unreadable
from tests.unit.infrastructure.exchanges.bybit_rows import INVERSE, NAMES, SPOT, execution, facts


def test_an_execution_becomes_a_fill_with_fee_and_profit() -> None:
    (fill,) = facts("execution.linear", execution())
    assert isinstance(fill, Fill)
    assert (fill.trade_id, fill.fee, fill.realised_pnl, fill.order_final) == (
        "e-1",
        money("0.5"),
        money("-3.5"),
        False,
    )
    (last,) = facts("execution", execution(leavesQty="0"))
    assert isinstance(last, Fill)
    assert last.order_final


@pytest.mark.parametrize(
    ("change", "fee", "kept"),
    [
        ({"side": "Buy", "feeCurrency": "BTC", "execFee": "0.001"}, "0.1005", "0.001"),
        ({"side": "Sell", "feeCurrency": "USDT", "execFee": "0.1"}, "0.1", "0"),
        (
            {"side": "Buy", "feeCurrency": "BTC", "execFee": "-0.001"},
            "-0.1005",
            "0",
        ),  # a rebate keeps nothing
        ({"side": "Sell", "feeCurrency": "BTC", "execFee": "0.001"}, "0.1005", "0"),
        ({"side": "Buy", "feeCurrency": "MNT", "execFee": "2"}, "1", "0"),
    ],
)
def test_the_fee_of_a_spot_execution_is_told_by_its_coin(
    change: dict[str, object], fee: str, kept: str
) -> None:
    body = json.dumps(
        {
            "topic": "execution.spot",
            "creationTime": 1,
            "data": [execution(category="spot", execPnl="", **change)],
        }
    ).encode()
    (fill,) = read_facts(body, SPOT, NAMES, {Symbol("MNT-USDT"): price("0.5")})
    assert isinstance(fill, Fill)
    assert (fill.venue, fill.fee, fill.base_fee) == (Venue.BYBIT_SPOT, money(fee), quantity(kept))


def test_an_inverse_execution_pays_and_earns_coins() -> None:
    row = execution(
        category="inverse", symbol="BTCUSD", execQty="640", feeCurrency="BTC", execFee="0.000005", execPnl="0.0001"
    )  # fmt: skip
    (fill,) = facts("execution.inverse", row, category=INVERSE, names={"BTCUSD": Symbol("BTC-USD")})
    assert isinstance(fill, Fill)
    assert (fill.fee, fill.realised_pnl, fill.quantity) == (
        money("0.000005"), money("0.0001"), quantity(640)
    )  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"execId": ""}, {"orderId": ""}, {"execQty": "0"}, {"execQty": "-1"}, {"execPrice": "0"}, {"side": "None"},
        {"execTime": "x"}, {"execFee": "NaN"}, {"execPnl": "1e3"}, {"leavesQty": "many"}, {"execQty": 1},
    ],
)  # fmt: skip
def test_a_contradictory_execution_is_refused_not_booked(change: dict[str, object]) -> None:
    with pytest.raises(Unreadable):
        facts("execution", execution(**change))


@pytest.mark.parametrize(
    "change",
    [
        {"category": "inverse"}, {"category": "spot"}, {"category": ""}, {"symbol": "OTHERUSDT"},
        {"execType": "Settle"}, {"execType": "UNKNOWN"},
    ],
)  # fmt: skip
def test_what_is_not_ours_or_moves_nothing_is_left_out(change: dict[str, object]) -> None:
    assert facts("execution", execution(**change)) == []
