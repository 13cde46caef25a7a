"""A zip file of one exact form: members stored, streamed, in order, nothing between them and nothing behind.

Rules kept here:

* what is read is what was meant: the reader takes name, CRC-32 and size of each member from the directory, rebuilds
  every byte of structure from them and refuses a file that differs in one. Duplicates, gaps, comments, hidden bytes,
  two answers for two zip programs and compression (so bombs too) have no room in it;
* memory does not grow with the file: the directory is bounded, members are read in pieces;
* a CRC is looked at last. It guards against accidents only, and whoever reads a member compares hashes first, so that a
  changed byte is reported as the entry it is in.

It knows nothing of what the members mean (bundle.py does).

Source: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3; FORMAT.md, section 8.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from audit.errors import BundleError

MEMBERS: Final = 80
DIRECTORY_BYTES: Final = 65_536
PIECE_BYTES: Final = 262_144  # read at a time

_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_DESCRIPTOR: Final = struct.Struct("<4sLQQ")
_LOCAL_EXTRA: Final = struct.pack("<HHQQ", 1, 16, 0, 0)
_CENTRAL_EXTRA: Final = struct.Struct("<HHQQQ")
_END: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR: Final = struct.Struct("<4sLQL")
_LAST: Final = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
_TAIL_BYTES: Final = _END.size + _LOCATOR.size + len(_LAST)
_VERSION: Final = 45  # ZIP64
_STREAMED: Final = 0x0008  # CRC and sizes follow the data
_DATE: Final = 0x0021  # 1980-01-01: a bundle has no time but its content's
_FILE_MODE: Final = 0o100644 << 16
_UNKNOWN: Final = 0xFFFFFFFF  # "see the ZIP64 field"


@dataclass(frozen=True, slots=True)
class Member:
    """One member as the directory has it."""

    name: str
    crc: int
    size: int
    offset: int  # of its local header

    @property
    def data_offset(self) -> int:
        """Where its bytes begin."""
        return self.offset + _LOCAL.size + len(self.name) + len(_LOCAL_EXTRA)

    @property
    def end(self) -> int:
        """Where the next thing begins."""
        return self.data_offset + self.size + _DESCRIPTOR.size


def pack(members: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
    """Write a zip file as a stream of pieces.

    Args:
        members: names (ASCII) with their content; each content is read to its end before the next member is asked for.
    """
    written: list[Member] = []
    offset = 0
    for name, content in members:
        yield _local_header(name)
        crc = size = 0
        for piece in content:
            crc, size = zlib.crc32(piece, crc), size + len(piece)
            yield piece
        member = Member(name, crc, size, offset)
        yield _descriptor(member)
        written.append(member)
        offset = member.end
    yield _directory(written, offset)


class Archive:
    """An opened zip file of our form; the structure of the whole file has been compared byte by byte.

    Raises:
        BundleError: another form.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._length = file.seek(0, 2)
        self.members = self._read_directory()
        end = 0
        for member in self.members:
            if member.offset != end:
                raise BundleError("the members of the zip file do not follow one another")
            self._require(member.offset, _local_header(member.name))
            self._require(member.data_offset + member.size, _descriptor(member))
            end = member.end
        self._require(end, _directory(self.members, end))

    def reader(self, name: str) -> Reader:
        """Open a member to be read in pieces; several may be read by turns."""
        return Reader(self._file, next(member for member in self.members if member.name == name))

    def read(self, name: str, limit: int) -> bytes:
        """Read a small member whole.

        Raises:
            BundleError: it is longer than the limit, or its CRC-32 is wrong.
        """
        reader = self.reader(name)
        if reader.size > limit:
            raise BundleError(f"{name} is longer than {limit} bytes", evidence={"bytes": reader.size})
        content = reader.read(limit)
        reader.require_intact()
        return content

    def _read_directory(self) -> list[Member]:
        start = self._length - _TAIL_BYTES
        tail = self._at(start, _TAIL_BYTES) if start >= 0 else b""
        if not tail.endswith(_LAST):
            raise BundleError("the file is not a bundle, or not all of it is here")
        count, directory_bytes, directory_offset = _END.unpack_from(tail)[7:]
        if count > MEMBERS or directory_bytes > DIRECTORY_BYTES or directory_offset + directory_bytes != start:
            raise BundleError("the directory of the zip file is out of bounds")
        directory = self._at(directory_offset, directory_bytes)
        members: list[Member] = []
        at = 0
        while at < directory_bytes:
            member, at = _central_record(directory, at)
            members.append(member)
        return members

    def _require(self, offset: int, expected: bytes) -> None:
        if self._at(offset, len(expected)) != expected:
            raise BundleError("the file was not written by this program, or was changed", evidence={"offset": offset})

    def _at(self, offset: int, length: int) -> bytes:
        return _read_at(self._file, offset, length) if offset + length <= self._length else b""


