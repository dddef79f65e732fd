"""The market of a rehearsal: mark prices that swing within a band, wide enough to trigger what rests beside the positions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from app.domain.shared.money import Ratio
from app.domain.shared.protection_terms import NO_PROTECTION, ProtectionTerms, TakeProfit, UnprotectedPolicy
from tests.support.simulator import Operator
from tools.chaos.plan import MARKETS


def _ratio(text: str) -> Ratio:
    return Ratio(Decimal(text))


_LADDER: Final = (TakeProfit(_ratio("0.01"), _ratio("0.5")), TakeProfit(_ratio("0.02"), _ratio("0.3")))
PROTECTIONS: Final = (
    NO_PROTECTION,
    ProtectionTerms(stop_loss=_ratio("0.015"), take_profits=_LADDER),
    NO_PROTECTION,
    ProtectionTerms(trailing=_ratio("0.012")),
    ProtectionTerms(stop_loss=_ratio("0.03"), break_even_after=_ratio("0.006")),
    ProtectionTerms(stop_loss=_ratio("0.02"), take_profits=_LADDER, unprotected=UnprotectedPolicy.CLOSE),
)
"""What the followers ask for, in turn: so near the market that its swings reach it."""


@dataclass
class Market:
    """Moves the exchange's mark prices as the plan says; `swings` counts how often."""

    operator: Operator
    plan: Iterator[tuple[str, Decimal] | None]
    swings: int = 0
    _home: Mapping[str, Decimal] = field(default_factory=dict)

    async def begin(self, home: Mapping[str, Decimal]) -> None:
        """Set every price to what each round begins with."""
        self._home = home
        await asyncio.to_thread(
            self.operator.set_prices, **{symbol: str(price) for symbol, price in home.items()}
        )

    async def go_on(self) -> None:
        """Make the next swing, if the plan has one."""
        swing = next(self.plan)
        if swing is None:
            return
        symbol, share = swing
        price = (self._home[symbol] * share).normalize()
        await asyncio.to_thread(self.operator.set_prices, **{symbol: f"{price:f}"})
        self.swings += 1


def home_prices(operator: Operator) -> Mapping[str, Decimal]:
    """Return the mark prices of all markets as they are now."""
    return {
        symbol: Decimal(operator.get("/fapi/v1/premiumIndex", symbol=symbol)["markPrice"]).normalize()
        for symbol in MARKETS
    }
