"""The policy as a table, and what changes between two of them."""

from __future__ import annotations

from pathlib import Path

from service.scoping.actions import Action, Role
from service.scoping.matrix import Matrix
from service.scoping.table import changes, entries, rules_changed
from tests.scoping.policies import policy_folder

EXHIBIT = "exhibit"


def test_the_table_says_what_is_needed_and_what_refuses_all_the_same(matrix: Matrix) -> None:
    rows = {(row.role, row.action, row.label, row.sensitivity): row for row in entries(matrix)}
    row = rows["paralegal", "task:list", "-", "-"]
    assert (row.answer, row.when) == ("allowed", "assigned duties live window")
    assert row.duties == "background_check insurance nda training vendor_agreement vendor_review"
    assert row.unless == "narrowed suspended walled"
    assert rows["paralegal", "document:view", "*", "attorney_only"].answer == "refused"
    assert rows["owner", "me:read", "-", "-"].unless == "narrowed walled"
    assert rows["owner", "document:view", "*", "*"].when == "never"


def test_the_same_policy_changes_nothing(matrix: Matrix, tmp_path: Path) -> None:
    assert list(changes(matrix, Matrix.load(policy_folder(tmp_path)))) == []


def test_a_lower_ceiling_loses_exactly_its_cells(matrix: Matrix, tmp_path: Path) -> None:
    def lower(text: str) -> str:
        return text.replace(
            "paralegal,document:download document:list document:text document:view,*,privileged,",
            "paralegal,document:download document:list document:text document:view,*,confidential,",
        )

    found = list(changes(matrix, Matrix.load(policy_folder(tmp_path, policy=lower))))
    assert {(one.role, one.sensitivity) for one in found} == {(Role.PARALEGAL, "privileged")}
    assert len(found) == 4 * 16
    assert all(one.lost and not one.gained for one in found)
    back = list(changes(Matrix.load(tmp_path), matrix))
    assert len(back) == len(found)
    assert all(one.gained and not one.lost for one in back)


def test_another_duty_is_a_loss_although_the_facts_are_the_same(matrix: Matrix, tmp_path: Path) -> None:
    folder = policy_folder(tmp_path, duties=lambda text: text + "paralegal,document:view,billing,undertaking\n")
    stricter = Matrix.load(folder)
    lost = list(changes(matrix, stricter))
    assert {(one.role, one.action, one.label) for one in lost} == {(Role.PARALEGAL, Action.DOCUMENT_VIEW, "billing")}
    assert all(one.lost and not one.gained for one in lost)
    assert all(one.gained and not one.lost for one in changes(stricter, matrix))


def test_a_new_deny_is_a_loss(matrix: Matrix, tmp_path: Path) -> None:
    folder = policy_folder(tmp_path, policy=lambda text: text + "*,me:read,*,*,suspended,deny\n")
    lost = list(changes(matrix, Matrix.load(folder)))
    assert {(one.role, one.action) for one in lost} == {(role, Action.ME_READ) for role in Role}
    assert all(one.lost and not one.gained for one in lost)


def test_rules_are_compared_by_meaning_and_not_by_number(matrix: Matrix, tmp_path: Path) -> None:
    def other(text: str) -> str:
        first = "*,*,*,*,narrowed,deny\n"
        moved = text.replace(first, "") + first
        words = "owner,person:list person:read vendor:list vendor:read,-,-,-,allow"
        turned = moved.replace(words, "owner,vendor:read person:read vendor:list person:list,-,-,-,allow")
        return turned.replace("vendor_manager,duty:list member:list,-,-,live duties assigned window,allow\n", "")

    (said,) = rules_changed(matrix, Matrix.load(policy_folder(tmp_path, policy=other)))
    assert said.effect == "removed"
    assert said.sentence == "vendor_manager,duty:list member:list,-,-,live duties assigned window,allow"
    (back,) = rules_changed(Matrix.load(tmp_path), matrix)
    assert back == said._replace(effect="added")
