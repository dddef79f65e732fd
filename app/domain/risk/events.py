"""What happens to halts, in the past tense."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.domain.risk.halts import HaltScope
from app.domain.shared.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltRaised(Event):
    """New entries were stopped; `close_positions` says whether all that is held in the scope is closed now."""

    name: ClassVar[str] = "halt.raised"
    scope: HaltScope
    target: str
    close_positions: bool
