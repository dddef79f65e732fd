from __future__ import annotations

import pytest

from app.domain.risk.denials import SENTENCES, Denial, DenialCode
from tests.unit.domain.builders import D


@pytest.mark.parametrize("code", DenialCode)
def test_every_code_has_a_sentence_that_a_person_can_read(code: DenialCode) -> None:
    sentence = Denial(code, D("1234.500"), D("1E+3")).sentence()
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert "{" not in sentence
    assert "E+" not in sentence


def test_a_sentence_names_what_was_measured_and_what_would_have_passed() -> None:
    denial = Denial(DenialCode.ORDER_ABOVE_LIMIT, D("1234.500"), D("1E+3"), D(1000))
    assert denial.sentence() == "The order's notional of 1234.5 is above the limit of 1000 for one order."


def test_no_code_is_without_a_sentence() -> None:
    assert set(SENTENCES) == set(DenialCode)
