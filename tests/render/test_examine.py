from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from service.render import examine, probe
from service.render import probes as probing
from service.render.examine import Examination, Findings, judge, parse
from service.render.found import DOCX, JPEG, OCTETS, PDF, PNG, RTF, TEXT, ZIP, Condition, Found
from service.render.probes import Probe, Probes
from tests.render import samples

MIB = 1_048_576


@pytest.fixture
def probes() -> Iterator[Probes]:
    """Two places, and processes that end with the test."""
    made = Probes(2)
    yield made
    made.close()


async def findings(data: bytes, declared: str, probes: Probes, *, step: int = 65_536) -> Findings:
    async with Examination(probes) as examination:
        for start in range(0, len(data), step):
            await examination.feed(data[start : start + step])
        return replace(await examination.result(declared), hidden=None)  # tests/render/test_hidden.py


def begun(size: int) -> bytes:
    """What begins as a PDF does, and is none."""
    return b"%PDF-1.7\n".ljust(size, b"\0")


class StandIns(Probes):
    """Probes that are all this program instead."""

    def __init__(self, program: str = "sys.stdin.buffer.read(); time.sleep(60)", at_once: int = 1) -> None:
        super().__init__(at_once)
        self._program = program
        self._started: list[subprocess.Popen[bytes]] = []

    async def start(self, mode: bytes) -> Probe:
        ours, theirs = socket.socketpair()
        with theirs:
            self._started.append(await asyncio.to_thread(self._start, theirs.fileno()))
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        return Probe(reader, writer, self._started[-1].kill)

    def _start(self, fd: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-I", "-c", f"import os, sys, time\n{self._program}"]
        return subprocess.Popen(command, stdin=fd, stdout=fd, stderr=subprocess.DEVNULL)

    def living(self) -> int:
        """How many live; one that was killed is given a moment to die."""
        return sum(_lives(process) for process in self._started)


def _lives(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(1)
    except subprocess.TimeoutExpired:
        return True
    return False


# With a real probe ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "declared", "expected"),
    [
        (samples.pdf(2), "application/pdf", Findings(PDF, "readable", 2)),
        (samples.pdf(2), "", Findings(PDF, "readable", 2)),
        (samples.pdf(2), DOCX, Findings(PDF, "mismatched", 2)),
        (samples.pdf(2)[:60], "application/pdf", Findings(PDF, "unreadable", None)),
        (samples.locked_pdf(), "application/pdf", Findings(PDF, "locked", None)),
        # Only a fresh process tells this apart: PDFium names its last error, which may be that of an earlier file.
        (samples.pdf(0), "application/pdf", Findings(PDF, "unreadable", None)),
        (samples.docx(), DOCX, Findings(DOCX, "readable", None)),
        (samples.locked_zip(), "application/zip", Findings(ZIP, "locked", None)),
        (samples.png(), "image/png", Findings(PNG, "readable", 1)),
        ("Grüße".encode(), "text/plain; charset=utf-8", Findings(TEXT, "readable", None)),
        ("Grüße".encode("utf-16"), "text/csv", Findings(TEXT, "readable", None)),
        (b"", "application/pdf", Findings(OCTETS, "empty", None)),
    ],
)
async def test_a_file_is_examined_by_a_process_of_its_own(
    data: bytes, declared: str, expected: Findings, probes: Probes
) -> None:
    for step in (7, 65_536):
        assert await findings(data, declared, probes, step=step) == expected


async def test_a_large_file_is_examined_as_it_streams(probes: Probes) -> None:
    data = samples.pdf(2).replace(b"%%EOF", b"%" + b"x" * (3 * MIB) + b"\n%%EOF")
    assert await findings(data, "application/pdf", probes) == Findings(PDF, "readable", 2)


async def test_a_file_that_announces_nothing_we_look_into_needs_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    async def start(_: bytes) -> Probe:
        raise AssertionError("a process")

    probes = Probes(1)
    monkeypatch.setattr(probes, "start", start)
    for size in (100, 3 * MIB):
        assert await findings(bytes(size), "application/pdf", probes) == Findings(OCTETS, "unreadable", None)
        assert await findings(bytes(size), "", probes) == Findings(OCTETS, "unexamined", None)
        film = b"\0\0\0\x18ftypmp42" + bytes(size)
        assert await findings(film, "application/pdf", probes) == Findings("video/mp4", "mismatched", None)


async def test_a_file_that_is_too_large_is_named_but_left_unexamined(
    monkeypatch: pytest.MonkeyPatch, probes: Probes
) -> None:
    monkeypatch.setattr(examine, "MAX_EXAMINED_BYTES", 2 * MIB)
    data = samples.pdf() + bytes(3 * MIB)
    assert await findings(data, "application/pdf", probes) == Findings(PDF, "unexamined", None)
    assert await findings(samples.pdf() + bytes(MIB), "application/pdf", probes) == Findings(PDF, "readable", 1)


async def test_nothing_of_the_file_is_in_the_findings_or_in_a_file(probes: Probes) -> None:
    canary = b"canary-7f3a"
    for data in (canary * 1000, b"%PDF-1.4 " + canary, b"PK\x03\x04" + canary * 100):
        found = await findings(data, canary.decode() + "/" + canary.decode(), probes)
        assert canary.decode() not in repr(found)
    assert canary.decode() not in repr(await findings(b"\x00\x01", canary.decode(), probes))


# Faults --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "program",
    [
        "os.kill(os.getpid(), 11)",  # as PDFium would
        "os.kill(os.getpid(), 9)",  # as the kernel would, out of memory
        "sys.exit(1)",
        "sys.stdin.buffer.read(); sys.exit(0)",
        "sys.stdin.close(); os.close(0); print('readable', flush=True); time.sleep(0.2)",
        "sys.stdin.buffer.read(); sys.stdout.write('x' * 100_000)",
        "sys.stdin.buffer.read(); print('readable 1 <script> =')",
        "sys.stdin.buffer.read(); print('splendid 1 application/pdf')",
        "sys.stdin.buffer.read(); print('readable 1 application/pdf =\\nmore')",
        "sys.stdin.buffer.read(); sys.stdout.buffer.write(b'\\xff\\xfe\\n\\n')",
    ],
)
@pytest.mark.parametrize("size", [100, 3 * MIB])
async def test_a_probe_that_dies_or_raves_leaves_the_file_unexamined(program: str, size: int) -> None:
    probes = StandIns(program)
    assert await findings(begun(size), "application/pdf", probes) == Findings(PDF, "unexamined", None)
    assert probes.living() == 0


