"""The venue's names of its markets, and what one contract of each stands for.

USD-M and spot count in coins: the size is one. COIN-M counts in contracts of a fixed face value in USD (100 for BTC, 10
for the rest), which its listing tells; readers of an account's rows need it beside the name.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from app.domain.shared.market import Symbol
from app.infrastructure.exchanges.reading import Names

ONE: Final = Decimal(1)


class Contracts(dict[str, Symbol]):
    """Our symbol by the venue's name; `sizes` holds the contract sizes that are not one."""

    __slots__ = ("sizes",)

    def __init__(self, names: Mapping[str, Symbol], sizes: Mapping[str, Decimal]) -> None:
        super().__init__(names)
        self.sizes = sizes


def size_of(names: Names, name: str) -> Decimal:
    """Return what one contract of the market `name` stands for."""
    return names.sizes.get(name, ONE) if isinstance(names, Contracts) else ONE
