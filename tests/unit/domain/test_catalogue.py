"""What holds for the domain as a whole: its events and its errors, wherever they are declared."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
from collections import Counter
from typing import TypeVar

import pytest

import app.domain
from app.domain.shared.errors import DomainError
from app.domain.shared.events import Event

T = TypeVar("T")
MODULES = [
    importlib.import_module(one.name) for one in pkgutil.walk_packages(app.domain.__path__, "app.domain.")
]


def declared(kind: type[T]) -> list[type[T]]:
    """Return the heirs of `kind` that the domain's modules declare (what a decorator replaced is not among them)."""
    return [
        thing
        for module in MODULES
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, kind) and thing.__module__ == module.__name__
    ]


EVENTS = declared(Event)
ERRORS = declared(DomainError)


def test_each_of_the_six_contexts_and_the_kernel_is_there() -> None:
    contexts = {module.__name__.split(".")[2] for module in MODULES}
    assert contexts == {"shared", "whales", "signals", "users", "risk", "exchanges", "trading"}


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_is_a_frozen_fact_with_a_stable_name(event: type[Event]) -> None:
    assert re.fullmatch(r"event|[a-z]+\.[a-z_]+", event.name)
    assert event.__dataclass_params__.frozen  # type: ignore[attr-defined]  # dataclass keeps it, typeshed does not
    assert "at" in {item.name for item in dataclasses.fields(event)}
    assert "__slots__" in vars(event)


def test_no_two_events_share_a_name_and_no_two_errors_a_code() -> None:
    names = Counter(event.name for event in EVENTS) + Counter(error.code for error in ERRORS)
    assert [name for name, count in names.items() if count > 1] == []
    assert len(EVENTS) > 1
    assert len(ERRORS) > 1


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_has_a_code_of_its_own(error: type[DomainError]) -> None:
    assert "code" in vars(error), "an inherited code cannot be told from its parent's"
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code)
