"""Bitget error numbers and texts, which engine refusal becomes which, and the envelope of every answer."""

from __future__ import annotations

import orjson

from simulator.engine.refusal import Reason, Refusal
from simulator.http import Reply

SUCCESS = "00000"
PARAMETER = "40017"


class ApiError(Exception):
    """A refusal in the venue's own words; most travel under HTTP 400."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def answer(
    data: object,
    now_ms: int,
    headers: str = "",
    code: str = SUCCESS,
    message: str = "success",
    status: int = 200,
) -> Reply:
    """Return the envelope; `headers` are ready header lines."""
    body = {"code": code, "msg": message, "requestTime": now_ms, "data": data}
    return Reply(status, orjson.dumps(body), headers)


def refused(error: ApiError, now_ms: int, headers: str = "") -> Reply:
    """Return the answer to a refused request."""
    return answer(None, now_ms, headers, error.code, error.message, error.status)


REFUSALS: dict[Reason, tuple[str, str]] = {
    Reason.UNKNOWN_SYMBOL: ("40034", "Parameter symbol does not exist"),
    Reason.UNKNOWN_ORDER: ("40768", "Order does not exist"),
    Reason.UNKNOWN_ACCOUNT: ("40006", "Invalid ACCESS_KEY"),
    Reason.QUANTITY_NOT_POSITIVE: (PARAMETER, "Parameter verification failed size"),
    Reason.QUANTITY_BELOW_MINIMUM: ("45111", "less than the minimum order quantity"),
    Reason.QUANTITY_ABOVE_MAXIMUM: ("45112", "more than the maximum order quantity"),
    Reason.QUANTITY_PRECISION: ("40808", "Parameter verification exception size checkBDScale error"),
    Reason.QUANTITY_OFF_STEP: ("40808", "Parameter verification exception size checkBDScale error"),
    Reason.PRICE_NOT_POSITIVE: ("40706", "Wrong order price"),
    Reason.PRICE_PRECISION: ("40808", "Parameter verification exception price checkBDScale error"),
    Reason.PRICE_OFF_TICK: ("45115", "The price you enter should be a multiple of the price step"),
    Reason.PRICE_ABOVE_BAND: ("40815", "Order price shall not be higher than the highest bid price"),
    Reason.PRICE_BELOW_BAND: ("40816", "Order price shall not be lower than the lowest ask price"),
    Reason.NOTIONAL_BELOW_MINIMUM: ("45110", "less than the minimum amount"),
    Reason.TOO_MANY_OPEN_ORDERS: ("40761", "The total number of unfilled orders is too high"),
    Reason.DUPLICATE_CLIENT_ID: ("40786", "Duplicate clientOid"),
    Reason.INSUFFICIENT_MARGIN: ("40762", "The order amount exceeds the balance"),
    Reason.REDUCE_ONLY_REJECTED: ("22002", "No position to close"),
    Reason.POSITION_SIDE_MISMATCH: (
        "40774",
        "The order type for unilateral position must also be the unilateral position type.",
    ),
    Reason.REDUCE_ONLY_IN_HEDGE_MODE: (PARAMETER, "Parameter verification failed reduceOnly"),
    Reason.POST_ONLY_WOULD_TAKE: ("40812", "The condition postOnly is not met"),
    Reason.WOULD_TRIGGER: ("43011", "The parameter does not meet the specification triggerPrice"),
    Reason.NO_AMENDMENT: (PARAMETER, "Parameter verification failed"),
    Reason.MODE_UNCHANGED: (SUCCESS, "success"),
    Reason.OPEN_ORDERS_EXIST: (
        "40920",
        "Position or order exists, the position mode cannot be switched",
    ),
    Reason.OPEN_POSITIONS_EXIST: (
        "40920",
        "Position or order exists, the position mode cannot be switched",
    ),
    Reason.LEVERAGE_INVALID: ("40797", "Exceeded the maximum settable leverage"),
    Reason.EXECUTION_INVALID: (PARAMETER, "The given executions do not form an order."),
    Reason.NOT_AT_SPOT: (PARAMETER, "Parameter verification failed"),
}


def from_refusal(refusal: Refusal) -> ApiError:
    """Return the venue's error for an engine refusal."""
    return ApiError(*REFUSALS[refusal.reason])


def wrong(name: str) -> ApiError:
    """Return the error for an absent or malformed parameter."""
    return ApiError(PARAMETER, f"Parameter verification failed {name}")
