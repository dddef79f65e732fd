"""The trading account: a user's account at a venue and the API key with which we trade on it.

Invariants: a key that is known to be able to withdraw is refused; an unverified key trades nothing; the secret is present only as a
sealed blob, which only the vault can open for this account.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from typing import Final

from app.domain.shared.events import Recorder
from app.domain.shared.ids import AccountId, UserId
from app.domain.shared.lifecycle import Lifecycle
from app.domain.shared.market import Venue
from app.domain.users.events import KeyRefused


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An opened key. It never shows its parts: repr, str and errors mask them."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class KeyPermissions:
    """What the venue says a key may do."""

    can_trade: bool
    can_withdraw: bool
    ip_restricted: bool


class KeyState(StrEnum):
    """Whether an account's key may be used."""

    UNVERIFIED = "UNVERIFIED"
    VERIFIED = "VERIFIED"
    REFUSED = "REFUSED"
    REVOKED = "REVOKED"


class KeyChange(Enum):
    """What can happen to a key."""

    VERIFY = "verify"
    REFUSE = "refuse"
    REVOKE = "revoke"


KEY_LIFECYCLE: Final = Lifecycle[KeyState, KeyChange](
    "key",
    {
        (KeyState.UNVERIFIED, KeyChange.VERIFY): KeyState.VERIFIED,
        (KeyState.REFUSED, KeyChange.VERIFY): KeyState.VERIFIED,
        (KeyState.VERIFIED, KeyChange.VERIFY): KeyState.VERIFIED,  # the daily check found it still good
        (KeyState.UNVERIFIED, KeyChange.REFUSE): KeyState.REFUSED,
        (KeyState.VERIFIED, KeyChange.REFUSE): KeyState.REFUSED,
        (KeyState.REFUSED, KeyChange.REFUSE): KeyState.REFUSED,
        (KeyState.UNVERIFIED, KeyChange.REVOKE): KeyState.REVOKED,
        (KeyState.VERIFIED, KeyChange.REVOKE): KeyState.REVOKED,
        (KeyState.REFUSED, KeyChange.REVOKE): KeyState.REVOKED,
    },
)


RIGHTS_UNTOLD: Final = (
    "The venue does not tell what a key may do. Make sure yourself that this one can trade and cannot withdraw."
)


@dataclass(slots=True)  # tidy: allow frozen an aggregate changes under its version
class TradingAccount:
    """One account at one venue; `sealed` is the vault's blob of its API key.

    `hedged` says that the account holds long and short positions side by side, as seen when its key was verified.
    """

    id: AccountId
    user_id: UserId
    venue: Venue
    label: str
    sealed: bytes = field(repr=False)
    key_state: KeyState = KeyState.UNVERIFIED
    key_reason: str = ""
    hedged: bool = False
    version: int = 1
    events: Recorder = field(default_factory=Recorder, compare=False, repr=False)

    def judge(self, permissions: KeyPermissions | None, now: datetime) -> None:
        """Accept or refuse the key by what the venue says it may do; a venue that says nothing leaves it to the user."""
        if permissions is None:
            self.key_state = KEY_LIFECYCLE.after(self.key_state, KeyChange.VERIFY)
            self.key_reason = RIGHTS_UNTOLD
        elif permissions.can_withdraw:
            self.refuse("The key may withdraw funds. Make a key that can trade and read only.", now)
        elif not permissions.can_trade:
            self.refuse("The key may not trade futures. Allow it at the venue.", now)
        else:
            self.key_state = KEY_LIFECYCLE.after(self.key_state, KeyChange.VERIFY)
            self.key_reason = "" if permissions.ip_restricted else "The key is not bound to an IP address."

    def refuse(self, reason: str, now: datetime) -> None:
        """Stop using the key for new risk and say why."""
        self.key_state = KEY_LIFECYCLE.after(self.key_state, KeyChange.REFUSE)
        self.key_reason = reason
        self.events.record(KeyRefused(at=now, account_id=self.id, reason=reason))

    def revoke(self) -> None:
        """Never use the key again."""
        self.key_state = KEY_LIFECYCLE.after(self.key_state, KeyChange.REVOKE)
        self.sealed = b""
