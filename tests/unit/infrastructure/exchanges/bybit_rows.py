"""Rows of Bybit's private stream as the venue writes them, to be changed by the tests."""

from __future__ import annotations

import json

from app.domain.shared.market import Symbol
from app.infrastructure.exchanges.bybit.wire.events import Fact, read_facts

BTC = Symbol("BTC-USDT")
NAMES = {"BTCUSDT": BTC, "ETHUSDT": Symbol("ETH-USDT"), "ICPUSDT": Symbol("ICP-USDT")}


def execution(**change: object) -> dict[str, object]:
    row: dict[str, object] = {
        "category": "linear", "symbol": "BTCUSDT", "orderId": "v-1", "orderLinkId": "mine", "side": "Sell", "execFee": "0.5",
        "execId": "e-1", "execPrice": "100.5", "execQty": "1", "execType": "Trade", "execTime": "1700000000000",
        "feeCurrency": "USDT", "orderQty": "2", "leavesQty": "1", "closedSize": "1", "execPnl": "-3.5",
    }  # fmt: skip
    return {**row, **change}


def order(**change: object) -> dict[str, object]:
    row: dict[str, object] = {
        "category": "linear", "symbol": "BTCUSDT", "orderId": "v-1", "orderLinkId": "mine", "side": "Sell", "qty": "2",
        "orderStatus": "PartiallyFilled", "cumExecQty": "1", "avgPrice": "100.5", "reduceOnly": True,
        "updatedTime": "1700000000000",
    }  # fmt: skip
    return {**row, **change}


def message(topic: str, *rows: dict[str, object]) -> bytes:
    return json.dumps({"id": "1", "topic": topic, "creationTime": 1_700_000_000_000, "data": rows}).encode()


def facts(topic: str, *rows: dict[str, object]) -> list[Fact]:
    return read_facts(message(topic, *rows), NAMES, {})
