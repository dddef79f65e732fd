"""The table of all lints, and one pass of it over the tree."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from tools.tidy import conduct, purity, shape, words
from tools.tidy.allow import PARTIAL_TABLE, without_allowed
from tools.tidy.lint import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tools.tidy.lint import Lint, TreeLint
    from tools.tidy.source import Source

LINTS: Final[tuple[Lint, ...]] = (*shape.LINTS, *purity.LINTS, *conduct.LINTS, *words.LINTS)
TREE_LINTS: Final[tuple[TreeLint, ...]] = (*shape.TREE_LINTS, *conduct.TREE_LINTS)
RULES: Final[tuple[Lint | TreeLint, ...]] = (*LINTS, *TREE_LINTS)
CODES: Final = frozenset({lint.code for lint in RULES} | {PARTIAL_TABLE})


def findings_in(sources: Sequence[Source]) -> list[Finding]:
    """Every breach that no exception covers, by path and line. A file that does not parse yields just that."""
    parsed = [source for source in sources if source.syntax_error is None]
    by_path: defaultdict[str, list[Finding]] = defaultdict(list)
    for source in parsed:
        for lint in LINTS:
            if lint.applies(source):
                by_path[source.path].extend(lint.finding(source.path, *hit) for hit in lint.check(source))
    for tree_lint in TREE_LINTS:
        for path, line, detail in tree_lint.check(parsed):
            by_path[path].append(tree_lint.finding(path, line, detail))
    found = {
        finding
        for source in parsed
        for finding in without_allowed(source, by_path.pop(source.path, []), CODES)
    }
    found.update(finding for rest in by_path.values() for finding in rest)  # about files that are missing
    found |= set(_unparsed(sources))
    return sorted(found, key=lambda finding: (finding.path, finding.line, finding.code, finding.text))


def _unparsed(sources: Sequence[Source]) -> Iterable[Finding]:
    for source in sources:
        if error := source.syntax_error:
            yield Finding(
                source.path, error.lineno or 1, "syntax", f"{error.msg} - no lint can read this file"
            )
