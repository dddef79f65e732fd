"""One file of the tree, read and parsed once for all lints: nodes by kind, comments, and names resolved through imports."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Node = TypeVar("Node", bound=ast.AST)
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """A text file; `path` is relative to the project root, with forward slashes."""

    path: str
    text: str

    @property
    def name(self) -> str:
        """The file's own name, as `order.py`."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The path of the folder that holds the file; empty at the root."""
        return self.path.rpartition("/")[0]

    @property
    def is_python(self) -> bool:
        """Whether the file is parsed at all."""
        return self.path.endswith(".py")

    @cached_property
    def lines(self) -> Sequence[str]:
        """The text by lines, without line ends."""
        return self.text.splitlines()

    @cached_property
    def syntax_error(self) -> SyntaxError | None:
        """Why the file has no tree, when it is Python and does not parse."""
        try:
            _ = self.tree
        except SyntaxError as error:
            return error
        return None

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed module; empty for a file that is not Python. Raises SyntaxError."""
        return ast.parse(self.text if self.is_python else "", self.path)

    @cached_property
    def _nodes(self) -> Mapping[type[ast.AST], list[ast.AST]]:
        by_kind: defaultdict[type[ast.AST], list[ast.AST]] = defaultdict(list)
        for node in ast.walk(self.tree):
            by_kind[type(node)].append(node)
        return by_kind

    def of(self, kind: type[Node]) -> Iterator[Node]:
        """Every node of exactly that kind."""
        for node in self._nodes.get(kind, ()):
            if isinstance(node, kind):
                yield node

    @property
    def functions(self) -> Iterator[Function]:
        """Every function and method, also the nested and the asynchronous."""
        yield from self.of(ast.FunctionDef)
        yield from self.of(ast.AsyncFunctionDef)

    @cached_property
    def comments(self) -> Sequence[tuple[int, str]]:
        """Line number and text of every comment. A string that looks like a comment is not one."""
        if not self.is_python or "#" not in self.text:
            return ()
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return tuple((token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT)

    @cached_property
    def imported(self) -> Mapping[str, str]:
        """Local name to full name, so that `from time import time as t` is seen as `time.time`."""
        names: dict[str, str] = {}
        for plain in self.of(ast.Import):
            for alias in plain.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        for chosen in self.of(ast.ImportFrom):
            for alias in chosen.names:
                names[alias.asname or alias.name] = f"{'.' * chosen.level}{chosen.module or ''}.{alias.name}"
        return names

    def full_name(self, node: ast.AST) -> str:
        """The dotted name that a Name or Attribute means, with imports resolved; empty when it is no plain chain."""
        head, _, tail = chain(node).partition(".")
        full = self.imported.get(head, head)
        return f"{full}.{tail}" if tail else full

    @cached_property
    def uses(self) -> Sequence[tuple[int, str]]:
        """Line and full name of every name and attribute chain that comes from an import, and of every import."""
        found = [
            (node.lineno, self.full_name(node))
            for kind in (ast.Attribute, ast.Name)
            for node in self.of(kind)
            if chain(node).partition(".")[0] in self.imported
        ]
        for chosen in self.of(ast.ImportFrom):
            found.extend((chosen.lineno, f"{chosen.module or ''}.{alias.name}") for alias in chosen.names)
        return found


def chain(node: ast.AST) -> str:
    """`a.b.c` for such an expression; a call within the chain is passed over (`a().b` is `a.b`); else empty."""
    parts: list[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Subscript | ast.Await):
            node = node.value
        elif isinstance(node, ast.Name):
            return ".".join([node.id, *reversed(parts)])
        else:
            return ""
