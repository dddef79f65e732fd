"""Binance error numbers, their texts and HTTP status, and which engine refusal becomes which, on contracts and at spot."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from simulator.engine.refusal import Reason, Refusal
from simulator.http import Reply
from simulator.limits import Throttled


class ApiError(Exception):
    """An error reply in the venue's own words."""

    def __init__(self, code: int, message: str, status: int = 400, headers: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.headers = headers

    def reply(self, headers: str = "") -> Reply:
        """Return the reply, with further header lines."""
        return Reply(
            self.status, orjson.dumps({"code": self.code, "msg": self.message}), self.headers + headers
        )


REFUSALS: dict[Reason, tuple[int, str]] = {
    Reason.UNKNOWN_SYMBOL: (-1121, "Invalid symbol."),
    Reason.UNKNOWN_ORDER: (-2011, "Unknown order sent."),
    Reason.UNKNOWN_ACCOUNT: (-2015, "Invalid API-key, IP, or permissions for action."),
    Reason.QUANTITY_NOT_POSITIVE: (-4003, "Quantity less than or equal to zero."),
    Reason.QUANTITY_BELOW_MINIMUM: (-4003, "Quantity less than or equal to zero."),
    Reason.QUANTITY_ABOVE_MAXIMUM: (-4005, "Quantity greater than max quantity."),
    Reason.QUANTITY_PRECISION: (-1111, "Precision is over the maximum defined for this asset."),
    Reason.QUANTITY_OFF_STEP: (-4023, "Quantity not increased by step size."),
    Reason.PRICE_NOT_POSITIVE: (-4001, "Price less than or equal to zero."),
    Reason.PRICE_PRECISION: (-1111, "Precision is over the maximum defined for this asset."),
    Reason.PRICE_OFF_TICK: (-4014, "Price not increased by tick size."),
    Reason.PRICE_ABOVE_BAND: (-4016, "Limit price can't be higher than the multiplier cap."),
    Reason.PRICE_BELOW_BAND: (-4024, "Limit price can't be lower than the multiplier floor."),
    Reason.NOTIONAL_BELOW_MINIMUM: (
        -4164,
        "Order's notional must be no smaller than the minimum (unless you choose reduce only).",
    ),
    Reason.TOO_MANY_OPEN_ORDERS: (-2025, "Reach max open order limit."),
    Reason.DUPLICATE_CLIENT_ID: (-4116, "ClientOrderId is duplicated."),
    Reason.INSUFFICIENT_MARGIN: (-2019, "Margin is insufficient."),
    Reason.REDUCE_ONLY_REJECTED: (-2022, "ReduceOnly Order is rejected."),
    Reason.POSITION_SIDE_MISMATCH: (-4061, "Order's position side does not match user's setting."),
    Reason.REDUCE_ONLY_IN_HEDGE_MODE: (-1106, "Parameter 'reduceonly' sent when not required."),
    Reason.POST_ONLY_WOULD_TAKE: (
        -5022,
        "Due to the order could not be executed as maker, the Post Only order will be rejected.",
    ),
    Reason.WOULD_TRIGGER: (-2021, "Order would immediately trigger."),
    Reason.NO_AMENDMENT: (-5027, "No need to modify the order."),
    Reason.MODE_UNCHANGED: (-4046, "No need to change margin type."),
    Reason.OPEN_ORDERS_EXIST: (-4047, "Margin type cannot be changed if there exists open orders."),
    Reason.OPEN_POSITIONS_EXIST: (-4048, "Margin type cannot be changed if there exists position."),
    Reason.LEVERAGE_INVALID: (-4028, "Leverage is not valid."),
    Reason.NOT_AT_SPOT: (-4062, "Invalid or improper reduceOnly value."),
    Reason.EXECUTION_INVALID: (-1102, "The given executions do not form an order."),
}

NEW_ORDER_REJECTED = -2010
_LOT = (-1013, "Filter failure: LOT_SIZE")
_PRICE = (-1013, "Filter failure: PRICE_FILTER")
SPOT_REFUSALS: dict[Reason, tuple[int, str]] = {
    **REFUSALS,
    Reason.QUANTITY_NOT_POSITIVE: (-1013, "Invalid quantity."),
    Reason.QUANTITY_BELOW_MINIMUM: _LOT,
    Reason.QUANTITY_ABOVE_MAXIMUM: _LOT,
    Reason.QUANTITY_OFF_STEP: _LOT,
    Reason.PRICE_NOT_POSITIVE: (-1013, "Invalid price."),
    Reason.PRICE_OFF_TICK: _PRICE,
    Reason.PRICE_ABOVE_BAND: (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    Reason.PRICE_BELOW_BAND: (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE"),
    Reason.NOTIONAL_BELOW_MINIMUM: (-1013, "Filter failure: NOTIONAL"),
    Reason.TOO_MANY_OPEN_ORDERS: (-1013, "Filter failure: MAX_NUM_ORDERS"),
    Reason.DUPLICATE_CLIENT_ID: (NEW_ORDER_REJECTED, "Duplicate order sent."),
    Reason.INSUFFICIENT_MARGIN: (
        NEW_ORDER_REJECTED,
        "Account has insufficient balance for requested action.",
    ),
    Reason.POST_ONLY_WOULD_TAKE: (NEW_ORDER_REJECTED, "Order would immediately match and take."),
    Reason.WOULD_TRIGGER: (NEW_ORDER_REJECTED, "Order would trigger immediately."),
    Reason.NOT_AT_SPOT: (-1104, "Not all sent parameters were read."),
}


def from_refusal(refusal: Refusal, table: Mapping[Reason, tuple[int, str]]) -> ApiError:
    """Return the venue's error for an engine refusal, as one of its markets words it."""
    code, message = table[refusal.reason]
    return ApiError(code, message)


def from_throttle(throttled: Throttled) -> ApiError:
    """Return 418 for a ban, 429 otherwise, with Retry-After in seconds."""
    headers = f"Retry-After: {throttled.retry_after_s}\r\n"
    if throttled.banned:
        return ApiError(-1003, "Way too many requests; the IP is banned for a while.", 418, headers)
    if throttled.orders:
        return ApiError(-1015, f"Too many new orders; current limit is {throttled.orders}.", 429, headers)
    return ApiError(-1003, "Too many requests; the request weight of this minute is used up.", 429, headers)


def missing(name: str) -> ApiError:
    """Return the error for an absent or malformed mandatory parameter."""
    return ApiError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
