"""The exchanges that are served through the library, as a table. Facts come from the exchanges' own documentation and
from the library's source; where neither states a bound, the careful assumption stands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from app.domain.exchanges.outcomes import RefusalKind
from app.domain.exchanges.ports import KeyFacts
from app.domain.exchanges.requests import OrderType, PlaceOrder, PositionMode, TimeInForce
from app.domain.shared.market import Venue
from app.infrastructure.exchanges.generic.recipe import Params, Recipe, Row, enveloped
from app.infrastructure.exchanges.reading import Unreadable

_FUNDS, _KEY, _CLOCK = RefusalKind.INSUFFICIENT_FUNDS, RefusalKind.KEY, RefusalKind.CLOCK
_FILTER, _NOTHING, _SLOW = RefusalKind.FILTER, RefusalKind.NOTHING_TO_REDUCE, RefusalKind.THROTTLED
_GATE_PREFIX: Final = "t-"


def _codes(kinds: Mapping[RefusalKind, str]) -> dict[str, RefusalKind]:
    return {code: kind for kind, codes in kinds.items() for code in codes.split()}


def _gate_heard(text: str) -> str:
    return text.removeprefix(_GATE_PREFIX)


async def _gate_mode(client: Any) -> str:
    account = await client.privateFuturesGetSettleAccounts({"settle": "usdt"})
    return _mode(account.get("in_dual_mode"))


def _mode(hedged: object) -> str:
    if not isinstance(hedged, bool):
        raise Unreadable("no position mode")
    return (PositionMode.HEDGE if hedged else PositionMode.ONE_WAY).value


async def _one_way(client: Any) -> str:
    return PositionMode.ONE_WAY.value


def _iso(at_ms: int) -> str:
    text = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _kraken_window(signed_ms: int, valid_ms: int) -> Params:
    return {"processBefore": _iso(signed_ms + valid_ms)}


def _lower_tif(order: PlaceOrder, params: dict[str, object]) -> dict[str, object]:
    # The library compares with the lower case and would let an IOC order in capitals rest.
    if "timeInForce" in params:
        params["timeInForce"] = str(params["timeInForce"]).lower()
    return params


async def _mexc_look_up(client: Any, symbol: str, spelled: str) -> Row | None:
    market = client.market(symbol)
    answer = await client.contractPrivateGetOrderExternalSymbolExternalOid(
        {"symbol": market["id"], "external_oid": spelled}
    )
    row = answer.get("data")
    found: Row | None = client.parse_order(row, market) if isinstance(row, dict) and row else None
    return found


def _mexc_shape(order: PlaceOrder, params: dict[str, object]) -> dict[str, object]:
    # The library takes the time in force for nothing there: 3 is the exchange's word for an IOC limit order.
    params.pop("timeInForce", None)
    if order.type is OrderType.LIMIT and order.time_in_force is TimeInForce.IOC:
        params["type"] = 3
    return params


def _bingx_window(signed_ms: int, valid_ms: int) -> Params:
    return {"recvWindow": valid_ms}


async def _bingx_look_up(client: Any, symbol: str, spelled: str) -> Row | None:
    market = client.market(symbol)
    answer = await client.swapV2PrivateGetTradeOrder({"symbol": market["id"], "clientOrderId": spelled})
    data = answer.get("data")
    row = data.get("order") if isinstance(data, dict) else None
    found: Row | None = client.parse_order(row, market) if isinstance(row, dict) and row else None
    return found


def _bingx_speaks(payload: object) -> bool:
    # The rights of a key come without an envelope.
    return isinstance(payload, dict) and (
        "permissions" in payload or ("code" in payload and "data" in payload)
    )


async def _bingx_key(client: Any) -> KeyFacts:
    answer = await client.accountV1PrivateGetAccountApiPermissions()
    data = answer.get("data", answer)
    granted = {int(number) for number in data.get("permissions") or ()} if isinstance(data, dict) else set()
    if not granted:
        raise Unreadable("no rights of a key")
    listed = data.get("ipAddresses")
    return KeyFacts(3 in granted, 5 in granted, bool(listed))


async def _kucoin_key(client: Any) -> KeyFacts:
    data = (await client.privateGetUserApiKey()).get("data")
    rights = data.get("permission") if isinstance(data, dict) else None
    if not isinstance(rights, str):
        raise Unreadable("no rights of a key")
    granted = {right.strip() for right in rights.split(",")}
    return KeyFacts("Futures" in granted, "Withdrawal" in granted, bool(data.get("ipWhitelist")))


async def _kucoin_look_up(client: Any, symbol: str, spelled: str) -> Row | None:
    found: Row = await client.fetch_order("", symbol, {"clientOid": spelled})
    return found


def htx_number(client_order_id: str) -> str:
    """Return the whole number of 53 bits that stands for our id: the exchange takes no letters, and the library passes
    a number through a float, which keeps no more.
    """
    digest = hashlib.blake2b(client_order_id.encode(), digest_size=8, person=b"htx-client-id").digest()
    return str((int.from_bytes(digest, "big") >> 11) | 1)


RECIPES: Final[Mapping[Venue, Recipe]] = MappingProxyType(
    {
        Venue.CCXT_GATE: Recipe(
            "gate",
            # Else the first call asks for the account's kind, and takes any failure for an answer.
            options={
                "unifiedAccount": False,
                "defaultType": "swap",
                "fetchMarkets": {"types": ["swap"]},
                "swap": {"fetchMarkets": {"settlementCurrencies": ["usdt"]}},
            },
            heard=_gate_heard,  # the library puts the prefix there, and counts it to the 28 that an id may have
            executed_id=("text",),
            kinds=_codes(
                {
                    _CLOCK: "REQUEST_EXPIRED",
                    _FILTER: "SIZE_TOO_SMALL SIZE_TOO_LARGE INVALID_PRECISION",
                    _NOTHING: "POSITION_EMPTY",
                    _KEY: "INVALID_KEY INVALID_SIGNATURE INVALID_CREDENTIALS IP_FORBIDDEN READ_ONLY FORBIDDEN",
                    _SLOW: "TOO_MANY_REQUESTS TOO_FAST",
                }
            ),
            unknown=frozenset({"SERVER_ERROR", "INTERNAL", "TOO_BUSY", "TRADE_RESTRICTED"}),
            mark=("mark_price",),
            position_mode=_gate_mode,
        ),
        Venue.CCXT_KUCOINFUTURES: Recipe(
            "kucoinfutures",
            options={"uta": False},
            look_up=_kucoin_look_up,
            speaks=enveloped("code", "data"),
            kinds=_codes(
                {
                    _CLOCK: "400002",
                    _FUNDS: "300003 200004",
                    _NOTHING: "300009",
                    _FILTER: "300012",
                    _KEY: "400001 400003 400004 400005 400006 400007 411100",
                    _SLOW: "429000",
                }
            ),
            # 300000 is said of faults within the exchange as well as of parameters.
            unknown=frozenset({"300000", "500000", "100001"}),
            wallet=("marginBalance",),
            mark=("markPrice",),
            marks="fetch_mark_prices",
            fill_page=50,
            funding_apart=True,
            hedges=True,
            margin_per_order=True,
            key_facts=_kucoin_key,
        ),
        Venue.CCXT_KRAKENFUTURES: Recipe(
            "krakenfutures",
            quote="USD",
            look_up=None,
            window=_kraken_window,
            shape=_lower_tif,
            speaks=lambda payload: isinstance(payload, dict) and payload.get("result") != "error",
            kinds=_codes(
                {
                    _FUNDS: "insufficientAvailableFunds insufficientFunds",
                    _FILTER: "invalidSize invalidPrice invalidOrderType invalidSide outsidePriceCollar",
                    _NOTHING: "wouldNotReducePosition",
                    _KEY: "authenticationError accountInactive",
                    _SLOW: "apiLimitExceeded",
                    RefusalKind.OTHER: "marketSuspended marketInactive tooManySmallOrders maxPositionViolation "
                    "iocWouldNotExecute postWouldExecute clientOrderIdTooLong selfFill",
                }
            ),
            duplicates=frozenset({"clientOrderIdAlreadyExist", "cliOrdIdAlreadyExist"}),
            unknown=frozenset({"unavailable", "Unavailable", "Server Error", "unknownError"}),
            executed_id=("cliOrdId",),
            mark=("markPrice",),
            fill_window=None,
            order_trades=False,
            leverage=(),  # setting one would isolate the market there
            position_mode=_one_way,
        ),
        Venue.CCXT_MEXC: Recipe(
            "mexc",
            options={"defaultType": "swap"},
            markets="fetch_swap_markets",
            look_up=_mexc_look_up,
            histories=("fetch_closed_orders", "fetch_canceled_orders"),
            shape=_mexc_shape,
            speaks=enveloped("success", "data"),
            kinds=_codes(
                {_FUNDS: "2005", _NOTHING: "2009", _FILTER: "2003", _KEY: "401 402 602", _SLOW: "510"}
            ),
            unknown=frozenset({"500", "501", "503", "504", "600", "604", "801"}),
            profit=("profit",),
            wallet=("cashBalance",),
            mark=("fairPrice",),
            fill_until="end_time",
            hedges=True,
            margin_per_order=True,
            leverage=({"openType": 2, "positionType": 1}, {"openType": 2, "positionType": 2}),
        ),
        Venue.CCXT_BINGX: Recipe(
            "bingx",
            options={"defaultType": "swap"},
            markets="fetch_swap_markets",
            look_up=_bingx_look_up,
            window=_bingx_window,
            speaks=_bingx_speaks,
            kinds=_codes(
                {
                    _FUNDS: "101204",
                    _NOTHING: "101205",
                    _CLOCK: "100421",
                    _KEY: "100001 100412 100413 100414 100419 100004",
                    _SLOW: "100410",
                }
            ),
            unknown=frozenset({"100500", "109500", "110500", "100503", "100440", "80012", "80016"}),
            wallet=("balance",),
            mark=("markPrice",),
            marks="fetch_mark_prices",
            fill_page=50,
            order_trades=False,
            hedges=True,
            leverage=({"side": "LONG"}, {"side": "SHORT"}),
            key_facts=_bingx_key,
        ),
        Venue.CCXT_HTX: Recipe(
            "htx",
            options={
                "defaultType": "swap",
                "defaultSubType": "linear",
                "fetchMarkets": {"types": {"linear": True}},
            },
            spell=htx_number,
            speaks=lambda payload: isinstance(payload, dict)
            and ("data" in payload or "tick" in payload or "ticks" in payload or "ts" in payload),
            histories=("fetch_closed_orders", "fetch_canceled_orders"),
            kinds=_codes({_FUNDS: "1047", _KEY: "403 1003", _FILTER: "1039 1041 1094", _NOTHING: "1048"}),
            unknown=frozenset({"timeout", "gateway-internal-error", "order-update-error", "1067"}),
            profit=("profit", "trade_profit"),
            wallet=("margin_static",),
            fill_window=timedelta(hours=48),
            fill_page=50,
            order_trades=False,
            funding_apart=True,
            margin_per_order=True,
            unbranded=frozenset({"channel_code"}),
        ),
    }
)
