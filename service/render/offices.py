"""Office files: zip packages, RTF, WordPerfect, OLE storage. Bytes in, `Found` out; runs in a probe.

A package is read through to its end, so that every checksum is tried, but never more than `MAX_UNPACKED_BYTES` of it:
what unpacks to more is left unexamined. Nothing within a package is parsed but its list of content types.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Final

from service.render.found import DOCX, OLE, PPTX, RTF, WORD_PERFECT, XLSX, ZIP, Found
from service.render.packages import MAX_ENTRIES, MAX_UNPACKED_BYTES, BrokenError

_STEP: Final = 65_536
_TYPES_NAME: Final = "[Content_Types].xml"
_MAX_TYPES_BYTES: Final = 1_048_576
_ENCRYPTED: Final = 0x1
_PREFIX_BYTES, _WORD_PERFECT_ITSELF, _DOCUMENT = 16, 1, 10

# What the list of content types says of the main part, and the type of the package. Source: ECMA-376, part 1.
_PACKAGES: Final = {
    b"wordprocessingml.document.main+xml": DOCX,
    b"spreadsheetml.sheet.main+xml": XLSX,
    b"presentationml.presentation.main+xml": PPTX,
    b"ms-word.document.macroEnabled.main+xml": "application/vnd.ms-word.document.macroenabled.12",
    b"ms-excel.sheet.macroEnabled.main+xml": "application/vnd.ms-excel.sheet.macroenabled.12",
    b"ms-powerpoint.presentation.macroEnabled.main+xml": "application/vnd.ms-powerpoint.presentation.macroenabled.12",
}
_OPEN_DOCUMENT: Final = "application/vnd.oasis.opendocument."
_OPEN_DOCUMENTS: Final = frozenset(
    _OPEN_DOCUMENT + kind for kind in ("text", "spreadsheet", "presentation", "graphics")
)
# An encrypted Office document is OLE storage with a stream of this name (MS-OFFCRYPTO, section 1.3.3), in UTF-16.
_ENCRYPTED_PACKAGE: Final = "EncryptedPackage".encode("utf-16-le")
# Errors that zipfile and its decompressors raise for bytes that are not what they claim.
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, KeyError, IndexError)


class _TooMuchError(Exception):
    """The package unpacks to more than is examined."""


def package(data: bytes) -> Found:
    """Tell which package a zip file is, and try every entry."""
    media_type = ZIP
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES:
                return Found(ZIP, "unexamined")
            if any(entry.flag_bits & _ENCRYPTED for entry in entries):
                return Found(ZIP, "locked")
            media_type = _package_type(archive)
            _unpack(archive, entries)
    except (_TooMuchError, NotImplementedError):
        return Found(media_type, "unexamined")
    except _BROKEN:
        return Found(media_type, "unreadable")
    return Found(media_type, "readable")


def package_type(data: bytes) -> str:
    """Tell which package a zip file is, by its list of content types alone.

    Raises:
        BrokenError: it is none that opens.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _package_type(archive)
    except (*_BROKEN, NotImplementedError, RuntimeError) as error:
        raise BrokenError from error


def _package_type(archive: zipfile.ZipFile) -> str:
    names = archive.namelist()
    if _TYPES_NAME in names:
        types = _beginning(archive, _TYPES_NAME)
        return next((media_type for said, media_type in _PACKAGES.items() if said in types), ZIP)
    if "mimetype" in names:
        said = _beginning(archive, "mimetype").decode("ascii", "replace").strip()
        return said if said in _OPEN_DOCUMENTS else ZIP
    return ZIP


def _beginning(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as entry:
        return entry.read(_MAX_TYPES_BYTES)


def _unpack(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> None:
    unpacked = 0
    for entry in entries:
        with archive.open(entry) as opened:
            while piece := opened.read(_STEP):
                unpacked += len(piece)
                if unpacked > MAX_UNPACKED_BYTES:
                    raise _TooMuchError


def rtf(data: bytes) -> Found:
    """An RTF file ends with the brace that its first one opened."""
    whole = data.rstrip(b"\0\r\n\t \x1a").endswith(b"}")
    return Found(RTF, "readable" if whole else "unreadable")


def word_perfect(data: bytes) -> Found:
    """Read the file prefix: where the text begins, what kind of file, whether a password is needed.

    Source: the WordPerfect file prefix as described by libwpd (WPXHeader).
    """
    if len(data) < _PREFIX_BYTES:
        return Found(WORD_PERFECT, "unreadable")
    text_at = int.from_bytes(data[4:8], "little")
    product, kind, password = data[8], data[9], int.from_bytes(data[12:14], "little")
    if product != _WORD_PERFECT_ITSELF or kind != _DOCUMENT or not _PREFIX_BYTES <= text_at <= len(data):
        return Found(WORD_PERFECT, "unreadable")
    return Found(WORD_PERFECT, "locked" if password else "readable")


def ole(data: bytes) -> Found:
    """Old Office files are not examined; a package encrypted with a password shows itself by a name."""
    return Found(OLE, "locked" if _ENCRYPTED_PACKAGE in data else "unknown")
