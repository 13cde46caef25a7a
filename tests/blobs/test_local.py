from __future__ import annotations

import asyncio
import errno
import os
import sys
import threading
from pathlib import Path

import pytest

from service.blobs.local import FLUSH_BYTES, INLINE_READ_BYTES, LocalBlobs
from service.blobs.store import DeletionReport
from service.errors import BlobMissingError, MunimentError, StoreFullError, StoreUnavailableError
from tests.fakes.blobs import MemoryBlobs

ROOT = Path(__file__).resolve().parents[2]
ONE, TWO = ("blb_" + digit * 32 for digit in "12")


def files(path: Path) -> list[str]:
    return sorted(each.relative_to(path).as_posix() for each in path.rglob("*") if each.is_file())


async def put(store: LocalBlobs, blob_id: str, data: bytes) -> None:
    writer = await store.create(blob_id)
    try:
        await writer.write(data)
        await writer.commit()
    except BaseException:
        await writer.abort()
        raise


@pytest.fixture
def store(tmp_path: Path) -> LocalBlobs:
    return LocalBlobs(tmp_path)


def fail(monkeypatch: pytest.MonkeyPatch, operation: str, code: int, nth: int = 1) -> None:
    """Let the ``nth`` call of an os function fail, that call alone."""
    real, calls = getattr(os, operation), iter(range(1, 1000))

    def failing(*given: object, **named: object) -> object:
        if next(calls) == nth:
            raise OSError(code, os.strerror(code))
        return real(*given, **named)

    monkeypatch.setattr(os, operation, failing)


async def test_blobs_lie_under_the_random_end_of_their_ids_for_us_alone(store: LocalBlobs, tmp_path: Path) -> None:
    blob_id = "blb_" + "0" * 30 + "7f"
    await put(store, blob_id, b"text")
    assert files(tmp_path) == [f"7f/{blob_id}"]
    assert (tmp_path / "7f" / blob_id).stat().st_mode & 0o777 == 0o600
    for folder in ("7f", "tmp"):
        assert (tmp_path / folder).stat().st_mode & 0o777 == 0o700


