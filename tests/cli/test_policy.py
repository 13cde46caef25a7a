from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from service.cli.client import Client
from tests.cli.conftest import Run, Service

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
    line = (
        "receptionist,document:list document:text document:view,contact_sheet,confidential,"
        "live duties assigned window,allow\n"
    )
    edit(policies, line, "")
    # What nobody may see nobody may ask for: the loader would refuse it.
    asking = (
        "receptionist,access_request:create withheld:list,contact_sheet,confidential,live duties known window,allow\n"
    )
    edit(policies, asking, "")
    taken = run("policy", "diff", str(SHIPPED), str(policies), "--json")
    assert taken.code == 1
    found = taken.json
    assert {(row["role"], row["label"]) for row in found["answers"]} == {("receptionist", "contact_sheet")}
    assert {row["effect"] for row in found["answers"]} == {"lost"}
    removed = [("removed", line.strip()), ("removed", asking.strip())]
    assert [(row["effect"], row["sentence"]) for row in found["rules"]] == removed
    given = run("policy", "diff", str(policies), str(SHIPPED), "--json").json
    assert {row["effect"] for row in given["answers"]} == {"gained"}
    assert [row["effect"] for row in given["rules"]] == ["added", "added"]


def test_the_table_can_be_narrowed_to_a_role_and_an_act(run: Run) -> None:
    shown = run("policy", "show", "--role", "receptionist", "--action", "document:view", "--json").json
    assert {(row["role"], row["action"]) for row in shown} == {("receptionist", "document:view")}
    assert "contact_sheet" in run("policy", "show", "--role", "receptionist").out
    assert run("policy", "show", "--role", "butler").code == 2


def test_what_a_change_means_for_people_is_counted_where_they_are(
    ask: Run, service: Service, world: dict[str, str], policies: Path
) -> None:
    line = (
        "attorney,document:access document:download document:inspect document:lineage document:list document:text "
        "document:view,*,*,assigned,allow"
    )
    edit(policies, line, line.replace("*,*", "billing,*"))
    compare = ("policy", "diff", str(SHIPPED), str(policies), "--people", "--json")
    # The house is shared with other tests, whose papers count too: what is ours is the difference.
    before = {row["action"]: row["lost"] for row in ask(*compare).json["people"]}
    _add_papers(service, world, "exhibit", "exhibit", "billing")
    found = ask(*compare).json
    actions = {"document:list", "document:view", "document:text", "document:download"}
    assert {row["action"]: row["lost"] for row in found["people"]} == {a: before.get(a, 0) + 2 for a in actions}
    assert {(row["role"], row["gained"]) for row in found["people"]} == {("attorney", 0)}
    assert {(row["people"], row["lost"]) for row in found["roles"]} == {(1, before.get("document:view", 0) + 2)}
    shown = ask("policy", "diff", str(policies), str(SHIPPED), "--people")
    assert shown.code == 1
    assert found["people"][0]["membership_id"] in shown.out


def test_a_change_that_meets_nobody_says_so(ask: Run, world: dict[str, str], policies: Path) -> None:
    edit(
        policies,
        "receptionist,document:list document:text document:view,correspondence,routine",
        "receptionist,document:list document:text document:view,correspondence,confidential",
    )
    shown = ask("policy", "diff", str(SHIPPED), str(policies), "--people")
    assert shown.code == 1  # an answer differs
    assert "Nobody here would gain or lose a document." in shown.out


def test_answers_are_shown_as_an_engagements_overlay_leaves_them(
    ask: Run, service: Service, world: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    show = ("policy", "show", "--role", "paralegal", "--action", "document:download", "--json")
    plain = ask(*show).json
    assert ask(*show, "--engagement", world["engagement"]).json == plain
    monkeypatch.setenv("MUNIMENT_TOKEN", world["token"])
    row = "paralegal,document:download,*,confidential,never"
    told = ask("engagements", "preview-overlay", world["engagement"], "--rows", row, "--json")
    assert (told.code, told.json["shifts"]) == (0, [])
    made = ask("engagements", "change-overlay", world["engagement"], "--rows", row, "--json")
    assert (made.code, made.json["rows"]) == (0, [row])
    left = ask(*show, "--engagement", world["engagement"]).json
    assert {entry["sensitivity"] for entry in left if entry["answer"] == "allowed"} == {"routine"}
    assert ask(*show).json == plain
    assert ask("engagements", "remove-overlay", world["engagement"], "--json").json["rows"] == []
    assert ask(*show, "--engagement", world["engagement"]).json == plain
    assert ask(*show, "--engagement", "eng_" + "0" * 32).code == 5


def _add_papers(service: Service, world: dict[str, str], *labels: str) -> None:
    attorney = Client(service.machine.url, world["token"], trust_env=False)
    for label in labels:
        attorney.ask(
            "POST",
            f"/api/v1/engagements/{world['engagement']}/documents",
            query={"part_id": world["part"], "label": label, "sensitivity": "confidential"},
            headers={"Muniment-Title": "UTF-8''Paper", "Content-Type": "text/plain"},
            content=b"a paper",
        )
    attorney.close()
