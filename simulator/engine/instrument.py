"""One market: its kind, increments, limits and the shape of its pretended book.

The symbol tells the kind: `BTCUSDT` is a linear perpetual, `BTCUSDT:SPOT` the spot market, `BTCUSD:INVERSE` the perpetual
that settles in its coin. Quantities count base coins (spot, linear) or face value in the quote currency (inverse); what a
venue calls a contract is its dialect's conversion.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from simulator.engine.refusal import Reason, Refusal

SPOT_SUFFIX = ":SPOT"
INVERSE_SUFFIX = ":INVERSE"


class Kind(StrEnum):
    """What a market trades: coins, or perpetuals that settle in the quote currency or in the coin."""

    SPOT = "SPOT"
    LINEAR = "LINEAR"
    INVERSE = "INVERSE"


def kind_of(symbol: str) -> Kind:
    """Return the kind that an engine symbol names."""
    if symbol.endswith(SPOT_SUFFIX):
        return Kind.SPOT
    return Kind.INVERSE if symbol.endswith(INVERSE_SUFFIX) else Kind.LINEAR


def decimals_of(increment: Decimal) -> int:
    """Return how many decimals `increment` needs; zero for 1, 10, 100."""
    exponent = increment.normalize().as_tuple().exponent
    return max(0, -int(exponent))


@dataclass(frozen=True, slots=True)
class Instrument:
    """Increments and limits in quote units (prices, notional) and units of quantity.

    `settle` is the asset that margin, profit and fees of a perpetual are counted in, and the quote asset at spot;
    `spread_ticks` is the whole spread; `depth_quantity` the size of the best level; `maintenance_rate` the share of
    notional that must stay covered; `price_band` how far a limit price may lie from the mark, as a share of it.
    """

    symbol: str
    base: str
    quote: str
    price: Decimal
    tick: Decimal
    step: Decimal
    min_quantity: Decimal
    min_notional: Decimal
    max_quantity: Decimal = Decimal(1_000_000)
    max_market_quantity: Decimal = Decimal(1_000_000)
    spread_ticks: int = 1
    depth_quantity: Decimal = Decimal(10)
    levels: int = 20
    maintenance_rate: Decimal = Decimal("0.005")
    max_leverage: int = 125
    price_band: Decimal = Decimal("0.05")
    max_open_orders: int = 200
    kind: Kind = Kind.LINEAR
    settle: str = field(init=False)
    price_decimals: int = field(init=False)
    quantity_decimals: int = field(init=False)
    price_unit: Decimal = field(init=False)
    quantity_unit: Decimal = field(init=False)

    def __post_init__(self) -> None:
        """Raise ValueError when a limit is not positive, the price is off its tick, or symbol and kind disagree."""
        positive = (self.price, self.tick, self.step, self.min_quantity, self.depth_quantity)
        if not all(value.is_finite() and value > 0 for value in positive):
            raise ValueError("price, tick, step, min_qty and depth_qty must be positive")
        if self.price % self.tick:
            raise ValueError(f"price {self.price} is not a multiple of tick {self.tick}")
        if self.min_quantity % self.step:
            raise ValueError(f"min_qty {self.min_quantity} is not a multiple of step {self.step}")
        if self.min_notional < 0 or self.spread_ticks < 1 or self.levels < 1 or self.max_leverage < 1:
            raise ValueError(
                "min_notional must not be negative; spread_ticks, levels and max_leverage start at 1"
            )
        if kind_of(self.symbol) is not self.kind:
            raise ValueError(
                f"a {self.kind} symbol ends in {SPOT_SUFFIX}, {INVERSE_SUFFIX} or, if linear, in neither"
            )
        set_field = object.__setattr__
        set_field(self, "settle", self.base if self.kind is Kind.INVERSE else self.quote)
        set_field(self, "price_decimals", decimals_of(self.tick))
        set_field(self, "quantity_decimals", decimals_of(self.step))
        set_field(self, "price_unit", Decimal(1).scaleb(-self.price_decimals))
        set_field(self, "quantity_unit", Decimal(1).scaleb(-self.quantity_decimals))

    def check_quantity(self, quantity: Decimal, *, market: bool) -> None:
        """Refuse a quantity that is not positive, off the step, or outside the limits."""
        if quantity <= 0:
            raise Refusal(Reason.QUANTITY_NOT_POSITIVE)
        if quantity % self.step:
            finer = quantity % self.quantity_unit
            raise Refusal(Reason.QUANTITY_PRECISION if finer else Reason.QUANTITY_OFF_STEP)
        if quantity < self.min_quantity:
            raise Refusal(Reason.QUANTITY_BELOW_MINIMUM)
        if quantity > (self.max_market_quantity if market else self.max_quantity):
            raise Refusal(Reason.QUANTITY_ABOVE_MAXIMUM)

    def check_price(self, price: Decimal, mark: Decimal | None = None) -> None:
        """Refuse a price that is not positive or off the tick and, when `mark` is given, outside the band."""
        if price <= 0:
            raise Refusal(Reason.PRICE_NOT_POSITIVE)
        if price % self.tick:
            raise Refusal(Reason.PRICE_PRECISION if price % self.price_unit else Reason.PRICE_OFF_TICK)
        if mark is None:
            return
        if price > mark * (1 + self.price_band):
            raise Refusal(Reason.PRICE_ABOVE_BAND)
        if price < mark * (1 - self.price_band):
            raise Refusal(Reason.PRICE_BELOW_BAND)

    def check_notional(self, quantity: Decimal, price: Decimal) -> None:
        """Refuse an order whose worth in the quote currency is below the minimum."""
        worth = quantity if self.kind is Kind.INVERSE else quantity * price
        if worth < self.min_notional:
            raise Refusal(Reason.NOTIONAL_BELOW_MINIMUM)

    def value(self, quantity: Decimal, price: Decimal) -> Decimal:
        """Return what `quantity` is worth at `price`, in the settle asset."""
        return quantity / price if self.kind is Kind.INVERSE else quantity * price

    def floor_price(self, price: Decimal) -> Decimal:
        """Return the tick at or below `price`."""
        return (price / self.tick).to_integral_value(ROUND_DOWN) * self.tick

    def floor_quantity(self, quantity: Decimal) -> Decimal:
        """Return the step at or below `quantity`."""
        return (quantity / self.step).to_integral_value(ROUND_DOWN) * self.step
