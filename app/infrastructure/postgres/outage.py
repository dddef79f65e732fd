"""Failures of the database in the domain's words: away, or in each other's way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.domain.shared.errors import ConcurrencyConflict, StorageUnavailable
from app.infrastructure.postgres.engine import sqlstate

_IN_THE_WAY: Final = frozenset({"40001", "40P01", "55P03"})
_AWAY_CLASSES: Final = ("08", "57P", "53")


@asynccontextmanager
async def translated() -> AsyncIterator[None]:
    """Raise StorageUnavailable when the database is away, ConcurrencyConflict when transactions met; else as it came."""
    try:
        yield
    except (OSError, PoolTimeoutError) as error:
        raise StorageUnavailable("The database cannot be reached.") from error
    except DBAPIError as error:
        state = sqlstate(error) or ""
        if state in _IN_THE_WAY:
            raise ConcurrencyConflict("Two transactions were in each other's way.", sqlstate=state) from error
        away = error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
        if away or state.startswith(_AWAY_CLASSES):
            raise StorageUnavailable("The database broke off.", sqlstate=state) from error
        raise
