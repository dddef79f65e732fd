"""What the cases must know of each venue's simulated dialect: names of endpoints and words, never another behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from app.domain.shared.market import Venue


@dataclass(frozen=True)
class Dialect:
    """`throttles` are (status, body) of being told to be silent. `ten_orders` is the pool's setting, `limits` the
    exchange's, for ten orders in one window. `stream_refusal` is a fault that keeps a stream from opening.
    """

    create: str
    look_up: str
    balance: str
    unknown_key: str
    throttles: tuple[tuple[int, str], tuple[int, str]]
    ten_orders: int
    limits: Mapping[str, int]
    stream_refusal: Mapping[str, object]
    acknowledges_first: bool = False
    long_window: Mapping[str, int] = field(default_factory=dict)


DIALECTS: Final[Mapping[Venue, Dialect]] = {
    Venue.BINANCE_USDM: Dialect(
        create="POST /fapi/v1/order",
        look_up="GET /fapi/v1/order",
        balance="GET /fapi/v3/balance",
        unknown_key="-2015",
        throttles=((429, '{"code":-1003,"msg":"slow down"}'), (418, '{"code":-1003,"msg":"slow down"}')),
        ten_orders=10,
        limits={"orders_per_10s": 10},
        stream_refusal={"endpoint": "POST /fapi/v1/listenKey", "kind": "http_status", "status": 503},
    ),
    Venue.BYBIT_LINEAR: Dialect(
        create="POST /v5/order/create",
        look_up="GET /v5/order/realtime",
        balance="GET /v5/account/wallet-balance",
        unknown_key="10003",
        throttles=((429, '{"retCode":10429,"retMsg":"slow down"}'), (403, "403, access too frequent")),
        ten_orders=100,
        limits={"requests_per_uid": 10, "uid_window_ms": 10_000},
        stream_refusal={"endpoint": "WS", "kind": "drop", "event": "auth"},
        acknowledges_first=True,
        long_window={"uid_window_ms": 10_000},
    ),
}
