from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run

SHIPPED = Path(__file__).parents[2] / "policies"


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "policies"))


def edit(folder: Path, old: str, new: str, name: str = "policy.csv") -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_shipped_policy_loads_and_its_table_is_what_it_answers(run: Run) -> None:
    checked = run("policy", "check")
    assert checked.code == 0
    assert "is what these files answer" in checked.out


def test_a_policy_that_cannot_be_loaded_is_exit_8(run: Run, policies: Path) -> None:
    edit(policies, ",allow", ",ALLOW")
    refused = run("policy", "check", str(policies))
    assert refused.code == 8
    assert "policy.csv" in refused.err


def test_a_table_that_says_something_else_is_exit_8(run: Run, policies: Path) -> None:
    edit(policies, "attorney,agreement:publish,-,-,allowed", "attorney,agreement:publish,-,-,refused", "decisions.csv")
    assert run("policy", "check", str(policies)).code == 8


def test_the_same_policy_differs_in_nothing(run: Run, policies: Path) -> None:
    assert run("policy", "diff", str(policies)).code == 0


def test_what_a_change_would_give_and_take_is_listed(run: Run, policies: Path) -> None:
    # The receptionist would no longer see contact sheets.
    line = "receptionist,document:list document:view,contact_sheet,confidential,live duties assigned window,allow\n"
    edit(policies, line, "")
    taken = run("policy", "diff", str(SHIPPED), str(policies), "--json")
    assert taken.code == 1
    found = taken.json
    assert {(row["role"], row["label"]) for row in found} == {("receptionist", "contact_sheet")}
    assert {row["effect"] for row in found} == {"lost"}
    assert {row["effect"] for row in run("policy", "diff", str(policies), str(SHIPPED), "--json").json} == {"gained"}


def test_the_table_can_be_narrowed_to_a_role_and_an_act(run: Run) -> None:
    shown = run("policy", "show", "--role", "receptionist", "--action", "document:view", "--json").json
    assert {(row["role"], row["action"]) for row in shown} == {("receptionist", "document:view")}
    assert "contact_sheet" in run("policy", "show", "--role", "receptionist").out
    assert run("policy", "show", "--role", "butler").code == 2
