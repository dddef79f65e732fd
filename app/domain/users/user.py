"""The user: a person, a role, and whether they may trade."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from typing import Final

from app.domain.shared.errors import InvalidValue
from app.domain.shared.events import Recorder
from app.domain.shared.ids import UserId
from app.domain.shared.lifecycle import Lifecycle
from app.domain.users.events import UserSuspended

_NAME_MAX: Final = 80


class Role(StrEnum):
    """What a user may do: OPERATOR runs the platform, FOLLOWER owns accounts and follows."""

    OPERATOR = "OPERATOR"
    FOLLOWER = "FOLLOWER"


class UserState(StrEnum):
    """Whether a user may take new risk."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"


class UserChange(Enum):
    """What can be done to a user."""

    SUSPEND = "suspend"
    RESTORE = "restore"


USER_LIFECYCLE: Final = Lifecycle[UserState, UserChange](
    "user",
    {
        (UserState.ACTIVE, UserChange.SUSPEND): UserState.SUSPENDED,
        (UserState.SUSPENDED, UserChange.RESTORE): UserState.ACTIVE,
    },
)


def user_name(text: str) -> str:
    """Return a usable display name, or raise InvalidValue."""
    name = text.strip()
    if not name or len(name) > _NAME_MAX or not name.isprintable():
        raise InvalidValue(f"A name has 1 to {_NAME_MAX} printable characters.")
    return name


@dataclass(slots=True)  # tidy: allow frozen an aggregate changes under its version
class User:
    """A person known to the platform."""

    id: UserId
    name: str
    role: Role
    state: UserState = UserState.ACTIVE
    version: int = 1
    events: Recorder = field(default_factory=Recorder, compare=False, repr=False)

    def suspend(self, reason: str, now: datetime) -> None:
        """Stop all new risk for this user."""
        self.state = USER_LIFECYCLE.after(self.state, UserChange.SUSPEND)
        self.events.record(UserSuspended(at=now, user_id=self.id, reason=reason))

    def restore(self) -> None:
        """Allow new risk again."""
        self.state = USER_LIFECYCLE.after(self.state, UserChange.RESTORE)
