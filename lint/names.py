"""Who may use what: some tables and some functions have only so many doors.

A query on documents outside scoping is a list that nobody decided about; a second place that opens contents or names is
a second door. Both are refused by name, however the name was imported, and tables also inside strings of SQL.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from lint.source import Finding, Module, docstrings, origin
from lint.tables import BANS, SQL_TABLES, USES, Ban, Use


def check_names(module: Module) -> Iterator[Finding]:
    """Yield every import of a package that is banned in its room, and every use of a name kept for others."""
    if not module.is_within(["service"]):
        return
    for ban in BANS:
        if module.is_within(ban.rooms):
            yield from _imports(module, ban)
    for use in USES:
        if not module.is_within(use.allowed):
            yield from _uses(module, use)
    if not module.is_within(SQL_TABLES.allowed):
        yield from _sql(module)


def _imports(module: Module, ban: Ban) -> Iterator[Finding]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [node.module]
        else:
            continue
        for name in names:
            if name.partition(".")[0] in ban.packages:
                yield Finding(module.path, node.lineno, ban.rule, f"{name}: {ban.advice}")


def _uses(module: Module, use: Use) -> Iterator[Finding]:
    bindings = module.bindings()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute):
            names = [origin(node, bindings)]
        else:
            continue
        for name in names:
            if _restricted(name, use):
                yield Finding(module.path, node.lineno, use.rule, f"{name}: {use.advice}")


def _restricted(name: str, use: Use) -> bool:
    room, _, last = name.rpartition(".")
    return room in use.rooms and (last in use.names or last == "*")


def _sql(module: Module) -> Iterator[Finding]:
    tables = "|".join(SQL_TABLES.names)
    verbs = r"select\b[^;]*\bfrom|join|insert\s+into|delete\s+from"
    pattern = re.compile(rf"\b(?:(?:{verbs})\s+\"?(?:{tables})\b|update\s+\"?(?:{tables})\b\"?\s+set\b)", re.IGNORECASE)
    prose = {id(doc) for doc in docstrings(module.tree)}
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Constant) or id(node) in prose:
            continue
        if isinstance(node.value, str) and pattern.search(node.value):
            yield Finding(module.path, node.lineno, SQL_TABLES.rule, SQL_TABLES.advice)
