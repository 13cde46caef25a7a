"""`python -m lint` looks at the whole project, says what it found, and this project passes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lint import __main__ as lint
from lint.__main__ import check_module, check_tree, main, project_files


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small project with one fault in service/ and one in a file that git ignores."""
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "search.py").write_text("import pickle\n", encoding="utf-8")
    (tmp_path / "service" / "ignored.py").write_text("import pickle\n", encoding="utf-8")
    (tmp_path / ".gitignore").write_text("ignored.py\n", encoding="utf-8")
    return tmp_path


def git_init(tree: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tree)], check=True)


def test_tracked_and_new_files_are_looked_at_and_ignored_ones_are_not(tree: Path) -> None:
    git_init(tree)
    assert {path.name for path in project_files(tree)} == {".gitignore", "search.py"}
    assert [str(finding) for finding in check_tree(tree, project_files(tree))] == [
        "service/search.py:1: banned-import: pickle: use JSON or a format of our own: unpickling runs what it reads"
    ]


def test_without_git_the_folders_of_code_are_looked_at(tree: Path) -> None:
    assert {path.name for path in project_files(tree)} == {"ignored.py", "search.py"}


def test_what_is_not_python_is_a_finding_and_no_crash() -> None:
    (finding,) = check_module("service/broken.py", "x = 1\ndef f(:\n")
    assert (finding.line, finding.rule) == (2, "syntax")


def test_the_exit_code_tells(tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    git_init(tree)
    monkeypatch.setattr(lint, "ROOT", tree)
    assert main() == 1
    assert "banned-import" in capsys.readouterr().out
    (tree / "service" / "search.py").write_text("import json\n", encoding="utf-8")
    assert main() == 0
    assert capsys.readouterr().out == ""
