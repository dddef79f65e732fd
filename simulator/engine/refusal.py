"""Why the engine refuses a request, in words no venue owns; a dialect maps each reason to its own error number."""

from __future__ import annotations

from enum import Enum


class Reason(Enum):
    """A refusal's cause; the value is the sentence a person reads."""

    UNKNOWN_SYMBOL = "The symbol is not listed."
    UNKNOWN_ORDER = "No such order."
    UNKNOWN_ACCOUNT = "No such account."
    QUANTITY_NOT_POSITIVE = "The quantity must be greater than zero."
    QUANTITY_BELOW_MINIMUM = "The quantity is below the instrument's minimum."
    QUANTITY_ABOVE_MAXIMUM = "The quantity is above the instrument's maximum."
    QUANTITY_PRECISION = "The quantity has more decimals than the instrument allows."
    QUANTITY_OFF_STEP = "The quantity is not a multiple of the instrument's step."
    PRICE_NOT_POSITIVE = "The price must be greater than zero."
    PRICE_PRECISION = "The price has more decimals than the instrument allows."
    PRICE_OFF_TICK = "The price is not a multiple of the instrument's tick."
    PRICE_ABOVE_BAND = "The price is above the band around the mark price."
    PRICE_BELOW_BAND = "The price is below the band around the mark price."
    NOTIONAL_BELOW_MINIMUM = "The notional is below the instrument's minimum."
    TOO_MANY_OPEN_ORDERS = "The account has too many open orders."
    DUPLICATE_CLIENT_ID = "The client order id is already in use."
    INSUFFICIENT_MARGIN = "The available margin does not cover the order."
    REDUCE_ONLY_REJECTED = "There is nothing for a reduce-only order to reduce."
    POSITION_SIDE_MISMATCH = "The position side does not match the account's position mode."
    REDUCE_ONLY_IN_HEDGE_MODE = "A reduce-only flag is not accepted in hedge mode."
    POST_ONLY_WOULD_TAKE = "The post-only order would execute at once."
    WOULD_TRIGGER = "The conditional order would trigger at once."
    NO_AMENDMENT = "The amendment changes nothing."
    MODE_UNCHANGED = "The mode is already set."
    OPEN_ORDERS_EXIST = "The mode cannot change while orders are open."
    OPEN_POSITIONS_EXIST = "The mode cannot change while positions are open."
    LEVERAGE_INVALID = "The leverage is outside the instrument's range."
    NOT_AT_SPOT = "A spot market has no positions: nothing to reduce, no leverage, no funding."
    EXECUTION_INVALID = "The given executions do not form an order."


class Refusal(Exception):
    """Raised before anything changed: the request leaves no trace in the engine."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.value} {detail}".rstrip())
        self.reason = reason
        self.detail = detail
