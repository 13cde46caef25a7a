"""Long functions and modules are found, docstrings are not counted, exceptions do not outlive their need."""

from __future__ import annotations

import pytest

from lint import sizes
from lint.sizes import check_sizes
from lint.source import Module
from lint.tables import MAX_FUNCTION_LINES, MAX_MODULE_LINES

PATH = "service/long.py"


def function(lines: int, *, head: str = "def f():", docstring: int = 0, indent: str = "") -> str:
    """A function of so many lines, the docstring's apart."""
    doc = ['    """Words.'] + [""] * (docstring - 2) + ['    """'] if docstring else []
    return "\n".join(indent + line for line in [head, *doc, *["    x = 1"] * (lines - 1)]) + "\n"


def rules(text: str) -> list[str]:
    return [finding.rule for finding in check_sizes(Module.parse(PATH, text))]


@pytest.mark.parametrize("head", ["def f():", "async def f():"])
def test_a_function_may_have_so_many_lines_and_not_one_more(head: str) -> None:
    assert rules(function(MAX_FUNCTION_LINES, head=head)) == []
    assert rules(function(MAX_FUNCTION_LINES + 1, head=head)) == ["long-function"]


def test_the_docstring_is_not_counted() -> None:
    assert rules(function(MAX_FUNCTION_LINES, docstring=30)) == []
    assert rules(function(MAX_FUNCTION_LINES + 1, docstring=30)) == ["long-function"]


def test_methods_and_inner_functions_are_watched_too() -> None:
    assert rules("class C:\n" + function(MAX_FUNCTION_LINES + 1, indent="    ")) == ["long-function"]
    assert rules("if x:\n" + function(MAX_FUNCTION_LINES + 1, indent="    ")) == ["long-function"]


def test_a_module_may_have_so_many_lines_and_not_one_more() -> None:
    assert rules("x = 1\n" * MAX_MODULE_LINES) == []
    assert rules("x = 1\n" * (MAX_MODULE_LINES + 1)) == ["long-module"]


def test_an_exception_is_honoured_and_reported_once_it_is_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "LONG_MODULES", {PATH: "a reason"})
    monkeypatch.setattr(sizes, "LONG_FUNCTIONS", {"service.long.C.f": "a reason"})
    long = "class C:\n" + function(MAX_FUNCTION_LINES + 1, indent="    ")
    assert rules(long + "x = 1\n" * MAX_MODULE_LINES) == []
    assert rules("class C:\n" + function(2, indent="    ")) == ["stale-exception", "stale-exception"]
