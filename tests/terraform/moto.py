"""An AWS that only pretends, for the apply: moto's server as a process of its own, gone when the test is.

It stores what it is given and enforces next to nothing, so it shows that terraform/ can be applied, stays as applied
and can be destroyed, and that the service finds what it looks for. No claim about safety rests on it: rights.csv and
the store's own tests make those.
"""

from __future__ import annotations

import contextlib
import ctypes
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_START_TIMEOUT_S = 60
_STOP_TIMEOUT_S = 10
_PR_SET_PDEATHSIG = 1
_LISTENS = re.compile(r"Running on (http://127\.0\.0\.1:\d+)")


def _stop_with_parent() -> None:
    """Between fork and exec: have the kernel stop this process when its parent thread ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


@contextlib.contextmanager
def running_moto(folder: Path) -> Iterator[str]:
    """A server for the time of the block, empty, on a port that the system chose; yields its address.

    Args:
        folder: for its log.

    Raises:
        RuntimeError: it did not start.
    """
    log = folder / "moto.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=_stop_with_parent,  # noqa: PLW1509 -- one system call; the tests' threads take no lock it needs
        )
    try:
        yield _await_address(process, log)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_STOP_TIMEOUT_S)


def _await_address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        found = _LISTENS.search(log.read_text(errors="replace"))
        if found:
            return found[1]
        time.sleep(0.05)
    message = f"moto did not start:\n{log.read_text(errors='replace')}"
    raise RuntimeError(message)
