"""The whale: a leader whose account is watched and copied.

Invariants: a banned whale stays banned; a paused or banned whale's exits are still copied, since followers who
hold its positions must be able to leave with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Final

from app.domain.shared.events import Recorder
from app.domain.shared.ids import AccountId, WhaleId
from app.domain.shared.lifecycle import Lifecycle
from app.domain.shared.market import Venue
from app.domain.whales.events import WhalePaused, WhaleResumed


class WhaleState(StrEnum):
    """Whether a whale's entries are copied."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    BANNED = "BANNED"


class WhaleTier(StrEnum):
    """How a whale is ranked; it orders the queue of entries, never that of exits."""

    PREMIUM = "PREMIUM"
    STANDARD = "STANDARD"
    TRIAL = "TRIAL"


TIER_RANK: Final[Mapping[WhaleTier, int]] = MappingProxyType(
    {WhaleTier.PREMIUM: 0, WhaleTier.STANDARD: 1, WhaleTier.TRIAL: 2}
)
"""The tiers as the queue of signals counts them: 0 is served first."""


class WhaleChange(Enum):
    """What can be done to a whale."""

    PAUSE = "pause"
    RESUME = "resume"
    BAN = "ban"


WHALE_LIFECYCLE: Final = Lifecycle[WhaleState, WhaleChange](
    "whale",
    {
        (WhaleState.ACTIVE, WhaleChange.PAUSE): WhaleState.PAUSED,
        (WhaleState.PAUSED, WhaleChange.RESUME): WhaleState.ACTIVE,
        (WhaleState.ACTIVE, WhaleChange.BAN): WhaleState.BANNED,
        (WhaleState.PAUSED, WhaleChange.BAN): WhaleState.BANNED,
    },
)


@dataclass(slots=True)  # tidy: allow frozen an aggregate changes under its version
class Whale:
    """A leader: `account_id` is the trading account whose private stream tells what it does."""

    id: WhaleId
    name: str
    venue: Venue
    account_id: AccountId
    tier: WhaleTier
    state: WhaleState = WhaleState.ACTIVE
    version: int = 1
    events: Recorder = field(default_factory=Recorder, compare=False, repr=False)

    @property
    def entries_are_copied(self) -> bool:
        """Whether new risk may be taken after this whale."""
        return self.state is WhaleState.ACTIVE

    def pause(self, reason: str, now: datetime) -> None:
        """Stop the copying of entries."""
        self.state = WHALE_LIFECYCLE.after(self.state, WhaleChange.PAUSE)
        self.events.record(WhalePaused(at=now, whale_id=self.id, reason=reason))

    def resume(self, now: datetime) -> None:
        """Copy entries again."""
        self.state = WHALE_LIFECYCLE.after(self.state, WhaleChange.RESUME)
        self.events.record(WhaleResumed(at=now, whale_id=self.id))

    def ban(self, reason: str, now: datetime) -> None:
        """Stop the copying of entries for good."""
        self.state = WHALE_LIFECYCLE.after(self.state, WhaleChange.BAN)
        self.events.record(WhalePaused(at=now, whale_id=self.id, reason=reason))
