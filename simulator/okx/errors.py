"""OKX error numbers and texts, which engine refusal becomes which, and the envelope of every answer."""

from __future__ import annotations

import orjson

from simulator.engine.refusal import Reason, Refusal
from simulator.http import Reply

PARAMETER = 51000
HTTP_STATUSES = {
    50001: 503, 50004: 400, 50011: 429, 50100: 400, 50101: 401, 50102: 401, 50103: 401, 50104: 401, 50105: 401,
    50106: 401, 50107: 401, 50110: 401, 50111: 401, 50112: 401, 50113: 401, 50002: 400, 50000: 400, 50014: 400,
}  # fmt: skip
"""What does not travel under HTTP 200."""


class ApiError(Exception):
    """A refusal in the venue's own words."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Rows(Exception):
    """A refusal that stands in the rows of an answer: one for each order that was asked for, some may be yeses."""

    def __init__(self, code: int, rows: list[dict[str, object]]) -> None:
        super().__init__("operations failed")
        self.code = code
        self.rows = rows


def answer(data: object, now_ms: int, code: int = 0, message: str = "", status: int = 200) -> Reply:
    """Return the envelope; the venue tells in microseconds when a request came and left."""
    stamp = str(now_ms * 1000)
    body = {"code": str(code), "msg": message, "data": data, "inTime": stamp, "outTime": stamp}
    return Reply(status, orjson.dumps(body))


def refused(error: ApiError, now_ms: int) -> Reply:
    """Return the answer to a refused request."""
    return answer([], now_ms, error.code, error.message, HTTP_STATUSES.get(error.code, 200))


REFUSALS: dict[Reason, tuple[int, str]] = {
    Reason.UNKNOWN_SYMBOL: (51001, "Instrument ID or Spread ID doesn't exist."),
    Reason.UNKNOWN_ORDER: (51603, "Order does not exist"),
    Reason.UNKNOWN_ACCOUNT: (50111, "Invalid OK-ACCESS-KEY."),
    Reason.QUANTITY_NOT_POSITIVE: (PARAMETER, "Parameter sz  error"),
    Reason.QUANTITY_BELOW_MINIMUM: (51020, "Your order should meet or exceed the minimum order amount."),
    Reason.QUANTITY_ABOVE_MAXIMUM: (51101, "The sz of the current order can't be more than the maximum."),
    Reason.QUANTITY_PRECISION: (51121, "Order quantity must be a multiple of the lot size."),
    Reason.QUANTITY_OFF_STEP: (51121, "Order quantity must be a multiple of the lot size."),
    Reason.PRICE_NOT_POSITIVE: (PARAMETER, "Parameter px  error"),
    Reason.PRICE_PRECISION: (51150, "The precision of the price exceeds the limit."),
    Reason.PRICE_OFF_TICK: (51150, "The precision of the price exceeds the limit."),
    Reason.PRICE_ABOVE_BAND: (51006, "Order price is not within the price limit."),
    Reason.PRICE_BELOW_BAND: (51006, "Order price is not within the price limit."),
    Reason.NOTIONAL_BELOW_MINIMUM: (51020, "Your order should meet or exceed the minimum order amount."),
    Reason.TOO_MANY_OPEN_ORDERS: (51102, "The number of pending orders for this instId is at its maximum."),
    Reason.DUPLICATE_CLIENT_ID: (51016, "Client order ID already exists."),
    Reason.INSUFFICIENT_MARGIN: (51008, "Order failed. Insufficient margin in account"),
    Reason.REDUCE_ONLY_REJECTED: (
        51169,
        "Order failed because you don't have any positions in this direction for this contract to reduce or close.",
    ),
    Reason.POSITION_SIDE_MISMATCH: (PARAMETER, "Parameter posSide  error"),
    Reason.REDUCE_ONLY_IN_HEDGE_MODE: (PARAMETER, "Parameter reduceOnly  error"),
    Reason.POST_ONLY_WOULD_TAKE: (51124, "The post-only order would take."),
    Reason.WOULD_TRIGGER: (51280, "SL trigger price cannot be higher than the last price."),
    Reason.NO_AMENDMENT: (51500, "Either order price or amount is required."),
    Reason.MODE_UNCHANGED: (0, ""),
    Reason.OPEN_ORDERS_EXIST: (
        59000,
        "Settings failed. Close any open positions or orders before modifying settings.",
    ),
    Reason.OPEN_POSITIONS_EXIST: (
        59000,
        "Settings failed. Close any open positions or orders before modifying settings.",
    ),
    Reason.LEVERAGE_INVALID: (59102, "Leverage exceeds the maximum limit. Please lower the leverage."),
    Reason.NOT_AT_SPOT: (51015, "Instrument ID doesn't match instrument type."),
    Reason.EXECUTION_INVALID: (PARAMETER, "The given executions do not form an order."),
}


def from_refusal(refusal: Refusal) -> ApiError:
    """Return the venue's error for an engine refusal."""
    return ApiError(*REFUSALS[refusal.reason])


def wrong(name: str) -> ApiError:
    """Return the error for an absent or malformed parameter."""
    return ApiError(PARAMETER, f"Parameter {name}  error")
