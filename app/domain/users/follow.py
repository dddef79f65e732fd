"""The follow: one user copies one whale, on one trading account, on agreed terms.

Invariants: a stopped follow never copies entries again; whatever the state, exits of what the follow holds go on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from typing import Final

from app.domain.shared.errors import IllegalTransition
from app.domain.shared.events import Recorder
from app.domain.shared.ids import AccountId, FollowId, UserId, WhaleId
from app.domain.shared.lifecycle import Lifecycle
from app.domain.shared.terms import CopyTerms
from app.domain.users.events import FollowPaused, FollowResumed, FollowStopped


class FollowState(StrEnum):
    """Whether a follow takes entries."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    STOPPED = "STOPPED"


class FollowChange(Enum):
    """What can be done to a follow."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"


FOLLOW_LIFECYCLE: Final = Lifecycle[FollowState, FollowChange](
    "follow",
    {
        (FollowState.ACTIVE, FollowChange.PAUSE): FollowState.PAUSED,
        (FollowState.PAUSED, FollowChange.RESUME): FollowState.ACTIVE,
        (FollowState.ACTIVE, FollowChange.STOP): FollowState.STOPPED,
        (FollowState.PAUSED, FollowChange.STOP): FollowState.STOPPED,
    },
)


@dataclass(slots=True)  # tidy: allow frozen an aggregate changes under its version
class Follow:
    """Who copies whom, where and how."""

    id: FollowId
    user_id: UserId
    whale_id: WhaleId
    account_id: AccountId
    terms: CopyTerms
    state: FollowState = FollowState.ACTIVE
    version: int = 1
    events: Recorder = field(default_factory=Recorder, compare=False, repr=False)

    def pause(self, now: datetime) -> None:
        """Take no entries until resumed."""
        self.state = FOLLOW_LIFECYCLE.after(self.state, FollowChange.PAUSE)
        self.events.record(FollowPaused(at=now, follow_id=self.id))

    def resume(self, now: datetime) -> None:
        """Take entries again."""
        self.state = FOLLOW_LIFECYCLE.after(self.state, FollowChange.RESUME)
        self.events.record(FollowResumed(at=now, follow_id=self.id))

    def stop(self, now: datetime, *, close_positions: bool) -> None:
        """End the follow; what it holds is closed now, or with the leader's exits."""
        self.state = FOLLOW_LIFECYCLE.after(self.state, FollowChange.STOP)
        self.events.record(FollowStopped(at=now, follow_id=self.id, close_positions=close_positions))

    def change_terms(self, terms: CopyTerms) -> None:
        """Agree on new terms; they hold from the next signal on."""
        if self.state is FollowState.STOPPED:
            raise IllegalTransition("A stopped follow's terms cannot change; follow the whale anew.")
        self.terms = terms
