"""How long things may grow: what sets clean code apart is the tail, so the tail is what is watched."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from lint.source import Finding, Module
from lint.tables import LONG_FUNCTIONS, LONG_MODULES, MAX_FUNCTION_LINES, MAX_MODULE_LINES


def check_sizes(module: Module) -> Iterator[Finding]:
    """Yield functions and modules over their limit, and exceptions that nothing needs any more."""
    lines = len(module.text.splitlines())
    if lines > MAX_MODULE_LINES and module.path not in LONG_MODULES:
        yield Finding(module.path, 1, "long-module", f"{lines} lines, at most {MAX_MODULE_LINES}: make it a folder")
    if lines <= MAX_MODULE_LINES and module.path in LONG_MODULES:
        yield Finding(module.path, 1, "stale-exception", "the module is short again: take it off LONG_MODULES")
    for name, node in _functions(module.tree, module.name):
        lines = function_lines(node)
        if lines > MAX_FUNCTION_LINES and name not in LONG_FUNCTIONS:
            advice = f"{node.name} has {lines} lines, at most {MAX_FUNCTION_LINES}: give its parts names"
            yield Finding(module.path, node.lineno, "long-function", advice)
        if lines <= MAX_FUNCTION_LINES and name in LONG_FUNCTIONS:
            yield Finding(
                module.path, node.lineno, "stale-exception", f"{name} is short again: take it off LONG_FUNCTIONS"
            )


def function_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from ``def`` to the end, without the docstring."""
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is not None:
        total -= (first.end_lineno or first.lineno) - first.lineno + 1
    return total


def _functions(tree: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        name = (
            f"{prefix}.{node.name}"
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            else prefix
        )
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield name, node
        yield from _functions(node, name)
