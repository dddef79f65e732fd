"""Bybit error numbers and texts, which engine refusal becomes which, and the envelope of every answer."""

from __future__ import annotations

import orjson

from simulator.engine.refusal import Reason, Refusal
from simulator.http import Reply


class ApiError(Exception):
    """A refusal in the venue's own words; it travels under HTTP 200 like a success."""

    def __init__(self, code: int, message: str, headers: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.headers = headers


def answer(result: object, now_ms: int, headers: str = "", code: int = 0, message: str = "OK") -> Reply:
    """Return the envelope; `headers` are ready header lines."""
    body = {"retCode": code, "retMsg": message, "result": result, "retExtInfo": {}, "time": now_ms}
    return Reply(200, orjson.dumps(body), headers)


def refused(error: ApiError, now_ms: int, headers: str = "") -> Reply:
    """Return the answer to a refused request."""
    return answer({}, now_ms, error.headers or headers, error.code, error.message)


PARAMETER = 10001
REFUSALS: dict[Reason, tuple[int, str]] = {
    Reason.UNKNOWN_SYMBOL: (PARAMETER, "params error: symbol invalid"),
    Reason.UNKNOWN_ORDER: (110001, "order not exists or too late to cancel"),
    Reason.UNKNOWN_ACCOUNT: (10003, "API key is invalid."),
    Reason.QUANTITY_NOT_POSITIVE: (PARAMETER, "Qty invalid"),
    Reason.QUANTITY_BELOW_MINIMUM: (PARAMETER, "The number of contracts is below the minimum"),
    Reason.QUANTITY_ABOVE_MAXIMUM: (PARAMETER, "The number of contracts exceeds the maximum limit allowed"),
    Reason.QUANTITY_PRECISION: (PARAMETER, "Qty invalid"),
    Reason.QUANTITY_OFF_STEP: (PARAMETER, "Qty invalid"),
    Reason.PRICE_NOT_POSITIVE: (PARAMETER, "Price invalid"),
    Reason.PRICE_PRECISION: (PARAMETER, "Price invalid"),
    Reason.PRICE_OFF_TICK: (PARAMETER, "Price invalid"),
    Reason.PRICE_ABOVE_BAND: (110003, "Order price exceeds the allowable range."),
    Reason.PRICE_BELOW_BAND: (110003, "Order price exceeds the allowable range."),
    Reason.NOTIONAL_BELOW_MINIMUM: (110094, "Order does not meet minimum order value"),
    Reason.TOO_MANY_OPEN_ORDERS: (110020, "Too many active orders."),
    Reason.DUPLICATE_CLIENT_ID: (110072, "OrderLinkedID is duplicate"),
    Reason.INSUFFICIENT_MARGIN: (110007, "ab not enough for new order"),
    Reason.REDUCE_ONLY_REJECTED: (
        110017,
        "current position is zero, cannot fix reduce-only order qty",
    ),
    Reason.POSITION_SIDE_MISMATCH: (PARAMETER, "position idx not match position mode"),
    Reason.REDUCE_ONLY_IN_HEDGE_MODE: (PARAMETER, "reduce-only is not expected in this mode"),
    Reason.POST_ONLY_WOULD_TAKE: (PARAMETER, "post-only order would take"),
    Reason.WOULD_TRIGGER: (PARAMETER, "the trigger price is reached already"),
    Reason.NO_AMENDMENT: (PARAMETER, "order not modified"),
    Reason.MODE_UNCHANGED: (110025, "Position mode is not modified"),
    Reason.OPEN_ORDERS_EXIST: (110028, "You have existing open orders, so position mode cannot be switched"),
    Reason.OPEN_POSITIONS_EXIST: (
        110024,
        "You have an existing position, so position mode cannot be switched",
    ),
    Reason.LEVERAGE_INVALID: (PARAMETER, "leverage invalid"),
    Reason.NOT_AT_SPOT: (PARAMETER, "params error: not supported at spot"),
    Reason.EXECUTION_INVALID: (PARAMETER, "The given executions do not form an order."),
}


SPOT_REFUSALS: dict[Reason, tuple[int, str]] = {
    Reason.UNKNOWN_SYMBOL: (170121, "Invalid symbol."),
    Reason.UNKNOWN_ORDER: (170213, "Order does not exist."),
    Reason.QUANTITY_NOT_POSITIVE: (170130, "Data sent for paramter 'qty' is not valid."),
    Reason.QUANTITY_BELOW_MINIMUM: (170136, "Order quantity lower than the minimum."),
    Reason.QUANTITY_ABOVE_MAXIMUM: (170124, "Order amount too large."),
    Reason.QUANTITY_PRECISION: (170137, "Order volume decimal too long."),
    Reason.QUANTITY_OFF_STEP: (170137, "Order volume decimal too long."),
    Reason.PRICE_NOT_POSITIVE: (170130, "Data sent for paramter 'price' is not valid."),
    Reason.PRICE_PRECISION: (170134, "Order price decimal too long."),
    Reason.PRICE_OFF_TICK: (170134, "Order price decimal too long."),
    Reason.PRICE_ABOVE_BAND: (170193, "Buy order price cannot be higher than the limit."),
    Reason.PRICE_BELOW_BAND: (170194, "Sell order price cannot be lower than the limit."),
    Reason.NOTIONAL_BELOW_MINIMUM: (170140, "Order value exceeded lower limit."),
    Reason.TOO_MANY_OPEN_ORDERS: (
        170810,
        "Cannot exceed maximum of 500 conditional, TP/SL and active orders.",
    ),
    Reason.DUPLICATE_CLIENT_ID: (170141, "Duplicate clientOrderId."),
    Reason.INSUFFICIENT_MARGIN: (170131, "Insufficient balance."),
    Reason.NOT_AT_SPOT: (170130, "Data sent for paramter is not valid."),
    Reason.WOULD_TRIGGER: (170130, "Data sent for paramter 'triggerPrice' is not valid."),
}
"""What spot says in words of its own; for the rest it has the common ones."""


def from_refusal(refusal: Refusal, *, spot: bool) -> ApiError:
    """Return the venue's error for an engine refusal."""
    common = REFUSALS[refusal.reason]
    return ApiError(*(SPOT_REFUSALS.get(refusal.reason, common) if spot else common))


def wrong(name: str) -> ApiError:
    """Return the error for an absent or malformed parameter."""
    return ApiError(PARAMETER, f"params error: {name} invalid")
