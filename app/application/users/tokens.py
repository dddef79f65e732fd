"""API tokens: who is asking, and handing tokens out and taking them back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from app.application.shared.uow import UnitOfWorkFactory
from app.domain.shared.errors import InvalidValue, NotFound, Unauthenticated
from app.domain.shared.ids import UserId
from app.domain.users.ports import Caller

_LABEL_MAX = 80
_TOKEN_MAX = 200


class TokenRevoker(Protocol):
    """Takes tokens back, in a transaction of its own."""

    async def revoke(self, user_id: UserId, label: str | None) -> int:
        """Revoke the user's tokens of that label (of every label when None); return how many were still good."""
        ...


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Find out who is asking.

    - Identity comes from the token alone; the role is read anew for each request, so a change holds at once.
    - An unknown, revoked or malformed token is refused in the same words.
    """

    uow: UnitOfWorkFactory

    async def __call__(self, token: str) -> Caller:
        """Return the token's holder, or raise Unauthenticated."""
        if token.startswith("ct_") and len(token) <= _TOKEN_MAX and token.isascii() and token.isprintable():
            async with self.uow() as work:
                caller = await work.tokens.caller(token)
            if caller is not None:
                return caller
        raise Unauthenticated(
            "The token is not known. Send `Authorization: Bearer ct_...` with a token of yours."
        )


@dataclass(frozen=True, slots=True)
class IssueToken:
    """Issue an API token to a user.

    - The token is shown once, in this reply; only its hash is kept.
    - The label tells the user's tokens apart and is what they are revoked by.
    """

    uow: UnitOfWorkFactory

    async def __call__(self, user_id: UserId, label: str) -> str:
        """Return the token; NotFound for an unknown user, InvalidValue for an unusable label."""
        name = token_label(label)
        async with self.uow() as work:
            await work.users.get(user_id)
            token = await work.tokens.issue(user_id, name)
            await work.commit()
        return token


@dataclass(frozen=True, slots=True)
class RevokeTokens:
    """Revoke a user's tokens.

    - With a label, the tokens of that label; without one, all tokens of the user.
    - A revoked token is refused from the next request on and cannot be restored.
    """

    uow: UnitOfWorkFactory
    tokens: TokenRevoker

    async def __call__(self, user_id: UserId, label: str | None = None) -> int:
        """Return how many were revoked; NotFound when the user is unknown or no such token was good."""
        name = None if label is None else token_label(label)
        async with self.uow() as work:
            await work.users.get(user_id)
        revoked = await self.tokens.revoke(user_id, name)
        if not revoked:
            raise NotFound("The user has no such token.")
        return revoked


def token_label(text: str) -> str:
    """Return a usable label, or raise InvalidValue."""
    label = text.strip()
    if not label or len(label) > _LABEL_MAX or not label.isprintable():
        raise InvalidValue(f"A label has 1 to {_LABEL_MAX} printable characters.")
    return label
