"""The assessment of one proposal: refused, cut to a size, or passed as it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.risk.denials import Denial
from app.domain.risk.exposure import Exposure, Proposal
from app.domain.risk.limits import Limits
from app.domain.risk.rules import RULES, STANDING_RULES, Rule
from app.domain.shared.money import NO_MONEY, Money


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say: `notional` (quote currency) may go; `because` is the rule that cut or refused it.

    `notional` is zero when refused. `because` is None when the proposal passed whole.
    """

    notional: Money
    because: Denial | None


def assess(order: Proposal, exposure: Exposure, limits: Limits, rules: Iterable[Rule] = RULES) -> Verdict:
    """Fold the rules over one proposal.

    A denial without room refuses at once. Otherwise the least room of all rules is what may go, and the rule that
    left the least is the reason.
    """
    allowed = order.notional
    because: Denial | None = None
    for rule in rules:
        denial = rule(order, exposure, limits)
        if denial is None:
            continue
        if denial.room is None:
            return Verdict(NO_MONEY, denial)
        if denial.room < allowed:
            allowed, because = Money(denial.room), denial
    return Verdict(allowed, because)


def standing_denial(exposure: Exposure, limits: Limits) -> Denial | None:
    """Return why the account may take no new risk at all, whatever the order; None when it may."""
    return next((denial for rule in STANDING_RULES if (denial := rule(None, exposure, limits))), None)
