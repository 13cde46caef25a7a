from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.commands import README, commands, with_table

ROOT = README.parent
PAGES = sorted([README, ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
NAMED = re.compile(r"(?<![\w-])muniment ((?:[a-z][a-z-]*)(?: [a-z][a-z-]+)?)")
IN_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)


def test_the_table_of_commands_is_what_help_says() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == with_table(text), "run python -m tests.docs.commands"


def test_the_first_screen_says_how_to_see_it_work_and_how_to_test_it() -> None:
    first = README.read_text(encoding="utf-8").splitlines()[:30]
    assert any("make demo" in line for line in first)
    assert any("make test" in line for line in first)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_a_page_names_is_one(page: Path) -> None:
    known = commands()
    groups = {words.split()[0] for words in known}
    for code in IN_CODE.findall(page.read_text(encoding="utf-8")):
        for words in NAMED.findall(code):
            name, _, act = words.partition(" ")
            assert name in groups, f"`muniment {words}`"
            assert name in known or not act or words in known, f"`muniment {words}`"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
