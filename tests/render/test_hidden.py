"""What lies hidden in files is told by words and counts, and never by what it says."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Iterator
from pathlib import Path

import docx
import pytest
from PIL import Image

from service.render import hidden, hidden_pdfs, probe
from service.render.examine import Examination
from service.render.found import PDF, Found
from service.render.probes import Probes
from service.render.sniff import HEAD_BYTES, announced
from tests.render import samples
from tests.scale import count

DOCUMENTS = Path(__file__).resolve().parents[3] / "shared" / "documents"


def look(data: bytes) -> dict[str, int] | None:
    """What a probe would say, without the process."""
    return hidden.look(probe.examine(announced(data[:HEAD_BYTES]), data), data)


LINE = samples.line("Secret")  # from 72, 700
OVER = "0 0 0 rg 60 690 200 30 re f"


def marked(*kinds: str) -> bytes:
    """A page with annotations of some kinds."""
    marks = " ".join(f"<</Type/Annot/Subtype/{kind}/Rect[0 0 9 9]>>" for kind in kinds)
    return samples.pdf_with(LINE, page=f"/Annots[{marks}]")


PDFS = {
    "nothing": (samples.pdf_with(LINE), {}),
    "a remark": (marked("Text", "Highlight", "Link", "Popup"), {"comments": 2}),
    "a field": (marked("Widget"), {"form_fields": 1}),
    "a name": (
        samples.pdf_with(LINE, objects=("<</Author(Jane Roe)/Producer(Word)>>",), trailer="/Info 6 0 R"),
        {"author": 1, "producer": 1},
    ),
    "no name": (samples.pdf_with(LINE, objects=("<</Author()>>",), trailer="/Info 6 0 R"), {}),
    "a file": (
        samples.pdf_with(
            LINE,
            objects=(
                "<</Type/Filespec/F(a.txt)/EF<</F 7 0 R>>>>",
                "<</Type/EmbeddedFile/Length 1>>\nstream\na\nendstream",
            ),
            catalog="/Names<</EmbeddedFiles<</Names[(a.txt)6 0 R]>>>>",
        ),
        {"attachments": 1},
    ),
    "a script": (
        samples.pdf_with(LINE, catalog="/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>"),
        {"javascript": 1},
    ),
    "a launch": (samples.pdf_with(LINE, catalog="/OpenAction<</S/Launch/F(evil.exe)>>"), {"launch_actions": 1}),
    "a launch by a link": (
        samples.pdf_with(LINE, page="/Annots[<</Subtype/Link/Rect[0 0 9 9]/A<</S/Launch/F(a.exe)>>>>]"),
        {"launch_actions": 1},
    ),
    "a layer that is off": (
        samples.pdf_with(
            LINE,
            objects=("<</Type/OCG/Name(a)>>",),
            catalog="/OCProperties<</OCGs[6 0 R]/D<</OFF[6 0 R]>>>>",
        ),
        {"hidden_layers": 1},
    ),
    "invisible text": (samples.pdf_with(samples.line("Recognised", mode=3)), {"invisible_text": 1}),
    "text off the page": (samples.pdf_with(f"{LINE} {samples.line('Away', at=-300)}"), {"off_page_text": 1}),
    "a bad redaction": (samples.pdf_with(f"{LINE} {OVER}"), {"covered_text": 1}),
    "black on black": (samples.pdf_with(f"{OVER} {LINE}"), {"covered_text": 1}),
    "white on black": (samples.pdf_with(f"{OVER} 1 1 1 rg {LINE}"), {}),
    "a light box": (samples.pdf_with(f"{LINE} 1 1 .9 rg 60 690 200 30 re f"), {}),
    "a frame": (samples.pdf_with(f"{LINE} 60 690 200 30 re S"), {}),
    "a rule": (samples.pdf_with(f"{LINE} 0 0 0 rg 60 702 200 2 re f"), {}),
    "a slanting box": (samples.pdf_with(f"{LINE} 60 690 m 260 690 l 300 720 l 90 720 l f"), {}),
    "a box beside": (samples.pdf_with(f"{LINE} 0 0 0 rg 60 600 200 30 re f"), {}),
    "a dark page": (samples.pdf_with(f"1 1 1 rg {LINE} 0 0 0 rg 0 0 612 792 re f"), {}),
}
BARE = samples.word(samples.paragraph("Dear client"))
CHANGED = (
    "<w:p><w:ins><w:r><w:t>a</w:t></w:r><w:r><w:t>b</w:t></w:r></w:ins><w:del><w:r><w:delText>c</w:delText></w:r></w:del>"
    "<w:moveFrom><w:r><w:t>d</w:t></w:r></w:moveFrom><w:moveTo><w:r><w:t>d</w:t></w:r></w:moveTo>"
    "<w:pPr><w:rPr><w:ins/><w:vanish/></w:rPr></w:pPr><w:r><w:rPr><w:vanish/></w:rPr><w:t>e</w:t></w:r></w:p>"
)
REMARKS = f"<w:comments {samples.WORD}><w:comment/><w:comment/></w:comments>".encode()
CORE = b"<p:coreProperties xmlns:p='urn:p' xmlns:d='urn:d'><d:creator>Jane Roe</d:creator></p:coreProperties>"
NOBODY = CORE.replace(b"Jane Roe", b" ")
ONE = {"xl/worksheets/one.xml": samples.sheet('<row hidden="1"/><row hidden="0"/>', '<cols><col hidden="1"/></cols>')}
SHEETS = '<sheet name="A" r:id="a"/><sheet name="B" state="veryHidden" r:id="b"/>'
NOTES = f"<p:notes {samples.SLIDE}><a:p><a:fld><a:t>1</a:t></a:fld>{{}}</a:p></p:notes>"
OFFICES = {
    "nothing": (BARE, {}),
    "changes": (samples.word(CHANGED), {"deletions": 2, "hidden_text": 1, "insertions": 2}),
    "remarks": (samples.word("", {"word/comments.xml": REMARKS}), {"comments": 2}),
    "a name": (samples.word("", {"docProps/core.xml": CORE}), {"author": 1}),
    "nobody's name": (samples.word("", {"docProps/core.xml": NOBODY}), {}),
    "data of its own": (
        samples.word(
            "", {"customXml/item1.xml": b"<a/>", "customXml/itemProps1.xml": b"<a/>", "docProps/custom.xml": b"<a/>"}
        ),
        {"custom_data": 2},
    ),
    "macros": (samples.word("", {"word/vbaProject.bin": b"x"}), {"macros": 1}),
    "something embedded": (samples.word("", {"word/embeddings/a.bin": b"x"}), {"embedded_objects": 1}),
    "sheets": (
        samples.sheets(SHEETS, ONE, a="worksheet worksheets/one.xml"),
        {"hidden_columns": 1, "hidden_rows": 1, "hidden_sheets": 1},
    ),
    "sheets that take from elsewhere": (
        samples.sheets('<sheet name="A" r:id="a"/>', {"xl/externalLinks/externalLink1.xml": b"<a/>"}),
        {"external_links": 1},
    ),
    "remarks on cells": (
        samples.sheets("", {"xl/comments1.xml": f"<comments {samples.SHEET}><comment/></comments>".encode()}),
        {"comments": 1},
    ),
    "slides": (samples.show({"One": "", "Two": 'show="0"'}), {"hidden_slides": 1}),
    "notes": (
        samples.show(
            {"One": ""},
            {
                "ppt/notesSlides/n1.xml": NOTES.format("<a:r><a:t>Say it twice</a:t></a:r>").encode(),
                "ppt/notesSlides/n2.xml": NOTES.format("").encode(),
                "ppt/comments/c1.xml": f"<p:cmLst {samples.SLIDE}><p:cm/></p:cmLst>".encode(),
            },
        ),
        {"comments": 1, "speaker_notes": 1},
    ),
    "macros in a file that says so": (
        samples.package(
            {
                "[Content_Types].xml": b"application/vnd.ms-word.document.macroEnabled.main+xml",
                "word/vbaProject.bin": b"x",
            }
        ),
        {"macros": 1},
    ),
}


def picture(kind: str, *, gps: bool = False, noted: bool = True) -> bytes:
    """A picture as a camera leaves it."""
    exif = Image.Exif()
    if noted:
        exif[0x010F] = "Camera"
    if gps:
        exif.get_ifd(0x8825)[1] = "N"
    made = io.BytesIO()
    Image.new("RGB", (4, 4)).save(made, kind, **({"exif": exif} if noted or gps else {}))
    return made.getvalue()


def with_xmp(data: bytes) -> bytes:
    block = b"http://ns.adobe.com/xap/1.0/\0<x/>"
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]


IMAGES = {
    "a plain picture": (picture("JPEG", noted=False), {}),
    "a camera's": (picture("JPEG"), {"camera": 1}),
    "a place": (picture("JPEG", gps=True), {"camera": 1, "location": 1}),
    "xmp": (with_xmp(picture("JPEG", noted=False)), {"xmp": 1}),
    "a plain png": (picture("PNG", noted=False), {}),
    "a png with a place": (picture("PNG", gps=True), {"camera": 1, "location": 1}),
}
ALL = {**PDFS, **{f"office: {name}": each for name, each in OFFICES.items()}, **IMAGES}


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine hides nothing from these tests."""
    monkeypatch.setattr(hidden_pdfs, "PAGES_S", 5.0)


