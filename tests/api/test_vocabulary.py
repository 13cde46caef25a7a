"""No word without a use: actions are asked, events written, errors answered, pages there.

Read from the source, so that a word which lost its last use fails here and not in a customer's policy.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from service.errors import MunimentError, all_errors
from service.events import EventType
from service.scoping.actions import Action

ROOT = Path(__file__).parent.parent.parent
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
PAGE = re.compile(r"`([\w./-]+\.md)`")


def _trees(*without: str) -> Iterator[ast.AST]:
    """The parsed modules of service/, but for those under these names."""
    for path in sorted((ROOT / "service").rglob("*.py")):
        if not str(path.relative_to(ROOT / "service")).startswith(without):
            yield ast.parse(path.read_text(), path.name)


def _members_used(trees: Iterator[ast.AST], enum: str) -> set[str]:
    """Members of an enum that functions name."""
    return {
        node.attr
        for tree in trees
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == enum
    }


def test_every_action_is_asked_by_a_use_case() -> None:
    assert set(Action.__members__) - _members_used(_trees("scoping/", "api/"), "Action") == set()


def test_every_event_is_written_by_somebody() -> None:
    assert set(EventType.__members__) - _members_used(_trees(), "EventType") == set()


def test_every_error_is_answered_by_somebody() -> None:
    used = {
        node.id if isinstance(node, ast.Name) else node.attr
        for tree in _trees("errors/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute)
    }
    in_policy = {
        line.split(",")[5] for line in (ROOT / "policies/answers.csv").read_text().splitlines() if line.count(",") > 5
    }
    unused = {error for error in all_errors() if error.__name__ not in used and error.code not in in_policy}
    # Roots of branches are there to be caught.
    assert {error.__name__ for error in unused if not error.__subclasses__()} == set()
    assert MunimentError in set(all_errors())


def test_every_page_that_is_pointed_to_is_there() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "policies/README.md"]
    missing = []
    for page in pages:
        text = page.read_text()
        links = [link for link in LINK.findall(text) if "://" not in link and not link.startswith("mailto:")]
        missing += [f"{page.name}: {link}" for link in links if not (page.parent / link).exists()]
        missing += [
            f"{page.name}: {named}"
            for named in PAGE.findall(text)
            if not any((place / named).exists() for place in (ROOT, page.parent, ROOT / "docs"))
        ]
    assert missing == []


def test_every_page_is_pointed_to_from_another() -> None:
    pages = {page: page.read_text() for page in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))}
    lonely = [
        str(page.relative_to(ROOT))
        for page in pages
        if page.is_relative_to(ROOT / "docs")
        and page.name != "README.md"
        and not any(page.name in text for other, text in pages.items() if other != page)
    ]
    assert lonely == []
