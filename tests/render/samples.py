"""Small files of each kind, made here, whole and broken."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib


def pdf(pages: int = 1, *, trailer: str = "", objects: tuple[str, ...] = ()) -> bytes:
    """A PDF with empty pages; further objects are numbered from ``pages + 3``."""
    kids = " ".join(f"{number + 3} 0 R" for number in range(pages))
    bodies = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {pages}>>",
        *["<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]>>"] * pages,
        *objects,
    ]
    return _written(bodies, trailer)


def _written(bodies: list[str], trailer: str) -> bytes:
    """The objects of a PDF, numbered from 1, with the table that finds them."""
    made, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(made))
        made += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    size = len(bodies) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<</Size {size}/Root 1 0 R{trailer}>>\n"
    return made + f"{end}startxref\n{len(made)}\n%%EOF\n".encode()


def locked_pdf() -> bytes:
    """A PDF whose password is not the empty one (nor any other)."""
    key = "<" + "5a" * 32 + ">"
    encrypt = f"<</Filter/Standard/V 1/R 2/O{key}/U{key}/P -4>>"
    return pdf(trailer="/Encrypt 4 0 R/ID[<00><00>]", objects=(encrypt,))


def package(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return made.getvalue()


def office(main: str, *, part: str = "word/document.xml") -> bytes:
    types = f'<Types><Override PartName="/{part}" ContentType="application/vnd.{main}"/></Types>'
    return package({"[Content_Types].xml": types.encode(), part: b"<w:document/>" * 100})


def docx() -> bytes:
    return office("openxmlformats-officedocument.wordprocessingml.document.main+xml")


def locked_zip() -> bytes:
    """A zip file whose one entry says that it is encrypted."""
    made = bytearray(package({"note.txt": b"secret"}))
    made[6] |= 1  # the local header's flags
    made[made.index(b"PK\x01\x02") + 8] |= 1  # the directory's
    return bytes(made)


def png(width: int = 1, height: int = 1) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\x00\x00")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def jpeg(width: int = 16) -> bytes:
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, 16, width, 1) + b"\x01\x11\x00"
    scan = b"\xff\xda" + struct.pack(">H", 8) + b"\x01\x01\x00\x00\x3f\x00" + b"\x12\x34"
    return b"\xff\xd8\xff\xe0\x00\x04ab\xff\xff\x01" + frame + scan + b"\xff\xd9"


def gif(*, images: int = 1, colours: bool = True) -> bytes:
    flags = b"\x80" if colours else b"\x00"
    table = bytes(6) if colours else b""
    image = b"\x2c" + bytes(8) + flags + table + b"\x02\x02\x4c\x01\x00"
    extension = b"\x21\xf9\x04" + bytes(4) + b"\x00"
    return b"GIF89a\x01\x00\x01\x00" + flags + b"\x00\x00" + table + extension + image * images + b"\x3b"


def tiff(pages: int = 1, *, order: str = "<") -> bytes:
    made = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    for page in range(pages):
        following = len(made) + 18 if page < pages - 1 else 0
        made += struct.pack(order + "HHHII", 1, 256, 4, 1, 16) + struct.pack(order + "I", following)
    return made


def word_perfect(*, password: int = 0) -> bytes:
    return b"\xffWPC" + struct.pack("<IBBBBHH", 16, 1, 10, 2, 1, password, 0) + b"text"


def pdf_with(
    *contents: str, objects: tuple[str, ...] = (), catalog: str = "", page: str = "", trailer: str = ""
) -> bytes:
    """A PDF with a page for each stream of content; font F1 is Helvetica. Further objects are numbered from ``3 + 2n``.

    Args:
        catalog: what the catalogue says besides.
        page: what each page says besides.
    """
    count = len(contents)
    kids = " ".join(f"{4 + number} 0 R" for number in range(count))
    font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    bodies = [
        f"<</Type/Catalog/Pages 2 0 R{catalog}>>",
        f"<</Type/Pages/Kids[{kids}]/Count {count}>>",
        font,
        *(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>"
            f"/Contents {4 + count + number} 0 R{page}>>"
            for number in range(count)
        ),
        *(f"<</Length {len(content)}>>\nstream\n{content}\nendstream" for content in contents),
        *objects,
    ]
    return _written(bodies, trailer)


def line(text: str, *, at: int = 700, mode: int = 0, x: int = 72) -> str:
    """A line of text as a page's content."""
    return f"BT /F1 12 Tf {mode} Tr {x} {at} Td ({text}) Tj ET"


