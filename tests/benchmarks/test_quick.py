"""The bench still runs, on next to nothing: no figure of it means anything."""

from __future__ import annotations

import json
import random
import sys
from importlib.util import find_spec
from pathlib import Path
from subprocess import run

import pytest

from tests.benchmarks.budgets import BUDGETS
from tests.scale import LONG

PEERS = {"seal_esdk": "aws_encryption_sdk", "seal_tink": "tink", "open_tink": "tink"}  # there only after `make bench`


def test_a_quick_run_writes_every_row_in_the_promised_shape(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    there = [row.name for row in BUDGETS if row.name not in PEERS or find_spec(PEERS[row.name])]
    chosen = set(there if LONG else random.sample(there, len(there) // 2))  # by the run's seed, which is printed
    names = [name for name in there if name in chosen]
    command = [sys.executable, "-m", "tests.benchmarks", "--quick", "--out", str(out), *names]
    done = run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(out.read_text(encoding="utf-8"))
    assert list(rows) == names
    for name, row in rows.items():
        assert list(row) == ["ours", "peer", "unit", "ratio", "rss_mib"]
        assert min(row["ours"], row["peer"], row["ratio"]) > 0, name
        assert isinstance(row["unit"], str)
    assert "verify" not in rows or isinstance(rows["verify"]["rss_mib"], float)


@pytest.mark.parametrize("name", ["nothing", "seal_esdk "])
def test_a_row_that_is_not_there_is_refused_in_words(name: str) -> None:
    done = run([sys.executable, "-m", "tests.benchmarks", name], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no row" in done.stderr
