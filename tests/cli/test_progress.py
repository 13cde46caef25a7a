from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from service.cli import progress

PIECES = [bytes([n]) * 1024 * 1024 for n in range(6)]


@pytest.fixture(params=[True, False], ids=["on a terminal", "in a pipe"])
def shown(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    written = io.StringIO()

    def make(**_options: object) -> Console:
        return Console(file=written, force_terminal=request.param, width=80)

    monkeypatch.setattr(progress, "Console", make)
    return written


@pytest.fixture
def somebody_looks(request: pytest.FixtureRequest) -> bool:
    return "on a terminal" in str(request.node.callspec.id)


@pytest.mark.parametrize("announced", [6 * 1024 * 1024, None])
def test_pieces_pass_unchanged_and_only_a_terminal_sees_a_bar(
    shown: io.StringIO, somebody_looks: bool, announced: int | None
) -> None:
    assert list(progress.watched(iter(PIECES), announced)) == PIECES
    assert ("receiving" in shown.getvalue()) is somebody_looks


def test_a_file_is_sent_whole_and_only_a_terminal_sees_a_bar(
    shown: io.StringIO, somebody_looks: bool, tmp_path: Path
) -> None:
    file = tmp_path / "large"
    file.write_bytes(b"".join(PIECES))
    with progress.opened(file) as content:
        assert content.read() == b"".join(PIECES)
    assert ("sending" in shown.getvalue()) is somebody_looks


def test_what_is_short_has_no_bar(shown: io.StringIO, tmp_path: Path) -> None:
    file = tmp_path / "short"
    file.write_bytes(b"x")
    with progress.opened(file) as content:
        assert content.read() == b"x"
    assert list(progress.watched(iter([b"x"]), 1)) == [b"x"]
    assert shown.getvalue() == ""
