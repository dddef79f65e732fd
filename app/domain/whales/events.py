"""What happens to whales, in the past tense."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.domain.shared.events import Event
from app.domain.shared.ids import WhaleId


@dataclass(frozen=True, slots=True, kw_only=True)
class WhalePaused(Event):
    """Nobody copies this whale's entries until it is resumed; its exits go on."""

    name: ClassVar[str] = "whale.paused"
    whale_id: WhaleId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhaleResumed(Event):
    """The whale's entries are copied again."""

    name: ClassVar[str] = "whale.resumed"
    whale_id: WhaleId
