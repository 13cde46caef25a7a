"""`make` explains itself, refuses an old Python in words, and CI runs what anybody can run."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--no-print-directory", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_make_alone_prints_every_target_with_one_line() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    printed = dict(re.findall(r"^  (\S+) +(\S.*)$", make().stdout, re.MULTILINE))
    assert set(printed) == set(phony.split())


def test_the_targets_people_are_promised_are_there() -> None:
    promised = {"demo", "test", "lint", "fix", "bench", "serve", "venv", "lock"}
    assert promised <= set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


def test_an_old_python_is_refused_in_words(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.1" && exit 0\nexit 1\n', encoding="utf-8")
    old.chmod(0o755)
    refused = make(f"PYTHON={old}", f"VENV={tmp_path / 'venv'}", "venv")
    assert refused.returncode == 2
    assert "Python 3.11 or later" in refused.stderr
    assert "3.9.1" in refused.stderr
    assert not (tmp_path / "venv").exists()


def test_ci_runs_lint_and_test_and_nothing_else() -> None:
    script = ROOT / ".ci" / "run"
    commands = [line for line in script.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert commands == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "make lint", "make test"]
    assert script.stat().st_mode & 0o111
