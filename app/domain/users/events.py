"""What happens to users and their follows, in the past tense."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.domain.shared.events import Event
from app.domain.shared.ids import AccountId, FollowId, UserId, WhaleId


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSuspended(Event):
    """None of the user's follows takes new risk; exits go on."""

    name: ClassVar[str] = "user.suspended"
    user_id: UserId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowStarted(Event):
    """A user began to copy a whale on one account."""

    name: ClassVar[str] = "follow.started"
    follow_id: FollowId
    whale_id: WhaleId


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowPaused(Event):
    """No entries until resumed; exits of what is held go on."""

    name: ClassVar[str] = "follow.paused"
    follow_id: FollowId


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowResumed(Event):
    """Entries are copied again."""

    name: ClassVar[str] = "follow.resumed"
    follow_id: FollowId


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowStopped(Event):
    """The user no longer copies the whale; `close_positions` says whether what is held is closed now."""

    name: ClassVar[str] = "follow.stopped"
    follow_id: FollowId
    close_positions: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRefused(Event):
    """The venue or our own rules refused a key; the account takes no new risk."""

    name: ClassVar[str] = "key.refused"
    account_id: AccountId
    reason: str
