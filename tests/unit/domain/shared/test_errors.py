from __future__ import annotations

from app.domain.shared.errors import InvalidValue


def test_an_error_has_a_code_a_sentence_and_its_context() -> None:
    error = InvalidValue("Too small.", least="5")
    assert (error.code, str(error), error.context) == ("invalid_value", "Too small.", {"least": "5"})
