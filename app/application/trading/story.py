"""The story of one intent: every row that tells what became of one signal for one follow, as plain text.

Values are written exactly (decimals in full, times in ISO 8601); sealed keys and tokens are in none of these rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from app.domain.shared.ids import FollowId, SignalId

Facts: TypeAlias = Mapping[str, str | None]
"""One row: column names and their values as text."""


@dataclass(frozen=True, slots=True)
class TradeStory:
    """One trade with its attempts, oldest first, and its fills, oldest first."""

    trade: Facts
    orders: Sequence[Facts]
    fills: Sequence[Facts]


@dataclass(frozen=True, slots=True)
class Story:
    """What became of one signal for one follow. A part is None where there is no such row.

    `inputs` are the figures that the decision was made on; `position` is the follow's on the signal's market, as it
    stands now; `ledger` holds the wallet's movements for the fills.
    """

    signal: Facts | None
    decision: Facts | None
    inputs: Facts
    trades: Sequence[TradeStory]
    position: Facts | None
    ledger: Sequence[Facts]


class StoryTeller(Protocol):
    """Reads stories."""

    async def of_order(self, client_order_id: str) -> Story:
        """Return the story of the intent that an order was an attempt of; raises NotFound."""
        ...

    async def of_signal(self, signal: SignalId, follow: FollowId) -> Story:
        """Return the story of one signal for one follow; raises NotFound when neither decided nor traded."""
        ...