class Reader:
    """Reads one member from its beginning to its end."""

    def __init__(self, file: BinaryIO, member: Member) -> None:
        self._file = file
        self._member = member
        self._done = 0
        self._crc = 0

    @property
    def size(self) -> int:
        """Length of the member in bytes."""
        return self._member.size

    def read(self, length: int) -> bytes:
        """Return the next bytes, fewer only at the end.

        Raises:
            BundleError: the file cannot be read, or became shorter since it was opened.
        """
        wanted = min(length, self._member.size - self._done)
        piece = _read_at(self._file, self._member.data_offset + self._done, wanted)
        self._done += len(piece)
        self._crc = zlib.crc32(piece, self._crc)
        return piece

    def lines(self, limit: int) -> Iterator[list[bytes]]:
        """Yield the lines of the member, without their newlines, many at a time.

        A last line without a newline is yielded before it is refused, so that its reader can say what is wrong with it.

        Raises:
            BundleError: a line is longer than ``limit``, or the last one does not end.
        """
        rest = b""
        while piece := self.read(PIECE_BYTES):
            lines = (rest + piece).split(b"\n")
            rest = lines.pop()
            yield lines
            if len(rest) > limit:
                raise BundleError(f"{self._member.name} has a line of more than {limit} bytes")
        if rest:
            yield [rest]
            raise BundleError(f"the last line of {self._member.name} does not end")

    def require_intact(self) -> None:
        """Compare the CRC-32 of what was read.

        Raises:
            BundleError: it differs.
        """
        if self._crc != self._member.crc:
            raise BundleError(f"{self._member.name} is damaged: its CRC-32 is wrong")


def _read_at(file: BinaryIO, offset: int, length: int) -> bytes:
    # A failing disk is no sign of a broken log, and must not be reported as one.
    try:
        file.seek(offset)
        piece = file.read(length)
    except OSError as error:
        raise BundleError(f"the file cannot be read: {error.strerror}") from error
    if len(piece) != length:
        raise BundleError("the file became shorter while it was read")
    return piece


def _local_header(name: str) -> bytes:
    encoded = name.encode("ascii")
    numbers = (_VERSION, _STREAMED, 0, 0, _DATE, 0, _UNKNOWN, _UNKNOWN, len(encoded), len(_LOCAL_EXTRA))
    return _LOCAL.pack(b"PK\x03\x04", *numbers) + encoded + _LOCAL_EXTRA


def _descriptor(member: Member) -> bytes:
    return _DESCRIPTOR.pack(b"PK\x07\x08", member.crc, member.size, member.size)


def _directory(members: list[Member], offset: int) -> bytes:
    """Write the central directory and everything behind it."""
    records = b"".join(_central_header(member) for member in members)
    numbers = (_END.size - 12, _VERSION, _VERSION, 0, 0, len(members), len(members), len(records), offset)
    end = _END.pack(b"PK\x06\x06", *numbers)
    return records + end + _LOCATOR.pack(b"PK\x06\x07", 0, offset + len(records), 1) + _LAST


def _central_header(member: Member) -> bytes:
    made_by = 3 << 8 | _VERSION  # Unix, so that unpacked files get ordinary permissions
    numbers = (made_by, _VERSION, _STREAMED, 0, 0, _DATE, member.crc, _UNKNOWN, _UNKNOWN)
    lengths = (len(member.name), _CENTRAL_EXTRA.size, 0, 0, 0)
    extra = _CENTRAL_EXTRA.pack(1, 24, member.size, member.size, member.offset)
    return _CENTRAL.pack(b"PK\x01\x02", *numbers, *lengths, _FILE_MODE, _UNKNOWN) + member.name.encode() + extra


def _central_record(directory: bytes, at: int) -> tuple[Member, int]:
    """Read name, CRC, size and offset of the record at ``at``; everything else is compared when it is rebuilt."""
    try:
        numbers = _CENTRAL.unpack_from(directory, at)
        name_at = at + _CENTRAL.size
        extra_at = name_at + numbers[10]
        name = directory[name_at:extra_at].decode("ascii")
        _, _, size, _, offset = _CENTRAL_EXTRA.unpack_from(directory, extra_at)
    except (struct.error, UnicodeDecodeError) as error:
        raise BundleError("the directory of the zip file cannot be read") from error
    return Member(name, numbers[7], size, offset), extra_at + _CENTRAL_EXTRA.size
