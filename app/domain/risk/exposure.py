"""What an account already carries, and what a proposal would add: the inputs of the risk rules."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from app.domain.shared.market import Side
from app.domain.shared.money import Money, Price, Quantity, Ratio


class Proposal(Protocol):
    """New risk that somebody wants to take. Trading's candidate order fits it; neither context knows the other."""

    @property
    def side(self) -> Side:
        """The side of the order."""
        ...

    @property
    def quantity(self) -> Quantity:
        """Base units."""
        ...

    @property
    def notional(self) -> Money:
        """Quote currency, at the mark price."""
        ...

    @property
    def leverage(self) -> int:
        """The leverage that the order would use."""
        ...

    @property
    def reference_price(self) -> Price:
        """The leader's price."""
        ...

    @property
    def mark_price(self) -> Price:
        """The market's price now."""
        ...

    @property
    def drift_max(self) -> Ratio:
        """The largest adverse move that the follower accepts."""
        ...

    @property
    def opens_position(self) -> bool:
        """Whether the account would hold one more position."""
        ...


@dataclass(frozen=True, slots=True)
class Exposure:
    """One account as it stands, money in quote currency.

    `free` is wallet less margin in use and holds. `symbol_notional` and `total_notional` are open positions plus
    orders on the way. `realised_today` is net of fees and funding, negative for a loss. `other_quantity` is the
    signed quantity that the account holds on this market for other leaders.
    """

    wallet: Money
    free: Money
    high_water: Money
    realised_today: Money
    symbol_notional: Money
    total_notional: Money
    positions: int
    other_quantity: Decimal
    entries_halted: bool
