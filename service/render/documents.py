"""PDF documents, by PDFium. Runs in a probe; PDFium has had memory errors before and will have again.

One document a process: PDFium keeps the number of its last error, and may name that of an earlier document.
"""

from __future__ import annotations

from typing import Final

from service.render.found import PDF, Found
from service.render.gathered import Gathered
from service.render.packages import BrokenError

_PASSWORD: Final = 4  # FPDF_ERR_PASSWORD
_SECURITY: Final = 5  # FPDF_ERR_SECURITY: an unknown scheme asks for a key we do not have


def load() -> None:
    """Load PDFium, which opens files to do so."""
    import pypdfium2  # noqa: F401, PLC0415  # 80 ms and a native library, for nobody but the fork server


def pdf(data: bytes) -> Found:
    """Examine a document that announces itself as PDF; PDFium is loaded."""
    import pypdfium2  # noqa: PLC0415  # see `load`

    try:
        document = pypdfium2.PdfDocument(data)
        pages = len(document)
        for number in (0, pages - 1):
            document[number]
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) in {_PASSWORD, _SECURITY}
        return Found(PDF, "locked" if locked else "unreadable")
    return Found(PDF, "readable", pages)


def text(data: bytes) -> bytes:
    """Return the text of a PDF document, in UTF-8, a form feed between pages; empty where no page has any.

    Text that nobody sees is in it too: so it is that recognised text lies under the picture of a page.

    Raises:
        BrokenError: it does not open, or one of its pages does not.
        TooMuchError: see `service.render.gathered`.
    """
    import pypdfium2  # noqa: PLC0415  # see `load`

    gathered = Gathered()
    try:
        document = pypdfium2.PdfDocument(data)
        for number in range(len(document)):
            if number:
                gathered.add("\f")
            page = document[number]
            read = page.get_textpage()
            gathered.add(read.get_text_range())
            read.close()
            page.close()
    except pypdfium2.PdfiumError as error:
        raise BrokenError from error
    return gathered.whole()
