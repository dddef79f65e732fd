"""The auditor on PostgreSQL: every question of one snapshot, in a read-only transaction that locks nothing.

Each question has its own time-out and a savepoint, so that one that takes too long is reported as unanswered and
stops none of the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.application.trading.audit import AuditBounds, Finding
from app.infrastructure.postgres.audit_question import Question
from app.infrastructure.postgres.audit_sql import QUESTIONS
from app.infrastructure.postgres.engine import sqlstate
from app.infrastructure.postgres.outage import translated

_QUERY_CANCELED: Final = "57014"


class PostgresAuditor:
    """Auditor. `timeout` bounds each question by itself."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        timeout: timedelta = timedelta(seconds=30),
        questions: Mapping[str, Question] = QUESTIONS,
    ) -> None:
        self._engine = engine
        self._timeout_ms = timeout // timedelta(milliseconds=1)
        self._questions = questions

    async def findings(self, bounds: AuditBounds) -> Sequence[Finding]:
        """Return every check's finding, all of one snapshot."""
        times = {"unsettled": bounds.unsettled, "in_doubt": bounds.in_doubt, "deferred": bounds.deferred}
        async with translated(), self._engine.connect() as connection:
            snapshot = await connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            async with snapshot.begin():
                await snapshot.execute(text(f"SET LOCAL statement_timeout = {self._timeout_ms}"))
                return [
                    await _ask(snapshot, name, question, times) for name, question in self._questions.items()
                ]


async def _ask(
    connection: AsyncConnection, name: str, question: Question, times: Mapping[str, timedelta]
) -> Finding:
    statement = text(f"SELECT count(*) AS number, min(example) AS example FROM ({question.sql}) q")
    values = {key: value for key, value in times.items() if f":{key} " in question.sql}
    try:
        async with connection.begin_nested():
            row = (await connection.execute(statement, values)).one()
    except DBAPIError as error:
        if sqlstate(error) != _QUERY_CANCELED:
            raise
        return Finding(name, question.sentence, None)
    return Finding(name, question.sentence, row.number, row.example)
