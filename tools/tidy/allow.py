"""Exceptions in the code itself: a comment `# tidy: allow CODE reason` on the line of the breach, or alone on the line above."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tools.tidy.lint import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tools.tidy.source import Source

ALLOW: Final = re.compile(r"tidy: allow ([a-z-]+)\s*(.*)")
REASON_WORDS_MIN: Final = 2

PARTIAL_TABLE: Final = "partial-table"
"""Waived here, checked by tests/architecture/test_tables.py, which has to import the module."""


@dataclass(frozen=True, slots=True)
class Allow:
    """One exception: where it stands, which lines it covers, and why."""

    line: int
    covers: int
    code: str
    reason: str


def allows_of(source: Source) -> Sequence[Allow]:
    """The exceptions that a file states; in files that are not Python any line may carry one."""
    if "tidy: allow" not in source.text:
        return ()
    numbered = source.comments if source.is_python else tuple(enumerate(source.lines, 1))
    found: list[Allow] = []
    for line, text in numbered:
        if match := ALLOW.search(text):
            alone = source.is_python and source.lines[line - 1].lstrip().startswith("#")
            found.append(Allow(line, line + 1 if alone else line, match[1], match[2].strip()))
    return found


def without_allowed(source: Source, findings: Sequence[Finding], known: frozenset[str]) -> Iterator[Finding]:
    """The findings that no exception covers, and one for each exception that is unknown, unreasoned or unused."""
    allows = allows_of(source)
    covered = {(allow.covers, allow.code) for allow in allows}
    yield from (finding for finding in findings if (finding.line, finding.code) not in covered)
    if not source.is_python:
        return
    met = {(finding.line, finding.code) for finding in findings}
    for allow in allows:
        if fault := _fault(allow, known, is_met=(allow.covers, allow.code) in met):
            yield Finding(
                source.path,
                allow.line,
                "allow",
                f"{fault} - an exception that explains nothing hides the next breach",
            )


def _fault(allow: Allow, known: frozenset[str], *, is_met: bool) -> str:
    if allow.code not in known:
        return f"no lint is called {allow.code}"
    if len(allow.reason.split()) < REASON_WORDS_MIN:
        return f"the exception from {allow.code} has no reason"
    if not is_met and allow.code != PARTIAL_TABLE:
        return f"nothing here breaks {allow.code}"
    return ""
