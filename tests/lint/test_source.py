"""Names are followed to where they come from."""

from __future__ import annotations

import ast

import pytest

from lint.source import Module, docstrings, dotted, origin


def expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("service/door.py", "service.door"),
        ("service/db/__init__.py", "service.db"),
        ("audit/__main__.py", "audit.__main__"),
    ],
)
def test_a_module_is_named_by_its_path(path: str, name: str) -> None:
    assert Module.parse(path, "").name == name


def test_a_module_lies_within_its_room_but_not_within_a_longer_namesake() -> None:
    module = Module.parse("service/doors.py", "")
    assert not module.is_within(["service.door"])
    assert module.is_within(["service"])
    assert Module.parse("service/door/views.py", "").is_within(["service.door"])


def test_imported_names_are_followed() -> None:
    bindings = Module.parse(
        "service/x.py", "import a.b\nimport a.b as c\nfrom d.e import f as g\nfrom . import h\n"
    ).bindings()
    assert bindings == {"a": "a", "c": "a.b", "g": "d.e.f"}
    assert origin(expression("c.t.k"), bindings) == "a.b.t.k"
    assert origin(expression("g"), bindings) == "d.e.f"
    assert origin(expression("unknown.k"), bindings) == "unknown.k"


def test_only_chains_of_names_have_a_dotted_form() -> None:
    assert dotted(expression("a.b.c")) == "a.b.c"
    assert dotted(expression("a().b")) == ""


def test_docstrings_of_modules_classes_and_functions_are_found() -> None:
    tree = ast.parse('"""m"""\nclass C:\n    """c"""\n    def f(self):\n        """f"""\n        return "value"\n')
    assert sorted(str(node.value) for node in docstrings(tree)) == ["c", "f", "m"]
