"""Every commit and every send of the program, found in its source, with the failpoints that stand around it.

A commit is one of: a block of `transaction(engine, "NAME")`; a unit of work's `commit()`, whose name is that of the use
case; a bare `.commit()`. A send is a request that the venue must not get twice, or a message to the broker. A bare one
must have a point just before and just after it; nothing else may begin a transaction.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.infrastructure.failpoints import name_of

ADAPTERS: Final = "app/infrastructure/"
READ_ONLY: Final = {"app/infrastructure/postgres/audit.py": "a snapshot that is read and never written"}
REPEATABLE: Final = {
    "app/infrastructure/exchanges/hyperliquid/market.py": "questions are POSTs there",
    "app/infrastructure/exchanges/hyperliquid/rest.py": "questions, and actions that may be repeated: leverage, cancel",
}
UNITS: Final = frozenset({"uow", "work", "unit"})
"""What a unit of work is called: its own commit has the points, named after whoever asks for it."""
BEGINNERS: Final = frozenset({"begin", "transaction", "autocommit"})
POINTS: Final = frozenset({"failpoint", "commit_point"})
WRITES: Final = frozenset({"POST", "PUT", "DELETE", "PATCH"})
NEAR: Final = 2
"""How many statements behind a commit its second point may stand."""


@dataclass(frozen=True, slots=True)
class Site:
    """One commit or send: `name` is what its two points begin with (empty: it has none), `fault` what is wrong with it."""

    path: str
    line: int
    name: str
    fault: str = ""


def sites(root: Path) -> list[Site]:
    """Return every commit and send of the program, faulty ones included."""
    found = [
        site
        for path in sorted((root / "app").rglob("*.py"))
        for site in sites_of(path.relative_to(root).as_posix(), path.read_text(encoding="utf-8"))
    ]
    used = Counter(site.name for site in found if site.path.startswith(ADAPTERS))
    return [
        (
            Site(site.path, site.line, site.name, "another commit or send has the same name")
            if site.name and used[site.name] > 1
            else site
        )
        for site in found
    ]


def point_names(root: Path) -> list[str]:
    """Return the names of all points, sorted."""
    return sorted({f"{site.name}.{moment}" for site in sites(root) for moment in ("before", "after")})


def sites_of(path: str, text: str) -> Iterator[Site]:
    """Yield the commits and sends of one file."""
    tree = ast.parse(text)
    if path.startswith(ADAPTERS):
        for block, function in _blocks(tree):
            for index, statement in enumerate(block):
                yield from _bare(path, function, block, index, statement)
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            yield from _begun(path, call)
    module = path.removesuffix(".py").replace("/", ".")
    for owner in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)):
        for call in _own_calls(owner):
            if _is_commit(call) and (not path.startswith(ADAPTERS) or _of_a_unit(call)):
                yield Site(path, call.lineno, f"{name_of(module, owner.name)}.commit")


def _begun(path: str, call: ast.Call) -> Iterator[Site]:
    if isinstance(call.func, ast.Name) and call.func.id == "transaction":
        name = call.args[1] if len(call.args) > 1 else None
        if isinstance(name, ast.Constant) and isinstance(name.value, str) and name.value:
            yield Site(path, call.lineno, f"{name.value}.commit")
        else:
            yield Site(path, call.lineno, "", "transaction() needs a literal name")
    elif isinstance(call.func, ast.Attribute) and call.func.attr in BEGINNERS and path not in READ_ONLY:
        yield Site(path, call.lineno, "", f"{ast.unparse(call.func)}: use transaction(engine, NAME)")


def _bare(path: str, function: str, block: list[ast.stmt], index: int, statement: ast.stmt) -> Iterator[Site]:
    for call in _shallow_calls(statement):
        if (
            _is_commit(call)
            and isinstance(call.func, ast.Attribute)
            and ast.unparse(call.func.value) in UNITS
        ):
            continue
        if not (_is_commit(call) or (_is_send(call) and path not in REPEATABLE)):
            continue
        before = _point_of(block[index - 1]) if index else ""
        after = [_point_of(later) for later in block[index + 1 : index + 1 + NEAR]]
        name = before.removesuffix("before").rstrip(".")
        if not before.endswith("before") or f"{before.removesuffix('before')}after" not in after:
            fault = f"{ast.unparse(call.func)} in {function} has no failpoint just before and just after"
            yield Site(path, call.lineno, "", fault)
        elif (
            name and "{" not in name
        ):  # else the name is made where the commit is asked for, and counted there
            yield Site(path, call.lineno, name)


def _is_commit(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr == "commit" and not call.args


def _of_a_unit(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and ast.unparse(call.func.value) in UNITS


def _is_send(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute):
        return False
    first = call.args[0] if call.args else None
    writes = isinstance(first, ast.Constant) and first.value in WRITES
    return call.func.attr == "send_task" or (call.func.attr == "request" and writes)


def _point_of(statement: ast.stmt) -> str:
    """Return the name in a statement that is a failpoint, empty for any other; commit_point has a moment only."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in POINTS):
        return ""
    return ast.unparse(call.args[0]).removeprefix("f").strip("'\"")


def _blocks(tree: ast.Module) -> Iterator[tuple[list[ast.stmt], str]]:
    for node in ast.walk(tree):
        name = getattr(node, "name", "the module")
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                yield block, str(name)


def _shallow_calls(statement: ast.stmt) -> Iterator[ast.Call]:
    """Yield the calls of a statement itself, not of the statements in it."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            yield node
        waiting.extend(child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt))


def _own_calls(function: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls of a function, not of functions in it."""
    waiting: list[ast.AST] = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.Call):
            yield node
        waiting.extend(ast.iter_child_nodes(node))
