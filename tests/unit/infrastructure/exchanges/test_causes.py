"""Why an execution happened, in each venue's own words."""

from __future__ import annotations

import msgspec
import pytest

from app.domain.shared.execution import FillCause
from app.infrastructure.exchanges.binance.wire.orders import cause_of
from app.infrastructure.exchanges.bitget.wire.fills import cause_of as bitget_cause
from app.infrastructure.exchanges.hyperliquid.wire.fills import FillRow, fill_of
from app.infrastructure.exchanges.okx.wire.orders import CAUSES
from tests.unit.domain.builders import BTC

TRADE, LIQUIDATION, DELEVERAGING = FillCause.TRADE, FillCause.LIQUIDATION, FillCause.DELEVERAGING


@pytest.mark.parametrize(
    ("name", "cause"),
    [("autoclose-17", LIQUIDATION), ("adl_autoclose", DELEVERAGING), ("web_1", TRADE), ("", TRADE)],
)
def test_binance_tells_by_the_name_of_the_order(name: str, cause: FillCause) -> None:
    assert cause_of(name) is cause


@pytest.mark.parametrize(
    ("word", "cause"),
    [
        ("burst_close_long", LIQUIDATION),
        ("burst_buy_single", LIQUIDATION),
        ("reduce_close_short", DELEVERAGING),
        ("reduce_sell_single", DELEVERAGING),
        ("close", TRADE),
        ("reduce_only", TRADE),
        ("", TRADE),
    ],
)
def test_bitget_tells_by_the_side_of_the_trade(word: str, cause: FillCause) -> None:
    assert bitget_cause(word) is cause


@pytest.mark.parametrize(
    ("word", "cause"),
    [
        ("full_liquidation", LIQUIDATION),
        ("partial_liquidation", LIQUIDATION),
        ("adl", DELEVERAGING),
        ("normal", TRADE),
    ],
)
def test_okx_tells_by_the_category_of_the_order(word: str, cause: FillCause) -> None:
    assert CAUSES.get(word, TRADE) is cause


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        ({"dir": "Close Long"}, TRADE),
        ({"dir": "Liquidated Cross Long"}, LIQUIDATION),
        ({"dir": "Auto-Deleveraging"}, DELEVERAGING),
        ({"dir": "Close Long", "liquidation": {"method": "market"}}, LIQUIDATION),
        ({"dir": "Open Long", "liquidation": {"method": "market"}, "crossed": False}, TRADE),
        ({"liquidation": None}, TRADE),
        ({}, TRADE),
    ],
)
def test_hyperliquid_tells_by_the_direction_and_by_who_took(
    more: dict[str, object], cause: FillCause
) -> None:
    row = {
        "coin": "BTC", "px": "100", "sz": "1", "side": "A", "time": 1, "oid": 1, "tid": 2, "fee": "0",
        "closedPnl": "0", "feeToken": "USDC", **more,
    }  # fmt: skip
    assert fill_of(msgspec.json.decode(msgspec.json.encode(row), type=FillRow), BTC, {}).cause is cause
