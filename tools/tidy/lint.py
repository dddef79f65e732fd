"""What a lint is: a code, a message, a reason, the files it looks at and the function that looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tools.tidy.source import Source

Hit = tuple[int, str]
"""Line number and what was found there (empty when the message says it all)."""

PYTHON_ROOMS = ("app/", "simulator/", "tools/")


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach; its text is the row a person reads."""

    path: str
    line: int
    code: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.code} {self.text}"


@dataclass(frozen=True, slots=True)
class Lint:
    """A rule on one file."""

    code: str
    message: str
    reason: str
    applies: Callable[[Source], bool]
    check: Callable[[Source], Iterable[Hit]]

    def finding(self, path: str, line: int, detail: str) -> Finding:
        """The row for one hit."""
        return Finding(path, line, self.code, row_text(self.message, detail, self.reason))


@dataclass(frozen=True, slots=True)
class TreeLint:
    """A rule that needs all files at once; `check` yields path, line, detail."""

    code: str
    message: str
    reason: str
    check: Callable[[Sequence[Source]], Iterable[tuple[str, int, str]]]

    def finding(self, path: str, line: int, detail: str) -> Finding:
        """The row for one hit."""
        return Finding(path, line, self.code, row_text(self.message, detail, self.reason))


def row_text(message: str, detail: str, reason: str) -> str:
    """`message: detail - reason`, without the detail when there is none."""
    return f"{message}: {detail} - {reason}" if detail else f"{message} - {reason}"


def python_under(*prefixes: str, but: tuple[str, ...] = ()) -> Callable[[Source], bool]:
    """Python files whose path starts with one of `prefixes` and with none of `but`."""
    return (
        lambda source: source.is_python
        and source.path.startswith(prefixes)
        and not source.path.startswith(but or ("\0",))
    )


def every_python(source: Source) -> bool:
    """All Python files, tests as well."""
    return source.is_python


def every_text(_source: Source) -> bool:
    """All files of the tree."""
    return True
