"""docs/reference/decision-codes.md: every outcome and reason that a stored decision can bear."""

from __future__ import annotations

from typing import Final

from app.domain.risk.denials import SENTENCES, DenialCode
from app.domain.risk.rules import RULES
from app.domain.trading.decision import DECISION_SENTENCES, DecisionCode
from tools.docs.markdown import code, first_sentence, page, table

_OPENING: Final = """Every follow of a leader has exactly one stored decision for each signal: an outcome, a code, a sentence and the
figures that it was made on. Followers read theirs at `GET /v1/decisions`, operators a signal's at
`GET /v1/signals/{signal_id}/decisions`. Codes are stable; sentences may change. What the outcomes mean:
[decisions](../concepts/decisions.md)."""

_RULES: Final = """## The risk rules, in the order in which they speak

A rule that leaves no room refuses at once. Of those that leave some, the one that leaves the least is the reason.
Exits are never asked."""


def render() -> str:
    """Return the page."""
    return page(
        "Decision codes",
        _OPENING,
        "## Trading",
        table(("code", "sentence"), ((code(one.value), DECISION_SENTENCES[one]) for one in DecisionCode)),
        "## Risk",
        "`{actual}` is what the rule measured, `{limit}` what it would have let pass. With room for a smaller order the "
        "outcome is REDUCED, else SKIPPED.",
        table(("code", "sentence"), ((code(one.value), SENTENCES[one]) for one in DenialCode)),
        _RULES,
        table(
            ("", "rule", "an entry passes when"),
            (
                (str(number), code(rule.__name__), first_sentence(rule.__doc__))
                for number, rule in enumerate(RULES, 1)
            ),
        ),
    )
