"""The OpenAPI document: complete, stable, and with examples that its own models accept."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Any

import pytest
from pydantic import BaseModel

from app.presentation import api
from app.presentation.api.app import create_app
from app.presentation.api.fields import Incoming, Outgoing

SCHEMA = create_app().openapi()
OPERATIONS = {
    described["operationId"]: described
    for methods in SCHEMA["paths"].values()
    for described in methods.values()
}
MODELS = SCHEMA["components"]["schemas"]


def all_models() -> list[type[BaseModel]]:
    for module in pkgutil.iter_modules(api.__path__):
        import_module(f"{api.__name__}.{module.name}")
    found, left = list[type[BaseModel]](), [Incoming, Outgoing]
    while left:
        kind = left.pop()
        children = kind.__subclasses__()
        left.extend(children)
        if kind not in {Incoming, Outgoing}:
            found.append(kind)
    return [kind for kind in found if kind.__name__ in MODELS]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_described_for_a_reader(name: str) -> None:
    described = OPERATIONS[name]
    assert described["summary"]
    assert described["description"]
    assert described["tags"]
    assert {"400", "422", "500"} <= set(described["responses"])


@pytest.mark.parametrize("name", [name for name in MODELS if "enum" not in MODELS[name]])
def test_a_model_is_explained_and_shown(name: str) -> None:
    assert MODELS[name]["description"]
    assert MODELS[name]["examples"]


@pytest.mark.parametrize("model", all_models(), ids=lambda model: model.__name__)
def test_an_example_is_what_its_model_accepts_and_gives(model: type[BaseModel]) -> None:
    (example,) = MODELS[model.__name__]["examples"]
    made = model.model_validate(example)
    given: dict[str, Any] = made.model_dump(mode="json", exclude_unset=True)
    if not any(
        word in model.__name__ for word in ("Key", "NewAccount")
    ):  # secrets are masked when they are shown
        assert given == example


def test_what_comes_in_takes_no_field_that_is_not_described() -> None:
    for model in all_models():
        if issubclass(model, Incoming):
            assert MODELS[model.__name__]["additionalProperties"] is False


def test_no_model_that_goes_out_has_a_place_for_a_secret() -> None:
    for model in all_models():
        if issubclass(model, Outgoing):
            assert not {"sealed", "secret", "key", "api_key", "token_hash", "passphrase"} & set(
                model.model_fields
            )


def test_every_request_that_makes_a_signal_names_itself() -> None:
    named = {
        name
        for name, described in OPERATIONS.items()
        if any(
            each["name"] == "Idempotency-Key" and each["required"] for each in described.get("parameters", [])
        )
    }
    assert named == {"submit_signal", "close_position"}
