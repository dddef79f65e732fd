"""What the cases must know of each venue's simulated dialect: names of endpoints and words, never another behaviour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from app.domain.shared.market import Symbol, Venue


@dataclass(frozen=True)
class Dialect:
    """`throttles` are (status, body) of being told to be silent. `ten_orders` is the pool's setting, `limits` the
    exchange's, for ten orders in one window. `stream_refusal` is a fault that keeps a stream from opening. `size` is an
    order that every account can pay, `tiny` one below the minimum, `poor` one that none can pay. `account` gives
    the options of an account that the operator opens (its number counts up), `asset` the wallet that pays and `wallet`
    what is in it. `right` is the operator's name of the right to trade here, `stranger` an unknown key as
    `PlainVault` seals it; `passphrase` goes with every key. With `public_reads` anybody may read an account;
    without `counts` the venue does not tell how many orders it has counted.
    `protect` is the endpoint of protections where that is not `create`.
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
    symbol: Symbol = Symbol("BTC-USDT")
    size: str = "0.010"
    tiny: str = "0.001"
    poor: str = "100"
    asset: str = "USDT"
    wallet: Decimal = Decimal(10_000)
    account: Callable[[int], Mapping[str, object]] = lambda number: {}
    right: str = "futures"
    passphrase: str = ""
    stranger: str = "unknownkey:secret"
    public_reads: bool = False
    counts: bool = True
    protect: str = ""


_BYBIT: Final = Dialect(
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
)

_OKX: Final = Dialect(
    create="POST /api/v5/trade/order",
    protect="POST /api/v5/trade/order-algo",
    look_up="GET /api/v5/trade/order",
    balance="GET /api/v5/account/balance",
    unknown_key="50111",
    throttles=((429, '{"code":"50011","msg":"Too Many Requests","data":[]}'), (429, "Too Many Requests")),
    ten_orders=50,
    limits={"orders_per_10s": 50},
    stream_refusal={"endpoint": "WS", "kind": "drop", "event": "login"},
    acknowledges_first=True,
    # The venue shows no counters: its word is the refusal of the tenth order in its window.
    long_window={"orders_per_10s": 45, "uid_window_ms": 10_000},
    passphrase="passphrase",
    stranger="unknownkey:secret:passphrase",
)


def _agent(number: int) -> Mapping[str, object]:
    """An account by its address, and the private key of the agent that signs for it; any key below the order is one."""
    return {"api_key": f"0x{number:040x}", "api_secret": f"0x{0xC0DE << 128 | number:064x}"}


_BITGET: Final = Dialect(
    create="POST /api/v2/mix/order/place-order",
    protect="POST /api/v2/mix/order/place-tpsl-order",
    look_up="GET /api/v2/mix/order/detail",
    balance="GET /api/v2/mix/account/accounts",
    unknown_key="40006",
    throttles=((429, '{"code":"30007","msg":"request over limit"}'), (429, "Too Many Requests")),
    ten_orders=100,
    limits={"requests_per_uid": 10, "uid_window_ms": 10_000},
    stream_refusal={"endpoint": "WS", "kind": "drop", "event": "login"},
    acknowledges_first=True,
    long_window={"requests_per_uid": 10, "uid_window_ms": 10_000},
    passphrase="passphrase",
    stranger="unknownkey:secret:passphrase",
)


_BINANCE: Final = Dialect(
    create="POST /fapi/v1/order",
    protect="POST /fapi/v1/algoOrder",
    look_up="GET /fapi/v1/order",
    balance="GET /fapi/v3/balance",
    unknown_key="-2015",
    throttles=((429, '{"code":-1003,"msg":"slow down"}'), (418, '{"code":-1003,"msg":"slow down"}')),
    ten_orders=10,
    limits={"orders_per_10s": 10},
    stream_refusal={"endpoint": "POST /fapi/v1/listenKey", "kind": "http_status", "status": 503},
)

DIALECTS: Final[Mapping[Venue, Dialect]] = {
    Venue.BINANCE_USDM: _BINANCE,
    Venue.BINANCE_COINM: replace(
        _BINANCE,
        create="POST /dapi/v1/order",
        protect="POST /dapi/v1/algoOrder",
        look_up="GET /dapi/v1/order",
        balance="GET /dapi/v1/balance",
        stream_refusal={"endpoint": "POST /dapi/v1/listenKey", "kind": "http_status", "status": 503},
        symbol=Symbol("BTC-USD"),
        size="700",
        tiny="50",
        poor="5000000",
        asset="BTC",
        wallet=Decimal(1),
        account=lambda number: {"balances": {"BTC": "1"}},
    ),
    Venue.BINANCE_SPOT: replace(
        _BINANCE,
        create="POST /api/v3/order",
        protect="",
        look_up="GET /api/v3/order",
        balance="GET /api/v3/account",
        stream_refusal={"endpoint": "WS", "kind": "drop", "event": "subscribe"},
        tiny="0.00005",
        account=lambda number: {"balances": {"BTC": "1"}},
        right="spot",
    ),
    Venue.BYBIT_LINEAR: _BYBIT,
    Venue.BYBIT_SPOT: replace(
        _BYBIT,
        limits={"requests_per_uid": 5, "uid_window_ms": 10_000},  # spot trades may be twice as many
        tiny="0.00005",
        account=lambda number: {"balances": {"BTC": "1"}},
        right="spot",
    ),
    Venue.BYBIT_INVERSE: replace(
        _BYBIT,
        symbol=Symbol("BTC-USD"),
        size="640",
        tiny="0.5",
        poor="5000000",
        asset="BTC",
        wallet=Decimal(1),
        account=lambda number: {"balances": {"BTC": "1"}},
    ),
    Venue.OKX_SWAP: _OKX,
    Venue.OKX_SPOT: replace(
        _OKX, tiny="0.00005", account=lambda number: {"balances": {"BTC": "1"}}, right="spot"
    ),
    Venue.HYPERLIQUID: Dialect(
        create="POST /exchange",
        look_up="POST /info",
        balance="POST /info",
        unknown_key="Wallet",
        throttles=((429, "null"), (429, "")),
        ten_orders=10,
        limits={},
        stream_refusal={"endpoint": "WS", "kind": "drop", "event": "subscribe"},
        asset="USDC",
        account=_agent,
        stranger=f"0x{0xDEAD:040x}:0x{0xDEAD:064x}:",
        public_reads=True,
        counts=False,
    ),
    Venue.BITGET_USDT_FUTURES: _BITGET,
    Venue.BITGET_SPOT: replace(
        _BITGET,
        create="POST /api/v2/spot/trade/place-order",
        protect="POST /api/v2/spot/trade/place-plan-order",
        look_up="GET /api/v2/spot/trade/orderInfo",
        balance="GET /api/v2/spot/account/assets",
        tiny="0.00005",
        account=lambda number: {"balances": {"BTC": "1"}},
        right="spot",
    ),
}
