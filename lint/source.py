"""Modules as the rules see them, and what a rule says about them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something a rule objects to, with what to do instead."""

    path: str
    line: int
    rule: str
    advice: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.advice}"


@dataclass(frozen=True, slots=True)
class Module:
    """A parsed module: its path below the project's root, its dotted name, its text and tree."""

    path: str
    name: str
    text: str
    tree: ast.Module

    @classmethod
    def parse(cls, path: str, text: str) -> Module:
        """Parse a module.

        Args:
            path: POSIX path below the project's root, such as ``service/door.py``.
            text: what the file says.

        Raises:
            SyntaxError: it is not Python.
        """
        parts = PurePosixPath(path).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        return cls(path, name, text, ast.parse(text, path))

    def is_within(self, places: Iterable[str]) -> bool:
        """Whether this module is one of the named modules or lies inside one."""
        return any(self.name == place or self.name.startswith(place + ".") for place in places)

    def bindings(self) -> dict[str, str]:
        """What imported names stand for: local name -> dotted origin (``{"d": "service.db.models.documents"}``)."""
        found: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.partition(".")[0]  # what `import a.b` binds
                    found[alias.asname or top] = alias.name if alias.asname else top
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        return found


def dotted(node: ast.expr) -> str:
    """``a.b.c`` for a chain of names and attributes, an empty string for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


def origin(node: ast.expr, bindings: dict[str, str]) -> str:
    """The dotted origin of an expression, following imports: ``m.documents`` -> ``service.db.models.documents``."""
    name = dotted(node)
    head, _, rest = name.partition(".")
    start = bindings.get(head, head)
    return f"{start}.{rest}" if rest else start


def docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    """The docstring nodes of a module, its classes and its functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                yield first.value
