"""Reading text in a process of its own: what it says is not believed, and it is gone in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from service.render import reading
from service.render.gathered import MAX_TEXT_BYTES
from service.render.probes import Probes
from service.render.reading import BusyError, parse, text_of
from service.render.texts import Read
from tests.render import samples
from tests.render.processes import children
from tests.render.test_examine import StandIns
from tests.render.test_probes import gone

FAILED = Read("failed", b"")


@pytest.fixture
def probes() -> Iterator[Probes]:
    """Probes whose processes end with the test."""
    made = Probes(1)
    yield made
    made.close()


async def pieces(data: bytes, step: int = 65_536) -> AsyncIterator[bytes]:
    for start in range(0, len(data), step):
        yield data[start : start + step]


async def test_a_confined_process_reads_text_and_leaves(probes: Probes) -> None:
    long = samples.word(samples.paragraph("Dear client, " * 200_000))
    for data, expected in (
        (samples.pdf_with(samples.line("First")), b"First"),
        (long, b"Dear client, " * 200_000 + b"\n"),
        (b"plain", b"plain"),
    ):
        assert await text_of(probes, pieces(data)) == Read("read", expected)
    assert await text_of(probes, pieces(samples.pdf())) == Read("scanned", b"")
    assert probes._server is not None
    for pid in children(probes._server[0].pid):
        await gone(pid)
    assert not probes.readers.locked()


async def test_reading_takes_no_place_of_uploads(probes: Probes) -> None:
    async with probes.places:
        assert await text_of(probes, pieces(b"plain")) == Read("read", b"plain")


async def test_who_finds_no_place_is_told(probes: Probes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PLACE_TIMEOUT_S", 0.05)
    async with probes.readers:
        with pytest.raises(BusyError):
            await text_of(probes, pieces(b"plain"))


@pytest.mark.parametrize(
    ("program", "data"),
    [
        ("sys.stdin.buffer.read(); time.sleep(60)", b"x"),
        ("time.sleep(60)", bytes(8_000_000)),
        ("os._exit(1)", bytes(8_000_000)),
        ("sys.stdin.buffer.read(); os.write(1, b'read\\n\\xff')", b"x"),
    ],
)
async def test_a_process_that_hangs_dies_or_lies_is_ended_and_gives_nothing(program: str, data: bytes) -> None:
    probes = StandIns(program)
    assert await text_of(probes, pieces(data), timeout_s=0.5) == FAILED
    assert probes.living() == 0
    assert not probes.readers.locked()


async def test_a_request_that_is_cancelled_leaves_no_process() -> None:
    probes = StandIns()
    task = asyncio.create_task(text_of(probes, pieces(b"x")))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert probes.living() == 0
    assert not probes.readers.locked()


async def test_what_the_content_raises_is_raised() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x"
        raise LookupError("sealed otherwise")

    probes = StandIns()
    with pytest.raises(LookupError):
        await text_of(probes, broken())
    assert probes.living() == 0


async def test_no_process_to_be_had_gives_nothing(probes: Probes, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(_mode: bytes) -> None:
        raise OSError("no process left")

    monkeypatch.setattr(probes, "start", refuse)
    assert await text_of(probes, pieces(b"x")) == FAILED


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"read\nDear client", Read("read", b"Dear client")),
        (b"scanned\n", Read("scanned", b"")),
        (b"scanned\nand more", FAILED),
        (b"read\n", FAILED),
        (b"read", FAILED),
        (b"", FAILED),
        (b"evil\n", FAILED),
        (b"read\n\xff\xfe", FAILED),
        (b"read\n" + b"a" * (MAX_TEXT_BYTES + 1), FAILED),
    ],
)
async def test_what_a_process_says_is_believed_in_its_form_alone(answer: bytes, expected: Read) -> None:
    assert parse(answer) == expected
