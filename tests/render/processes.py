"""Processes that tests of probes look for."""

from __future__ import annotations

from pathlib import Path


def children(pid: int) -> list[int]:
    """The children of a process that are there, dead ones that nobody waited for too."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def environment(pid: int) -> bytes:
    """What a process was given as its environment."""
    return Path(f"/proc/{pid}/environ").read_bytes()


def open_files(pid: int) -> list[str]:
    """What a process has open."""
    return [str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()]


def is_there(pid: int) -> bool:
    """Say whether there is such a process, be it dead."""
    return Path(f"/proc/{pid}").exists()