@pytest.mark.parametrize(
    "program",
    [
        "time.sleep(60)",  # never reads
        "sys.stdin.buffer.read(); print('readable', flush=True); time.sleep(60)",  # never answers
        "sys.stdin.buffer.read(); os.close(1); time.sleep(60)",  # never leaves
    ],
)
@pytest.mark.parametrize("size", [100, 3 * MIB])
async def test_a_probe_that_hangs_is_killed_in_time(program: str, size: int) -> None:
    began, probes = time.monotonic(), StandIns(program)
    async with Examination(probes, timeout_s=0.5) as examination:
        for start in range(0, size, 65_536):
            await examination.feed(begun(size)[start : start + 65_536])
        found = await examination.result("application/pdf")
    assert found.condition == "unexamined"
    assert time.monotonic() - began < 5
    assert probes.living() == 0


async def test_a_probe_that_cannot_be_started_leaves_the_file_unexamined(monkeypatch: pytest.MonkeyPatch) -> None:
    async def start(_: bytes) -> Probe:
        raise OSError("no process left")

    probes = Probes(1)
    monkeypatch.setattr(probes, "start", start)
    for size in (100, 3 * MIB):
        assert (await findings(begun(size), "application/pdf", probes)).condition == "unexamined"
    assert not probes.places.locked()


