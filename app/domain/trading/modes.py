"""The copy modes: one sizing function each. A mode answers "how much", nothing else.

Each returns the wanted notional in quote currency at the mark price, or None when it cannot be known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final, TypeAlias

from app.domain.shared.money import Money, Price, Quantity
from app.domain.shared.terms import CopyMode


@dataclass(frozen=True, slots=True)
class Sizing:
    """What a mode may look at. Equities are wallets in quote currency, unrealised PnL left out on both sides."""

    leader_quantity: Quantity
    leader_price: Price
    mark_price: Price
    leader_equity: Money | None
    follower_equity: Money
    value: Decimal


Mode: TypeAlias = Callable[[Sizing], Money | None]


def fixed_amount(facts: Sizing) -> Money | None:
    """The same notional for every entry."""
    return Money(facts.value)


def multiplier(facts: Sizing) -> Money | None:
    """The leader's quantity times the factor, at the mark price."""
    return Money(facts.leader_quantity * facts.value * facts.mark_price)


def equity_proportional(facts: Sizing) -> Money | None:
    """The leader's share of equity, times the factor, of the follower's equity.

    A leader who puts 8 % of the account into a trade makes each follower put 8 % times the factor into it.
    """
    if facts.leader_equity is None or facts.leader_equity <= 0:
        return None
    share = facts.leader_quantity * facts.leader_price / facts.leader_equity
    return Money(share * max(facts.follower_equity, Money(Decimal(0))) * facts.value)


MODES: Final[Mapping[CopyMode, Mode]] = MappingProxyType(
    {
        CopyMode.FIXED_AMOUNT: fixed_amount,
        CopyMode.MULTIPLIER: multiplier,
        CopyMode.EQUITY_PROPORTIONAL: equity_proportional,
    }
)
