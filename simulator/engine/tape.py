"""The tape: the mark price of every symbol, moved by a seeded random walk or set outright."""

from __future__ import annotations

import random
from decimal import Decimal

from simulator.engine.instrument import Instrument

WALK_SHARE = Decimal("0.0005")


class Tape:
    """A walk per symbol with its own generator, so adding a symbol never changes another one's path."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._rngs: dict[str, random.Random] = {}
        self.marks: dict[str, Decimal] = {}
        self.opens: dict[str, Decimal] = {}
        self.highs: dict[str, Decimal] = {}
        self.lows: dict[str, Decimal] = {}

    def list_symbol(self, instrument: Instrument) -> None:
        """Start the tape of a new instrument at its listed price."""
        symbol = instrument.symbol
        self._rngs[symbol] = random.Random(f"{self._seed}:{symbol}:tape")
        for series in (self.marks, self.opens, self.highs, self.lows):
            series[symbol] = instrument.price

    def next_price(self, instrument: Instrument) -> Decimal:
        """Return the next step of the walk, a whole number of ticks away and never below one tick."""
        mark = self.marks[instrument.symbol]
        reach = max(1, int(mark * WALK_SHARE / instrument.tick))
        ticks = self._rngs[instrument.symbol].randint(-reach, reach)
        return max(instrument.tick, mark + ticks * instrument.tick)

    def move(self, symbol: str, price: Decimal) -> None:
        """Record the new mark price."""
        self.marks[symbol] = price
        self.highs[symbol] = max(self.highs[symbol], price)
        self.lows[symbol] = min(self.lows[symbol], price)
