"""The leader of a rehearsal: trades as the plan says, remembers what it holds, and closes all of it in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from tests.support.system import System
from tools.chaos.plan import MARKETS, Move


@dataclass
class Leader:
    """Makes the plan's moves at the exchange; `trades` counts them."""

    system: System
    moves: Iterator[Move]
    trades: int = 0
    _held: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(MARKETS, Decimal(0)))

    async def go_on(self) -> None:
        """Make the next move."""
        await self._trade(next(self.moves))

    async def leave(self) -> None:
        """Close everything that is held."""
        for symbol, held in self._held.items():
            if held:
                await self._trade(Move(symbol, "SELL" if held > 0 else "BUY", abs(held), 1))

    async def _trade(self, move: Move) -> None:
        await asyncio.to_thread(
            self.system.lead, move.side, str(move.quantity), move.symbol, parts=move.parts
        )
        self._held[move.symbol] += move.quantity if move.side == "BUY" else -move.quantity
        self.trades += 1
