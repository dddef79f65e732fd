"""The venue's words, ids and numbers."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from simulator.engine.instrument import Instrument
from simulator.engine.order import OrderType, PositionSide, Side, Status, TimeInForce

Json = dict[str, object]
SIDES = {Side.BUY: "Buy", Side.SELL: "Sell"}
TYPES = {OrderType.MARKET: "Market", OrderType.LIMIT: "Limit"}
TIMES = {
    TimeInForce.GTC: "GTC",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
    TimeInForce.GTX: "PostOnly",
}
STATUSES = {
    Status.NEW: "New",
    Status.PARTIALLY_FILLED: "PartiallyFilled",
    Status.FILLED: "Filled",
    Status.CANCELED: "Cancelled",
    Status.EXPIRED: "Cancelled",
}
INDEXES = {PositionSide.BOTH: 0, PositionSide.LONG: 1, PositionSide.SHORT: 2}
EXECUTIONS = 1 << 64
"""Added to a trade's number before it is written as an id, so that no execution shares an order's id."""

CONDITIONALS = 1 << 67
"""Added to a conditional order's number; the order that it becomes is told under the same id."""


def id_text(number: int) -> str:
    """Write an engine number as one of the venue's ids."""
    return str(UUID(int=number))


def number_of(text: str) -> int:
    """Return the engine's number of an id, -1 for none of ours."""
    try:
        return UUID(text).int
    except ValueError:
        return -1


def link_text(client_order_id: str) -> str:
    """Write a client id; the engine's own stand for none."""
    return "" if client_order_id.startswith("sim-") else client_order_id


def plain(value: Decimal) -> str:
    """Write a number without exponent and without a negative zero."""
    return f"{value:f}" if value else "0"


def money(value: Decimal) -> str:
    """Write an amount of an asset."""
    return f"{value:.8f}" if value else "0"


def average(instrument: Instrument, value: Decimal) -> str:
    """Write an average price."""
    return f"{value:.{instrument.price_decimals + 4}f}" if value else ""


def closed(before: Decimal, change: Decimal) -> Decimal:
    """Return how much of a position of `before` (signed) a signed execution of `change` closed."""
    return min(abs(before), abs(change)) if before * change < 0 else Decimal(0)
