"""How an operation is described: its rules from the use case's docstring, its failures from one table."""

from __future__ import annotations

import inspect
from http import HTTPStatus
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field

from app.presentation.api.errors import PROBLEM_TYPE
from app.presentation.api.fields import Incoming, Outgoing, example

PROBLEM_REF: Final = "#/components/schemas/Problem"
ALWAYS: Final = (400, 413, 415, 422, 500, 503)
"""What any request may meet, whatever it asks for."""
SIGNED_IN: Final = (401, 403, *ALWAYS)
OF_ONE: Final = (404, *SIGNED_IN)
CHANGING: Final = (409, *OF_ONE)
ASKING_VENUE: Final = (502, *CHANGING)


class ProblemField(Outgoing):
    """One wrong field; its value is never repeated."""

    model_config = example(field="body.quantity", code="missing", message="Field required")

    field: str
    code: str
    message: str


class Problem(Outgoing):
    """An error as RFC 9457 has it. `code` is stable: act on it, show `detail`, report `request_id`."""

    model_config = example(
        type="urn:copytrade:problem:not_found",
        title="Not Found",
        status=404,
        code="not_found",
        detail="There is no such follow.",
        request_id="5f0c1d2e3a4b5c6d7e8f901234567890",
        errors=[],
    )

    type: str
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    code: str
    detail: str
    request_id: str
    errors: list[ProblemField]


def rules(subject: object) -> str:
    """Return the docstring of a use case or reader as the operation's description."""
    return inspect.getdoc(subject) or ""


def failures(statuses: tuple[int, ...]) -> dict[int | str, dict[str, Any]]:
    """Return the documented failures of an operation, each as a problem."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {PROBLEM_TYPE: {"schema": {"$ref": PROBLEM_REF}}},
        }
        for status in statuses
    }


def complete(schema: dict[str, Any]) -> dict[str, Any]:
    """Add to a finished OpenAPI schema the problem, which no route returns as its own model, and whole examples."""
    made = Problem.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
    components = schema.setdefault("components", {}).setdefault("schemas", {})
    components.update(made.pop("$defs", {}))
    components["Problem"] = made
    _restore_examples(components)
    return schema


def _restore_examples(components: dict[str, Any]) -> None:
    """Put the examples back as the models state them: FastAPI strikes every null out of its document."""
    left: list[type[BaseModel]] = [Incoming, Outgoing]
    while left:
        model = left.pop()
        left.extend(model.__subclasses__())
        extra = model.model_config.get("json_schema_extra")
        if model.__name__ in components and isinstance(extra, dict):
            components[model.__name__]["examples"] = extra["examples"]
