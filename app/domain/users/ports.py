"""What the users context needs from outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.shared.ids import AccountId, FollowId, UserId, WhaleId
from app.domain.shared.market import Venue
from app.domain.shared.terms import CopyTerms
from app.domain.users.account import ApiKey, TradingAccount
from app.domain.users.follow import Follow
from app.domain.users.user import Role, User


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking, as proven by a token: never by an id in the request."""

    user_id: UserId
    role: Role


class UserRepository(Protocol):
    """Loads and saves users under their version."""

    async def add(self, name: str, role: Role) -> User:
        """Store a new user."""
        ...

    async def get(self, user_id: UserId) -> User:
        """Return the user, or raise NotFound."""
        ...

    async def save(self, user: User) -> None:
        """Store the user if nobody else changed it, or raise ConcurrencyConflict."""
        ...


class AccountRepository(Protocol):
    """Loads and saves trading accounts under their version."""

    async def add(self, user: UserId, venue: Venue, label: str) -> TradingAccount:
        """Store a new account without a key; seal the key under the id it gets, then save."""
        ...

    async def get(self, account_id: AccountId) -> TradingAccount:
        """Return the account, or raise NotFound."""
        ...

    async def save(self, account: TradingAccount) -> None:
        """Store the account if nobody else changed it, or raise ConcurrencyConflict."""
        ...

    async def of_user(self, user_id: UserId) -> Sequence[TradingAccount]:
        """Return the user's accounts, oldest first."""
        ...

    async def with_streams(self, venue: Venue) -> Sequence[TradingAccount]:
        """Return the verified accounts of a venue whose private stream must be followed."""
        ...


class FollowRepository(Protocol):
    """Loads and saves follows under their version."""

    async def add(self, user: UserId, whale: WhaleId, account: AccountId, terms: CopyTerms) -> Follow:
        """Store a new follow; AlreadyExists when this account follows the whale already."""
        ...

    async def get(self, follow_id: FollowId) -> Follow:
        """Return the follow, or raise NotFound."""
        ...

    async def save(self, follow: Follow) -> None:
        """Store the follow if nobody else changed it, or raise ConcurrencyConflict."""
        ...

    async def of_user(self, user_id: UserId) -> Sequence[Follow]:
        """Return the user's follows, oldest first."""
        ...


class TokenStore(Protocol):
    """API tokens, stored as hashes."""

    async def issue(self, user_id: UserId, label: str) -> str:
        """Make a token for the user and return it once; only its hash is kept."""
        ...

    async def caller(self, token: str) -> Caller | None:
        """Return who holds the token, or None when it is unknown, revoked or its user is gone."""
        ...


class Vault(Protocol):
    """Seals and opens API keys; a blob opens only for the account that it was sealed for."""

    def seal(self, account: AccountId, venue: Venue, key: ApiKey) -> bytes:
        """Return the sealed blob."""
        ...

    def open(self, account: AccountId, venue: Venue, sealed: bytes) -> ApiKey:
        """Return the key, or raise VaultError when the blob is damaged or belongs to another account."""
        ...
