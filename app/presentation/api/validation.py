"""What is said about a field that was wrong: where, which rule, and what would pass; never the value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_ERRORS_MAX: Final = 20
_UNKNOWN_FIELD: Final = "extra_forbidden"
# Messages of these kinds are made of our own limits and words; those of other kinds may quote what was sent.
_SPEAKING: Final = frozenset(
    {
        "bool_type",
        "enum",
        "greater_than",
        "greater_than_equal",
        "int_type",
        "less_than",
        "less_than_equal",
        "list_type",
        "literal_error",
        "missing",
        "model_attributes_type",
        "string_pattern_mismatch",
        "string_too_long",
        "string_too_short",
        "string_type",
        "too_long",
        "too_short",
        "value_error",
    }
)


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: its path (`body.terms.value`), the broken rule's code, and a sentence."""

    field: str
    code: str
    message: str


def field_errors(raw: Iterable[Mapping[str, Any]]) -> Sequence[FieldError]:
    """Return at most twenty errors of pydantic's list, stripped of every value and of names that the sender chose."""
    found = []
    for each in list(raw)[:_ERRORS_MAX]:
        kind, path = str(each["type"]), list(each["loc"])
        if kind == _UNKNOWN_FIELD:
            found.append(FieldError(_path(path[:-1]), "unknown_field", "A field here is not known."))
            continue
        message = (
            str(each["msg"]).removeprefix("Value error, ") if kind in _SPEAKING else "The value is not valid."
        )
        found.append(FieldError(_path(path), kind, message))
    return found


def _path(parts: Sequence[object]) -> str:
    return ".".join(str(part) for part in parts)
