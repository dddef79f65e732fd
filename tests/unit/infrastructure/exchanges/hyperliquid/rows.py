"""Answers and messages of Hyperliquid in the documented shape, with values of our own."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from app.domain.exchanges.protection import PlaceProtection
from app.domain.exchanges.requests import OrderType, PlaceOrder, TimeInForce
from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, Side, Symbol, Venue
from app.domain.shared.money import Money, Price, Quantity
from app.domain.shared.triggers import TriggerKind
from app.infrastructure.exchanges.hyperliquid.wire.ids import cloid_of

DATA: Final = Path(__file__).resolve().parents[6] / "shared/data/exchange_vectors"
USER: Final = "0x00000000000000000000000000000000000000aa"
CID: Final = ClientOrderId("c0123456789abcdefghijklmne0")
CLOID: Final = cloid_of(CID)
NOW: Final = 1_763_800_000_123
NAMES: Final = {"BTC": Symbol("BTC-USDT"), "ETH": Symbol("ETH-USDT"), "kPEPE": Symbol("1000PEPE-USDT")}
MARKS: Final = {Symbol("BTC-USDT"): Price(Decimal(87000))}


def load(name: str) -> Any:
    path = DATA / name
    if not path.exists():
        pytest.skip("the third-party vectors are not on this machine")
    return json.loads(path.read_text())


def instrument(coin: str = "BTC", number: int = 0, decimals: int = 5) -> Instrument:
    step = Decimal(1).scaleb(-decimals)
    return Instrument(
        venue=Venue.HYPERLIQUID,
        symbol=NAMES.get(coin, Symbol(f"{coin}-USDT")),
        venue_symbol=f"{coin}#{number}",
        tick=Decimal(1).scaleb(decimals - 6),
        step=step,
        quantity_min=Quantity(step),
        quantity_max=Quantity(Decimal(10**9)),
        notional_min=Money(Decimal(10)),
        settle="USDC",
    )


def order(
    side: Side = Side.BUY, size: str = "0.01", price: str | None = None, *, reduce_only: bool = False,
    time: TimeInForce = TimeInForce.GTC, market: Instrument | None = None,
) -> PlaceOrder:  # fmt: skip
    kind = OrderType.MARKET if price is None else OrderType.LIMIT
    return PlaceOrder(
        market or instrument(), side, Quantity(Decimal(size)), reduce_only, CID, NOW, 5000, kind,
        None if price is None else Price(Decimal(price)), time,
    )  # fmt: skip


def protection(kind: TriggerKind, trigger: str, side: Side = Side.SELL) -> PlaceProtection:
    return PlaceProtection(
        instrument(), side, kind, Price(Decimal(trigger)), Quantity(Decimal("0.01")), CID, NOW, 5000
    )


def said(status: object) -> bytes:
    """The answer to an action of one part."""
    body = {"status": "ok", "response": {"type": "order", "data": {"statuses": [status]}}}
    return json.dumps(body).encode()


def refused(text: str) -> bytes:
    """The answer to an action that was refused as a whole."""
    return json.dumps({"status": "err", "response": text}).encode()


ORDER: Final[dict[str, Any]] = {
    "coin": "BTC", "side": "B", "limitPx": "87000.0", "sz": "0.004", "oid": 77_000_001, "timestamp": NOW,
    "triggerCondition": "N/A", "isTrigger": False, "triggerPx": "0.0", "children": [], "isPositionTpsl": False,
    "reduceOnly": False, "orderType": "Limit", "origSz": "0.01", "tif": "Gtc", "cloid": CLOID,
}  # fmt: skip
TRIGGER: Final[dict[str, Any]] = {
    **ORDER, "side": "A", "oid": 77_000_002, "sz": "0.01", "isTrigger": True, "triggerPx": "84000.0",
    "triggerCondition": "Price below 84000", "orderType": "Stop Market", "reduceOnly": True, "tif": None,
}  # fmt: skip
FOUND: Final[dict[str, Any]] = {
    "status": "order",
    "order": {"order": ORDER, "status": "open", "statusTimestamp": NOW + 5},
}
FILL: Final[dict[str, Any]] = {
    "coin": "BTC", "px": "87010.0", "sz": "0.006", "side": "B", "time": NOW + 2, "startPosition": "0.0",
    "dir": "Open Long", "closedPnl": "0.0", "hash": f"0x{1:064x}", "oid": 77_000_001, "crossed": True, "fee": "0.234927",
    "tid": 900_000_001, "feeToken": "USDC", "twapId": None, "cloid": CLOID,
}  # fmt: skip
POSITION: Final[dict[str, Any]] = {
    "type": "oneWay",
    "position": {
        "coin": "BTC", "szi": "-0.006", "leverage": {"type": "cross", "value": 20}, "entryPx": "87010.0",
        "positionValue": "522.0", "unrealizedPnl": "-1.5", "returnOnEquity": "0.0", "liquidationPx": None,
        "marginUsed": "26.1", "maxLeverage": 40, "cumFunding": {"allTime": "0.0", "sinceOpen": "0.0", "sinceChange": "0.0"},
    },
}  # fmt: skip
MARGIN: Final[dict[str, Any]] = {
    "accountValue": "998.5", "totalNtlPos": "522.0", "totalRawUsd": "476.5", "totalMarginUsed": "26.1",
}  # fmt: skip
STATE: Final[dict[str, Any]] = {
    "marginSummary": MARGIN, "crossMarginSummary": MARGIN, "crossMaintenanceMarginUsed": "6.5",
    "withdrawable": "972.4", "assetPositions": [POSITION], "time": NOW,
}  # fmt: skip
FUNDING: Final[dict[str, Any]] = {
    "time": NOW,
    "hash": f"0x{0:064x}",
    "delta": {
        "type": "funding", "coin": "BTC", "usdc": "-0.0625", "szi": "0.01", "fundingRate": "0.0000125", "nSamples": None,
    },
}  # fmt: skip
UPDATE: Final[dict[str, Any]] = {
    "order": {key: ORDER[key] for key in ("coin", "side", "limitPx", "sz", "oid", "timestamp", "origSz", "cloid")},
    "status": "open",
    "statusTimestamp": NOW + 5,
}  # fmt: skip
META: Final[list[Any]] = [
    {
        "universe": [
            {"name": "BTC", "szDecimals": 5, "maxLeverage": 40},
            {"name": "OLD", "szDecimals": 1, "maxLeverage": 3, "isDelisted": True},
            {"name": "kPEPE", "szDecimals": 0, "maxLeverage": 10},
        ]
    },
    [{"markPx": "87000.0", "midPx": None}, {"markPx": "1.0"}, {"markPx": "0.0123"}],
]


def message(channel: str, data: object) -> dict[str, Any]:
    """A message of the stream."""
    return {"channel": channel, "data": data}


MESSAGES: Final[list[dict[str, Any]]] = [
    message("orderUpdates", [UPDATE]),
    message("userFills", {"user": USER, "fills": [FILL]}),
    message("user", {"funding": FUNDING["delta"] | {"time": NOW}}),
    message("user", {"fills": [FILL]}),
    message("openOrders", {"dex": "", "user": USER, "orders": [ORDER, TRIGGER]}),
    message("clearinghouseState", {"dex": "", "user": USER, "clearinghouseState": STATE}),
    message("subscriptionResponse", {"method": "subscribe", "subscription": {"type": "userFills", "user": USER}}),
    message("pong", None),
]  # fmt: skip


def raw(value: object) -> bytes:
    """Bytes as they come."""
    return json.dumps(value).encode()
