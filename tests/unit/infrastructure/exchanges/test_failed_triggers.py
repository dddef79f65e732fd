"""A trigger that was reached and became no order: each venue's words for it end the protection, for one that counts as
triggered holds exits back until its order is found.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from app.domain.exchanges.protection import ProtectionReport
from app.domain.shared.clock import from_epoch_ms
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Venue
from app.domain.shared.triggers import ProtectionStatus
from app.infrastructure.exchanges.binance.wire import algo, spot_orders
from app.infrastructure.exchanges.bitget.wire.plans import read_plans
from app.infrastructure.exchanges.bitget.wire.products import FUTURES, SPOT
from app.infrastructure.exchanges.bybit.wire.protections import read_protection as read_bybit
from app.infrastructure.exchanges.hyperliquid.wire import protections as hyperliquid
from app.infrastructure.exchanges.hyperliquid.wire.orders import OrderRow
from app.infrastructure.exchanges.okx.wire import protections as okx
from tests.unit.infrastructure.exchanges import bybit_rows
from tests.unit.infrastructure.exchanges.binance import binance_rows
from tests.unit.infrastructure.exchanges.bitget import bitget_rows
from tests.unit.infrastructure.exchanges.hyperliquid import rows as hyperliquid_rows
from tests.unit.infrastructure.exchanges.okx import okx_rows

MINE = ClientOrderId("mine")
REJECTED, EXPIRED, CANCELED = ProtectionStatus.REJECTED, ProtectionStatus.EXPIRED, ProtectionStatus.CANCELED
TRIGGERED = ProtectionStatus.TRIGGERED
Read = Callable[[Mapping[str, Any]], ProtectionReport | None]


def usdm(change: Mapping[str, Any]) -> ProtectionReport:
    return algo.read_protection(
        binance_rows.BTC, binance_rows.ID, binance_rows.changed(binance_rows.ALGO, **change)
    )


def usdm_told(change: Mapping[str, Any]) -> ProtectionReport | None:
    row = {
        "caid": "mine", "aid": 7, "at": "CONDITIONAL", "o": "STOP_MARKET", "s": "BTCUSDT", "S": "SELL", "ps": "BOTH",
        "q": "0.01", "ai": "", "tp": "60000", "R": True, "cp": False, **change,
    }  # fmt: skip
    body = json.dumps({"e": "ALGO_UPDATE", "T": 5, "E": 5, "o": row}).encode()
    return algo.read_change(body, binance_rows.NAMES, Venue.BINANCE_USDM)


def binance_spot(change: Mapping[str, Any]) -> ProtectionReport:
    body = binance_rows.changed(binance_rows.SPOT_WAITING, **change)
    return spot_orders.read_protection(binance_rows.SPOT, binance_rows.ID, body)


def bybit_linear(change: Mapping[str, Any]) -> ProtectionReport | None:
    body = bybit_rows.listed(bybit_rows.stop(**change))
    return read_bybit(bybit_rows.instrument(Venue.BYBIT_LINEAR), MINE, body)


def bybit_spot(change: Mapping[str, Any]) -> ProtectionReport | None:
    row = bybit_rows.stop(category="spot", basePrice="100", triggerDirection=0, reduceOnly=False, **change)
    return read_bybit(bybit_rows.instrument(Venue.BYBIT_SPOT), MINE, bybit_rows.listed(row))


def okx_swap(change: Mapping[str, Any]) -> ProtectionReport | None:
    return okx.read_protection(okx_rows.SWAPS, MINE, okx_rows.answer(okx_rows.algo(**change)))


def okx_spot(change: Mapping[str, Any]) -> ProtectionReport | None:
    row = okx_rows.algo(instType="SPOT", instId="BTC-USDT", **change)
    return okx.read_protection(okx_rows.COINS, MINE, okx_rows.answer(row))


def bitget_futures(change: Mapping[str, Any]) -> ProtectionReport:
    body = bitget_rows.answer({"entrustedList": [bitget_rows.futures_plan(**change)]})
    (found,), _ = read_plans(FUTURES, body, bitget_rows.NAMES, bitget_rows.MARKS)
    return found


def bitget_spot(change: Mapping[str, Any]) -> ProtectionReport:
    body = bitget_rows.answer({"orderList": [bitget_rows.spot_plan(**change)]})
    (found,), _ = read_plans(SPOT, body, bitget_rows.NAMES, bitget_rows.MARKS)
    return found


def hyperliquid_perp(change: Mapping[str, Any]) -> ProtectionReport:
    row = msgspec.json.decode(hyperliquid_rows.raw(hyperliquid_rows.TRIGGER), type=OrderRow)
    at = from_epoch_ms(hyperliquid_rows.NOW)
    return hyperliquid.report_of(row, bybit_rows.BTC, str(change["status"]), at)


FAILED: list[tuple[Read, dict[str, Any], ProtectionStatus]] = [
    (usdm, {"algoStatus": "REJECTED"}, REJECTED),
    (usdm, {"algoStatus": "EXPIRED"}, EXPIRED),
    (usdm, {"algoStatus": "FINISHED"}, EXPIRED),
    (usdm, {"algoStatus": "FINISHED", "actualOrderId": "0"}, EXPIRED),
    (usdm_told, {"X": "REJECTED"}, REJECTED),
    (usdm_told, {"X": "EXPIRED"}, EXPIRED),
    (usdm_told, {"X": "FINISHED"}, EXPIRED),
    (binance_spot, {"status": "REJECTED"}, REJECTED),
    (binance_spot, {"status": "EXPIRED"}, EXPIRED),
    (binance_spot, {"status": "EXPIRED_IN_MATCH"}, EXPIRED),
    (bybit_linear, {"orderStatus": "Rejected"}, REJECTED),
    (bybit_linear, {"orderStatus": "Cancelled", "cancelType": "CancelByReduceOnly"}, EXPIRED),
    (bybit_linear, {"orderStatus": "Deactivated"}, CANCELED),
    (bybit_spot, {"orderStatus": "Rejected"}, REJECTED),
    (bybit_spot, {"orderStatus": "Cancelled", "cancelType": "CancelByUser"}, CANCELED),
    (okx_swap, {"state": "order_failed", "failCode": "51008"}, REJECTED),
    (okx_swap, {"state": "partially_failed"}, REJECTED),
    (okx_spot, {"state": "order_failed"}, REJECTED),
    (bitget_futures, {"planStatus": "fail_execute"}, REJECTED),
    (bitget_futures, {"planStatus": "fail_trigger"}, REJECTED),
    (bitget_spot, {"status": "fail_execute"}, REJECTED),
    (bitget_spot, {"status": "fail_trigger"}, REJECTED),
    (hyperliquid_perp, {"status": "perpMarginRejected"}, REJECTED),
    (hyperliquid_perp, {"status": "minTradeNtlRejected"}, REJECTED),
    (hyperliquid_perp, {"status": "reduceOnlyCanceled"}, CANCELED),
]
BECAME: list[tuple[Read, dict[str, Any]]] = [
    (usdm, {"algoStatus": "FINISHED", "actualOrderId": "77"}),
    (usdm_told, {"X": "FINISHED", "ai": "77"}),
    (okx_swap, {"state": "partially_failed", "ordIdList": ["77"]}),
    (okx_spot, {"state": "partially_failed", "ordIdList": ["77"]}),
    (bitget_futures, {"planStatus": "executed", "executeOrderId": "77"}),
]


@pytest.mark.parametrize(("told", "change", "status"), FAILED)
def test_a_trigger_that_became_no_order_ends_the_protection(
    told: Read, change: dict[str, Any], status: ProtectionStatus
) -> None:
    found = told(change)
    assert found is not None
    assert (found.status, found.order_id) == (status, None)


@pytest.mark.parametrize(("told", "change"), BECAME)
def test_one_that_became_an_order_has_triggered_whatever_became_of_that(
    told: Read, change: dict[str, Any]
) -> None:
    found = told(change)
    assert found is not None
    assert (found.status, found.order_id) == (TRIGGERED, "77")
