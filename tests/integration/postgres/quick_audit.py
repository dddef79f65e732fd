"""The audit's questions in one statement: what a machine that asks after every step can afford.

The program's own auditor gives each question a savepoint and a time-out, which is right on a large database and is most
of the time on a small one. `test_copying_machine` compares the two.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.application.trading.audit import AuditBounds
from app.infrastructure.postgres.audit_sql import QUESTIONS

_EACH: Final = " UNION ALL ".join(
    f"SELECT '{name}' AS name, count(*) AS number, min(example) AS example FROM ({question.sql}) q"
    for name, question in QUESTIONS.items()
)
_ALL: Final = text(f"SELECT name, example FROM ({_EACH}) found WHERE number > 0")


async def offenders(engine: AsyncEngine, bounds: AuditBounds) -> dict[str, str | None]:
    """Return one example for each question of the audit that finds anything."""
    times = {"unsettled": bounds.unsettled, "in_doubt": bounds.in_doubt, "deferred": bounds.deferred}
    async with engine.connect() as connection:
        return {row.name: row.example for row in await connection.execute(_ALL, times)}
