"""Policy folders for tests: this repository's, with one file changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

POLICIES = Path(__file__).parents[2] / "policies"
FILES = ("model.conf", "policy.csv", "duties.csv", "answers.csv")


def policy_folder(folder: Path, **changed: str | bytes | Callable[[str], str] | None) -> Path:
    """Copy the policy into a folder; ``policy=…`` stands for policy.csv, ``model=…`` for model.conf, and so on.

    A text or bytes replaces the file, a function is given its text, None leaves the file out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        text = (POLICIES / name).read_text(encoding="utf-8")
        change = changed.get(name.partition(".")[0], text)
        if callable(change):
            change = change(text)
        if change is not None:
            (folder / name).write_bytes(change if isinstance(change, bytes) else change.encode())
    return folder
