"""What the venue port accepts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.domain.shared.ids import ClientOrderId
from app.domain.shared.market import Instrument, Side
from app.domain.shared.money import Price, Quantity


class OrderType(StrEnum):
    """How an order meets the market."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"


class TimeInForce(StrEnum):
    """How long a limit order stands: until cancelled, or only for what fills at once."""

    GTC = "GTC"
    IOC = "IOC"


class MarginMode(StrEnum):
    """Whether all positions share one margin, or each has its own."""

    CROSS = "CROSS"
    ISOLATED = "ISOLATED"


class PositionMode(StrEnum):
    """ONE_WAY: one net position per market. HEDGE: a long and a short one beside each other.

    In hedge mode the position that an order is about follows from its side: an order that only reduces is about the
    opposite one.
    """

    ONE_WAY = "ONE_WAY"
    HEDGE = "HEDGE"


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """One order to place. `signed_ms` is the committed timestamp that the request is signed with, and `valid_ms` the
    window behind it in which the venue may accept it: together they are the fence, so neither is ever renewed.
    """

    instrument: Instrument
    side: Side
    quantity: Quantity
    reduce_only: bool
    client_order_id: ClientOrderId
    signed_ms: int
    valid_ms: int
    type: OrderType = OrderType.MARKET
    price: Price | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    position_mode: PositionMode = PositionMode.ONE_WAY
    margin_mode: MarginMode = MarginMode.CROSS
