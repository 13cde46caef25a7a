"""The zip container: ordinary programs read it, and ours reads no other."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.archive import PIECE_BYTES, Archive, Reader, pack
from audit.errors import BundleError

CONTENTS = {"VERIFY.txt": b"hello\n", "entries.jsonl": b"x\n" * 300_000, "leaves": b"", "manifest.json": b"{}"}


def packed(contents: dict[str, bytes]) -> bytes:
    return b"".join(pack((name, [content]) for name, content in contents.items()))


def opened(data: bytes) -> Archive:
    return Archive(io.BytesIO(data))


def content_of(reader: Reader) -> bytes:
    content = b"".join(iter(lambda: reader.read(70_000), b""))
    reader.require_intact()
    return content


GOOD = packed(CONTENTS)


def test_members_come_back_in_their_order() -> None:
    archive = opened(GOOD)
    assert [member.name for member in archive.members] == list(CONTENTS)
    assert {name: content_of(archive.reader(name)) for name in CONTENTS} == CONTENTS


def test_ordinary_zip_programs_read_it() -> None:
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        assert archive.testzip() is None
        assert {info.filename: archive.read(info) for info in archive.infolist()} == CONTENTS
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


def test_an_archive_of_nothing_is_an_archive() -> None:
    assert opened(packed({})).members == []


@given(contents=st.dictionaries(st.from_regex(r"[a-z]{1,9}", fullmatch=True), st.binary(max_size=99), max_size=5))
def test_any_members_come_back(contents: dict[str, bytes]) -> None:
    archive = opened(packed(contents))
    assert {member.name: content_of(archive.reader(member.name)) for member in archive.members} == contents


def test_the_file_is_the_same_however_the_content_was_cut() -> None:
    assert b"".join(pack([("a", [b"x", b"", b"yz"])])) == packed({"a": b"xyz"})


SMALL = packed({"a": b"first", "b": b"second"})


def test_every_changed_byte_is_refused() -> None:
    for place in range(len(SMALL)):
        changed = bytearray(SMALL)
        changed[place] ^= 0x41
        with pytest.raises(BundleError):
            read_all(bytes(changed))


def read_all(data: bytes) -> None:
    archive = opened(data)
    for member in archive.members:
        content_of(archive.reader(member.name))


@given(place=st.integers(0, len(SMALL) - 1), value=st.integers(0, 255))
def test_any_changed_byte_is_refused(place: int, value: int) -> None:
    changed = bytearray(SMALL)
    changed[place] = value
    if bytes(changed) != SMALL:
        with pytest.raises(BundleError):
            read_all(bytes(changed))


def test_every_truncation_is_refused() -> None:
    for length in range(len(SMALL)):
        with pytest.raises(BundleError):
            opened(SMALL[:length])


def as_others_write(compression: int = zipfile.ZIP_STORED, comment: bytes = b"", name: str = "a") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr(name, b"first" * 50)
        archive.comment = comment
    return file.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(SMALL + b"\0", id="a byte behind"),
        pytest.param(b"\0" + SMALL, id="a byte before"),
        pytest.param(SMALL + SMALL, id="two archives"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"PK", id="two bytes"),
        pytest.param(b"\0" * 5000, id="zeros"),
        pytest.param(as_others_write(), id="written by another program"),
        pytest.param(as_others_write(zipfile.ZIP_DEFLATED), id="compressed"),
        pytest.param(as_others_write(comment=b"hello"), id="with a comment"),
        pytest.param(as_others_write(name="../../etc/passwd"), id="with a path"),
    ],
)
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(BundleError):
        opened(data)


def rewritten_directory(change: Callable[[bytearray], object]) -> bytes:
    """Change the directory and let the end records say its new length, as a careful forger would."""
    start = SMALL.index(b"PK\x01\x02")
    end = SMALL.index(b"PK\x06\x06")
    directory = bytearray(SMALL[start:end])
    change(directory)
    tail = bytearray(SMALL[end:])
    struct.pack_into("<Q", tail, 40, len(directory))
    struct.pack_into("<Q", tail, 56 + 8, start + len(directory))
    return SMALL[:start] + bytes(directory) + bytes(tail)


def test_the_forgers_tool_changes_nothing_by_itself() -> None:
    assert rewritten_directory(lambda directory: None) == SMALL


RECORD = 46 + 1 + 28  # of a member with a name of one letter


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda directory: directory.extend(b"PK"), id="a stub behind"),
        pytest.param(lambda directory: directory.extend(directory[:RECORD]), id="a member twice"),
        pytest.param(lambda directory: directory.__delitem__(slice(0, RECORD)), id="a member hidden"),
        pytest.param(
            lambda directory: directory.__setitem__(slice(0, 2 * RECORD), directory[RECORD:] + directory[:RECORD]),
            id="order",
        ),
        pytest.param(lambda directory: directory.__setitem__(46, ord("b")), id="another name"),
        pytest.param(lambda directory: directory.__setitem__(46, 0xFF), id="a name that is no text"),
        pytest.param(lambda directory: directory.__setitem__(10, 8), id="said to be compressed"),
        pytest.param(lambda directory: directory.__setitem__(28, 200), id="a name out of bounds"),
        pytest.param(lambda directory: struct.pack_into("<Q", directory, 51, 1 << 63), id="a huge size"),
        pytest.param(lambda directory: struct.pack_into("<Q", directory, 51, 4), id="a smaller size"),
        pytest.param(lambda directory: struct.pack_into("<Q", directory, 67, 1 << 63), id="a huge offset"),
        pytest.param(lambda directory: directory.extend(directory[:RECORD] * 100), id="too many members"),
        pytest.param(lambda directory: directory.extend(bytes(70_000)), id="a huge directory"),
    ],
)
def test_a_forged_directory_is_refused(change: Callable[[bytearray], object]) -> None:
    with pytest.raises(BundleError):
        read_all(rewritten_directory(change))


def test_a_member_longer_than_its_limit_is_not_read() -> None:
    with pytest.raises(BundleError, match="longer than 5"):
        opened(GOOD).read("VERIFY.txt", 5)
    assert opened(GOOD).read("VERIFY.txt", 6) == b"hello\n"


def test_a_wrong_checksum_is_found_when_the_member_was_read() -> None:
    damaged = SMALL.replace(b"first", b"fierst"[:5])
    with pytest.raises(BundleError, match="CRC"):
        opened(damaged).read("a", 5)


def test_two_readers_read_by_turns() -> None:
    archive = opened(SMALL)
    first, second = archive.reader("a"), archive.reader("b")
    assert [first.read(2), second.read(3), first.read(9), second.read(9)] == [b"fi", b"sec", b"rst", b"ond"]
    first.require_intact()
    second.require_intact()


class Failing(io.BytesIO):
    """A file that can be read for a while."""

    def __init__(self, data: bytes, reads: int, failure: OSError | None) -> None:
        super().__init__(data)
        self._reads, self._failure = reads, failure

    def read(self, length: int | None = -1, /) -> bytes:
        self._reads -= 1
        if self._reads >= 0:
            return super().read(length)
        if self._failure:
            raise self._failure
        return super().read(length)[:-1]


@pytest.mark.parametrize("failure", [OSError(5, "Input/output error"), None])
def test_a_failing_disk_and_a_shrinking_file_are_no_broken_log(failure: OSError | None) -> None:
    needed = 8  # reads until the content of a member is there
    for reads in range(needed):
        with pytest.raises(BundleError, match="read"):
            opened_after(reads, failure)
    assert opened_after(needed, failure) == b"first"


def opened_after(reads: int, failure: OSError | None) -> bytes:
    return Archive(Failing(SMALL, reads, failure)).read("a", 5)


def test_lines_come_whole_over_the_edges_of_pieces() -> None:
    lines = [b"%d" % number * 7 for number in range(60_000)]
    data = b"".join(line + b"\n" for line in lines)
    assert len(data) > 2 * PIECE_BYTES
    reader = opened(packed({"a": data})).reader("a")
    assert [line for page in reader.lines(100) for line in page] == lines


def test_an_unfinished_last_line_is_shown_and_then_refused() -> None:
    pages = opened(packed({"a": b"one\ntwo"})).reader("a").lines(100)
    assert [next(pages), next(pages)] == [[b"one"], [b"two"]]
    with pytest.raises(BundleError, match="does not end"):
        next(pages)


def test_an_endless_line_is_refused_before_it_fills_the_memory() -> None:
    pages = opened(packed({"a": b"x" * 3 * PIECE_BYTES})).reader("a").lines(1000)
    with pytest.raises(BundleError, match="1000"):
        list(pages)


def test_a_large_archive_is_written_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    with path.open("wb") as file:
        file.writelines(pack([("a", (bytes(1 << 20) for _ in range(64)))]))
    with path.open("rb") as file:
        archive = Archive(file)
        assert archive.members[0].size == 64 << 20
