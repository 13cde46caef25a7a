"""Every answer of the policy, compared with the table that people read: in both directions, over the whole domain."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from service.scoping.actions import DENYING, MONOTONE, Action, Duty, Fact, Label, Role, Sensitivity
from service.scoping.matrix import Matrix, cells_of
from service.scoping.table import TABLE_COLUMNS, render
from tests.policies.make_decisions import HEAD, POLICIES
from tests.scale import LONG

MATRIX = Matrix.load(POLICIES)


class Expected(NamedTuple):
    """What the table says of one cell."""

    ways: frozenset[int]
    duties: int
    unless: int


def _mask(words: str, known: type[Fact | Duty]) -> int:
    return 0 if words == "-" else sum(int(known[word.upper()]) for word in words.split(" "))


def _listed(cell: str, known: type[Label | Sensitivity]) -> list[str]:
    return [word.value for word in known] if cell == "*" else cell.split(" ")


def _rows() -> Iterator[dict[str, str]]:
    lines = (POLICIES / "decisions.csv").read_text(encoding="utf-8").splitlines()
    yield from csv.DictReader(line for line in lines if not line.startswith("#"))


def _table() -> dict[tuple[str, str, str, str], Expected]:
    """Read decisions.csv without any code of the service but its words."""
    table: dict[tuple[str, str, str, str], Expected] = {}
    for row in _rows():
        ways = frozenset() if row["when"] == "never" else frozenset(_mask(w, Fact) for w in row["when"].split(" or "))
        assert row["answer"] == ("allowed" if ways else "refused")
        expected = Expected(ways, _mask(row["duties"], Duty), _mask(row["unless"], Fact))
        for label in _listed(row["label"], Label):
            for sensitivity in _listed(row["sensitivity"], Sensitivity):
                cell = (row["role"], row["action"], label, sensitivity)
                assert cell not in table, f"{cell} stands twice"
                table[cell] = expected
    return table


TABLE = _table()


def test_the_table_has_every_cell_of_the_domain_and_no_other() -> None:
    domain = {(role, action, *cell) for role in Role for action in Action for cell in cells_of(action)}
    assert set(TABLE) == domain


def _fact_sets(expected: Expected) -> Iterator[int]:
    """Every set of the facts that matter in a cell; one fact set for what is refused whatever is true."""
    bits = [int(fact) for fact in Fact]
    mentioned = sum({bit for way in expected.ways for bit in bits if way & bit})
    if not mentioned and not expected.ways:
        yield from (0, int(MONOTONE), int(MONOTONE | DENYING))
        return
    subset = mentioned
    while True:
        yield subset
        if not subset:
            return
        subset = (subset - 1) & mentioned


@pytest.mark.parametrize("role", list(Role))
def test_every_answer_of_a_role_is_what_the_table_says(role: Role) -> None:
    shut = [0, *(int(fact) for fact in DENYING)] if LONG else [0]
    for (its_role, action, label, sensitivity), expected in TABLE.items():
        if its_role != role:
            continue
        cell = MATRIX.cell(role, action, label, sensitivity)
        assert not expected.ways or cell.needs == expected.duties or not _asks_duties(expected)
        for facts in _fact_sets(expected):
            for fact in shut:
                opened = any(way & facts == way for way in expected.ways) and not fact & expected.unless
                assert cell.answer(facts | fact).allowed == opened, (role, action, label, sensitivity, facts | fact)
        for fact in DENYING if expected.ways else ():
            assert cell.answer(MONOTONE | fact).allowed == (not fact & expected.unless)


def _asks_duties(expected: Expected) -> bool:
    return any(way & Fact.DUTIES for way in expected.ways)


def test_facts_that_the_table_does_not_name_change_nothing() -> None:
    for (role, action, label, sensitivity), expected in TABLE.items():
        named = sum({int(fact) for way in expected.ways for fact in Fact if way & fact})
        others = int(MONOTONE) & ~named
        answer = MATRIX.answer(role, action, label, sensitivity, others)
        assert answer.allowed == (0 in expected.ways), (role, action, label, sensitivity)


def test_the_file_is_what_the_generator_writes() -> None:
    """Changed by hand, or the policy was changed without it: python -m tests.policies.make_decisions."""
    assert (POLICIES / "decisions.csv").read_text(encoding="utf-8") == HEAD + render(MATRIX)


def test_the_readme_names_every_role_and_every_fact() -> None:
    text = (POLICIES / "README.md").read_text(encoding="utf-8")
    assert all(role.value.replace("_", " ") in text for role in Role)
    assert all(f"`{str(fact.name).lower()}`" in text for fact in Fact)
    assert all(column in text for column in ("role", "action", "label", "sensitivity", "facts", "effect"))
    assert set(TABLE_COLUMNS) == set(next(_rows()))
    assert Path(POLICIES, "model.conf").name in text
