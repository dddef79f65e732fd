"""Who follows: a seeded mixture of terms, balances and limits, so that every kind of decision really comes about.

The first followers go once through the table of kinds; after them two in three are plain ones.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from app.domain.risk.limits import Limits
from app.domain.shared.market import Side, Symbol
from app.domain.shared.money import Money, Ratio
from app.domain.shared.terms import CopyMode, CopyTerms, TinyPolicy

_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Stage:
    """What the followers meet: the markets, the leader's usual order (quote currency), and the largest leverage.

    `wealth` multiplies balances: a record of months needs followers who can bear its price moves.
    """

    markets: Sequence[Symbol]
    order_notional: Decimal
    leverage: int
    wealth: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Profile:
    """One follower to be: `kind` names the row of the table, `balance` is quote currency."""

    kind: str
    terms: CopyTerms
    balance: Decimal
    limits: Limits | None = None
    paused: bool = False
    suspended: bool = False


Kind = Callable[[Stage, random.Random], Profile]


def _fixed(amount: str, stage: Stage) -> CopyTerms:
    return CopyTerms(CopyMode.FIXED_AMOUNT, Decimal(amount), leverage_max=stage.leverage)


def _plain_fixed(stage: Stage, chance: random.Random) -> Profile:
    terms = _fixed(str(chance.choice((150, 200, 250, 300, 400))), stage)
    return Profile("fixed amount", terms, _balance(chance, 1500, 6000))


def _proportional(stage: Stage, chance: random.Random) -> Profile:
    factor = Decimal(chance.choice(("0.5", "1", "1.5")))
    terms = CopyTerms(CopyMode.EQUITY_PROPORTIONAL, factor, leverage_max=stage.leverage)
    return Profile("proportional to equity", terms, _balance(chance, 5000, 20000))


def _multiplier(stage: Stage, chance: random.Random) -> Profile:
    wanted = Decimal(chance.randint(200, 500))
    factor = max((wanted / stage.order_notional).quantize(Decimal("0.000001")), Decimal("0.000001"))
    terms = CopyTerms(CopyMode.MULTIPLIER, min(factor, Decimal(100)), leverage_max=stage.leverage)
    return Profile("multiplier", terms, _balance(chance, 4000, 9000))


def _small(stage: Stage, chance: random.Random) -> Profile:
    return Profile("orders near the minimum", _fixed("40", stage), _balance(chance, 300, 600))


def _raised(stage: Stage, chance: random.Random) -> Profile:
    terms = replace(_fixed("60", stage), tiny=TinyPolicy.RAISE, tiny_factor_max=Ratio(Decimal(3)))
    return Profile("small orders raised", terms, _balance(chance, 600, 900))


def _paused(stage: Stage, chance: random.Random) -> Profile:
    return Profile("paused", _fixed("200", stage), _balance(chance, 1500, 3000), paused=True)


def _suspended(stage: Stage, chance: random.Random) -> Profile:
    return Profile("suspended", _fixed("200", stage), _balance(chance, 1500, 3000), suspended=True)


def _capped(stage: Stage, chance: random.Random) -> Profile:
    made = _proportional(stage, chance)
    return replace(
        made,
        kind="largest order in the terms",
        terms=replace(made.terms, order_notional_max=Money(Decimal(150))),
    )


def _one_side(kind: str, side: Side) -> Kind:
    def make(stage: Stage, chance: random.Random) -> Profile:
        made = _plain_fixed(stage, chance)
        return replace(made, kind=kind, terms=replace(made.terms, sides=frozenset({side})))

    return make


def _denied(stage: Stage, chance: random.Random) -> Profile:
    made = _plain_fixed(stage, chance)
    terms = replace(made.terms, symbols_denied=frozenset({stage.markets[0]}))
    return replace(made, kind="a market denied", terms=terms)


def _allowed(stage: Stage, chance: random.Random) -> Profile:
    made = _plain_fixed(stage, chance)
    terms = replace(made.terms, symbols_allowed=frozenset({stage.markets[-1]}))
    return replace(made, kind="one market only", terms=terms)


def _strict(stage: Stage, chance: random.Random) -> Profile:
    made = _plain_fixed(stage, chance)
    return replace(
        made, kind="little drift accepted", terms=replace(made.terms, drift_max=Ratio(Decimal("0.0003")))
    )


def _poor(stage: Stage, chance: random.Random) -> Profile:
    return Profile("small account", _fixed("500", stage), _balance(chance, 60, 90) / stage.wealth)


def _broke(stage: Stage, chance: random.Random) -> Profile:
    return Profile("nearly empty account", _fixed("300", stage), _balance(chance, 1, 3) / stage.wealth)


def _limited(kind: str, limits: Limits) -> Kind:
    def make(stage: Stage, chance: random.Random) -> Profile:
        return replace(_plain_fixed(stage, chance), kind=kind, limits=limits)

    return make


_PLAIN: Final[Sequence[Kind]] = (_plain_fixed, _proportional, _multiplier)
KINDS: Final[Sequence[Kind]] = (
    _plain_fixed,
    _proportional,
    _paused,
    _multiplier,
    _small,
    _one_side("longs only", Side.BUY),
    _raised,
    _limited("limit for one order", Limits(order_notional_max=Decimal(140))),
    _denied,
    _strict,
    _poor,
    _capped,
    _limited("limit for one market", Limits(symbol_notional_max=Decimal(350))),
    _one_side("shorts only", Side.SELL),
    _limited("one position at a time", Limits(positions_max=1)),
    _limited("limit for all markets", Limits(total_notional_max=Decimal(450))),
    _suspended,
    _limited("daily loss limit", Limits(daily_loss_max=Decimal("0.5"))),
    _allowed,
    _broke,
    _limited("drawdown limit", Limits(drawdown_max=Decimal("0.0005"))),
)


def profiles(count: int, seed: int, stage: Stage) -> list[Profile]:
    """Return `count` profiles, the same for the same seed and stage."""
    chance = random.Random(f"{seed}:cast")  # noqa: S311  # seeded on purpose: a run can be repeated
    made = []
    for number in range(count):
        profile = _kind(number, chance)(stage, chance)
        balance = (profile.balance * stage.wealth).quantize(_CENT, ROUND_HALF_UP)
        made.append(replace(profile, balance=balance))
    return made


def _kind(number: int, chance: random.Random) -> Kind:
    if number < len(KINDS):
        return KINDS[number]
    return KINDS[number // 3 % len(KINDS)] if number % 3 == 0 else chance.choice(_PLAIN)


def _balance(chance: random.Random, low: int, high: int) -> Decimal:
    return Decimal(chance.randint(low * 100, high * 100)) / 100
