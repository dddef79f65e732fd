"""Rows of Bybit's answers and private stream as the venue writes them, to be changed by the tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.domain.shared.market import Instrument, MarketKind, Symbol, Venue
from app.domain.shared.money import money, price, quantity
from app.infrastructure.exchanges.bybit.wire.category import CATEGORIES, Category
from app.infrastructure.exchanges.bybit.wire.events import Fact, read_facts

DATA = Path(__file__).resolve().parents[5] / "shared/data/exchange_vectors"
LINEAR = CATEGORIES[Venue.BYBIT_LINEAR]
SPOT = CATEGORIES[Venue.BYBIT_SPOT]
INVERSE = CATEGORIES[Venue.BYBIT_INVERSE]
BTC = Symbol("BTC-USDT")
NAMES = {"BTCUSDT": BTC, "ETHUSDT": Symbol("ETH-USDT"), "ICPUSDT": Symbol("ICP-USDT")}
INVERSE_NAMES = {"BTCUSD": Symbol("BTC-USD")}


def instrument(venue: Venue) -> Instrument:
    inverse = venue is Venue.BYBIT_INVERSE
    return Instrument(
        venue=venue, symbol=Symbol("BTC-USD") if inverse else BTC, venue_symbol="BTCUSD" if inverse else "BTCUSDT",
        tick=price("0.1"), step=quantity(1) if inverse else quantity("0.001"), quantity_min=quantity("0.001"),
        quantity_max=quantity(120), notional_min=money(5), kind=CATEGORIES[venue].kind, settle="BTC" if inverse else "USDT",
        leverage_max=1 if CATEGORIES[venue].kind is MarketKind.SPOT else 125,
    )  # fmt: skip


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
        "updatedTime": "1700000000000", "stopOrderType": "", "triggerPrice": "", "triggerDirection": 0, "cancelType": "UNKNOWN",
    }  # fmt: skip
    return {**row, **change}


def stop(**change: object) -> dict[str, object]:
    """A waiting stop-loss of a long position."""
    row: dict[str, object] = {
        "orderStatus": "Untriggered", "cumExecQty": "0", "avgPrice": "", "stopOrderType": "Stop", "triggerPrice": "90",
        "triggerDirection": 2, "closeOnTrigger": True,
    }  # fmt: skip
    return order(**{**row, **change})


def wallet(**change: object) -> dict[str, object]:
    row: dict[str, object] = {
        "coin": "USDT", "equity": "100", "usdValue": "100", "walletBalance": "100", "locked": "0", "bonus": "0",
        "totalOrderIM": "0", "totalPositionIM": "0", "spotBorrow": "0",
    }  # fmt: skip
    return {"accountType": "UNIFIED", "totalAvailableBalance": "80", "coin": [{**row, **change}]}


def answer(result: object, code: int = 0, text: str = "OK") -> bytes:
    return json.dumps(
        {"retCode": code, "retMsg": text, "result": result, "retExtInfo": {}, "time": 1_700_000_000_001}
    ).encode()


def listed(*rows: object, cursor: str = "") -> bytes:
    return answer({"list": rows, "nextPageCursor": cursor})


def message(topic: str, *rows: dict[str, object]) -> bytes:
    return json.dumps({"id": "1", "topic": topic, "creationTime": 1_700_000_000_000, "data": rows}).encode()


def facts(
    topic: str,
    *rows: dict[str, object],
    category: Category = LINEAR,
    names: dict[str, Symbol] = NAMES,
) -> list[Fact]:
    return read_facts(message(topic, *rows), category, names, {})


def load(name: str) -> Any:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"no third-party vectors beside the repository ({name})")
    return json.loads(path.read_text(encoding="utf-8"))


def recorded(name: str) -> bytes:
    return json.dumps(load(f"nautilus_recorded/bybit/{name}.json")).encode()
