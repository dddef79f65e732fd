"""Rows of Bitget's answers and messages as the venue documents them, to be changed by the tests."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.exchanges.requests import PlaceOrder
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, MarketKind, Side, Symbol, Venue
from app.domain.shared.money import money, price, quantity

DATA = Path(__file__).resolve().parents[6] / "shared/data/exchange_vectors"
BTC = Symbol("BTC-USDT")
NAMES = {"BTCUSDT": BTC, "ETHUSDT": Symbol("ETH-USDT")}
MARKS = {BTC: price("27000"), Symbol("BGB-USDT"): price("2")}
PERPETUAL = Instrument(
    venue=Venue.BITGET_USDT_FUTURES, symbol=BTC, venue_symbol="BTCUSDT", tick=Decimal("0.1"), step=Decimal("0.001"),
    quantity_min=quantity("0.001"), quantity_max=quantity(120), notional_min=money(5),
)  # fmt: skip
COINS = replace(
    PERPETUAL, venue=Venue.BITGET_SPOT, kind=MarketKind.SPOT, tick=Decimal("0.01"), step=Decimal("0.000001")
)
ID = ClientOrderId("cp1-f-00000001")
AT_MS = 1763800000123
MARKET = PlaceOrder(PERPETUAL, Side.BUY, quantity("0.01"), False, ID, AT_MS, 5000)


def load(name: str) -> Any:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"no third-party vectors beside the repository ({name})")
    return json.loads(path.read_text(encoding="utf-8"))


def answer(data: object, code: str = "00000") -> bytes:
    """Write an answer."""
    return json.dumps({"code": code, "msg": "success", "requestTime": AT_MS, "data": data}).encode()


def message(line: str, channel: str, *rows: object) -> bytes:
    """Write a message of the stream."""
    arg = {"instType": line, "channel": channel, "instId": "default"}
    return json.dumps({"action": "snapshot", "arg": arg, "data": rows, "ts": AT_MS}).encode()


def futures_order(**change: object) -> dict[str, object]:
    row: dict[str, object] = {
        "symbol": "BTCUSDT", "size": "0.02", "orderId": "1111461743123927040", "clientOid": "mine", "baseVolume": "0.01",
        "fee": "-0.1", "price": "", "priceAvg": "27000.5", "state": "partially_filled", "side": "buy", "force": "gtc",
        "totalProfits": "0", "posSide": "net", "marginCoin": "USDT", "quoteVolume": "270.005", "orderType": "market",
        "leverage": "20", "marginMode": "crossed", "reduceOnly": "NO", "enterPointSource": "API", "tradeSide": "buy_single",
        "posMode": "one_way_mode", "orderSource": "normal", "cTime": "1700719050198", "uTime": "1700719050200",
    }  # fmt: skip
    return {**row, **change}


def listed_order(**change: object) -> dict[str, object]:
    """Lists and the stream say `status`."""
    row = futures_order()
    row["status"] = row.pop("state")
    return {**row, **change}


def streamed_order(**change: object) -> dict[str, object]:
    row = listed_order()
    row["instId"], row["accBaseVolume"] = row.pop("symbol"), row.pop("baseVolume")
    row |= {
        "baseVolume": "0.01",
        "fillPrice": "27000.5",
        "tradeId": "1",
        "fillFee": "-0.1",
        "fillFeeCoin": "USDT",
    }
    return {**row, **change}


def spot_order(**change: object) -> dict[str, object]:
    row: dict[str, object] = {
        "userId": "1", "symbol": "BTCUSDT", "orderId": "1111461743123927041", "clientOid": "mine", "price": "25000",
        "size": "0.02", "orderType": "limit", "side": "buy", "status": "live", "priceAvg": "25000", "baseVolume": "0",
        "quoteVolume": "0", "enterPointSource": "API", "orderSource": "normal", "cTime": "1700719050198",
        "uTime": "1700719050198",
    }  # fmt: skip
    return {**row, **change}


def futures_fill(**change: object) -> dict[str, object]:
    row: dict[str, object] = {
        "tradeId": "1111468664328269825", "symbol": "BTCUSDT", "orderId": "1111468664264753162", "price": "37271.4",
        "baseVolume": "0.001", "feeDetail": [{"deduction": "no", "feeCoin": "USDT", "totalDeductionFee": None,
        "totalFee": "-0.02236284"}], "side": "buy", "quoteVolume": "37.2714", "profit": "-0.0007", "tradeSide": "close",
        "posMode": "hedge_mode", "tradeScope": "taker", "cTime": "1700720700342",
    }  # fmt: skip
    return {**row, **change}


def spot_fill(**change: object) -> dict[str, object]:
    row: dict[str, object] = {
        "userId": "1", "symbol": "BTCUSDT", "orderId": "12345678910", "tradeId": "12345678911", "orderType": "market",
        "side": "buy", "priceAvg": "13000", "size": "0.0007", "amount": "9.1", "tradeScope": "taker",
        "feeDetail": {"deduction": "no", "feeCoin": "BTC", "totalDeductionFee": "", "totalFee": "-0.0000007"},
        "cTime": "1695865232579", "uTime": "1695865233027",
    }  # fmt: skip
    return {**row, **change}


def futures_plan(**change: object) -> dict[str, object]:
    row: dict[str, object] = {
        "planType": "loss_plan", "symbol": "BTCUSDT", "size": "0.01", "orderId": "1272849518383902721", "clientOid": "mine",
        "executeOrderId": "", "planStatus": "live", "price": "0", "executePrice": "0", "triggerPrice": "26000",
        "triggerType": "mark_price", "side": "buy", "posSide": "long", "marginCoin": "USDT", "tradeSide": "close",
        "posMode": "hedge_mode", "orderType": "market", "cTime": "1739196894260", "uTime": "1739196894260",
    }  # fmt: skip
    return {**row, **change}


def spot_plan(**change: object) -> dict[str, object]:
    row: dict[str, object] = {
        "orderId": "121211212122", "clientOid": "mine", "symbol": "BTCUSDT", "size": "0.01", "executePrice": "0",
        "triggerPrice": "26000", "status": "not_trigger", "orderType": "market", "side": "sell", "planType": "amount",
        "triggerType": "mark_price", "enterPointSource": "API", "uTime": "1668134576563", "cTime": "1668134576563",
    }  # fmt: skip
    return {**row, **change}


def position(**change: object) -> dict[str, object]:
    row: dict[str, object] = {
        "marginCoin": "USDT", "symbol": "BTCUSDT", "holdSide": "long", "openDelegateSize": "0", "marginSize": "3.7",
        "available": "0.002", "locked": "0", "total": "0.002", "leverage": "20", "achievedProfits": "0",
        "openPriceAvg": "37355.5", "marginMode": "crossed", "posMode": "hedge_mode", "unrealizedPL": "0.007",
        "liquidationPrice": "31724.9", "keepMarginRate": "0.004", "markPrice": "37359", "cTime": "1700807507275",
    }  # fmt: skip
    return {**row, **change}


def wallet(**change: object) -> dict[str, object]:
    row: dict[str, object] = {
        "marginCoin": "USDT", "locked": "0", "available": "13168.86", "crossedMaxAvailable": "13000.5",
        "isolatedMaxAvailable": "13000.5", "maxTransferOut": "13000.5", "accountEquity": "13178.86",
        "usdtEquity": "13178.86", "btcEquity": "0.3", "crossedRiskRate": "0", "unrealizedPL": "10", "coupon": "0",
    }  # fmt: skip
    return {**row, **change}


def coin(**change: object) -> dict[str, object]:
    row: dict[str, object] = {
        "coin": "BTC", "available": "0.5", "frozen": "0.2", "locked": "0.1", "limitAvailable": "0", "uTime": "1622697148",
    }  # fmt: skip
    return {**row, **change}
