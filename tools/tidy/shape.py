"""Lints on the shape of the tree: lengths, folders, `__init__` files and docstrings."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from tools.tidy.lint import PYTHON_ROOMS, Lint, TreeLint, every_python, python_under

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tools.tidy.lint import Hit
    from tools.tidy.source import Function, Source

FILE_LINES_MAX: Final = 300
FUNCTION_LINES_MAX: Final = 60

LONG_FILES: Final[Mapping[str, str]] = {
    "app/infrastructure/postgres/schema.py": "one schema is one idea: all tables, constraints and indexes side by side",
    "app/infrastructure/postgres/migrations/": "a migration is written once, read in order and never edited",
    "alembic/versions/": "a migration is written once, read in order and never edited",
}
"""Path (or folder, with a final slash) to the reason why it may be long."""

VERSIONED: Final = frozenset({"app/__init__.py", "simulator/__init__.py"})
ECHO_NOISE: Final = frozenset(
    {
        "a",
        "an",
        "and",
        "by",
        "for",
        "get",
        "given",
        "in",
        "it",
        "of",
        "on",
        "or",
        "return",
        "that",
        "the",
        "thi",
        "to",
        "with",
    }
)
"""As `_words` gives them: without a final s."""


def _may_be_long(source: Source) -> bool:
    return any(
        source.path == path or (path.endswith("/") and source.path.startswith(path)) for path in LONG_FILES
    )


def file_length(source: Source) -> Iterator[Hit]:
    """A file over the limit that is not listed."""
    if len(source.lines) > FILE_LINES_MAX and not _may_be_long(source):
        yield 1, f"{len(source.lines)} lines, {FILE_LINES_MAX} at most"


def function_length(source: Source) -> Iterator[Hit]:
    """A function over the limit, from its `def` to its last line, decorators left out."""
    if _may_be_long(source):
        return
    for function in source.functions:
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length > FUNCTION_LINES_MAX:
            yield function.lineno, f"{function.name} has {length} lines, {FUNCTION_LINES_MAX} at most"


def init_is_docstring(source: Source) -> Iterator[Hit]:
    """Anything in an `__init__.py` besides its docstring; the two programs may state a version."""
    body = source.tree.body
    if not ast.get_docstring(source.tree):
        yield 1, "the docstring is missing"
    for node in body[1:] if ast.get_docstring(source.tree) else body:
        if not (source.path in VERSIONED and _is_version(node)):
            yield node.lineno, f"a {type(node).__name__} statement"


def _is_version(node: ast.stmt) -> bool:
    targets = (
        node.targets
        if isinstance(node, ast.Assign)
        else [node.target] if isinstance(node, ast.AnnAssign) else []
    )
    if isinstance(node, ast.ImportFrom):
        return node.module == "__future__"
    return [getattr(target, "id", "") for target in targets] == ["__version__"]


def module_docstring(source: Source) -> Iterator[Hit]:
    """A module without a docstring."""
    if not ast.get_docstring(source.tree):
        yield 1, ""


def future_annotations(source: Source) -> Iterator[Hit]:
    """A module with annotations that are evaluated at import."""
    annotated = next(source.functions, None) or next(source.of(ast.AnnAssign), None)
    if annotated and source.imported.get("annotations") != "__future__.annotations":
        yield 1, ""


def echo_docstring(source: Source) -> Iterator[Hit]:
    """A one-line docstring made of nothing but the words of the name and the parameters."""
    for function in source.functions:
        text = ast.get_docstring(function, clean=False) or ""
        said = _words(text) - ECHO_NOISE
        if text and "\n" not in text and said <= _words(_signature(function)):
            yield function.lineno, f"{function.name}: {text!r}"


def _signature(function: Function) -> str:
    arguments = function.args
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return " ".join([function.name, *names])


def _words(text: str) -> set[str]:
    return {word.rstrip("s") for word in re.findall(r"[a-z]+", text.replace("_", " ").lower())}


def lone_module(sources: Sequence[Source]) -> Iterator[tuple[str, int, str]]:
    """A package that holds one module, or one package, and nothing else."""
    children: defaultdict[str, set[str]] = defaultdict(set)
    packages = {source.folder for source in sources if source.name == "__init__.py"}
    for source in sources:
        if not source.path.startswith(PYTHON_ROOMS):
            continue
        if source.name not in {"__init__.py", "py.typed"}:
            children[source.folder].add(source.name)
        parent, _, own = source.folder.rpartition("/")
        if parent:
            children[parent].add(own)
    for package in sorted(packages):
        if package.startswith(PYTHON_ROOMS) and len(children[package]) < 2:
            yield f"{package}/__init__.py", 1, f"holds only {', '.join(children[package]) or 'itself'}"


def missing_init(sources: Sequence[Source]) -> Iterator[tuple[str, int, str]]:
    """A folder with modules and no `__init__.py`; alembic loads migrations by path."""
    packages = {source.folder for source in sources if source.name == "__init__.py"}
    folders = {
        source.folder
        for source in sources
        if source.is_python and source.path.startswith(PYTHON_ROOMS) and not _may_be_long(source)
    }
    for folder in sorted(folders - packages):
        yield f"{folder}/__init__.py", 1, folder


LINTS: Final[tuple[Lint, ...]] = (
    Lint(
        "file-length",
        "file too long",
        "one file is one idea; past this length it has become two, so split it by idea",
        every_python,
        file_length,
    ),
    Lint(
        "function-length",
        "function too long",
        "a function is read in one view; name its parts",
        every_python,
        function_length,
    ),
    Lint(
        "init-docstring",
        "__init__.py holds more than its docstring",
        "a re-export gives a thing two names and hides who imports what; import from the module itself",
        lambda source: source.name == "__init__.py" and source.path.startswith(PYTHON_ROOMS),
        init_is_docstring,
    ),
    Lint(
        "module-docstring",
        "module without a docstring",
        "the first paragraph says what the file owns and which invariants it keeps",
        python_under(*PYTHON_ROOMS),
        module_docstring,
    ),
    Lint(
        "future-annotations",
        "`from __future__ import annotations` is missing",
        "annotations then cost nothing at import and may name what is defined later",
        python_under(*PYTHON_ROOMS),
        future_annotations,
    ),
    Lint(
        "echo-docstring",
        "docstring repeats the signature",
        "say units, errors, the source of the rule, or nothing",
        python_under(*PYTHON_ROOMS),
        echo_docstring,
    ),
)

TREE_LINTS: Final[tuple[TreeLint, ...]] = (
    TreeLint(
        "lone-module",
        "folder for a single idea",
        "a folder exists for two or more ideas; make it a module",
        lone_module,
    ),
    TreeLint(
        "missing-init",
        "folder without an __init__.py",
        "the import contracts do not see what is in no package",
        missing_init,
    ),
)
