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
