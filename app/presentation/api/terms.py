"""Copy terms on the wire."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final, TypeAlias

from pydantic import Field

from app.domain.shared.market import Side
from app.domain.shared.money import Money, Ratio
from app.domain.shared.protection_terms import (
    NO_PROTECTION,
    RUNGS_MAX,
    ProtectionTerms,
    TakeProfit,
    UnprotectedPolicy,
)
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
    "protection": {
        "stop_loss": "0.05",
        "take_profits": [{"move": "0.1", "share": "0.5"}],
        "trailing": None,
        "break_even_after": "0.03",
        "unprotected": "ALARM",
    },
}


class TakeProfitIO(Incoming):
    """One rung of the ladder: at `move` in favour of the position, `share` of it is sold; both are ratios."""

    model_config = example(move="0.1", share="0.5")

    move: Positive
    share: Positive


class ProtectionIn(Incoming):
    """What rests at the exchange for each position of the follow, measured from its own average entry, as ratios.

    The stop is the tightest of `stop_loss`, `trailing` (behind the best mark price) and `break_even_after` (from that
    move on it stands at the entry). A position whose stop cannot be placed in time is told, or closed as well.
    """

    model_config = example(**TERMS["protection"])

    stop_loss: Positive | None = None
    take_profits: Annotated[list[TakeProfitIO], Field(default_factory=list, max_length=RUNGS_MAX)]
    trailing: Positive | None = None
    break_even_after: Positive | None = None
    unprotected: UnprotectedPolicy = UnprotectedPolicy.ALARM

    def agreed(self) -> ProtectionTerms:
        """Return the terms, or raise InvalidValue where they contradict a rule."""
        return ProtectionTerms(
            stop_loss=None if self.stop_loss is None else Ratio(self.stop_loss),
            take_profits=tuple(TakeProfit(Ratio(r.move), Ratio(r.share)) for r in self.take_profits),
            trailing=None if self.trailing is None else Ratio(self.trailing),
            break_even_after=None if self.break_even_after is None else Ratio(self.break_even_after),
            unprotected=self.unprotected,
        )


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
    protection: Annotated[ProtectionIn | None, Field(default=None)]

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
            protection=NO_PROTECTION if self.protection is None else self.protection.agreed(),
        )


class TakeProfitOut(Outgoing):
    """One rung of the ladder."""

    model_config = example(move="0.1", share="0.5")

    move: Number
    share: Number


class ProtectionOut(Outgoing):
    """What rests at the exchange for each position of the follow; null where nothing is asked for."""

    model_config = example(**TERMS["protection"])

    stop_loss: Number | None
    take_profits: list[TakeProfitOut]
    trailing: Number | None
    break_even_after: Number | None
    unprotected: UnprotectedPolicy


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
    protection: ProtectionOut


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
        protection=ProtectionOut.model_validate(terms.protection),
    )
