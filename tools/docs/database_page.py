"""docs/reference/database.md: every table with its columns, constraints and indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import CheckConstraint, Column, Index, Table
from sqlalchemy.dialects import postgresql

from app.infrastructure.postgres.schema import metadata
from tools.docs.markdown import code, page, table
from tools.docs.sentences import TABLES, check_total, sentence_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPENING: Final = """PostgreSQL is the truth. Money, prices and quantities are NUMERIC(38,18) and checked against NaN and infinity. The tables of
the hot path carry no foreign keys and have keys that begin with the follow or the account; why:
[ADR 0002](../adr/0002-core-only-persistence.md). The schema is `app/infrastructure/postgres/schema.py`, its history
`app/infrastructure/postgres/migrations/versions`."""

_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's dialect constructors are untyped


def render() -> str:
    """Return the page."""
    check_total(TABLES, metadata.tables)
    return page(
        "Database tables", _OPENING, *(part for one in metadata.tables.values() for part in _table(one))
    )


def _table(one: Table) -> Iterator[str]:
    yield f"## {one.name}"
    yield sentence_of(TABLES, one.name)
    yield table(
        ("column", "type", "", "default"),
        (
            (
                code(column.name),
                column.type.compile(_DIALECT).lower(),
                ", ".join(_traits(column)),
                _default(column),
            )
            for column in one.columns
        ),
    )
    if rules := [*_checks(one), *_indexes(one)]:
        yield "\n".join(f"* {rule}" for rule in rules)


def _traits(column: Column[Any]) -> Iterator[str]:
    if column.primary_key:
        yield "key"
    elif column.nullable:
        yield "null"
    if column.unique:
        yield "unique"
    for key in sorted(column.foreign_keys, key=lambda found: found.target_fullname):
        yield f"of {code(key.target_fullname)}"


def _default(column: Column[Any]) -> str:
    if column.identity is not None:
        return "identity"
    argument = getattr(column.server_default, "arg", None)
    return "" if argument is None else code(argument) if str(argument) else "empty"


def _checks(one: Table) -> list[str]:
    return sorted(
        f"{code(constraint.name)}: {code(constraint.sqltext)}"
        for constraint in one.constraints
        if isinstance(constraint, CheckConstraint)
    )


def _indexes(one: Table) -> list[str]:
    return sorted(_index(one, index) for index in one.indexes)


def _index(one: Table, index: Index) -> str:
    parts = ", ".join(str(part).removeprefix(f"{one.name}.") for part in index.expressions)
    where = index.dialect_options["postgresql"]["where"]
    kind = "unique index" if index.unique else "index"
    return f"{kind} {code(index.name)} on {code(parts)}" + (
        f" where {code(where)}" if where is not None else ""
    )
