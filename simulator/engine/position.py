"""One position: fills net into it, and closing fills realise profit against the average entry price.

A linear position counts coins and profits in the quote currency. An inverse one counts face value in the quote currency and
profits in coins: a face value q is worth q / price coins, so its average entry is the harmonic mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from simulator.engine.instrument import INVERSE_SUFFIX
from simulator.engine.order import ZERO, PositionSide


@dataclass(slots=True)
class Position:
    """`quantity` is signed (short is negative) in every mode; `entry_price` is the average of the open part.

    `margin` is what an isolated position has of its own, in the settle asset; zero in cross margin.
    """

    symbol: str
    side: PositionSide
    quantity: Decimal = ZERO
    entry_price: Decimal = ZERO
    realised_pnl: Decimal = ZERO
    updated_ms: int = 0
    margin: Decimal = ZERO
    inverse: bool = field(init=False)

    def __post_init__(self) -> None:
        self.inverse = self.symbol.endswith(INVERSE_SUFFIX)

    def apply(self, signed_quantity: Decimal, price: Decimal) -> Decimal:
        """Net one execution in and return the profit it realises, unrounded, in the settle asset.

        Adding moves the average; reducing keeps it; going through zero realises the old part and opens the rest at
        `price`.
        """
        held = self.quantity
        after = held + signed_quantity
        if held == 0 or (held > 0) == (signed_quantity > 0):
            self.entry_price = self._average(abs(held), abs(signed_quantity), price)
            self.quantity = after
            return ZERO
        closed = min(abs(held), abs(signed_quantity))
        realised = self.profit(closed if held > 0 else -closed, price)
        self.quantity = after
        if after == 0:
            self.entry_price = ZERO
        elif (after > 0) != (held > 0):
            self.entry_price = price
        return realised

    def _average(self, held: Decimal, added: Decimal, price: Decimal) -> Decimal:
        if self.inverse:
            coins = added / price + (held / self.entry_price if held else ZERO)
            return (held + added) / coins
        return (held * self.entry_price + added * price) / (held + added)

    def profit(self, signed_quantity: Decimal, price: Decimal) -> Decimal:
        """Return what closing `signed_quantity` of the open part at `price` gains."""
        if self.inverse:
            return signed_quantity / self.entry_price - signed_quantity / price
        return (price - self.entry_price) * signed_quantity

    def unrealised(self, mark: Decimal) -> Decimal:
        """Return the profit that closing at `mark` would realise."""
        return self.profit(self.quantity, mark) if self.quantity else ZERO

    def value(self, price: Decimal) -> Decimal:
        """Return what the position is worth at `price`, unsigned, in the settle asset."""
        size = abs(self.quantity)
        return size / price if self.inverse else size * price
