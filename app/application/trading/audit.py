"""The audit: the invariants of the books as counted findings; zero everywhere means that the books agree with themselves.

It only reads. A finding is a name that stays stable for alarms, a sentence for a person, how often it was found and
one row as an example. A question that got no answer has no count: not knowing is never reported as zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True)
class AuditBounds:
    """How long a thing may take before it is called stuck."""

    unsettled: timedelta = timedelta(minutes=5)
    in_doubt: timedelta = timedelta(minutes=2)
    deferred: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check came to. `count` is None when the database did not answer; `example` names one row."""

    name: str
    sentence: str
    count: int | None
    example: str | None = None

    @property
    def is_clean(self) -> bool:
        """Whether the check was answered, and with none."""
        return self.count == 0


class Auditor(Protocol):
    """Asks every check of one moment of the database."""

    async def findings(self, bounds: AuditBounds) -> Sequence[Finding]:
        """Return every check's finding, in a fixed order; nothing is written and no row is locked."""
        ...
