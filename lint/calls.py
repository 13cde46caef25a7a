"""What nobody may write: code made from data, SQL made from strings, middleware that halves the throughput."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from lint.source import Finding, Module, origin
from lint.tables import BANNED_CALLS, BANNED_IMPORTS, SQL_BUILDERS, SQL_CALLS

_SQL_ADVICE = "SQL is a constant; values go in as bound parameters"


def check_calls(module: Module) -> Iterator[Finding]:
    """Yield banned imports, banned calls, and SQL that is put together from strings."""
    bindings = module.bindings()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call):
            yield from _check_call(module, node, bindings)
            continue
        else:
            continue
        for name in names:
            for banned, advice in BANNED_IMPORTS.items():
                if name == banned or name.startswith(banned + ".") or name.endswith("." + banned):
                    yield Finding(module.path, node.lineno, "banned-import", f"{banned}: {advice}")


def _check_call(module: Module, node: ast.Call, bindings: dict[str, str]) -> Iterator[Finding]:
    name = origin(node.func, bindings).removeprefix("builtins.")
    if name in BANNED_CALLS:
        yield Finding(module.path, node.lineno, "banned-call", f"{name}: {BANNED_CALLS[name]}")
    called = node.func.attr if isinstance(node.func, ast.Attribute) else name.rpartition(".")[2]
    if called in SQL_CALLS and node.args and _is_built(node.args[0]) and not module.is_within(SQL_BUILDERS):
        yield Finding(module.path, node.lineno, "sql-from-strings", f"{called}(): {_SQL_ADVICE}")


def _is_built(node: ast.expr) -> bool:
    """Whether a string is made at run time: an f-string, ``%``, ``+`` with something not constant, or ``.format``."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod | ast.Add):
        return isinstance(node.op, ast.Mod) or not all(_is_constant(side) for side in (node.left, node.right))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        # sql.SQL("…").format(sql.Identifier(…)) quotes; "…".format(…) does not.
        return node.func.attr in {"format", "format_map", "join"} and _is_constant(node.func.value)
    return False


def _is_constant(node: ast.expr) -> bool:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _is_constant(node.left) and _is_constant(node.right)
    return isinstance(node, ast.Constant)
