"""Domain events as JSON and back: what the outbox stores.

A payload holds one entry for each field of the event's dataclass; decimals, ids and times are text, tuples arrays. The
class is found by the event's name. Invariant: what comes back equals what went in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from enum import Enum
from types import MappingProxyType, ModuleType
from typing import Any, ClassVar, Final, NewType, get_args, get_origin, get_type_hints
from uuid import UUID

from app.domain.risk import events as risk_events
from app.domain.shared.errors import DomainError
from app.domain.shared.events import Event
from app.domain.signals import events as signal_events
from app.domain.trading import events as trading_events
from app.domain.users import events as user_events
from app.domain.whales import events as whale_events


class UndecodableEvent(DomainError):
    """A stored event that this version of the program cannot read."""

    code: ClassVar[str] = "undecodable_event"


def _events_of(*modules: ModuleType) -> Mapping[str, type[Event]]:
    found: dict[str, type[Event]] = {}
    for module in modules:
        for value in vars(module).values():
            is_event = isinstance(value, type) and issubclass(value, Event) and value is not Event
            if is_event and found.setdefault(value.name, value) is not value:
                raise TypeError(f"Two events are called {value.name}.")
    return MappingProxyType(found)


EVENTS: Final = _events_of(risk_events, signal_events, trading_events, user_events, whale_events)
"""Every event that can be stored, by its name."""


def encode(event: Event) -> dict[str, object]:
    """Return the payload of an event; TypeError for a field that JSON has no exact form for."""
    if EVENTS.get(event.name) is not type(event):
        raise TypeError(f"{type(event).__name__} is not registered as {event.name!r}.")
    return {item.name: _to_json(getattr(event, item.name)) for item in fields(event)}


def decode(name: str, payload: Mapping[str, Any]) -> Event:
    """Return the event, or raise UndecodableEvent when its name or its fields are not what this version knows."""
    kind = EVENTS.get(name)
    if kind is None:
        raise UndecodableEvent(f"No event is called {name}; it may come from a newer version.", name=name)
    readers = _READERS[name]
    if payload.keys() != readers.keys():
        raise UndecodableEvent(f"The fields of a stored {name} are not those of this version.", name=name)
    try:
        values: Any = {field: read(payload[field]) for field, read in readers.items()}
        return kind(**values)
    except (TypeError, ValueError, ArithmeticError):
        raise UndecodableEvent(f"A field of a stored {name} has the wrong form.", name=name) from None


def _to_json(value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return _to_json(value.value)
    if isinstance(value, str | int):
        return value
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_to_json(item) for item in value]
    raise TypeError(f"An event cannot carry a {type(value).__name__}.")


def _readers_of(kind: type[Event]) -> Mapping[str, Callable[[Any], object]]:
    hints = get_type_hints(kind)
    return MappingProxyType({item.name: _reader(hints[item.name]) for item in fields(kind)})


def _reader(hint: Any) -> Callable[[Any], object]:
    """Return what turns JSON into a value of the annotated type."""
    while isinstance(hint, NewType):
        hint = hint.__supertype__
    if get_origin(hint) is tuple:
        item = _reader(get_args(hint)[0])
        return lambda values: tuple(item(value) for value in _checked(values, list))
    others = [option for option in get_args(hint) if option is not type(None)]
    if get_origin(hint) is not None and len(others) == 1:  # X | None
        inner = _reader(others[0])
        return lambda value: None if value is None else inner(value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if hint in _FROM_TEXT:
        read = _FROM_TEXT[hint]
        return lambda value: read(_checked(value, str))
    if hint in {str, int, bool}:
        return lambda value: _checked(value, hint)
    raise TypeError(f"An event cannot carry a {hint}.")


_FROM_TEXT: Final[Mapping[type, Callable[[str], object]]] = MappingProxyType(
    {datetime: datetime.fromisoformat, UUID: UUID, Decimal: Decimal}
)


def _checked(value: object, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError("The stored value has another type.")
    return value


_READERS: Final = MappingProxyType({name: _readers_of(kind) for name, kind in EVENTS.items()})
