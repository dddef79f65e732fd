"""What happens to signals, in the past tense."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.domain.shared.events import Event
from app.domain.shared.ids import SignalId


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalAccepted(Event):
    """A signal was stored; whoever hears this rings for a worker."""

    name: ClassVar[str] = "signal.accepted"
    signal_id: SignalId
    lane: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalDone(Event):
    """Every follower of the signal has a stored decision."""

    name: ClassVar[str] = "signal.done"
    signal_id: SignalId


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalExpired(Event):
    """The signal grew too old before all followers were decided; the rest are recorded as skipped."""

    name: ClassVar[str] = "signal.expired"
    signal_id: SignalId
