"""Orders and fills as the venue keeps them, with the words every derivatives venue shares."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from simulator.engine.instrument import INVERSE_SUFFIX

ZERO = Decimal(0)
Uniqueness = Literal["open", "always", "none"]


class Side(StrEnum):
    """Direction of an order."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """Return +1 for BUY, -1 for SELL."""
        return 1 if self is Side.BUY else -1


class PositionSide(StrEnum):
    """Which position an order moves: the net one (BOTH), or one leg in hedge mode."""

    BOTH = "BOTH"
    LONG = "LONG"
    SHORT = "SHORT"


class OrderType(StrEnum):
    """How an order executes once it is in the book."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"


class TimeInForce(StrEnum):
    """GTC rests, IOC cancels its rest, FOK is all or nothing, GTX must not take."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTX = "GTX"


class Status(StrEnum):
    """Life of an order; the last three are final."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


class Origin(StrEnum):
    """Who put the order in: its owner, a triggered conditional order, the liquidation, auto-deleveraging, or the operator."""

    CLIENT = "client"
    CONDITIONAL = "conditional"
    LIQUIDATION = "liquidation"
    DELEVERAGING = "deleveraging"
    OPERATOR = "operator"


class Execution(StrEnum):
    """What just happened to an order."""

    NEW = "NEW"
    TRADE = "TRADE"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    AMENDMENT = "AMENDMENT"
    CALCULATED = "CALCULATED"


OPEN = (Status.NEW, Status.PARTIALLY_FILLED)


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What an owner asks for. `price` is zero for MARKET; `received_ms` is the server's time when the request arrived;
    `close_position` asks for the whole position, whatever `quantity` says; `quote_quantity`, of a spot market order,
    asks for as many coins as that amount trades, whatever `quantity` says; `unique` is the venue's rule for its id;
    `conditional_id` is the number of the conditional order that it was, zero for none.
    """

    symbol: str
    side: Side
    type: OrderType
    quantity: Decimal
    price: Decimal = ZERO
    time_in_force: TimeInForce = TimeInForce.GTC
    position_side: PositionSide = PositionSide.BOTH
    reduce_only: bool = False
    close_position: bool = False
    client_order_id: str = ""
    received_ms: int = 0
    origin: Origin = Origin.CLIENT
    original_type: str = ""
    trigger_price: Decimal = ZERO
    unique: Uniqueness = "open"
    quote_quantity: Decimal = ZERO
    conditional_id: int = 0


@dataclass(slots=True)
class Order:
    """One order; `cost` sums what its fills were worth: price times quantity, for inverse quantity by price (coins).

    `quote_quantity` is the amount of quote currency that a spot market order was asked to trade, zero else.
    """

    seq: int
    order_id: int
    client_order_id: str
    account_id: str
    symbol: str
    side: Side
    position_side: PositionSide
    type: OrderType
    time_in_force: TimeInForce
    price: Decimal
    quantity: Decimal
    reduce_only: bool
    close_position: bool
    origin: Origin
    original_type: str
    trigger_price: Decimal
    received_ms: int
    created_ms: int
    updated_ms: int
    visible_ms: int
    status: Status = Status.NEW
    executed: Decimal = ZERO
    cost: Decimal = ZERO
    quote_quantity: Decimal = ZERO
    conditional_id: int = 0

    @property
    def remaining(self) -> Decimal:
        """Return the quantity not executed yet."""
        return self.quantity - self.executed

    @property
    def average_price(self) -> Decimal:
        """Return the mean execution price (harmonic for inverse), zero before the first fill."""
        if not self.executed:
            return ZERO
        return (
            self.executed / self.cost if self.symbol.endswith(INVERSE_SUFFIX) else self.cost / self.executed
        )

    @property
    def is_open(self) -> bool:
        """Say whether the order can still execute."""
        return self.status in OPEN


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution; `commission` in `commission_asset` and `realised_pnl` in the settle asset, both already booked."""

    seq: int
    trade_id: int
    order_id: int
    client_order_id: str
    account_id: str
    symbol: str
    side: Side
    position_side: PositionSide
    price: Decimal
    quantity: Decimal
    commission: Decimal
    realised_pnl: Decimal
    maker: bool
    time_ms: int
    visible_ms: int
    commission_asset: str = "USDT"
