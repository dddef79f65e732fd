"""Lints on the domain and the money path: no clock, no chance, no float, no state, no `Any`, no foreign package."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING, Final

from tools.tidy.lint import Lint, python_under
from tools.tidy.source import chain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tools.tidy.lint import Hit
    from tools.tidy.source import Source

CLOCK_READS: Final = frozenset(
    {
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "datetime.datetime.today",
        "datetime.date.today",
    }
)
CHANCE: Final = frozenset({"uuid.uuid1", "uuid.uuid4", "os.urandom", "random.SystemRandom"})
EXACT_MATH: Final = frozenset({"ceil", "floor", "isqrt", "gcd", "lcm", "prod", "comb", "perm", "factorial"})
MUTABLE_BUILDERS: Final = frozenset(
    {"dict", "list", "set", "bytearray", "defaultdict", "deque", "Counter", "OrderedDict"}
)
READ_ONLY_TYPES: Final = ("Mapping", "Sequence", "Collection", "AbstractSet", "Iterable")

DOMAIN: Final = python_under("app/domain/")
PURE_ROOMS: Final = python_under("app/domain/", "app/application/")


def clock(source: Source) -> Iterator[Hit]:
    """A read of the clock, or the mere reference to a function that reads it."""
    for line, name in source.uses:
        if name in CLOCK_READS or name.startswith("time."):
            yield line, name


def chance(source: Source) -> Iterator[Hit]:
    """Random numbers and random ids."""
    for line, name in source.uses:
        if name in CHANCE or name.startswith(("random.", "secrets.")):
            yield line, name


def any_float(source: Source) -> Iterator[Hit]:
    """The word `float`, a float literal, or a `math` function that answers with a float."""
    for name in source.of(ast.Name):
        if name.id == "float":
            yield name.lineno, "float"
    for constant in source.of(ast.Constant):
        if isinstance(constant.value, float):
            yield constant.lineno, repr(constant.value)
    for line, full in source.uses:
        if full.startswith("math.") and full.split(".")[1] not in EXACT_MATH:
            yield line, full


def float_conversion(source: Source) -> Iterator[Hit]:
    """`float(...)` on the money path; a float literal, such as a timeout, is no conversion."""
    for call in source.of(ast.Call):
        if isinstance(call.func, ast.Name) and call.func.id == "float":
            yield call.lineno, ast.unparse(call)


def decimal_from_float(source: Source) -> Iterator[Hit]:
    """`Decimal(0.1)` and `Decimal(float(x))`, and `Decimal.from_float`."""
    for call in source.of(ast.Call):
        name = source.full_name(call.func)
        first = call.args[0] if call.args else None
        while isinstance(first, ast.UnaryOp):
            first = first.operand
        inexact = (isinstance(first, ast.Constant) and isinstance(first.value, float)) or (
            isinstance(first, ast.Call) and chain(first.func) == "float"
        )
        if name == "decimal.Decimal.from_float" or (name == "decimal.Decimal" and inexact):
            yield call.lineno, ast.unparse(call)


def explicit_any(source: Source) -> Iterator[Hit]:
    """`Any`, where it is imported or spelt in full."""
    for line, name in source.uses:
        if name in {"typing.Any", "typing_extensions.Any"}:
            yield line, name


def open_dataclass(source: Source) -> Iterator[Hit]:
    """A dataclass that is not both frozen and slotted."""
    for owner in source.of(ast.ClassDef):
        for decorator in owner.decorator_list:
            if chain(decorator).rpartition(".")[2] != "dataclass":
                continue
            keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
            on = {
                word.arg
                for word in keywords
                if isinstance(word.value, ast.Constant) and word.value.value is True
            }
            if missing := sorted({"frozen", "slots"} - on):
                yield decorator.lineno, f"{owner.name} lacks {' and '.join(missing)}"


def mutable_global(source: Source) -> Iterator[Hit]:
    """A module-level list, dict or set that any caller could change, and the `global` statement."""
    for statement in source.tree.body:
        if isinstance(statement, ast.Assign) and _is_mutable(statement.value):
            yield statement.lineno, ast.unparse(statement.targets[0])
        elif isinstance(statement, ast.AnnAssign) and statement.value and _is_mutable(statement.value):
            annotation = ast.unparse(statement.annotation)
            if not any(word in annotation for word in READ_ONLY_TYPES):
                yield statement.lineno, ast.unparse(statement.target)
    for node in source.of(ast.Global):
        yield node.lineno, f"global {', '.join(node.names)}"


def _is_mutable(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        return chain(value.func).rpartition(".")[2] in MUTABLE_BUILDERS
    return isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)


def foreign_import(source: Source) -> Iterator[Hit]:
    """An import that is neither the standard library's nor the app's own."""
    known = sys.stdlib_module_names | {"app", "typing_extensions"}
    for plain in source.of(ast.Import):
        for alias in plain.names:
            if alias.name.partition(".")[0] not in known:
                yield plain.lineno, alias.name
    for chosen in source.of(ast.ImportFrom):
        if not chosen.level and (chosen.module or "").partition(".")[0] not in known:
            yield chosen.lineno, chosen.module or ""


def dynamic_import(source: Source) -> Iterator[Hit]:
    """An import by name at run time, which no import contract can see."""
    for line, name in source.uses:
        if name in {"importlib.import_module", "importlib.__import__"}:
            yield line, name
    for word in source.of(ast.Name):
        if word.id == "__import__":
            yield word.lineno, word.id


LINTS: Final[tuple[Lint, ...]] = (
    Lint(
        "domain-clock",
        "domain reads the clock",
        "`now` comes in as an argument, so that a run repeats",
        DOMAIN,
        clock,
    ),
    Lint(
        "domain-chance",
        "domain draws by chance",
        "ids are functions of their inputs, so that a retry is no second order",
        DOMAIN,
        chance,
    ),
    Lint(
        "domain-float",
        "float in the domain",
        "money is Decimal; binary fractions lose cents",
        DOMAIN,
        any_float,
    ),
    Lint(
        "money-float",
        "float conversion on the money path",
        "a price that was a float once is no longer the venue's price; keep text or Decimal",
        python_under("app/application/", "app/infrastructure/exchanges/"),
        float_conversion,
    ),
    Lint(
        "decimal-from-float",
        "Decimal made from a float",
        "Decimal(0.1) is 0.1000000000000000055; give it text",
        python_under("app/", "simulator/"),
        decimal_from_float,
    ),
    Lint(
        "explicit-any",
        "Any in a pure room",
        "Any switches the type checker off where it matters most",
        PURE_ROOMS,
        explicit_any,
    ),
    Lint(
        "frozen",
        "domain dataclass is not frozen and slotted",
        "a value that cannot change needs no copy and hides no typo",
        DOMAIN,
        open_dataclass,
    ),
    Lint(
        "mutable-global",
        "global state",
        "what any caller may change, no caller can trust",
        PURE_ROOMS,
        mutable_global,
    ),
    Lint(
        "foreign-import",
        "package from outside in a pure room",
        "domain and application run on the standard library alone; a framework belongs behind a port",
        PURE_ROOMS,
        foreign_import,
    ),
    Lint(
        "dynamic-import",
        "import by name",
        "the import contracts cannot see it",
        python_under("app/domain/", "app/application/", "app/presentation/", "simulator/"),
        dynamic_import,
    ),
)
