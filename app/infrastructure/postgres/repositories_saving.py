"""How every repository writes: inserts whose broken constraints have a name, updates under a version.

Invariants: a refused insert leaves the transaction usable; an update touches one row of the version that was loaded
or raises; events are taken from an aggregate only once its row is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol, TypeAlias

from sqlalchemy import Insert, Table, Update, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.shared.errors import AlreadyExists, ConcurrencyConflict, DomainError, NotFound
from app.domain.shared.events import Recorder
from app.infrastructure.postgres.rows import Columns, Values

Collect: TypeAlias = Callable[[Recorder, str], None]
"""Takes what an aggregate recorded, with the trace id that the news shall carry."""


class Versioned(Protocol):
    """An aggregate that is saved under its version."""

    version: int
    events: Recorder


_BROKEN: Final[Mapping[str, tuple[type[DomainError], str]]] = MappingProxyType(
    {
        "uq_follows_live": (AlreadyExists, "This account follows the whale already."),
        "uq_whales_account_id": (AlreadyExists, "This account is a whale already."),
        "fk_accounts_user_id": (NotFound, "There is no such user."),
        "fk_api_tokens_user_id": (NotFound, "There is no such user."),
        "fk_follows_user_id": (NotFound, "There is no such user."),
        "fk_follows_whale_id": (NotFound, "There is no such whale."),
        "fk_follows_account_id": (NotFound, "There is no such account."),
        "fk_signals_whale_id": (NotFound, "There is no such whale."),
        "fk_user_limits_user_id": (NotFound, "There is no such user."),
        "fk_whales_account_id": (NotFound, "There is no such account."),
    }
)


def broken_constraint(error: IntegrityError) -> str:
    """Return the name of the constraint that a statement broke, "" when the server named none."""
    cause = error.orig.__cause__ if error.orig is not None else None
    return str(getattr(cause, "constraint_name", None) or "")


def known_breach(error: IntegrityError) -> DomainError | IntegrityError:
    """Return the domain's word for a broken constraint, or the error itself when the domain has none."""
    name = broken_constraint(error)
    if name not in _BROKEN:
        return error
    kind, sentence = _BROKEN[name]
    return kind(sentence, constraint=name)


async def insert_row(connection: AsyncConnection, statement: Insert, table: Table[Any]) -> RowMapping:
    """Insert one row and return it whole; AlreadyExists or NotFound when it breaks a constraint that we know."""
    try:
        async with connection.begin_nested():  # a refused row must not doom the caller's transaction
            result = await connection.execute(statement.returning(table))
            row: RowMapping = result.mappings().one()
            return row
    except IntegrityError as error:
        raise known_breach(error) from None


async def save_versioned(
    connection: AsyncConnection, table: Table[Any], identity: int, aggregate: Versioned, values: Values
) -> None:
    """Write the values if the row still has the aggregate's version, and raise the version; else ConcurrencyConflict."""
    statement: Update = (
        update(table)
        .where(table.c.id == identity, table.c.version == aggregate.version)
        .values(**values, version=table.c.version + 1)
    )
    result = await connection.execute(statement)
    if result.rowcount != 1:
        raise ConcurrencyConflict(
            "It was changed by someone else in the meantime; load it again.",
            table=table.name,
            id=identity,
            version=aggregate.version,
        )
    aggregate.version += 1


def found(row: Columns | None, what: str, identity: object) -> Columns:
    """Return the row, or raise NotFound."""
    if row is None:
        raise NotFound(f"There is no such {what}.", id=str(identity))
    return row
