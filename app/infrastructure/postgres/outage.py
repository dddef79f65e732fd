"""Failures of the database in the domain's words: away, or transactions in each other's way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.domain.shared.errors import ConcurrencyConflict, DomainError, StorageUnavailable
from app.infrastructure.postgres.engine import sqlstate

_IN_THE_WAY: Final = frozenset({"40001", "40P01", "55P03"})
_AWAY_CLASSES: Final = ("08", "57P", "53")


def in_domain_words(error: BaseException | None) -> DomainError | None:
    """Return StorageUnavailable or ConcurrencyConflict where that is what happened, None for any other error."""
    if isinstance(error, OSError | PoolTimeoutError):
        return StorageUnavailable("The database cannot be reached; try again.")
    if not isinstance(error, DBAPIError):
        return None
    state = sqlstate(error) or ""
    if state in _IN_THE_WAY:
        return ConcurrencyConflict("Two transactions were in each other's way; try again.", sqlstate=state)
    away = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    if away or state.startswith(_AWAY_CLASSES):
        return StorageUnavailable("The database broke off; try again.", sqlstate=state)
    return None


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Raise failures of the database in the domain's words; every other error passes as it came."""
    try:
        yield
    except (OSError, PoolTimeoutError, DBAPIError) as error:
        words = in_domain_words(error)
        if words is None:
            raise
        raise words from error
