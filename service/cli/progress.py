"""A progress bar for long work: on a terminal only, on stderr, so that what is piped stays clean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TransferSpeedColumn,
    wrap_file,
)

LONG_BYTES: Final = 4 * 1024 * 1024


def watched(pieces: Iterator[bytes], total: int | None) -> Iterator[bytes]:
    """Pass pieces on, and show how far they are where that takes a while and somebody looks."""
    console = Console(stderr=True)
    if not console.is_terminal or (total is not None and total < LONG_BYTES):
        yield from pieces
        return
    columns = TextColumn("receiving"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=total)
        for piece in pieces:
            progress.advance(task, len(piece))
            yield piece


@contextmanager
def counted(what: str) -> Iterator[Callable[[int, int], None]]:
    """Give a function that is told how many things are done, of how many, and shows it where somebody looks."""
    console = Console(stderr=True)
    columns = TextColumn(what), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file to be sent, with a bar where that takes a while and somebody looks."""
    console, size = Console(stderr=True), path.stat().st_size
    with path.open("rb") as file:
        if not console.is_terminal or size < LONG_BYTES:
            yield file
            return
        with wrap_file(file, size, description="sending", console=console, transient=True) as watched_file:
            yield watched_file
