from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.terraform.programs import SOURCE

SKIP = "#checkov:skip="


@pytest.fixture(scope="module")
def checkov() -> str:
    """The program, in the environment that `make checkov` makes, or on the PATH."""
    program = shutil.which("checkov", path=str(Path(sys.prefix) / "checkov" / "bin")) or shutil.which("checkov")
    if program is None:
        pytest.skip("checkov reads terraform/ in an environment of its own: run `make checkov`")
    return program


def read(checkov: str, folder: Path) -> dict[str, Any]:
    """What checkov found in a folder, by kind."""
    command = [checkov, "--directory", str(folder), "--framework", "terraform", "--skip-download", "--output", "json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)["results"]
    return found


def test_checkov_finds_nothing_that_is_not_answered(checkov: str) -> None:
    found = read(checkov, SOURCE)
    assert [f"{each['check_id']} {each['resource']}" for each in found["failed_checks"]] == []
    assert found["parsing_errors"] == []
    assert len(found["passed_checks"]) > 50


def test_every_answer_to_checkov_has_a_reason_and_a_finding(checkov: str, tmp_path: Path) -> None:
    answered = {
        (path.name, line.split(SKIP)[1].partition(":")[0]): line.split(SKIP)[1].partition(":")[2].strip()
        for path in SOURCE.glob("*.tf")
        for line in path.read_text(encoding="utf-8").splitlines()
        if SKIP in line
    }
    assert answered
    assert all(len(reason) > 20 for reason in answered.values())
    for path in SOURCE.glob("*.tf"):  # without its answers checkov finds exactly what was answered
        kept = [line for line in path.read_text(encoding="utf-8").splitlines() if SKIP not in line]
        (tmp_path / path.name).write_text("\n".join(kept) + "\n", encoding="utf-8")
    found = read(checkov, tmp_path)["failed_checks"]
    assert {(Path(each["file_path"]).name, each["check_id"]) for each in found} == answered.keys()
