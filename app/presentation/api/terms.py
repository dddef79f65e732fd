"""Copy terms on the wire."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final, TypeAlias

from pydantic import Field

from app.domain.shared.market import Side
from app.domain.shared.money import Money, Ratio
from app.domain.shared.terms import CopyMode, CopyTerms, TinyPolicy
from app.presentation.api.fields import Incoming, Number, Outgoing, Positive, SymbolText, example

SYMBOLS_MAX: Final = 200
Symbols: TypeAlias = Annotated[list[SymbolText], Field(default_factory=list, max_length=SYMBOLS_MAX)]
TERMS: Final[dict[str, Any]] = {
    "mode": "FIXED_AMOUNT",
    "value": "250",
    "leverage_max": 10,
    "order_notional_max": "1000",
    "drift_max": "0.005",
    "sides": ["BUY", "SELL"],
    "symbols_allowed": [],
    "symbols_denied": ["DOGE-USDT"],
    "tiny": "SKIP",
    "tiny_factor_max": "2",
}


class TermsIn(Incoming):
    """What a follower agrees to.

    `value` is quote currency for FIXED_AMOUNT and a factor otherwise. `drift_max` is the largest adverse move of the
    mark price against the leader's, as a ratio. An empty `symbols_allowed` allows every symbol.
    """

    model_config = example(**TERMS)

    mode: CopyMode
    value: Positive
    leverage_max: Annotated[int, Field(ge=1, le=125, strict=True)] = 10
    order_notional_max: Positive | None = None
    drift_max: Positive = Decimal("0.005")
    sides: Annotated[list[Side], Field(default_factory=lambda: list(Side), min_length=1, max_length=2)]
    symbols_allowed: Symbols
    symbols_denied: Symbols
    tiny: TinyPolicy = TinyPolicy.SKIP
    tiny_factor_max: Positive = Decimal(2)

    def agreed(self) -> CopyTerms:
        """Return the terms, or raise InvalidValue where they contradict a rule."""
        return CopyTerms(
            mode=self.mode,
            value=self.value,
            leverage_max=self.leverage_max,
            order_notional_max=None if self.order_notional_max is None else Money(self.order_notional_max),
            drift_max=Ratio(self.drift_max),
            sides=frozenset(self.sides),
            symbols_allowed=frozenset(self.symbols_allowed),
            symbols_denied=frozenset(self.symbols_denied),
            tiny=self.tiny,
            tiny_factor_max=Ratio(self.tiny_factor_max),
        )


class TermsOut(Outgoing):
    """The terms of a follow."""

    model_config = example(**TERMS)

    mode: CopyMode
    value: Number
    leverage_max: int
    order_notional_max: Number | None
    drift_max: Number
    sides: list[Side]
    symbols_allowed: list[str]
    symbols_denied: list[str]
    tiny: TinyPolicy
    tiny_factor_max: Number


def terms_out(terms: CopyTerms) -> TermsOut:
    """Return terms as they are shown; sets are sorted."""
    return TermsOut(
        mode=terms.mode,
        value=terms.value,
        leverage_max=terms.leverage_max,
        order_notional_max=terms.order_notional_max,
        drift_max=terms.drift_max,
        sides=sorted(terms.sides),
        symbols_allowed=sorted(terms.symbols_allowed),
        symbols_denied=sorted(terms.symbols_denied),
        tiny=terms.tiny,
        tiny_factor_max=terms.tiny_factor_max,
    )