async def test_a_fork_server_that_hangs_leaves_the_file_unexamined_in_time(
    monkeypatch: pytest.MonkeyPatch, probes: Probes
) -> None:
    assert (await findings(samples.pdf(), "application/pdf", probes)).condition == "readable"
    assert probes._server is not None
    os.kill(probes._server[0].pid, signal.SIGSTOP)
    monkeypatch.setattr(probing, "START_S", 0.3)
    began = time.monotonic()
    found = await findings(begun(3 * MIB), "application/pdf", probes)
    assert found.condition == "unexamined"
    assert time.monotonic() - began < 5
    assert probes.places._value == 2


async def test_an_upload_that_is_given_up_kills_its_probe() -> None:
    probes = StandIns()

    async def upload() -> None:
        async with Examination(probes) as examination:
            await examination.feed(begun(2 * MIB))
            assert probes.places.locked()
            assert probes.living() == 1
            raise ConnectionError("the client went away")

    with pytest.raises(ConnectionError):
        await upload()
    assert probes.living() == 0
    assert not probes.places.locked()


@pytest.mark.parametrize("after_s", [0.0, 0.01, 0.05, 0.3])
async def test_a_cancelled_upload_leaves_no_process_and_no_place_taken(after_s: float) -> None:
    probes = StandIns()
    for size in (100, 2 * MIB):
        task = asyncio.create_task(findings(begun(size), "application/pdf", probes))
        await asyncio.sleep(after_s)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not probes.places.locked()
        assert probes.living() == 0


# Places --------------------------------------------------------------------------------------------------------------


async def test_small_files_wait_for_a_place_and_all_are_examined(
    monkeypatch: pytest.MonkeyPatch, probes: Probes
) -> None:
    running, most = 0, 0
    start, end = probes.start, Probe.end

    async def counted(mode: bytes) -> Probe:
        nonlocal running, most
        probe = await start(mode)
        running, most = running + 1, max(most, running + 1)
        return probe

    async def ended(probe: Probe) -> None:
        nonlocal running
        running -= 1
        await end(probe)

    monkeypatch.setattr(probes, "start", counted)
    monkeypatch.setattr(Probe, "end", ended)
    found = await asyncio.gather(*(findings(samples.pdf(n), "application/pdf", probes) for n in range(1, 7)))
    assert [each.pages for each in found] == [1, 2, 3, 4, 5, 6]
    assert most == 2


@pytest.fixture
def one() -> Iterator[Probes]:
    """A single place."""
    made = Probes(1)
    yield made
    made.close()


async def test_a_large_file_without_a_place_is_not_held_up(monkeypatch: pytest.MonkeyPatch, one: Probes) -> None:
    monkeypatch.setattr(examine, "PLACE_TIMEOUT_S", 0.05)
    async with Examination(one) as slow:
        await slow.feed(begun(2 * MIB))
        async with Examination(one, timeout_s=0.2) as other:
            await other.feed(samples.pdf() + bytes(2 * MIB))
            await other.feed(bytes(MIB))
            assert await other.result("application/pdf") == Findings(PDF, "unexamined", None)
    async with Examination(one) as again:
        await one.places.acquire()
        await again.feed(samples.pdf() + bytes(2 * MIB))
        one.places.release()
        assert await again.result("application/pdf") == Findings(PDF, "unexamined", None)


async def test_what_waits_in_memory_is_bounded(monkeypatch: pytest.MonkeyPatch, one: Probes) -> None:
    monkeypatch.setattr(examine, "PLACE_TIMEOUT_S", 0.01)
    await one.places.acquire()
    async with Examination(one, timeout_s=0.01) as examination:
        for _ in range(200):
            await examination.feed(begun(65_536))
            assert sum(map(len, examination._waiting)) <= MIB + 65_536
        assert examination._waiting == []


