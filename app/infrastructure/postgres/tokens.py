"""API tokens in PostgreSQL: `ct_` and 32 random bytes, of which only the SHA-256 is kept.

A token has 256 random bits, so a plain hash is enough and a stolen table opens nothing. It is looked up by its hash:
how long the look-up takes tells about the hash, which says nothing about the token.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.shared.ids import UserId
from app.domain.users.ports import Caller
from app.domain.users.user import Role
from app.infrastructure.postgres.repositories_saving import insert_row
from app.infrastructure.postgres.schema import tokens, users

TOKEN_PREFIX: Final = "ct_"  # noqa: S105 - no secret: it tells our tokens from others' in logs and scanners
_TOKEN_BYTES: Final = 32
_TOKEN_CHARACTERS_MAX: Final = 200


def new_token() -> str:
    """Return a fresh token."""
    return TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)


def token_hash(token: str) -> bytes:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode("utf-8", errors="surrogatepass")).digest()


class PostgresTokens:
    """TokenStore."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def issue(self, user_id: UserId, label: str) -> str:
        """Make a token for the user and return it once; NotFound when there is no such user."""
        token = new_token()
        statement = insert(tokens).values(token_hash=token_hash(token), user_id=user_id, label=label)
        await insert_row(self._connection, statement, tokens)
        return token

    async def caller(self, token: str) -> Caller | None:
        """Return who holds the token, None when it is unknown, revoked or its user is gone."""
        if not token.startswith(TOKEN_PREFIX) or len(token) > _TOKEN_CHARACTERS_MAX:
            return None
        statement = (
            select(users.c.id, users.c.role)
            .join(tokens, tokens.c.user_id == users.c.id)
            .where(tokens.c.token_hash == token_hash(token), tokens.c.revoked_at.is_(None))
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else Caller(user_id=UserId(row.id), role=Role(row.role))
