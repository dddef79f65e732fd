"""Copy terms: what a follower agrees to, in the words that trading executes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from app.domain.shared.errors import InvalidValue
from app.domain.shared.market import Side, Symbol
from app.domain.shared.money import Money, Ratio, exact
from app.domain.shared.protection_terms import NO_PROTECTION, ProtectionTerms


class CopyMode(StrEnum):
    """How the size of a copied entry is found.

    FIXED_AMOUNT: the same notional in quote currency for each entry. MULTIPLIER: the leader's quantity times a
    factor. EQUITY_PROPORTIONAL: the leader's notional times (follower equity / leader equity) times a factor.
    """

    FIXED_AMOUNT = "FIXED_AMOUNT"
    MULTIPLIER = "MULTIPLIER"
    EQUITY_PROPORTIONAL = "EQUITY_PROPORTIONAL"


class TinyPolicy(StrEnum):
    """What happens to an entry below the venue's minimum: skip it, or raise it to the minimum.

    RAISE never goes beyond `tiny_factor_max` times what the terms asked for, so a small account is not
    surprised by a large order.
    """

    SKIP = "SKIP"
    RAISE = "RAISE"


@dataclass(frozen=True, slots=True)
class CopyTerms:
    """The terms of one follow.

    `value` is quote currency for FIXED_AMOUNT and a factor otherwise. `order_notional_max` is quote currency.
    `drift_max` is the largest adverse move of the mark price against the leader's price, as a ratio
    (0.005 = 0.5 %), checked on entries only. `leverage_max` caps the leader's leverage. An empty
    `symbols_allowed` allows every symbol; `symbols_denied` wins over it.
    """

    mode: CopyMode
    value: Decimal
    leverage_max: int = 10
    order_notional_max: Money | None = None
    drift_max: Ratio = Ratio(Decimal("0.005"))
    sides: frozenset[Side] = frozenset(Side)
    symbols_allowed: frozenset[Symbol] = frozenset()
    symbols_denied: frozenset[Symbol] = frozenset()
    tiny: TinyPolicy = TinyPolicy.SKIP
    tiny_factor_max: Ratio = Ratio(Decimal(2))
    protection: ProtectionTerms = NO_PROTECTION

    def __post_init__(self) -> None:
        figures = (self.value, self.drift_max, self.tiny_factor_max, self.order_notional_max or self.value)
        if not all(figure.is_finite() for figure in figures):
            raise InvalidValue("Every figure of the terms must be finite.", mode=self.mode.value)
        if exact(self.value) <= 0:
            raise InvalidValue("The copy value must be above zero.", mode=self.mode.value)
        if self.mode is not CopyMode.FIXED_AMOUNT and self.value > Decimal(100):
            raise InvalidValue("A copy factor above 100 is refused.", mode=self.mode.value)
        if not 1 <= self.leverage_max <= 125:
            raise InvalidValue("The leverage cap must lie between 1 and 125.")
        if not Decimal(0) < self.drift_max <= Decimal("0.1"):
            raise InvalidValue("The largest drift must lie above 0 and at most at 0.1 (10 %).")
        if self.order_notional_max is not None and self.order_notional_max <= 0:
            raise InvalidValue("The largest order must be above zero.")
        if not self.sides:
            raise InvalidValue("At least one side must be allowed.")
        if not Decimal(1) <= self.tiny_factor_max <= Decimal(10):
            raise InvalidValue("The factor for tiny trades must lie between 1 and 10.")

    def allows_symbol(self, sym: Symbol) -> bool:
        """Return whether the follower wants this market copied."""
        return sym not in self.symbols_denied and (not self.symbols_allowed or sym in self.symbols_allowed)
