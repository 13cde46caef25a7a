"""The text of files, as somebody reads it who opens them; what is hidden or broken, too large or a bomb gives none."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from service.render import gathered, packages, texts
from service.render.texts import READ, REFUSALS, Read
from tests.render import samples
from tests.scale import count

DOCUMENTS = Path(__file__).resolve().parents[3] / "shared" / "documents"


def said(data: bytes) -> str:
    found = texts.read(data)
    assert found.word == READ
    return found.text.decode()


def why(data: bytes) -> str:
    found = texts.read(data)
    assert found.text == b""
    return found.word


def test_the_text_of_a_pdf_comes_page_by_page() -> None:
    assert said(samples.pdf_with(samples.line("First page"), samples.line("Second"))) == "First page\fSecond"


def test_text_behind_the_picture_of_a_page_is_read() -> None:
    assert said(samples.pdf_with(samples.line("Recognised", mode=3))) == "Recognised"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (samples.pdf(2), "scanned"),
        (samples.locked_pdf(), "unreadable"),
        (b"%PDF-1.7\n", "unreadable"),
        (b"", "empty"),
        (b" \n", "empty"),
        (samples.word(""), "empty"),
        (samples.png(), "type"),
        (samples.package({"a.txt": b"a"}), "type"),
        (b"{\\rtf1 Dear}", "type"),
        (samples.docx()[:-30], "unreadable"),
        (b"a" * 9_000 + bytes(9), "unreadable"),
    ],
)
def test_a_file_without_text_says_why(data: bytes, reason: str) -> None:
    assert why(data) == reason
    assert reason in REFUSALS


@pytest.mark.parametrize(
    "data",
    ["Grüße\r\nan alle".encode(), "Grüße\nan alle".encode("utf-16"), "Grüße\ran alle".encode("cp1252")],
)
def test_plain_text_is_decoded(data: bytes) -> None:
    assert said(data) == "Grüße\nan alle"


def test_controls_are_no_text() -> None:
    assert said(b"\x1b[31mred\x1a\x0c next") == "[31mred\f next"


def test_a_word_file_is_read_as_it_is_shown() -> None:
    body = (
        samples.paragraph("Dear ", "client")
        + "<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t></w:r></w:p>"
        + "<w:p><w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:ins><w:r><w:t>new</w:t></w:r></w:ins>"
        + "<w:moveFrom><w:r><w:t>elsewhere</w:t></w:r></w:moveFrom>"
        + "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>"
        + '<w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t> seen</w:t></w:r></w:p>'
        + "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>one</w:t></w:r></w:p></w:tc><w:tc/></w:tr></w:tbl>"
        + "<w:p><w:pPr><w:tabs><w:tab/></w:tabs></w:pPr></w:p>"
    )
    notes = f"<w:footnotes {samples.WORD}>{samples.paragraph('A note')}</w:footnotes>".encode()
    data = samples.word(body, {"word/footnotes.xml": notes}, n="footnotes footnotes.xml", o="image media/a.png")
    assert said(data) == "Dear client\na\tb\nc\nnew seen\none \t\t\n\n\nA note\n"


def test_text_that_stands_there_twice_is_read_once() -> None:
    both = "<mc:Choice><w:t>box</w:t></mc:Choice><mc:Fallback><w:p><w:r><w:t>box</w:t></w:r></w:p></mc:Fallback>"
    body = f'<w:p><w:r><mc:AlternateContent xmlns:mc="urn:mc">{both}</mc:AlternateContent></w:r></w:p>'
    assert said(samples.word(body)) == "box\n"


def test_a_workbook_is_read_sheet_by_sheet_without_what_it_hides() -> None:
    strings = f"<sst {samples.SHEET}><si><t>shared</t><rPh><t>spoken</t></rPh></si></sst>".encode()
    rows = (
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1"><v>12.5</v></c><c r="D1" t="inlineStr"><is><t>in</t></is></c>'
        '</row><row hidden="1"><c><v>7</v></c></row><row><c r="B3"><v>8</v></c><c><v>9</v></c></row>'
    )
    data = samples.sheets(
        '<sheet name="Bills" sheetId="1" r:id="a"/><sheet name="Secret" state="hidden" r:id="b"/>'
        '<sheet name="Lost" r:id="zz"/>',
        {
            "xl/sharedStrings.xml": strings,
            "xl/worksheets/one.xml": samples.sheet(rows, '<cols><col min="4" max="4" hidden="1"/></cols>'),
            "xl/worksheets/two.xml": samples.sheet("<row><c><v>42</v></c></row>"),
        },
        a="worksheet worksheets/one.xml",
        b="worksheet worksheets/two.xml",
        s="sharedStrings sharedStrings.xml",
    )
    assert said(data) == "Bills\nshared\t\t12.5\n\t8\t9\n\fLost\n"


def test_a_presentation_is_read_slide_by_slide_without_those_that_are_hidden() -> None:
    assert said(samples.show({"One": "", "Two": 'show="0"', "Three": 'show="1"'})) == "One\n\fThree\n"


# Attacks --------------------------------------------------------------------------------------------------------------

LAUGHS = "<!DOCTYPE a [<!ENTITY b 'ha'><!ENTITY c '&b;&b;&b;&b;'>]>"
OUTSIDE = "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>"


@pytest.mark.parametrize("declared", [LAUGHS, OUTSIDE, "<!DOCTYPE a>", '<!DOCTYPE a SYSTEM "http://x.example/a.dtd">'])
def test_a_document_type_or_an_entity_is_refused(declared: str) -> None:
    body = f"{declared}<w:document {samples.WORD}><w:p><w:r><w:t>&b;</w:t></w:r></w:p></w:document>"
    assert why(samples.word("", {"word/document.xml": body.encode()})) == "unreadable"


def test_a_package_that_unpacks_to_too_much_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "MAX_UNPACKED_BYTES", 100_000)
    bomb = samples.word(f"<w:p>{' ' * 1_000_000}</w:p>")
    assert len(bomb) < 5_000
    assert why(bomb) == "too_large"


def test_a_package_of_too_many_entries_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "MAX_ENTRIES", 2)
    assert why(samples.word(samples.paragraph("a"))) == "too_large"


@pytest.mark.parametrize("text", ["a" * 51, "é" * 26])
def test_more_text_than_is_answered_with_is_too_large(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathered, "MAX_TEXT_BYTES", 50)
    assert why(text.encode()) == "too_large"
    assert why(samples.word(samples.paragraph(text))) == "too_large"
    assert said(text.encode()[:50]) == text.encode()[:50].decode()


def test_a_sheet_that_names_a_string_that_is_not_there_is_unreadable() -> None:
    for named in ("9", "x"):
        rows = f'<row><c t="s"><v>{named}</v></c></row>'
        more = {"xl/worksheets/one.xml": samples.sheet(rows)}
        data = samples.sheets('<sheet name="A" r:id="a"/>', more, a="worksheet worksheets/one.xml")
        assert why(data) == "unreadable"


def test_what_overwhelms_the_process_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def overwhelmed(_: bytes) -> str:
        raise MemoryError

    monkeypatch.setattr(texts, "package_type", overwhelmed)
    assert texts.read(samples.docx()) == Read("failed", b"")


def test_no_cut_and_no_changed_byte_makes_reading_fail() -> None:
    for data in (
        samples.word(samples.paragraph("Dear client")),
        samples.show({"One": ""}),
        samples.pdf_with(samples.line("First")),
    ):
        source = random.Random(len(data))
        for _ in range(count(200)):
            changed = bytearray(data[: source.randrange(1, len(data) + 1)])
            for _ in range(source.randrange(4)):
                changed[source.randrange(len(changed))] = source.randrange(256)
            assert texts.read(bytes(changed)).word in REFUSALS | {READ}


@pytest.mark.skipif(not DOCUMENTS.is_dir(), reason="the folder of real papers is not there")
def test_real_papers_are_read() -> None:
    found = {each.name: texts.read(each.read_bytes()) for each in DOCUMENTS.iterdir()}
    assert found["image-pdf-2.pdf"].word == "scanned"
    assert found["empty.pdf"].word == "empty"
    assert found["word-perfect.wpd"].word == "type"
    assert b"IN THE SUPREME COURT OF NORTH CAROLINA" in found["broken-mime.pdf"].text
    assert found["broken-mime.pdf"].text.count(b"\f") == 22
    assert b"Current Discharge" in found["word-docx.docx"].text
    assert sum(each.word == READ for each in found.values()) == len(found) - 3
