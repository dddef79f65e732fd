"""What people wrote, checked against the tree: links lead somewhere, named files exist, named commands can be run."""

from __future__ import annotations

import itertools
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tools.docs.cli_page import commands, options_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINK: Final = re.compile(r"(?<!\\)\]\(([^)\s]+)\)")
SPAN: Final = re.compile(r"`([^`\n]+)`")
FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
HEADING: Final = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
PATH: Final = re.compile(r"(?:app|docs|simulator|tests|tools|\.ci)/[\w./{},*<>-]*")
ROOT_FILE: Final = re.compile(r"[\w.-]+\.(?:toml|lock|txt|md)|Makefile|LICENSE|\.importlinter")
BRACES: Final = re.compile(r"\{([^{}]*)\}")
SHELL: Final = frozenset({"sh", "bash", "console"})
LAUNCHERS: Final = (
    ("copytrade",),
    (".venv/bin/copytrade",),
    ("python", "-m", "app"),
    (".venv/bin/python", "-m", "app"),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that a document says and that is not so."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


def documents(root: Path) -> list[Path]:
    """Return every Markdown file that people read."""
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").rglob("*.md"))]


def faults(root: Path) -> list[Fault]:
    """Return everything that the documents under `root` get wrong."""
    targets = make_targets(root)
    return [fault for path in documents(root) for fault in faults_of(root, path, targets)]


def unreached(root: Path) -> list[str]:
    """Return the documents that no chain of links leads to from the README."""
    waiting: list[Path] = [root / "README.md"]
    seen: set[Path] = set()
    while waiting:
        path = waiting.pop().resolve()
        if path in seen or path.suffix != ".md" or not path.is_file():
            continue
        seen.add(path)
        prose = FENCE.sub("", path.read_text(encoding="utf-8"))
        waiting += [path.parent / found[1].partition("#")[0] for found in LINK.finditer(prose)]
    return [path.relative_to(root).as_posix() for path in documents(root) if path.resolve() not in seen]


def faults_of(root: Path, path: Path, targets: frozenset[str]) -> Iterator[Fault]:
    """Check one document."""
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(root).as_posix()
    prose = FENCE.sub(lambda found: "\n" * found.group().count("\n"), text)
    for line, said in itertools.chain(
        _dead_links(path, prose), _absent_files(root, prose), _unknown_commands(root, text, prose, targets)
    ):
        yield Fault(name, line, said)


def make_targets(root: Path) -> frozenset[str]:
    """Return the targets of the Makefile."""
    lines = (root / "Makefile").read_text(encoding="utf-8").splitlines()
    return frozenset(found[1] for line in lines if (found := re.match(r"([a-z][a-z-]*):(?!=)", line)))


def anchors(text: str) -> frozenset[str]:
    """Return the anchors that a document's headings make, spelt as the usual hosts spell them."""
    plain = (re.sub(r"[^\w\- ]", "", found.lower()).strip() for found in HEADING.findall(FENCE.sub("", text)))
    return frozenset(heading.replace(" ", "-") for heading in plain)


def _line_of(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _dead_links(path: Path, prose: str) -> Iterator[tuple[int, str]]:
    for found in LINK.finditer(prose):
        target, _, anchor = found[1].partition("#")
        if re.match(r"[a-z]+:", found[1]):
            continue
        file = (path.parent / target) if target else path
        if target.startswith("/") or not file.exists():
            yield _line_of(prose, found.start()), f"the link {found[1]} leads nowhere"
        elif anchor and file.suffix == ".md" and anchor not in anchors(file.read_text(encoding="utf-8")):
            yield _line_of(prose, found.start()), f"the link {found[1]} names no heading there"


def _absent_files(root: Path, prose: str) -> Iterator[tuple[int, str]]:
    for found in SPAN.finditer(prose):
        if PATH.fullmatch(found[1]) or ROOT_FILE.fullmatch(found[1]):
            for one in _alternatives(found[1]):
                if not _exists(root, one):
                    yield _line_of(prose, found.start()), f"there is no {one}"


def _alternatives(path: str) -> Iterator[str]:
    match = BRACES.search(path)
    if match is None:
        yield path
        return
    for choice in match[1].split(","):
        yield from _alternatives(path[: match.start()] + choice.strip() + path[match.end() :])


def _exists(root: Path, path: str) -> bool:
    if "<" in path:  # a placeholder: only what stands before it can be checked
        return (root / path.split("<", 1)[0].rpartition("/")[0]).is_dir()
    if "*" in path:
        return any(root.glob(path))
    return (root / path).exists()


def _unknown_commands(
    root: Path, text: str, prose: str, targets: frozenset[str]
) -> Iterator[tuple[int, str]]:
    for block in FENCE.finditer(text):
        if block[1] in SHELL:
            for offset, line in enumerate(block[2].splitlines()):
                for fault in command_faults(root, line, targets):
                    yield _line_of(text, block.start(2)) + offset, fault
    for span in SPAN.finditer(prose):
        if span[1].startswith(("make ", "copytrade ", "python -m ")):
            for fault in command_faults(root, span[1], targets):
                yield _line_of(prose, span.start()), fault


def command_faults(root: Path, line: str, targets: frozenset[str]) -> Iterator[str]:
    """Return what cannot be run in one line of shell; programs that are not ours are left alone."""
    try:
        words = shlex.split(line.removeprefix("$ "), comments=True)
    except ValueError:
        return
    words = list(itertools.dropwhile(lambda word: re.match(r"[A-Z_]+=", word), words))
    if words[:1] == ["make"]:
        for word in words[1:]:
            if re.fullmatch(r"[a-z][a-z-]*", word) and word not in targets:
                yield f"make has no target {word}"
        return
    for launcher in LAUNCHERS:
        if tuple(words[: len(launcher)]) == launcher and len(words) > len(launcher):
            yield from _cli_faults(words[len(launcher) :])
            return
    if len(words) > 2 and words[0].endswith("python") and words[1] == "-m":
        yield from _module_faults(root, words[2])


def _cli_faults(words: list[str]) -> Iterator[str]:
    known_commands = commands()
    command = next((name for name in (" ".join(words[:2]), words[0]) if name in known_commands), None)
    if command is None:
        is_group = any(name.startswith(f"{words[0]} ") for name in known_commands)
        named = words[: 2 if is_group else 1]
        if not (is_group and len(named) == 1) and all(re.fullmatch(r"[a-z][a-z-]*", word) for word in named):
            yield f"copytrade has no command {' '.join(named)}"
        return
    known = options_of(command)
    for word in words[len(command.split()) :]:
        option = word.partition("=")[0]
        if option.startswith("--") and option not in known:
            yield f"copytrade {command} has no option {option}"


def _module_faults(root: Path, module: str) -> Iterator[str]:
    top = module.partition(".")[0]
    if top not in {"app", "simulator", "tools", "tests"}:
        return
    path = root / module.replace(".", "/")
    if not path.with_suffix(".py").is_file() and not (path / "__main__.py").is_file():
        yield f"python -m {module} does not exist"