async def test_a_piece_may_be_used_again_after_it_was_fed(probes: Probes) -> None:
    data, buffer = samples.pdf(2), bytearray(100)
    async with Examination(probes) as examination:
        for start in range(0, len(data), 100):
            piece = data[start : start + 100]
            buffer[: len(piece)] = piece
            await examination.feed(memoryview(buffer)[: len(piece)])
        assert await examination.result("application/pdf") == Findings(PDF, "readable", 2, {})


# Words ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "declared", "condition"),
    [
        (Found(PDF, "readable"), "Application/PDF", "readable"),
        (Found(PDF, "readable"), "application/x-pdf", "readable"),
        (Found(PDF, "readable"), OCTETS, "readable"),
        (Found(PDF, "readable"), "nonsense", "mismatched"),
        (Found("image/jpeg", "readable"), "image/jpg", "readable"),
        (Found(RTF, "readable"), "text/rtf", "readable"),
        (Found(TEXT, "readable"), "text/rtf", "mismatched"),
        (Found(TEXT, "readable"), "application/json", "readable"),
        (Found(TEXT, "readable"), "message/rfc822", "readable"),
        (Found(TEXT, "readable"), "application/pdf", "mismatched"),
        (Found(PDF, "readable"), "text/plain", "mismatched"),
        (Found(PDF, "unreadable"), DOCX, "unreadable"),
        (Found(ZIP, "locked"), DOCX, "locked"),
        (Found("video/mp4", "unknown"), "video/mp4", "unexamined"),
        (Found("video/mp4", "unknown"), "application/pdf", "mismatched"),
        (Found(OCTETS, "unknown"), "application/pdf", "unreadable"),
        (Found(OCTETS, "unknown"), "text/csv", "unreadable"),
        (Found(OCTETS, "unknown"), "video/mp4", "unexamined"),
        (Found(OCTETS, "unknown"), "", "unexamined"),
        (Found(PDF, "unexamined"), DOCX, "unexamined"),
    ],
)
def test_what_was_found_is_compared_with_what_was_declared(found: Found, declared: str, condition: Condition) -> None:
    assert judge(found, declared) == Findings(found.media_type, condition, None)


@pytest.mark.parametrize(
    "said",
    [b"", b"\n", b"readable", b"readable 1", b"readable 1 a/b =", b"readable 1 a/b\n", b"readable 1 a =\n", b"\xff"],
)
def test_half_an_answer_is_no_answer(said: bytes) -> None:
    assert parse(said, PDF) == Found(PDF, "unexamined")


def test_a_whole_answer_is_read() -> None:
    assert parse(b"readable - application/x -\n", ZIP) == Found("application/x", "readable", None)
    assert parse(b"readable 12 application/pdf =\n", PDF) == Found(PDF, "readable", 12, {})
    assert parse(b"readable 1 image/jpeg location=1\n", PDF) == Found(JPEG, "readable", 1, {"location": 1})
    for said in (b"evil=1", b"location=0", b"location=1,location=1", b"xmp=1,location=1", b"location=9999999", b","):
        assert parse(b"readable 1 image/jpeg " + said + b"\n", PDF) == Found(JPEG, "readable", 1)


def test_the_probe_refuses_more_than_it_examines(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.write(writing, begun(20))
    os.close(writing)
    monkeypatch.setattr(probe, "MAX_BYTES", 15)
    real = os.read
    monkeypatch.setattr(os, "read", lambda _, length: real(reading, length))
    try:
        assert probe.look() == Found(PDF, "unexamined")
    finally:
        os.close(reading)


def test_a_probe_out_of_memory_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*_: object) -> Found:
        raise MemoryError

    monkeypatch.setattr(probe, "examine", exhausted)
    monkeypatch.setattr(probe, "read", begun)
    assert probe.look() == Found(PDF, "unexamined")
