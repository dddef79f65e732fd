"""The synthetic order book: a spread and a ladder of levels around the mark price, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from simulator.engine.instrument import Instrument
from simulator.engine.order import ZERO, Side

Level = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class Ladder:
    """Both sides, best price first; each level is (price, contracts)."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]

    def against(self, side: Side) -> tuple[Level, ...]:
        """Return the levels that an order of `side` executes against."""
        return self.asks if side is Side.BUY else self.bids


class SyntheticBook:
    """Depth for one instrument. It is refilled at once after every execution: a thousand followers that buy in one
    burst each see the same book, so results do not depend on who came first.
    """

    def __init__(self, instrument: Instrument, seed: int) -> None:
        self._instrument = instrument
        rng = random.Random(f"{seed}:{instrument.symbol}:book")
        self._bid_sizes = self._sizes(rng)
        self._ask_sizes = self._sizes(rng)
        self._gaps = tuple(rng.randint(1, 3) for _ in range(instrument.levels))
        self._mark: Decimal | None = None
        self._ladder = Ladder((), ())

    def _sizes(self, rng: random.Random) -> tuple[Decimal, ...]:
        inst = self._instrument
        sizes = []
        for level in range(inst.levels):
            share = Decimal(rng.randint(80, 120)) / 100 * (1 + Decimal(level) / 2)
            sizes.append(max(inst.step, inst.floor_quantity(inst.depth_quantity * share)))
        return tuple(sizes)

    def at(self, mark: Decimal) -> Ladder:
        """Return the ladder around `mark` (a multiple of the tick); levels that would reach zero are left out."""
        if mark != self._mark:
            self._mark, self._ladder = mark, self._build(mark)
        return self._ladder

    def _build(self, mark: Decimal) -> Ladder:
        tick, spread = self._instrument.tick, self._instrument.spread_ticks
        below = spread // 2
        bid = mark - below * tick
        ask = bid + spread * tick
        bids: list[Level] = []
        asks: list[Level] = []
        for gap, bid_size, ask_size in zip(self._gaps, self._bid_sizes, self._ask_sizes, strict=True):
            if bid > 0:
                bids.append((bid, bid_size))
            asks.append((ask, ask_size))
            bid -= gap * tick
            ask += gap * tick
        return Ladder(tuple(bids), tuple(asks))


def walk(levels: Sequence[Level], side: Side, quantity: Decimal, limit: Decimal | None) -> list[Level]:
    """Return the executions of an order that takes `quantity` from `levels`, no worse than `limit`.

    The quantities sum to `quantity`, or to less when depth or the limit ran out.
    """
    taken: list[Level] = []
    for price, available in levels:
        if limit is not None and (price > limit if side is Side.BUY else price < limit):
            break
        size = min(quantity, available)
        taken.append((price, size))
        quantity -= size
        if not quantity:
            break
    return taken


def depth_within(levels: Sequence[Level], side: Side, limit: Decimal) -> Decimal:
    """Return how many contracts an order of `side` could take at `limit` or better."""
    return sum(
        (size for price, size in levels if (price <= limit if side is Side.BUY else price >= limit)), ZERO
    )
