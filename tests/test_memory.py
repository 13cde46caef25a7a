from __future__ import annotations

import fcntl
import os
import shutil
import time
from pathlib import Path

import pytest

from tests import memory


@pytest.fixture
def plenty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place that stands for the memory and has room."""
    place = tmp_path / "memory"
    place.mkdir()
    monkeypatch.setattr(memory, "MEMORY", place)
    monkeypatch.setattr(memory, "ROOM_BYTES", 0)
    return place


def test_a_folder_in_memory_is_private_and_gone_with_its_block(plenty: Path) -> None:
    with memory.folder("ours-") as made:
        assert made is not None
        assert made.parent == plenty
        assert made.stat().st_mode & 0o077 == 0
    assert list(plenty.iterdir()) == []


def test_without_room_or_memory_it_is_the_other_one(
    plenty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "ROOM_BYTES", shutil.disk_usage(plenty).total + 1)
    with memory.folder("ours-", tmp_path) as made:
        assert made == tmp_path
    monkeypatch.setattr(memory, "MEMORY", tmp_path / "nowhere")
    with memory.folder("ours-") as none:
        assert none is None


def test_what_killed_runs_left_is_removed_and_nothing_else(plenty: Path) -> None:
    long_ago = time.time() - 3600
    for name in ("ours-dead", "ours-alive", "ours-young", "theirs-dead"):
        (plenty / name).mkdir()
        (plenty / name / "alive").touch()
        if name != "ours-young":
            os.utime(plenty / name / "alive", (long_ago, long_ago))
    with (plenty / "ours-alive" / "alive").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with memory.folder("ours-"):
            left = {each.name for each in plenty.iterdir()}
    assert {"ours-alive", "ours-young", "theirs-dead"} < left
    assert "ours-dead" not in left
