"""Tables of the domain are total over their enum, and the codes of its errors are unique."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import MappingProxyType, ModuleType

import pytest

from app.domain.shared.errors import DomainError
from tools.tidy.allow import PARTIAL_TABLE, allows_of
from tools.tidy.source import Source

ROOT = Path(__file__).resolve().parents[2]
DOMAIN_FILES = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "app/domain").rglob("*.py"))]
TABLE = re.compile(r"^(?:Final\[)?(?:Mapping|MappingProxyType|dict)\[(\w+), ")


def enum_tables(
    source: Source, module: ModuleType
) -> Iterator[tuple[int, str, type[Enum], Mapping[object, object]]]:
    """Line, name, enum and contents of each module-level table that is annotated as a mapping from an enum."""
    for statement in source.of(ast.AnnAssign):
        name = ast.unparse(statement.target)
        declared = TABLE.match(ast.unparse(statement.annotation))
        kind = getattr(module, declared[1], None) if declared else None
        table = getattr(module, name, None)
        if isinstance(kind, type) and issubclass(kind, Enum) and isinstance(table, Mapping):
            yield statement.lineno, name, kind, table


def absent_keys(source: Source, module: ModuleType) -> list[str]:
    """`TABLE lacks MEMBER` for each member that a table leaves out without saying why."""
    partial = {allow.covers for allow in allows_of(source) if allow.code == PARTIAL_TABLE}
    return [
        f"{name} lacks {member}"
        for line, name, kind, table in enum_tables(source, module)
        for member in kind
        if member not in table and line not in partial
    ]


def source_of(path: str) -> Source:
    return Source(path, (ROOT / path).read_text(encoding="utf-8"))


def module_of(path: str) -> ModuleType:
    return importlib.import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))


def all_errors(base: type[DomainError]) -> set[type[DomainError]]:
    return {base}.union(*(all_errors(child) for child in base.__subclasses__()))


@pytest.mark.parametrize("path", DOMAIN_FILES)
def test_every_table_over_an_enum_is_total(path: str) -> None:
    assert absent_keys(source_of(path), module_of(path)) == []


def test_the_tables_of_the_domain_are_seen() -> None:
    # Were the annotation written in a way that the pattern misses, the test above would hold of nothing.
    assert any(list(enum_tables(source_of(path), module_of(path))) for path in DOMAIN_FILES)


class Mode(Enum):
    FIXED = "fixed"
    RATIO = "ratio"


@pytest.mark.parametrize(
    ("line", "absent"),
    [
        ("MODES: Final[Mapping[Mode, int]] = MappingProxyType({Mode.FIXED: 1})", ["MODES lacks Mode.RATIO"]),
        ("MODES: Mapping[Mode, int] = {Mode.RATIO: 1}", ["MODES lacks Mode.FIXED"]),
        ("MODES: Final[dict[Mode, int]] = {}", ["MODES lacks Mode.FIXED", "MODES lacks Mode.RATIO"]),
        ("MODES: Final[Mapping[Mode, int]] = {Mode.FIXED: 1, Mode.RATIO: 2}", []),
        ("MODES: Final[Mapping[Mode, int]] = {}  # tidy: allow partial-table only exits have one", []),
        ("MODES: Final[Mapping[str, int]] = {}", []),
    ],
)
def test_a_table_that_leaves_a_member_out_is_found(line: str, absent: list[str]) -> None:
    text = f"from __future__ import annotations\n{line}\n"
    module = ModuleType("tables")
    vars(module).update(Mode=Mode, MappingProxyType=MappingProxyType)
    exec(text, vars(module))
    assert absent_keys(Source("app/domain/tables.py", text), module) == absent


def domain_errors() -> list[type[DomainError]]:
    """Those that the domain itself defines, without the ones that other tests derive."""
    for path in DOMAIN_FILES:
        module_of(path)
    return sorted(
        (error for error in all_errors(DomainError) if error.__module__.startswith("app.")),
        key=lambda error: error.__name__,
    )


def shared_codes(errors: list[type[DomainError]]) -> list[str]:
    coded = [error.code for error in errors if "code" in vars(error)]
    return sorted({code for code in coded if coded.count(code) > 1})


def test_no_two_domain_errors_share_a_code() -> None:
    assert shared_codes(domain_errors()) == []


def test_every_code_is_one_lower_case_word_group() -> None:
    assert [error for error in domain_errors() if not re.fullmatch(r"[a-z][a-z0-9_.]*", error.code)] == []


def test_a_shared_code_is_found() -> None:
    class One(DomainError):
        code = "same"

    class Two(DomainError):
        code = "same"

    assert shared_codes([One, Two]) == ["same"]
