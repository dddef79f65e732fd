"""docs/reference/settings.md: every environment variable with its type, bounds and default."""

from __future__ import annotations

import types
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le, MinLen
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from app.config.settings import PlatformLimits, Settings, VenueOptions
from app.domain.exchanges.venue import CAPABILITIES
from tools.docs.markdown import code, page, table
from tools.docs.sentences import LIMITS, SETTINGS, VENUE_OPTIONS, check_total, sentence_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HEADS: Final = ("name", "value", "default", "meaning")

_OPENING: Final = """Settings come from the environment and from nowhere else; only `app/config/settings.py` reads them. A missing or
unusable one stops the program at its start with status 2 and a line that names it, never its value.
`copytrade doctor` says whether they work. Secrets are masked wherever settings are shown."""

_VENUES: Final = """## Options of a venue

Each value of `COPYTRADE_VENUES`. An unknown option is refused. For Binance USD-M in production:

```json
{"binance-usdm": {"base_url": "https://fapi.binance.com", "ws_url": "wss://fstream.binance.com",
                  "wallet_url": "https://api.binance.com", "routed_streams": true}}
```"""

_LIMITS: Final = """## The operator's limits

`COPYTRADE_LIMITS`, for every account. A user can only tighten them; null sets none. They stop new risk, never an exit."""

_PUBLISHED: Final = """## Published figures of the venues

What holds where an option above is null."""


def render() -> str:
    """Return the page."""
    return page(
        "Settings",
        _OPENING,
        _table(Settings, SETTINGS, prefix="COPYTRADE_"),
        _VENUES,
        _table(VenueOptions, VENUE_OPTIONS),
        _LIMITS,
        _table(PlatformLimits, LIMITS),
        _PUBLISHED,
        _published(),
    )


def _table(model: type[BaseModel], sentences: Mapping[str, str], prefix: str = "") -> str:
    check_total(sentences, model.model_fields)
    return table(
        _HEADS,
        (
            (
                code(f"{prefix}{name.upper()}" if prefix else name),
                ", ".join([_kind(field.annotation), *_bounds(field.metadata)]),
                _default(field),
                sentence_of(sentences, name),
            )
            for name, field in model.model_fields.items()
        ),
    )


def _kind(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return ", ".join([_kind(arguments[0]), *_nested_bounds(arguments[1:])])
    if origin in (Union, types.UnionType):
        return " or ".join("null" if one is type(None) else _kind(one) for one in arguments)
    if origin is Literal:
        return " or ".join(code(one) for one in arguments)
    if origin is dict or (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return "JSON object"
    names = {int: "whole number", bool: "true or false", Decimal: "number", SecretStr: "text, secret"}
    return names.get(annotation, "text")


def _nested_bounds(metadata: Iterable[object]) -> list[str]:
    found: list[str] = []
    for one in metadata:
        found += _bounds(one.metadata if isinstance(one, FieldInfo) else [one])
    return found


def _bounds(metadata: Iterable[object]) -> list[str]:
    words: list[str] = []
    for bound in metadata:
        if isinstance(bound, Ge):
            words.append(f"{bound.ge} or more")
        elif isinstance(bound, Le):
            words.append(f"at most {bound.le}")
        elif isinstance(bound, MinLen):
            words.append(f"{bound.min_length} entry or more")
    return words


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if isinstance(value, BaseModel):
        return "see below"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return code(str(value).lower())
    return "empty" if value in ("", {}) else code(value)


def _published() -> str:
    return table(
        (
            "venue",
            "client order ids are unique among",
            "validity",
            "engine timeout",
            "orders per account",
            "weight per address",
        ),
        (
            (
                code(venue.value),
                capabilities.id_uniqueness.value,
                f"{capabilities.validity.total_seconds():g} s",
                f"{capabilities.engine_timeout.total_seconds():g} s",
                f"{capabilities.orders_per_account_10s} in 10 s",
                f"{capabilities.weight_per_ip_minute} a minute",
            )
            for venue, capabilities in CAPABILITIES.items()
        ),
    )
