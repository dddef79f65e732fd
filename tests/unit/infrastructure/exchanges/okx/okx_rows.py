"""Rows as OKX documents them, to be changed by the tests, and what is needed to read them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.shared.market import Instrument, MarketKind, Symbol, Venue
from app.domain.shared.money import NO_MONEY, quantity
from app.infrastructure.exchanges.okx.wire.terms import SPOT, SWAP, Contracts, Listed

DATA = Path(__file__).resolve().parents[6] / "shared/data/exchange_vectors"
BTC, ETH = Symbol("BTC-USDT"), Symbol("ETH-USDT")
SWAPS = Listed(
    SWAP,
    Contracts(
        {"BTC-USDT-SWAP": BTC, "ETH-USDT-SWAP": ETH},
        {"BTC-USDT-SWAP": Decimal("0.01"), "ETH-USDT-SWAP": Decimal("0.1")},
    ),
)
COINS = Listed(
    SPOT, Contracts({"BTC-USDT": BTC, "ETH-USDT": ETH}, {"BTC-USDT": Decimal(1), "ETH-USDT": Decimal(1)})
)
SWAP_BTC = Instrument(
    Venue.OKX_SWAP, BTC, "BTC-USDT-SWAP", Decimal("0.1"), Decimal("0.0001"), quantity("0.0001"), quantity(100),
    NO_MONEY, 100, MarketKind.LINEAR, Decimal("0.01"),
)  # fmt: skip
SPOT_BTC = Instrument(
    Venue.OKX_SPOT, BTC, "BTC-USDT", Decimal("0.1"), Decimal("0.00000001"), quantity("0.00001"), quantity(100),
    NO_MONEY, 1, MarketKind.SPOT,
)  # fmt: skip


def load(name: str) -> Any:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"no third-party vectors beside the repository ({name})")
    return json.loads(path.read_text(encoding="utf-8"))


def answer(*rows: object, code: str = "0", msg: str = "") -> bytes:
    return json.dumps({"code": code, "msg": msg, "data": rows}).encode()


def failed(code: str, text: str = "no") -> bytes:
    return answer({"ordId": "", "clOrdId": "mine", "sCode": code, "sMsg": text}, code="1")


def acknowledged(**change: object) -> dict[str, object]:
    row = {"ordId": "312269865356374016", "clOrdId": "mine", "tag": "", "ts": "1695190491421", "sCode": "0"}
    return {**row, "sMsg": "", **change}


def order(**change: object) -> dict[str, object]:
    row: dict[str, object] = {
        "instType": "SWAP", "instId": "BTC-USDT-SWAP", "ordId": "312269865356374016", "clOrdId": "mine", "algoClOrdId": "",
        "side": "sell", "posSide": "net", "tdMode": "cross", "ordType": "market", "state": "partially_filled", "sz": "2",
        "accFillSz": "1", "avgPx": "64000.5", "reduceOnly": "true", "tgtCcy": "", "uTime": "1700000000000",
        "cTime": "1699999999000", "fillPx": "64000.5", "fillSz": "1", "tradeId": "1518905529",
        "fillTime": "1700000000000", "fee": "-0.32", "feeCcy": "USDT", "pnl": "1.5",
    }  # fmt: skip
    return {**row, **change}


def streamed(**change: object) -> dict[str, object]:
    return order(**{"fillFee": "-0.32", "fillFeeCcy": "USDT", "fillPnl": "1.5", "execType": "T", **change})


def fill(**change: object) -> dict[str, object]:
    row: dict[str, object] = {
        "instType": "SWAP", "instId": "BTC-USDT-SWAP", "tradeId": "1518905529", "ordId": "312269865356374016",
        "clOrdId": "mine", "billId": "623950854533513219", "side": "sell", "posSide": "net", "execType": "T",
        "fillPx": "64000.5", "fillSz": "1", "fillPnl": "1.5", "fee": "-0.32", "feeCcy": "USDT", "ts": "1700000000000",
    }  # fmt: skip
    return {**row, **change}


def algo(**change: object) -> dict[str, object]:
    row: dict[str, object] = {
        "instType": "SWAP", "instId": "BTC-USDT-SWAP", "algoId": "1836487817828872192", "algoClOrdId": "mine",
        "clOrdId": "", "ordId": "", "ordIdList": [], "ordType": "conditional", "side": "sell", "posSide": "net",
        "sz": "1", "state": "live", "slTriggerPx": "60000", "slOrdPx": "-1", "slTriggerPxType": "mark",
        "tpTriggerPx": "", "tpOrdPx": "", "reduceOnly": "true", "cTime": "1700000000000", "uTime": "1700000000000",
    }  # fmt: skip
    return {**row, **change}


def position(**change: object) -> dict[str, object]:
    row: dict[str, object] = {
        "instType": "SWAP", "instId": "BTC-USDT-SWAP", "mgnMode": "cross", "posSide": "net", "pos": "-3",
        "avgPx": "64000", "upl": "-1.25", "lever": "20", "ccy": "USDT", "uTime": "1700000000000",
    }  # fmt: skip
    return {**row, **change}


def wallets(*details: dict[str, object]) -> dict[str, object]:
    return {"uTime": "1700000000000", "totalEq": "100", "details": list(details)}


def detail(**change: object) -> dict[str, object]:
    return {"ccy": "USDT", "cashBal": "100.5", "availBal": "90", "availEq": "95", "eq": "101", **change}


def bill(**change: object) -> dict[str, object]:
    row: dict[str, object] = {
        "billId": "377970609204146187", "ccy": "USDT", "type": "8", "subType": "173", "balChg": "-0.5", "pnl": "-0.5",
        "instId": "BTC-USDT-SWAP", "instType": "SWAP", "ts": "1700000000000",
    }  # fmt: skip
    return {**row, **change}


def configuration(**change: object) -> dict[str, object]:
    return {"posMode": "net_mode", "perm": "read_only,trade", "ip": "", "acctLv": "2", **change}


def contract(**change: object) -> dict[str, object]:
    row: dict[str, object] = {
        "instType": "SWAP", "instId": "BTC-USDT-SWAP", "uly": "BTC-USDT", "settleCcy": "USDT", "ctType": "linear",
        "ctVal": "0.01", "ctMult": "1", "ctValCcy": "BTC", "baseCcy": "", "quoteCcy": "", "lever": "100",
        "tickSz": "0.1", "lotSz": "0.01", "minSz": "0.01", "maxLmtSz": "100000000", "maxMktSz": "12000", "state": "live",
    }  # fmt: skip
    return {**row, **change}


def pushed(channel: str, *rows: object) -> bytes:
    return json.dumps({"arg": {"channel": channel, "instType": "SWAP"}, "data": rows}).encode()


def holdings(**change: object) -> dict[str, object]:
    row: dict[str, object] = {
        "pTime": "1700000000000", "eventType": "filled",
        "balData": [{"ccy": "USDT", "cashBal": "99.5", "uTime": "1700000000000"}],
        "posData": [position()], "trades": [],
    }  # fmt: skip
    return {**row, **change}
