"""The table of errors: every code that can be raised has a status, and a refusal quotes nothing."""

from __future__ import annotations

import importlib
import pkgutil
from http import HTTPStatus

import pytest

import app.application
import app.domain
import app.presentation.api
from app.domain.shared.errors import DomainError
from app.presentation.api.errors import STATUS, status_of
from app.presentation.api.validation import field_errors

OURS = {"domain_error", "invariant_broken", "delivery_failed"}  # the last stays within the event bus


def all_errors() -> list[type[DomainError]]:
    for package in (app.domain, app.application, app.presentation.api):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    found, left = set[type[DomainError]](), [DomainError]
    while left:
        kind = left.pop()
        found.add(kind)
        left.extend(kind.__subclasses__())
    return sorted(
        (kind for kind in found if kind.__module__.startswith("app.")), key=lambda kind: kind.__qualname__
    )


def test_only_broken_invariants_are_answered_as_our_fault() -> None:
    blamed = {
        kind.code
        for kind in all_errors()
        if kind.__module__.split(".")[1] != "infrastructure"
        and STATUS.get(kind.code, status_of(kind.__new__(kind))) is HTTPStatus.INTERNAL_SERVER_ERROR
    }
    assert blamed == OURS


def test_a_code_means_one_error() -> None:
    codes = [kind.__dict__["code"] for kind in all_errors() if "code" in kind.__dict__]
    assert len(codes) == len(set(codes))


def test_a_code_without_a_row_takes_the_status_of_its_base() -> None:
    class Odd(DomainError):
        code = "odd"

    assert status_of(Odd("x")) is HTTPStatus.INTERNAL_SERVER_ERROR
    from app.domain.shared.errors import InvalidValue

    class OddValue(InvalidValue):
        code = "odd_value"

    assert status_of(OddValue("x")) is HTTPStatus.UNPROCESSABLE_ENTITY


@pytest.mark.parametrize("kind", ["uuid_parsing", "decimal_parsing", "json_invalid", "a_kind_of_tomorrow"])
def test_a_message_that_may_quote_the_value_is_not_passed_on(kind: str) -> None:
    (error,) = field_errors(
        [{"type": kind, "loc": ("body", "id"), "msg": "found `hunter2`", "input": "hunter2"}]
    )
    assert (error.field, error.message) == ("body.id", "The value is not valid.")


def test_a_name_that_the_sender_chose_is_not_repeated() -> None:
    (error,) = field_errors(
        [{"type": "extra_forbidden", "loc": ("body", "hunter2"), "msg": "Extra inputs are not permitted"}]
    )
    assert (error.field, error.code) == ("body", "unknown_field")


def test_a_flood_of_errors_is_cut() -> None:
    one = {"type": "missing", "loc": ("body", "x"), "msg": "Field required"}
    assert len(field_errors([one] * 1000)) == 20
