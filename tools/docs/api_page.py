"""docs/reference/api.md and openapi.json: the operations, who may call them, and the errors."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from app.presentation.api.access import ACCESS
from app.presentation.api.app import create_app
from app.presentation.api.errors import STATUS
from tools.docs.markdown import code, page, table

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPENING: Final = """The running API describes itself at `/docs` and `/openapi.json`; the same document is [openapi.json](openapi.json).

* Every call but the three of `operations` that need none carries `Authorization: Bearer ct_...`.
* USER is anybody with a token, who sees and changes what is their own: another's is `not_found`. OPERATOR is refused to
  others with `forbidden`, and sees everyone's.
* Numbers are strings in both directions. Unknown fields are refused. Lists go from newest to oldest; `next` of a page is the
  `cursor` of the one after it.
* Calls that create signals carry an `Idempotency-Key`: the same key with the same content is the same signal.
* Errors are `application/problem+json`. Act on `code`, show `detail`, quote `request_id`; `errors` names wrong fields,
  never their values."""


def render() -> str:
    """Return the page."""
    return page(
        "API",
        _OPENING,
        "## Operations",
        table(("call", "who", "does"), _operations()),
        "## Error codes",
        table(
            ("code", "status"),
            ((code(name), f"{status.value} {status.phrase}") for name, status in STATUS.items()),
        ),
    )


def render_openapi() -> str:
    """Return the OpenAPI document as JSON."""
    return json.dumps(_document(), indent=1, ensure_ascii=False) + "\n"


def _operations() -> Iterator[tuple[str, str, str]]:
    for path, methods in _document()["paths"].items():
        for method, operation in methods.items():
            yield (
                code(f"{method.upper()} {path}"),
                ACCESS[operation["operationId"]].value,
                operation["summary"],
            )


@cache  # describing the API takes most of the generator's time
def _document() -> dict[str, Any]:
    return create_app().openapi()