@pytest.mark.parametrize(("data", "expected"), ALL.values(), ids=ALL)
def test_what_lies_hidden_is_told(data: bytes, expected: dict[str, int]) -> None:
    assert look(data) == expected
    assert set(expected) <= hidden.WORDS


@pytest.mark.parametrize(
    "data",
    [b"plain text", b"", samples.locked_pdf(), samples.docx()[:-30], samples.gif(), samples.package({"a": b"b"})],
)
def test_nobody_looks_into_what_is_of_another_kind_or_broken(data: bytes) -> None:
    assert look(data) is None


def test_a_file_that_another_program_made_is_looked_into() -> None:
    made, paper = io.BytesIO(), docx.Document()
    paper.core_properties.author = "Jane Roe"
    paper.add_paragraph("Dear client").runs[0].font.hidden = True
    paper.save(made)
    found = look(made.getvalue())
    assert found is not None
    assert (found["author"], found["hidden_text"]) == (1, 1)


def test_pages_for_which_there_was_no_time_are_told_as_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hidden_pdfs, "PAGES_S", -1.0)
    assert look(samples.pdf_with(*[LINE] * 5, catalog="/OpenAction<</S/Launch/F(a)>>")) == {
        "launch_actions": 1,
        "unseen_pages": 5,
    }


