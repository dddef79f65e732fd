"""Taking API tokens back."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.domain.shared.ids import UserId
from app.infrastructure.postgres.transaction import transaction

_REVOKE: Final = text("""
UPDATE api_tokens SET revoked_at = now()
 WHERE user_id = :id AND revoked_at IS NULL AND (CAST(:label AS text) IS NULL OR label = CAST(:label AS text))
""")


class TokenRevocation:
    """TokenRevoker: tokens stop working at once."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def revoke(self, user_id: UserId, label: str | None) -> int:
        """Revoke the user's tokens of that label (of every label when None); return how many were still good."""
        async with transaction(self._engine, "tokens.revoke") as connection:
            return (await connection.execute(_REVOKE, {"id": user_id, "label": label})).rowcount
