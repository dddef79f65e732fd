"""The hold: funds set aside for one trade before anything is sent.

Reserve, then capture part or all as executions come, then release the rest, once. Invariants: captured + released
+ remaining = reserved; nothing is below zero; a released hold takes nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.domain.shared.errors import InvariantBroken
from app.domain.shared.money import NO_MONEY, Money


@dataclass(frozen=True, slots=True)
class Hold:
    """Funds of one trade in quote currency."""

    reserved: Money
    remaining: Money
    released: bool = False

    def __post_init__(self) -> None:
        if not NO_MONEY <= self.remaining <= self.reserved or (self.released and self.remaining != 0):
            raise InvariantBroken("A hold is between nothing and what was reserved, and empty once released.")

    def capture(self, needed: Money) -> tuple[Hold, Money]:
        """Take up to `needed` out of the hold; return the hold and what came out of it.

        An execution may cost more than was held (slippage): the hold gives what it has and never more.
        """
        if needed < 0:
            raise InvariantBroken("A capture is not negative.")
        taken = Money(min(needed, self.remaining))
        return replace(self, remaining=Money(self.remaining - taken)), taken

    def release(self) -> tuple[Hold, Money]:
        """Give back what remains; a second release gives nothing."""
        return Hold(self.reserved, NO_MONEY, released=True), self.remaining
