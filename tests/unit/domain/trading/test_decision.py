from __future__ import annotations

import pytest

from app.domain.shared.ids import FollowId
from app.domain.trading.decision import DECISION_SENTENCES, DecisionCode, DecisionOutcome, decision


def test_no_code_is_without_a_sentence() -> None:
    assert set(DECISION_SENTENCES) == set(DecisionCode)


@pytest.mark.parametrize("code", DecisionCode)
def test_every_decision_reads_as_a_sentence(code: DecisionCode) -> None:
    made = decision(
        FollowId(1),
        DecisionOutcome.SKIPPED,
        code,
        {},
        minimum="5",
        venue="-4164 too small",
        market="BTC-USDT",
    )
    assert made.code == code.value
    assert made.reason[0].isupper()
    assert made.reason.endswith(".")
    assert "{" not in made.reason


def test_a_decision_keeps_what_it_was_made_of() -> None:
    made = decision(
        FollowId(3), DecisionOutcome.SKIPPED, DecisionCode.BELOW_MINIMUM, {"held": "1"}, minimum="0.05"
    )
    assert (made.follow_id, made.inputs) == (3, {"held": "1"})
    assert made.reason == "The size is below the venue's minimum of 0.05."
