"""Instruments of the three markets, and payloads in the documented shapes for tests to vary."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from app.domain.exchanges.protection import PlaceProtection
from app.domain.exchanges.requests import PlaceOrder, PositionMode
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, MarketKind, Side, Symbol, Venue
from app.domain.shared.money import NO_MONEY, money, price, quantity
from app.domain.shared.triggers import TriggerKind
from app.infrastructure.exchanges.binance.wire.contracts import Contracts

DATA: Final = Path(__file__).resolve().parents[6] / "shared/data/exchange_vectors"
BTC = Instrument(
    venue=Venue.BINANCE_USDM, symbol=Symbol("BTC-USDT"), venue_symbol="BTCUSDT", tick=price("0.1"),
    step=quantity("0.001"), quantity_min=quantity("0.001"), quantity_max=quantity(120), notional_min=money(100),
)  # fmt: skip
COIN = Instrument(
    venue=Venue.BINANCE_COINM, symbol=Symbol("BTC-USD"), venue_symbol="BTCUSD_PERP", tick=price("0.1"),
    step=quantity(100), quantity_min=quantity(100), quantity_max=quantity(100_000_000), notional_min=NO_MONEY,
    kind=MarketKind.INVERSE, contract_size=Decimal(100), settle="BTC",
)  # fmt: skip
SPOT = Instrument(
    venue=Venue.BINANCE_SPOT, symbol=Symbol("BTC-USDT"), venue_symbol="BTCUSDT", tick=price("0.01"),
    step=quantity("0.00001"), quantity_min=quantity("0.00001"), quantity_max=quantity(9000), notional_min=money(5),
    leverage_max=1, kind=MarketKind.SPOT,
)  # fmt: skip
NAMES: Mapping[str, Symbol] = {"BTCUSDT": Symbol("BTC-USDT")}
COIN_NAMES = Contracts({"BTCUSD_PERP": Symbol("BTC-USD")}, {"BTCUSD_PERP": Decimal(100)})
ID = ClientOrderId("c0000000000000000000000000")
AT = 1_700_000_000_000

ORDER: dict[str, Any] = {
    "orderId": 8886774, "symbol": "BTCUSDT", "status": "FILLED", "clientOrderId": ID, "price": "0.00",
    "avgPrice": "64000.10000", "origQty": "0.010", "executedQty": "0.010", "cumQuote": "640.001", "side": "BUY",
    "type": "MARKET", "origType": "MARKET", "reduceOnly": False, "positionSide": "BOTH", "updateTime": AT + 1,
}  # fmt: skip
COIN_ORDER: dict[str, Any] = {
    **ORDER, "symbol": "BTCUSD_PERP", "pair": "BTCUSD", "origQty": "7", "executedQty": "7", "cumBase": "0.01093748",
}  # fmt: skip
SPOT_ORDER: dict[str, Any] = {
    "symbol": "BTCUSDT", "orderId": 28, "orderListId": -1, "clientOrderId": ID, "transactTime": AT + 1,
    "price": "0.00000000", "origQty": "0.01000000", "executedQty": "0.01000000", "cummulativeQuoteQty": "640.00100000",
    "status": "FILLED", "timeInForce": "GTC", "type": "MARKET", "side": "BUY",
    "fills": [{"price": "64000.10", "qty": "0.01", "commission": "0.000005", "commissionAsset": "BTC", "tradeId": 56}],
}  # fmt: skip
TRADE: dict[str, Any] = {
    "symbol": "BTCUSDT", "id": 1, "orderId": 2, "side": "BUY", "price": "64000.1", "qty": "0.010", "realizedPnl": "0",
    "commission": "0.3", "commissionAsset": "USDT", "time": AT,
}  # fmt: skip
COIN_TRADE: dict[str, Any] = {
    **TRADE, "symbol": "BTCUSD_PERP", "qty": "7", "realizedPnl": "-0.0001", "commission": "0.00000547",
    "commissionAsset": "BTC", "marginAsset": "BTC",
}  # fmt: skip
SPOT_TRADE: dict[str, Any] = {
    "symbol": "BTCUSDT", "id": 28457, "orderId": 100234, "price": "64000.00", "qty": "0.01", "quoteQty": "640",
    "commission": "0.000005", "commissionAsset": "BTC", "time": AT, "isBuyer": True, "isMaker": False,
}  # fmt: skip
ALGO: dict[str, Any] = {
    "algoId": 2146760, "clientAlgoId": ID, "algoType": "CONDITIONAL", "orderType": "STOP_MARKET", "symbol": "BTCUSDT",
    "side": "SELL", "positionSide": "BOTH", "quantity": "0.010", "algoStatus": "NEW", "actualOrderId": "",
    "triggerPrice": "60000.0", "workingType": "MARK_PRICE", "reduceOnly": True, "closePosition": False,
    "createTime": AT, "updateTime": AT, "triggerTime": 0,
}  # fmt: skip
COIN_ALGO: dict[str, Any] = {**ALGO, "symbol": "BTCUSD_PERP", "quantity": "7"}
SPOT_WAITING: dict[str, Any] = {
    "symbol": "BTCUSDT", "orderId": 31, "clientOrderId": ID, "price": "0.00", "origQty": "0.01", "executedQty": "0.00",
    "cummulativeQuoteQty": "0.00", "status": "NEW", "type": "STOP_LOSS", "side": "SELL", "stopPrice": "60000.00",
    "time": AT, "updateTime": AT, "isWorking": False,
}  # fmt: skip
CHANGE: dict[str, Any] = {
    "s": "BTCUSDT", "c": "cmine", "S": "SELL", "o": "MARKET", "q": "2", "p": "0", "ap": "100.5", "x": "TRADE",
    "X": "PARTIALLY_FILLED", "i": 77, "l": "1", "z": "1", "L": "100.5", "N": "USDT", "n": "0.04", "T": AT, "t": 5,
    "R": True, "rp": "-3.5", "ps": "BOTH", "ot": "MARKET", "sp": "0",
}  # fmt: skip
REPORT: dict[str, Any] = {
    "e": "executionReport", "E": AT, "s": "BTCUSDT", "c": "cmine", "S": "BUY", "o": "MARKET", "q": "2", "p": "0",
    "P": "0", "C": "", "x": "TRADE", "X": "PARTIALLY_FILLED", "i": 77, "l": "1", "z": "1", "L": "100", "n": "0.0005",
    "N": "BTC", "T": AT, "t": 5, "Z": "100", "w": False, "m": False,
}  # fmt: skip


def raw(payload: object) -> bytes:
    """A payload as the venue sends it."""
    return json.dumps(payload).encode()


def changed(row: Mapping[str, Any], **change: object) -> bytes:
    """A row with other values; None leaves a field out."""
    return raw({name: value for name, value in {**row, **change}.items() if value is not None})


def order_event(**change: object) -> bytes:
    """An ORDER_TRADE_UPDATE."""
    return raw({"e": "ORDER_TRADE_UPDATE", "T": 1, "E": 1, "o": {**CHANGE, **change}})


def spot_event(**change: object) -> bytes:
    """An executionReport, as it comes under a subscription."""
    return raw({"subscriptionId": 0, "event": {**REPORT, **change}})


def buy(instrument: Instrument, size: str) -> PlaceOrder:
    """A market order."""
    return PlaceOrder(instrument, Side.BUY, quantity(size), False, ID, AT, 5000)


def stop(
    instrument: Instrument, size: str, mode: PositionMode = PositionMode.ONE_WAY, side: Side = Side.SELL
) -> PlaceProtection:
    """A stop-loss of a long position."""
    kind = TriggerKind.STOP_LOSS
    return PlaceProtection(instrument, side, kind, price("60000.0"), quantity(size), ID, AT, 5000, mode)


def load(name: str) -> Any:
    """Third-party data beside the repository, or a skip."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"no third-party vectors beside the repository ({name})")
    return json.loads(path.read_text(encoding="utf-8"))