OFFICE = "http://schemas.openxmlformats.org"
RELATIONS = f"{OFFICE}/officeDocument/2006/relationships"
WORD = f'xmlns:w="{OFFICE}/wordprocessingml/2006/main" xmlns:r="{RELATIONS}"'
SHEET = f'xmlns="{OFFICE}/spreadsheetml/2006/main" xmlns:r="{RELATIONS}"'
SLIDE = f'xmlns:p="{OFFICE}/presentationml/2006/main" xmlns:a="{OFFICE}/drawingml/2006/main" xmlns:r="{RELATIONS}"'


def relations(**targets: str) -> bytes:
    """What a part refers to: ``id="kind target"``; a target with ``:`` lies outside."""
    rows = []
    for name, said in targets.items():
        kind, _, target = said.partition(" ")
        outside = ' TargetMode="External"' if ":" in target else ""
        rows.append(f'<Relationship Id="{name}" Type="{RELATIONS}/{kind}" Target="{target}"{outside}/>')
    space = f"{OFFICE}/package/2006/relationships"
    return f'<Relationships xmlns="{space}">{"".join(rows)}</Relationships>'.encode()


def _office(main: str, part: str, entries: dict[str, bytes]) -> bytes:
    said = f"application/vnd.openxmlformats-officedocument.{main}"
    types = f'<Types><Override PartName="/{part}" ContentType="{said}"/></Types>'
    return package({"[Content_Types].xml": types.encode(), **entries})


def word(body: str, more: dict[str, bytes] | None = None, **targets: str) -> bytes:
    """A Word file with this body; ``targets`` are its relations."""
    made = {"word/document.xml": f"<w:document {WORD}><w:body>{body}</w:body></w:document>".encode()}
    made["word/_rels/document.xml.rels"] = relations(**targets)
    return _office("wordprocessingml.document.main+xml", "word/document.xml", {**made, **(more or {})})


def paragraph(*runs: str) -> str:
    return f"<w:p>{''.join(f'<w:r><w:t>{text}</w:t></w:r>' for text in runs)}</w:p>"


def sheets(sheets: str, more: dict[str, bytes] | None = None, **targets: str) -> bytes:
    """An Excel file whose workbook lists these sheets."""
    made = {"xl/workbook.xml": f"<workbook {SHEET}><sheets>{sheets}</sheets></workbook>".encode()}
    made["xl/_rels/workbook.xml.rels"] = relations(**targets)
    return _office("spreadsheetml.sheet.main+xml", "xl/workbook.xml", {**made, **(more or {})})


def sheet(rows: str, columns: str = "") -> bytes:
    return f"<worksheet {SHEET}>{columns}<sheetData>{rows}</sheetData></worksheet>".encode()


def show(slides: dict[str, str], more: dict[str, bytes] | None = None) -> bytes:
    """A PowerPoint file: each slide's text by its attributes."""
    ids = "".join(f'<p:sldId id="{256 + number}" r:id="s{number}"/>' for number in range(len(slides)))
    said = f"<p:presentation {SLIDE}><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>"
    targets = {f"s{number}": f"slide slides/slide{number}.xml" for number in range(len(slides))}
    shown = "<a:p><a:r><a:t>{}</a:t></a:r></a:p>"
    parts = {
        f"ppt/slides/slide{number}.xml": f"<p:sld {SLIDE} {how}>{shown.format(text)}</p:sld>".encode()
        for number, (text, how) in enumerate(slides.items())
    }
    made = {"ppt/presentation.xml": said.encode(), "ppt/_rels/presentation.xml.rels": relations(**targets)}
    return _office("presentationml.presentation.main+xml", "ppt/presentation.xml", {**made, **parts, **(more or {})})
