"""Domain events: frozen facts in the past tense, recorded by aggregates and carried out through the outbox."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all domain events. `name` is stable: it is stored, and readers subscribe to it."""

    name: ClassVar[str] = "event"
    at: datetime


class Recorder:
    """What an aggregate remembers having done since it was loaded; the unit of work takes it on commit."""

    __slots__ = ("_events",)

    def __init__(self) -> None:
        self._events: list[Event] = []

    def record(self, event: Event) -> None:
        """Remember one event."""
        self._events.append(event)

    def take(self) -> tuple[Event, ...]:
        """Return what was recorded, and forget it: an event leaves once."""
        taken = tuple(self._events)
        self._events.clear()
        return taken
