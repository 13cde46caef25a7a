"""The table and the JSON say what was measured, and nothing else is touched."""

from __future__ import annotations

import json
from pathlib import Path

from tests.benchmarks import report
from tests.benchmarks.budgets import BUDGETS, budget
from tests.benchmarks.rounds import Measured

GOOD = Measured(ours=8.0, peer=2.0, unit="MB/s", ratio=4.0)


def test_a_row_is_kept_at_its_floor_and_short_below_it() -> None:
    row = budget("append_group")
    assert report.is_kept(row, Measured(2, 1, "entries/s", row.floor))
    assert not report.is_kept(row, Measured(2, 1, "entries/s", row.floor - 0.01))


def test_a_quick_row_that_needs_too_much_memory_is_short() -> None:
    assert report.is_kept(budget("verify"), Measured(1, 1, "entries/s", 1.0, rss_mib=64))
    assert not report.is_kept(budget("verify"), Measured(1, 1, "entries/s", 1.0, rss_mib=65))


def test_the_json_has_the_five_promised_members() -> None:
    (row,) = json.loads(report.as_json({"seal_tink": GOOD})).values()
    assert row == {"ours": 8.0, "peer": 2.0, "unit": "MB/s", "ratio": 4.0, "rss_mib": None}


def test_the_readme_table_replaces_what_stands_between_its_markers_and_nothing_else(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", encoding="utf-8")
    table = report.markdown({"seal_tink": GOOD}, {})
    assert report.write_into(readme, table)
    assert readme.read_text(encoding="utf-8") == f"before\n{table}\nafter\n"
    assert table.count("\n| `seal_tink` |") == 1


def test_what_was_measured_on_the_other_stack_stands_below_without_a_mark() -> None:
    table = report.markdown({"seal_tink": GOOD}, {"list": Measured(0.5, 0.4, "ms", 0.8)})
    assert table.splitlines()[-2].endswith("among 100 k grants: `list` 0.5 beside 0.4 ms, 0.80.")


def test_a_readme_without_markers_is_left_alone(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("nothing here\n", encoding="utf-8")
    assert not report.write_into(readme, report.markdown({"seal_tink": GOOD}, {}))
    assert readme.read_text(encoding="utf-8") == "nothing here\n"


def test_every_row_has_words_for_both_sides_and_a_floor() -> None:
    assert len({row.name for row in BUDGETS}) == len(BUDGETS) == 14
    assert all(row.ours and row.peer and row.floor > 0 for row in BUDGETS)
