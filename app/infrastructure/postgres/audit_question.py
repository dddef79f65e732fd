"""One question of the audit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """One invariant: what an offending row means, and the query that finds such rows."""

    sentence: str
    sql: str
