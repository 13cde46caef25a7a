from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from service.render import sandbox

ROOT = Path(__file__).resolve().parents[2]
FILTERED = sys.platform == "linux" and platform.machine() in {"x86_64", "aarch64"}
needs_filter = pytest.mark.skipif(not FILTERED, reason="no system call filter for this machine")
CONFINED = """
import os, resource, signal, socket, subprocess, sys, threading
sys.path.insert(0, sys.argv[1])
from service.render import sandbox
parent = os.getppid()
null = os.open(os.devnull, os.O_RDONLY)
assert sandbox.confine() == (), "missing"
try:
    {act}
except (OSError, RuntimeError, MemoryError, ValueError) as error:
    os.write(1, b"refused " + type(error).__name__.encode())
else:
    os.write(1, b"done")
os._exit(0)
"""


def confined(act: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-I", "-c", CONFINED.replace("{act}", act), str(ROOT)]
    return subprocess.run(command, input=b"x" * 10, capture_output=True, check=False, timeout=60)


@needs_filter
@pytest.mark.parametrize(
    "act",
    [
        "socket.socket(socket.AF_INET)",
        "socket.socket(socket.AF_UNIX)",
        "socket.socketpair()",
        "open('/etc/passwd', 'rb')",
        "open('/tmp/never', 'wb')",
        "os.listdir('/')",
        "os.stat('/')",
        "os.unlink('/tmp/never')",
        "os.mkdir('/tmp/never')",
        "os.memfd_create('x')",
        "os.fork()",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv('/bin/true', ['true'])",
        "threading.Thread(target=print).start()",
        "os.kill(parent, 0)",
        "os.kill(os.getpid(), signal.SIGKILL)",
        "os.pipe()",
        "os.dup(0)",
        "os.setuid(0)",
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6))",
        "bytearray(2 * sandbox.MEMORY_BYTES)",
    ],
)
def test_a_confined_process_may_not(act: str) -> None:
    assert confined(act).stdout.startswith(b"refused ")


@needs_filter
@pytest.mark.parametrize("act", ["os.read(0, 5)", "bytearray(50_000_000)", "os.close(null)", "os.getpid()"])
def test_a_confined_process_may_read_compute_and_answer(act: str) -> None:
    assert confined(act).stdout == b"done"


@pytest.mark.parametrize("most", [1024, resource.RLIM_INFINITY])
def test_every_file_but_the_pipes_is_closed(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (most, most))
    monkeypatch.setattr(os, "closerange", lambda first, past: asked.append((first, past)))
    sandbox.close_all_but_pipes()
    assert asked == [(3, 1024 if most == 1024 else 1_048_576)]


def test_what_cannot_be_had_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def prctl(self, *_: object) -> int:
            return -1

        def unshare(self, *_: object) -> int:
            return -1

    def refuse(*_: object) -> None:
        raise OSError

    limits = ("memory limit", "CPU limit", "file size limit", "open file limit", "no core files")
    monkeypatch.setattr(resource, "setrlimit", refuse)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Refusing())
    monkeypatch.setattr(sys, "platform", "linux")
    assert sandbox.confine() == (*limits, "no dumps", "system call filter", "network of its own")
    monkeypatch.setattr(platform, "machine", lambda: "a machine unknown to us")
    assert "system call filter" in sandbox.confine()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert sandbox.confine() == (*limits, "system call filter", "network of its own")


def test_without_a_filter_the_network_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class WithoutFilter:
        def prctl(self, option: int, *_: object) -> int:
            return -1 if option == 22 else 0

        def unshare(self, flags: int) -> int:
            asked.append(flags)
            return 0 if len(asked) == 2 else -1

    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: WithoutFilter())
    monkeypatch.setattr(sys, "platform", "linux")
    assert sandbox.confine() == ("system call filter",)
    assert asked == [0x40000000, 0x50000000]


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_allows_exactly_its_list(machine: str) -> None:
    program = sandbox.filter_program(machine)
    assert program is not None
    architecture, numbers = sandbox._ALLOWED[machine]
    for number in range(600):
        assert run(program, number, architecture) == (number in numbers)
        assert not run(program, number, 0x40000003)  # 32-bit calls
        assert not run(program, number | 0x40000000, architecture)  # x32 calls


def run(program: bytes, number: int, architecture: int) -> bool:
    """Run a filter as the kernel would; whether it allows the call."""
    instructions = list(struct.iter_unpack("=HBBI", program))
    at, word = 0, 0
    while True:
        code, if_true, if_false, value = instructions[at]
        at += 1
        if code == 0x20:
            word = {0: number, 4: architecture}[value]
        elif code == 0x15:
            at += if_true if word == value else if_false
        else:
            assert code == 0x06
            return bool(value == 0x7FFF0000)