async def test_what_a_crash_left_is_swept_at_the_first_write_when_an_hour_old(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    old, young = tmp_path / "tmp" / "old", tmp_path / "tmp" / "young"
    for leftover, modified in ((old, 1_000), (young, 1_001)):
        leftover.write_bytes(b"sealed")
        os.utime(leftover, (modified, modified))
    store = LocalBlobs(tmp_path, clock=lambda: 1_000 + 3_600.0)
    await put(store, ONE, b"one")
    assert (old.exists(), young.exists()) == (False, True)
    assert await store.sweep(0) == 1
    assert not young.exists()


async def test_what_lies_aside_is_counted_and_left_there(store: LocalBlobs, tmp_path: Path) -> None:
    writer = await store.create("blb_" + "1" * 32)
    lying = files(tmp_path)
    assert (await store.aside(0), await store.aside(3600)) == (1, 0)
    assert files(tmp_path) == lying
    await writer.abort()


async def test_a_leftover_that_goes_meanwhile_is_no_error(store: LocalBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = await store.create(ONE)

    def gone(_: Path) -> None:
        raise FileNotFoundError

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", gone)
        assert await store.sweep(0) == 0
    await writer.abort()


async def test_a_missing_folder_is_a_store_that_is_away(tmp_path: Path) -> None:
    store = LocalBlobs(tmp_path / "gone")
    for act in (store.create(ONE), store.open(ONE), store.sweep()):
        with pytest.raises(StoreUnavailableError) as caught:
            await act
        assert not isinstance(caught.value, BlobMissingError)
    with pytest.raises(StoreUnavailableError):
        [info async for info in store.list()]
    assert await store.delete([ONE]) == DeletionReport((), (), (ONE,))
    (tmp_path / "gone").mkdir()
    await put(store, ONE, b"one")


async def test_the_empty_folder_under_an_unmounted_volume_reports_nothing_as_deleted(
    store: LocalBlobs, tmp_path: Path
) -> None:
    assert await store.delete([ONE]) == DeletionReport((), (), (ONE,))
    await put(store, TWO, b"two")
    assert await store.delete([ONE]) == DeletionReport((), (ONE,), ())


async def test_what_is_no_blob_is_not_listed(store: LocalBlobs, tmp_path: Path) -> None:
    await put(store, ONE, b"one")
    (tmp_path / "11" / "note").write_text("x")
    (tmp_path / "11" / TWO).symlink_to("nowhere")
    (tmp_path / "lost+found").mkdir()
    writer = await store.create(TWO)
    assert [info.blob_id async for info in store.list()] == [ONE]
    await writer.abort()


async def test_a_blob_that_goes_while_it_is_listed_is_no_error(
    store: LocalBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(store, ONE, b"one")
    await put(store, "blb_" + "2" * 30 + "11", b"two")
    real = os.scandir

    class Vanishing:
        """Lists a folder, whose first file is then deleted by somebody else."""

        def __init__(self, path: Path) -> None:
            self._real = real(path)

        def __enter__(self) -> list[os.DirEntry[str]]:
            entries = sorted(self._real, key=lambda entry: entry.name)
            Path(entries[0].path).unlink()
            return entries

        def __exit__(self, *error: object) -> None:
            self._real.close()

    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", Vanishing)
        assert [info.blob_id async for info in store.list()] == ["blb_" + "2" * 30 + "11"]


# Faults --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (errno.EIO, StoreUnavailableError),
        (errno.EROFS, StoreUnavailableError),
        (errno.ENOSPC, StoreFullError),
        (errno.EDQUOT, StoreFullError),
    ],
)
@pytest.mark.parametrize(("operation", "nth"), [("write", 1), ("fsync", 1), ("fsync", 2), ("fsync", 3), ("link", 1)])
@pytest.mark.parametrize("length", [10, 2 * FLUSH_BYTES])
async def test_a_write_that_fails_leaves_nothing_behind(
    store: LocalBlobs,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    nth: int,
    code: int,
    error: type[MunimentError],
    length: int,
) -> None:
    with monkeypatch.context() as patched:
        fail(patched, operation, code, nth)
        with pytest.raises(error):
            await put(store, ONE, bytes(length))
    assert files(tmp_path) == []
    await put(store, ONE, b"again")
    assert files(tmp_path) == [f"11/{ONE}"]


async def test_a_full_disk_is_said_before_the_first_byte(store: LocalBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    await store.sweep()
    with monkeypatch.context() as patched:
        fail(patched, "open", errno.ENOSPC)
        with pytest.raises(StoreFullError):
            await store.create(ONE)


async def test_a_disk_that_is_really_full_keeps_nothing(tmp_path: Path) -> None:
    # A file size limit is as close as a test comes to a full disk without being root: write() fails in the kernel.
    program = (
        "import asyncio, resource, signal, sys; from pathlib import Path\n"
        "from service.blobs.local import LocalBlobs\n"
        "from service.errors import StoreUnavailableError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))\n"
        "async def main():\n"
        "    writer = await LocalBlobs(Path(sys.argv[1])).create('blb_' + '1' * 32)\n"
        "    try:\n"
        "        for _ in range(10): await writer.write(bytes(1_000_000))\n"
        "    except StoreUnavailableError: print('refused')\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(tmp_path), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    output, _ = await process.communicate()
    assert output == b"refused\n"
    assert files(tmp_path) == []


async def test_short_writes_are_continued(store: LocalBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(data[:3])))
        await put(store, ONE, b"a longer text")
    reader = await store.open(ONE)
    assert await reader.read_at(0, 100) == b"a longer text"
    await reader.close()


@pytest.mark.parametrize("length", [10, INLINE_READ_BYTES + 1])
async def test_short_reads_are_continued_and_failing_ones_translated(
    store: LocalBlobs, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    await put(store, ONE, bytes(range(10)))
    reader = await store.open(ONE)
    real = os.pread
    with monkeypatch.context() as patched:
        patched.setattr(os, "pread", lambda descriptor, wanted, at: real(descriptor, min(wanted, 3), at))
        assert await reader.read_at(0, length) == bytes(range(10))
    with monkeypatch.context() as patched:
        fail(patched, "pread", errno.EIO)
        with pytest.raises(StoreUnavailableError):
            await reader.read_at(0, length)
    await reader.close()


async def test_a_blob_that_cannot_be_opened_is_not_called_missing(
    store: LocalBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(store, ONE, b"one")
    with monkeypatch.context() as patched:
        fail(patched, "open", errno.EIO)
        with pytest.raises(StoreUnavailableError) as caught:
            await store.open(ONE)
    assert not isinstance(caught.value, BlobMissingError)


async def test_a_deletion_that_fails_is_reported_and_can_be_repeated(
    store: LocalBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(store, ONE, b"one")
    await put(store, TWO, b"two")
    with monkeypatch.context() as patched:
        fail(patched, "unlink", errno.EIO)
        assert await store.delete([ONE, TWO]) == DeletionReport((TWO,), (), (ONE,))
    assert await store.delete([ONE, TWO]) == DeletionReport((ONE,), (TWO,), ())


async def test_a_deletion_that_may_not_last_is_reported_as_failed(
    store: LocalBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(store, ONE, b"one")
    with monkeypatch.context() as patched:
        fail(patched, "fsync", errno.EIO)
        assert await store.delete([ONE]) == DeletionReport((), (), (ONE,))
    assert await store.delete([ONE]) == DeletionReport((), (ONE,), ())


async def test_a_folder_that_cannot_be_listed_is_a_store_that_is_away(store: LocalBlobs, tmp_path: Path) -> None:
    await put(store, ONE, b"one")
    (tmp_path / "22").write_text("not a folder")
    with pytest.raises(StoreUnavailableError):
        [info async for info in store.list()]


# Cancelling ----------------------------------------------------------------------------------------------------------


async def test_aborting_waits_for_the_thread_that_still_writes(
    store: LocalBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, go_on = threading.Event(), threading.Event()
    real = os.write

    def slow(descriptor: int, data: bytes) -> int:
        writing.set()
        assert go_on.wait(10)
        return real(descriptor, data)

    writer = await store.create(ONE)
    monkeypatch.setattr(os, "write", slow)
    task = asyncio.create_task(writer.write(bytes(FLUSH_BYTES)))
    await asyncio.to_thread(writing.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    aborting = asyncio.create_task(writer.abort())
    await asyncio.sleep(0.05)
    assert not aborting.done()  # the file number must not be closed under the thread
    go_on.set()
    await aborting
    assert files(tmp_path) == []


async def test_closing_waits_for_the_thread_that_still_reads(
    store: LocalBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(store, ONE, bytes(2 * INLINE_READ_BYTES))
    reading, go_on = threading.Event(), threading.Event()
    real = os.pread

    def slow(descriptor: int, length: int, offset: int) -> bytes:
        reading.set()
        assert go_on.wait(10)
        return real(descriptor, length, offset)

    reader = await store.open(ONE)
    monkeypatch.setattr(os, "pread", slow)
    task = asyncio.create_task(reader.read_at(0, 2 * INLINE_READ_BYTES))
    await asyncio.to_thread(reading.wait, 10)
    closing = asyncio.create_task(reader.close())
    await asyncio.sleep(0.05)
    assert not closing.done()
    go_on.set()
    assert len(await task) == 2 * INLINE_READ_BYTES
    await closing


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_no_file_stays_open(store: LocalBlobs) -> None:
    await put(store, ONE, b"one")
    before = open_files()
    for _ in range(20):
        reader = await store.open(ONE)
        await reader.read_at(0, 3)
        await reader.close()
        writer = await store.create(TWO)
        await writer.write(b"two")
        await writer.abort()
        await store.delete([TWO])
    assert open_files() <= before


@pytest.mark.parametrize("stored", [False, True])
async def test_the_fake_fails_on_request_before_or_after(stored: bool) -> None:
    store = MemoryBlobs()
    store.faults.plan("commit", StoreUnavailableError, stored=stored)
    writer = await store.create(ONE)
    with pytest.raises(StoreUnavailableError):
        await writer.commit()
    assert (ONE in store.blobs) == stored
    store.faults.plan("delete", StoreUnavailableError, stored=stored)
    assert await store.delete([ONE]) == DeletionReport((), (), (ONE,))
    assert ONE not in store.blobs
    store.faults.plan("write", StoreFullError, stored=stored)
    writer = await store.create(TWO)
    with pytest.raises(StoreFullError):
        await writer.write(b"two")
