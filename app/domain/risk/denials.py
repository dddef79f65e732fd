"""Why new risk was refused or cut: one code, one sentence. The reference table in the docs is made from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from app.domain.shared.money import plain


class DenialCode(StrEnum):
    """Stable codes of the risk rules."""

    ENTRIES_HALTED = "ENTRIES_HALTED"
    PRICE_DRIFTED = "PRICE_DRIFTED"
    OPPOSING_POSITION = "OPPOSING_POSITION"
    DAILY_LOSS_LIMIT = "DAILY_LOSS_LIMIT"
    DRAWDOWN_LIMIT = "DRAWDOWN_LIMIT"
    TOO_MANY_POSITIONS = "TOO_MANY_POSITIONS"
    LEVERAGE_ABOVE_LIMIT = "LEVERAGE_ABOVE_LIMIT"
    ORDER_ABOVE_LIMIT = "ORDER_ABOVE_LIMIT"
    SYMBOL_EXPOSURE_LIMIT = "SYMBOL_EXPOSURE_LIMIT"
    TOTAL_EXPOSURE_LIMIT = "TOTAL_EXPOSURE_LIMIT"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"


SENTENCES: Final[Mapping[DenialCode, str]] = MappingProxyType(
    {
        DenialCode.ENTRIES_HALTED: "New entries are halted for the platform, the venue or the user.",
        DenialCode.PRICE_DRIFTED: "The price moved against the follower since the leader traded: {actual} of at most {limit}.",
        DenialCode.OPPOSING_POSITION: "The account holds {actual} the other way on this market for another leader.",
        DenialCode.DAILY_LOSS_LIMIT: "Today's realised loss of {actual} reached the daily limit of {limit}.",
        DenialCode.DRAWDOWN_LIMIT: "The account is {actual} below its high-water mark; the limit is {limit}.",
        DenialCode.TOO_MANY_POSITIONS: "The account holds {actual} positions; the limit is {limit}.",
        DenialCode.LEVERAGE_ABOVE_LIMIT: "Leverage {actual} is above the limit of {limit}.",
        DenialCode.ORDER_ABOVE_LIMIT: "The order's notional of {actual} is above the limit of {limit} for one order.",
        DenialCode.SYMBOL_EXPOSURE_LIMIT: "The notional on this market would be {actual}; the limit is {limit}.",
        DenialCode.TOTAL_EXPOSURE_LIMIT: "The notional on all markets would be {actual}; the limit is {limit}.",
        DenialCode.INSUFFICIENT_FUNDS: "The order needs {actual} of margin and fees; {limit} is free.",
    }
)


@dataclass(frozen=True, slots=True)
class Denial:
    """One rule's word: what it measured and what it would have let pass.

    `room` is the notional (quote currency) that would still pass, None when no size would.
    """

    code: DenialCode
    actual: Decimal
    limit: Decimal
    room: Decimal | None = None

    def sentence(self) -> str:
        """Return the reason as a person reads it."""
        return SENTENCES[self.code].format(actual=plain(self.actual), limit=plain(self.limit))
