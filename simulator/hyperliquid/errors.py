"""The venue's words: it has no error numbers. What is refused as a whole is `err`, what one order is refused for stands
among the statuses of an `ok`.
"""

from __future__ import annotations

import orjson

from simulator.engine.refusal import Reason, Refusal
from simulator.http import Reply

TICK = "Price must be divisible by tick size."
SIZE = "Order has invalid size."
MISSING = "Order was never placed, already canceled, or filled."
NO_MATCH = "Order could not immediately match against any resting orders."
UNREADABLE = b"Failed to deserialize the JSON body into the target type"


class ActionError(Exception):
    """An action is refused as a whole."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Unprocessable(Exception):
    """The request is not what the venue's types say."""


REFUSALS: dict[Reason, str] = {
    Reason.UNKNOWN_SYMBOL: "Invalid asset.",
    Reason.UNKNOWN_ORDER: MISSING,
    Reason.QUANTITY_NOT_POSITIVE: "Order has zero size.",
    Reason.QUANTITY_BELOW_MINIMUM: SIZE,
    Reason.QUANTITY_ABOVE_MAXIMUM: SIZE,
    Reason.QUANTITY_PRECISION: SIZE,
    Reason.QUANTITY_OFF_STEP: SIZE,
    Reason.PRICE_NOT_POSITIVE: "Order has invalid price.",
    Reason.PRICE_PRECISION: TICK,
    Reason.PRICE_OFF_TICK: TICK,
    Reason.PRICE_ABOVE_BAND: "Order price cannot be more than 80% away from the reference price",
    Reason.PRICE_BELOW_BAND: "Order price cannot be more than 80% away from the reference price",
    Reason.NOTIONAL_BELOW_MINIMUM: "Order must have minimum value of $10.",
    Reason.TOO_MANY_OPEN_ORDERS: "Too many open orders.",
    Reason.DUPLICATE_CLIENT_ID: "Order has a cloid that is in use.",
    Reason.INSUFFICIENT_MARGIN: "Insufficient margin to place order.",
    Reason.REDUCE_ONLY_REJECTED: "Reduce only order would increase position.",
    Reason.POST_ONLY_WOULD_TAKE: "Post only order would have immediately matched, bbo was unknown.",
    Reason.WOULD_TRIGGER: "Invalid TP/SL price.",
    Reason.LEVERAGE_INVALID: "Invalid leverage value.",
    Reason.OPEN_ORDERS_EXIST: "Cannot switch leverage type with open orders.",
    Reason.OPEN_POSITIONS_EXIST: "Cannot switch leverage type with open position.",
}


def text_of(refusal: Refusal) -> str:
    """Return the venue's words for an engine refusal."""
    return REFUSALS.get(refusal.reason, refusal.reason.value)


def done(kind: str, statuses: list[object] | None = None) -> Reply:
    """Return the answer to an action that was carried out."""
    response: dict[str, object] = {"type": kind}
    if statuses is not None:
        response["data"] = {"statuses": statuses}
    return Reply(200, orjson.dumps({"status": "ok", "response": response}))


def refused(error: ActionError) -> Reply:
    """Return the answer to an action that was refused as a whole."""
    return Reply(200, orjson.dumps({"status": "err", "response": error.text}))


def unprocessable() -> Reply:
    """Return the answer to a request that has not the right form."""
    return Reply(422, UNREADABLE, content_type="text/plain")
