"""Lints on text: unfinished work, unexplained waivers, and words that tie the tree to one machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tools.tidy.lint import Lint, every_python, every_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tools.tidy.lint import Hit
    from tools.tidy.source import Source

PROSE: Final = (
    ".py",
    ".md",
    ".toml",
    ".ini",
    ".cfg",
    ".sh",
    ".yml",
    ".yaml",
    ".sql",
    ".lua",
    ".html",
    ".mako",
)
# Each pattern is spelt so that it does not match its own source line.
UNFINISHED: Final = re.compile(r"\b(?:TO(?:)DO|FIX(?:)ME|X{3})\b")
MACHINE_PATH: Final = re.compile(r"(?<![\w./~$}>)-])/(?:work|root|home/\w+)(?![\w-])")
REGISTRY: Final = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.npmjs\.org|crates\.io|proxy\.golang\.org|jfrog\.io|https?://[^\s\"']+/simple\b"
)
TYPE_WAIVER: Final = re.compile(r"#\s*type:\s*ignore")
TYPE_WAIVER_GOOD: Final = re.compile(r"#\s*type:\s*ignore\[[a-z][a-z0-9, -]*\]\W+\w+\W+\w+")
RUFF_WAIVER: Final = re.compile(r"#\s*(?:ruff:\s*)?noqa", re.IGNORECASE)
RUFF_WAIVER_GOOD: Final = re.compile(
    r"#\s*(?:ruff:\s*)?noqa:\s*[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*\W+\w+\W+\w+", re.IGNORECASE
)


def _is_prose(source: Source) -> bool:
    return source.name.endswith(PROSE) or "." not in source.name.lstrip(".")


def _matches(pattern: re.Pattern[str]) -> Callable[[Source], Iterable[Hit]]:
    def check(source: Source) -> Iterator[Hit]:
        for match in pattern.finditer(source.text):
            yield source.text.count("\n", 0, match.start()) + 1, match.group().strip()

    return check


def _waivers(found: re.Pattern[str], good: re.Pattern[str]) -> Callable[[Source], Iterable[Hit]]:
    def check(source: Source) -> Iterator[Hit]:
        if found.search(source.text):
            for line, comment in source.comments:
                if found.search(comment) and not good.search(comment):
                    yield line, comment

    return check


LINTS: Final[tuple[Lint, ...]] = (
    Lint(
        "unfinished",
        "unfinished work",
        "finish it, or write it where work is planned",
        _is_prose,
        _matches(UNFINISHED),
    ),
    Lint(
        "type-waiver",
        "type waiver without [code] and a reason",
        "the next reader must know which rule was wrong here, and why",
        every_python,
        _waivers(TYPE_WAIVER, TYPE_WAIVER_GOOD),
    ),
    Lint(
        "ruff-waiver",
        "ruff waiver without a code and a reason",
        "the next reader must know which rule was wrong here, and why",
        every_python,
        _waivers(RUFF_WAIVER, RUFF_WAIVER_GOOD),
    ),
    Lint(
        "machine-path",
        "absolute path of one machine",
        "it exists nowhere else; take the path relative to the file or from the settings",
        every_text,
        _matches(MACHINE_PATH),
    ),
    Lint(
        "registry-host",
        "host of a package registry",
        "where packages come from is the installer's choice, and differs by machine",
        every_text,
        _matches(REGISTRY),
    ),
)
