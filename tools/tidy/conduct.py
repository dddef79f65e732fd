"""Lints on what code does: transactions, exceptions, printing, sleeping."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from tools.tidy.lint import Lint, TreeLint, every_python, python_under
from tools.tidy.source import chain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tools.tidy.lint import Hit
    from tools.tidy.source import Source

TRANSACTION: Final = re.compile(r"uow|unit_of_work|transaction|(?:^|\.)begin(?:_nested)?$")
GATEWAY: Final = re.compile(r"(?:^|_)(?:gateways?|placer)$")
VENUE: Final = re.compile(r"(?:^|_)(?:venues?|exchanges?|http)$")
BROAD: Final = frozenset({"Exception", "BaseException"})
ENDINGS: Final = ("app/application/shared/ending.py",)
PRINTERS: Final = ("app/presentation/cli", "app/presentation/demo", "simulator/__main__.py")


def network_in_transaction(source: Source) -> Iterator[Hit]:
    """A call on a gateway, or an awaited one on a venue, inside a block that holds a database transaction."""
    blocks: list[ast.With | ast.AsyncWith] = [*source.of(ast.AsyncWith), *source.of(ast.With)]
    for block in blocks:
        opened = [item for item in block.items if TRANSACTION.search(chain(item.context_expr))]
        if not opened:
            continue
        own = {chain(item.context_expr) for item in opened}
        own |= {item.optional_vars.id for item in opened if isinstance(item.optional_vars, ast.Name)}
        inner = [node for statement in block.body for node in ast.walk(statement)]
        awaited = {id(node.value) for node in inner if isinstance(node, ast.Await)}
        for call in (node for node in inner if isinstance(node, ast.Call)):
            name = chain(call.func)
            if not _starts_with(name, own) and _reaches_venue(name, is_awaited=id(call) in awaited):
                yield call.lineno, name


def _starts_with(name: str, prefixes: set[str]) -> bool:
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def _reaches_venue(name: str, *, is_awaited: bool) -> bool:
    owners = name.split(".")[:-1]
    return any(GATEWAY.search(owner) or (is_awaited and VENUE.search(owner)) for owner in owners)


def silent_except(source: Source) -> Iterator[Hit]:
    """`except:`, a broad handler that does nothing, and `suppress` of everything."""
    for handler in source.of(ast.ExceptHandler):
        if handler.type is None:
            yield handler.lineno, "except without a type"
        elif _is_broad(handler.type) and all(_does_nothing(node) for node in handler.body):
            yield handler.lineno, f"except {ast.unparse(handler.type)} that does nothing"
    for call in source.of(ast.Call):
        if chain(call.func).rpartition(".")[2] == "suppress" and any(_is_broad(item) for item in call.args):
            yield call.lineno, ast.unparse(call)


def _is_broad(kind: ast.expr) -> bool:
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(chain(item).rpartition(".")[2] in BROAD for item in kinds)


def _does_nothing(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass | ast.Continue) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    )


def printing(source: Source) -> Iterator[Hit]:
    """A call of `print`."""
    for call in source.of(ast.Call):
        if isinstance(call.func, ast.Name) and call.func.id == "print":
            yield call.lineno, ""


def sleeping(source: Source) -> Iterator[Hit]:
    """A sleep in a test; `sleep(0)` only yields to the loop and is no wait."""
    for call in source.of(ast.Call):
        yields = bool(call.args) and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0
        if chain(call.func).rpartition(".")[2] == "sleep" and not yields:
            yield call.lineno, ast.unparse(call)


def single_cancel(source: Source) -> Iterator[Hit]:
    """A task cancelled once, by hand; other things that are cancelled, such as orders, are named in the call."""
    for call in source.of(ast.Call):
        if (
            isinstance(call.func, ast.Attribute)
            and call.func.attr == "cancel"
            and not (call.args or call.keywords)
        ):
            yield call.lineno, ast.unparse(call)


def uncoded_error(sources: Sequence[Source]) -> Iterator[tuple[str, int, str]]:
    """A domain error without a machine code of its own: when it is raised, or when nothing derives from it."""
    program = [source for source in sources if source.path.startswith("app/")]
    classes: defaultdict[str, list[tuple[str, ast.ClassDef]]] = defaultdict(
        list
    )  # one name may mean two classes
    for source in program:
        for owner in source.of(ast.ClassDef):
            classes[owner.name].append((source.path, owner))
    parents = {
        name: {base for _, owner in found for base in _bases(owner)} for name, found in classes.items()
    }
    errors = {"DomainError"}
    while grown := {name for name, bases in parents.items() if name not in errors and errors & bases}:
        errors |= grown
    uncoded = {name for name in errors if not any(_has_code(owner) for _, owner in classes[name])}
    inner = {base for bases in parents.values() for base in bases}
    for name in sorted(uncoded - inner - {"DomainError"}):
        path, owner = classes[name][0]
        yield path, owner.lineno, f"class {name}"
    for source in program:
        for node in source.of(ast.Raise):
            name = chain(node.exc).rpartition(".")[2] if node.exc else ""
            if name == "DomainError" or name in uncoded & inner:
                yield source.path, node.lineno, f"raise {name}"


def _bases(owner: ast.ClassDef) -> set[str]:
    return {chain(base).rpartition(".")[2] for base in owner.bases}


def _has_code(owner: ast.ClassDef) -> bool:
    return any(
        isinstance(node, ast.AnnAssign | ast.Assign)
        and node.value is not None
        and "code"
        in {chain(target) for target in (node.targets if isinstance(node, ast.Assign) else [node.target])}
        for node in owner.body
    )


LINTS: Final[tuple[Lint, ...]] = (
    Lint(
        "network-in-transaction",
        "network call inside a transaction",
        "a venue's silence would hold row locks and a connection; commit first, then send",
        python_under("app/"),
        network_in_transaction,
    ),
    Lint(
        "silent-except",
        "error swallowed",
        "an error nobody sees becomes lost money; name the type, and act or let it rise",
        every_python,
        silent_except,
    ),
    Lint(
        "print",
        "print outside the command line",
        "a server's words go through the log, where secrets are struck out",
        python_under("app/", "simulator/", but=PRINTERS),
        printing,
    ),
    Lint(
        "sleep-in-test",
        "sleep in a test",
        "it is too short on a slow machine and wasted on a fast one; wait for the condition",
        python_under("tests/"),
        sleeping,
    ),
    Lint(
        "single-cancel",
        "task cancelled once",
        "a cancellation can be lost, and who awaits the task then waits for ever; `await end(task)`",
        python_under("app/", but=ENDINGS),
        single_cancel,
    ),
)

TREE_LINTS: Final[tuple[TreeLint, ...]] = (
    TreeLint(
        "uncoded-error",
        "domain error without its own `code`",
        "clients and runbooks act on the code, never on the sentence",
        uncoded_error,
    ),
)
