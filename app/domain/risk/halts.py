"""Halts: who has stopped new entries, where, and why. Exits are never halted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.shared.errors import InvalidValue


class HaltScope(StrEnum):
    """What a halt covers: everything, one venue, or one user."""

    PLATFORM = "PLATFORM"
    VENUE = "VENUE"
    USER = "USER"


@dataclass(frozen=True, slots=True)
class Halt:
    """A standing stop of new entries. `target` is "" for the platform, else the venue or the user id as text."""

    scope: HaltScope
    target: str
    reason: str
    at: datetime

    def __post_init__(self) -> None:
        if (self.scope is HaltScope.PLATFORM) != (self.target == ""):
            raise InvalidValue("A platform halt has no target; every other halt names one.")
        if not self.reason.strip():
            raise InvalidValue("A halt says why.")
