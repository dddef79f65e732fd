"""One position: fills net into it, and closing fills realise profit against the average entry price."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from simulator.engine.order import ZERO, PositionSide


@dataclass(slots=True)
class Position:
    """`quantity` is signed (short is negative) in every mode; `entry_price` is the average of the open part."""

    symbol: str
    side: PositionSide
    quantity: Decimal = ZERO
    entry_price: Decimal = ZERO
    realised_pnl: Decimal = ZERO
    updated_ms: int = 0

    def apply(self, signed_quantity: Decimal, price: Decimal) -> Decimal:
        """Net one execution in and return the profit it realises, unrounded, in quote units.

        Adding moves the average; reducing keeps it; going through zero realises the old part and opens the rest at
        `price`.
        """
        held = self.quantity
        after = held + signed_quantity
        if held == 0 or (held > 0) == (signed_quantity > 0):
            cost = abs(held) * self.entry_price + abs(signed_quantity) * price
            self.quantity, self.entry_price = after, cost / abs(after)
            return ZERO
        closed = min(abs(held), abs(signed_quantity))
        realised = (price - self.entry_price) * closed * (1 if held > 0 else -1)
        self.quantity = after
        if after == 0:
            self.entry_price = ZERO
        elif (after > 0) != (held > 0):
            self.entry_price = price
        return realised

    def unrealised(self, mark: Decimal) -> Decimal:
        """Return the profit that closing at `mark` would realise."""
        return (mark - self.entry_price) * self.quantity
