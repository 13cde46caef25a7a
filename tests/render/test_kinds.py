from __future__ import annotations

import random
import struct
import zipfile
from pathlib import Path

import pytest

from service.render import images, offices, probe
from service.render.found import (
    DOCX,
    GIF,
    JPEG,
    OCTETS,
    OLE,
    PDF,
    PNG,
    PPTX,
    RTF,
    TEXT,
    TIFF,
    WORD_PERFECT,
    XLSX,
    ZIP,
    Found,
)
from service.render.sniff import HEAD_BYTES, announced
from tests.render import samples
from tests.scale import count

OLE_HEAD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def examine(data: bytes) -> Found:
    """What a probe would answer, without the process."""
    media_type = announced(data[:HEAD_BYTES])
    return probe.examine(media_type, data)


WHOLE = {
    "pdf": (samples.pdf(3), Found(PDF, "readable", 3)),
    "pdf after other bytes": (b"\r\n" + b"x" * 1000 + samples.pdf(), Found(PDF, "readable", 1)),
    "locked pdf": (samples.locked_pdf(), Found(PDF, "locked")),
    "docx": (samples.docx(), Found(DOCX, "readable")),
    "xlsx": (
        samples.office("openxmlformats-officedocument.spreadsheetml.sheet.main+xml", part="xl/workbook.xml"),
        Found(XLSX, "readable"),
    ),
    "pptx": (
        samples.office("openxmlformats-officedocument.presentationml.presentation.main+xml"),
        Found(PPTX, "readable"),
    ),
    "docm": (
        samples.office("ms-word.document.macroEnabled.main+xml"),
        Found("application/vnd.ms-word.document.macroenabled.12", "readable"),
    ),
    "odt": (
        samples.package({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": b"<x/>"}),
        Found("application/vnd.oasis.opendocument.text", "readable"),
    ),
    "zip of another kind": (samples.package({"mimetype": b"text/evil"}), Found(ZIP, "readable")),
    "zip with other content types": (samples.package({"[Content_Types].xml": b"<Types/>"}), Found(ZIP, "readable")),
    "zip": (samples.package({"a.txt": b"a", "b/": b""}), Found(ZIP, "readable")),
    "empty zip": (samples.package({}), Found(ZIP, "readable")),
    "locked zip": (samples.locked_zip(), Found(ZIP, "locked")),
    "png": (samples.png(), Found(PNG, "readable", 1)),
    "jpeg": (samples.jpeg(), Found(JPEG, "readable", 1)),
    "gif": (samples.gif(), Found(GIF, "readable", 1)),
    "gif without colours": (samples.gif(colours=False, images=3), Found(GIF, "readable", 1)),
    "tiff": (samples.tiff(), Found(TIFF, "readable", 1)),
    "tiff of three pages": (samples.tiff(3, order=">"), Found(TIFF, "readable", 3)),
    "rtf": (b"{\\rtf1 Dear {\\b client}}\r\n\0", Found(RTF, "readable")),
    "word perfect": (samples.word_perfect(), Found(WORD_PERFECT, "readable")),
    "locked word perfect": (samples.word_perfect(password=1), Found(WORD_PERFECT, "locked")),
    "old office": (OLE_HEAD + bytes(600), Found(OLE, "unknown")),
    "locked new office": (
        OLE_HEAD + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600),
        Found(OLE, "locked"),
    ),
    "text": (b"Dear client,\r\n\tGr\xc3\xbc\xc3\x9fe\f", Found(TEXT, "readable")),
    "text that begins like a picture": (b"BMW accident report", Found(TEXT, "readable")),
    "text in an old code page": (b"Caf\xe9 \x93quoted\x94, and more of it in plain letters", Found(TEXT, "readable")),
    "wide text": ("Dear client".encode("utf-16"), Found(TEXT, "readable")),
    "wide text the other way": (b"\xfe\xff\x00D\x00e", Found(TEXT, "readable")),
    "text cut in a character at 8 KiB": ("é".encode() * 5_000, Found(TEXT, "readable")),
    "html": (b"<!doctype html><p>x", Found(TEXT, "readable")),
    "mp3": (b"ID3\x03" + bytes(600), Found("audio/mpeg", "unknown")),
    "noise": (random.Random(1).randbytes(5_000), Found(OCTETS, "unknown")),
    "text with zeros at its end": (b"a" * 9_000 + bytes(9), Found(OCTETS, "unknown")),
    "wide text cut in a character": (b"\xff\xfeD", Found(OCTETS, "unknown")),
}
BROKEN = {
    "pdf head alone": (b"%PDF-1.7\n", PDF),
    "zip cut": (samples.docx()[:-30], ZIP),
    "zip changed": (samples.docx()[:200] + b"\xff\xff" + samples.docx()[202:], DOCX),
    "png cut": (samples.png()[:-5], PNG),
    "png changed": (samples.png().replace(b"IDAT", b"IDAT", 1)[:-20] + b"\xff" + samples.png()[-19:], PNG),
    "png of no size": (samples.png(width=0), PNG),
    "png head alone": (samples.png()[:8], PNG),
    "png that begins with another chunk": (samples.png()[:8] + samples.png()[33:], PNG),
    "png with two heads": (samples.png()[:33] + samples.png()[8:], PNG),
    "jpeg cut": (samples.jpeg()[:-2], JPEG),
    "jpeg of no size": (samples.jpeg(width=0), JPEG),
    "jpeg head alone": (b"\xff\xd8\xff", JPEG),
    "jpeg without a scan": (b"\xff\xd8\xff\xe0\x00\x04ab", JPEG),
    "jpeg with noise between": (b"\xff\xd8\xff\xe0\x00\x04ab" + b"xxxx" + samples.jpeg()[8:], JPEG),
    "gif cut": (samples.gif()[:-1], GIF),
    "gif without an image": (samples.gif(images=0), GIF),
    "gif head alone": (b"GIF89a", GIF),
    "gif of an unknown block": (samples.gif()[:-1] + b"\x99\x3b", GIF),
    "tiff head alone": (b"II*\0", TIFF),
    "tiff pointing outside": (b"II*\0" + struct.pack("<I", 10_000), TIFF),
    "tiff without entries": (b"II*\0" + struct.pack("<IHI", 8, 0, 0), TIFF),
    "tiff cut in a directory": (samples.tiff()[:-3], TIFF),
    "tiff going in a circle": (samples.tiff()[:-4] + struct.pack("<I", 8), TIFF),
    "rtf cut": (b"{\\rtf1 Dear client", RTF),
    "word perfect cut": (samples.word_perfect()[:12], WORD_PERFECT),
    "word perfect macro": (samples.word_perfect()[:9] + b"\x01" + samples.word_perfect()[10:], WORD_PERFECT),
    "word perfect pointing outside": (samples.word_perfect()[:4] + b"\xff" + samples.word_perfect()[5:], WORD_PERFECT),
}


@pytest.mark.parametrize(("data", "expected"), WHOLE.values(), ids=WHOLE)
def test_a_file_is_what_its_bytes_show(data: bytes, expected: Found) -> None:
    assert examine(data) == expected


@pytest.mark.parametrize(("data", "media_type"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_unreadable(data: bytes, media_type: str) -> None:
    assert examine(data) == Found(media_type, "unreadable")


@pytest.mark.parametrize("sample", [name for name, (_, found) in WHOLE.items() if found.condition != "unknown"])
def test_no_cut_and_no_changed_byte_makes_an_examiner_fail(sample: str) -> None:
    data, source = WHOLE[sample][0][:3_000], random.Random(sample)
    for _ in range(count(400)):
        changed = bytearray(data[: source.randrange(1, len(data) + 1)])
        for _ in range(source.randrange(4)):
            changed[source.randrange(len(changed))] = source.randrange(256)
        found = examine(bytes(changed))
        assert found.condition in {"readable", "unreadable", "locked", "unknown", "unexamined"}


def test_a_package_that_unpacks_to_too_much_is_left_unexamined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offices, "MAX_UNPACKED_BYTES", 100_000)
    bomb = samples.package({"bomb": bytes(1_000_000)})
    assert len(bomb) < 2_000
    assert examine(bomb) == Found(ZIP, "unexamined")


def test_a_package_of_too_many_entries_is_left_unexamined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offices, "MAX_ENTRIES", 3)
    assert examine(samples.package(dict.fromkeys("abcd", b""))) == Found(ZIP, "unexamined")


def test_a_package_that_says_less_than_it_holds_is_unreadable() -> None:
    made = bytearray(samples.package({"a": bytes(5_000)}, zipfile.ZIP_DEFLATED))
    struct.pack_into("<I", made, made.index(b"PK\x01\x02") + 24, 10)  # the directory's uncompressed size
    assert examine(bytes(made)) == Found(ZIP, "unreadable")


def test_a_package_packed_in_an_unknown_way_is_left_unexamined() -> None:
    made = bytearray(samples.package({"a": b"aaaa"}))
    struct.pack_into("<H", made, 8, 97)
    struct.pack_into("<H", made, made.index(b"PK\x01\x02") + 10, 97)
    assert examine(bytes(made)) == Found(ZIP, "unexamined")


def test_a_tiff_of_endless_pages_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_TIFF_PAGES", 2)
    assert examine(samples.tiff(3)) == Found(TIFF, "unreadable")


DOCUMENTS = Path(__file__).resolve().parents[3] / "shared" / "documents"


@pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the folder of real papers is not there")
def test_real_papers_are_what_people_would_say() -> None:
    found = {each.name: examine(each.read_bytes()) for each in DOCUMENTS.iterdir() if each.stat().st_size}
    assert found.pop("README.md") == Found(TEXT, "readable")
    assert found.pop("word-docx.docx") == Found(DOCX, "readable")
    assert found.pop("word-perfect.wpd") == Found(WORD_PERFECT, "readable")
    assert found["broken-mime.pdf"] == Found(PDF, "readable", 23)
    for name, each in found.items():
        assert (each.media_type, each.condition) == (PDF, "readable"), name
        assert each.pages