def test_what_cannot_be_walked_through_was_not_looked_into() -> None:
    declared = f"<!DOCTYPE a><w:document {samples.WORD}><w:ins /></w:document>".encode()
    assert look(samples.word("", {"word/document.xml": declared})) is None


def test_words_are_spelled_and_read_in_one_way() -> None:
    for said in ({}, {"comments": 3}, {"comments": 3, "macros": 1}):
        assert hidden.read(hidden.spell(said)) == said
    assert hidden.spell(None) == "-"
    for text in (
        "-",
        "",
        "macros=1,comments=3",
        "comments=03",
        "comments=0",
        "evil=1",
        "comments=1,comments=1",
        "comments",
    ):
        assert hidden.read(text) is None
    assert len(hidden.spell(dict.fromkeys(hidden.WORDS, hidden.MOST))) < 900  # with the rest, one answer of a probe


def test_no_cut_and_no_changed_byte_makes_looking_fail() -> None:
    for name, (data, _) in ALL.items():
        source = random.Random(name)
        for _ in range(count(20)):
            changed = bytearray(data)
            for _ in range(source.randrange(1, 4)):
                changed[source.randrange(len(changed))] = source.randrange(256)
            found = look(bytes(changed))
            assert found is None or set(found) <= hidden.WORDS


def test_only_what_is_readable_is_looked_into() -> None:
    data = marked("Text")
    assert hidden.look(Found(PDF, "readable"), data) == {"comments": 1}
    for condition in ("unreadable", "locked", "unexamined", "unknown"):
        assert hidden.look(Found(PDF, condition), data) is None


@pytest.fixture
def probes() -> Iterator[Probes]:
    """Probes whose processes end with the test."""
    made = Probes(1)
    yield made
    made.close()


async def test_a_confined_process_says_it_beside_the_rest(probes: Probes) -> None:
    for data, declared, expected in (
        (samples.pdf_with(f"{LINE} {OVER}"), PDF, {"covered_text": 1}),
        (samples.word("", {"word/comments.xml": REMARKS}), "", {"comments": 2}),
        (marked("Text"), "image/png", {"comments": 1}),  # not what it was said to be, and looked into
        (b"plain", "", None),
    ):
        async with Examination(probes) as examination:
            await examination.feed(data)
            assert (await examination.result(declared)).hidden == expected


@pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the folder of real papers is not there")
def test_real_papers_hide_what_people_would_find() -> None:
    found = {each.name: look(each.read_bytes()) for each in DOCUMENTS.iterdir()}
    assert found["rectangles_yes.pdf"] == {"covered_text": 3, "producer": 1}
    assert found["rectangles_no.pdf"] == {"producer": 1}
    assert found["word-docx.docx"] == {"author": 1, "custom_data": 1}
    assert [name for name, each in found.items() if each is None] != []
    assert all("covered_text" not in (each or {}) for name, each in found.items() if name != "rectangles_yes.pdf")
