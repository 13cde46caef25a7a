"""What lies hidden in PDF documents, by PDFium. Runs in a probe; PDFium is loaded.

Looked at page by page: remarks, fields, invisible text, text outside of the page, and text under a filled rectangle
that was drawn after it, or is of its colour: it looks redacted and can be copied. Such a rectangle is opaque, upright,
large enough to hide a letter, not the page's own background, and not light: forms are full of light ones.

PDFium tells neither of layers nor of what a document does when it is opened: these are found by their words, where no
stream hides them.

Source: ISO 32000-1: 7.11.4, 8.11, 9.3.6, 12.5, 12.6.4; PDFium public/fpdf_*.h.
"""

from __future__ import annotations

import ctypes
import re
import time
from collections import Counter
from typing import Any, Final, NamedTuple

from service.render.packages import BrokenError

PAGES_S: Final = 0.02
_THINGS_AT_ONCE: Final = 256  # between two looks at the clock
_LINK, _POPUP, _WIDGET = 2, 16, 20
_TEXT, _PATH, _FORM = 1, 2, 5
_INVISIBLE: Final = 3
_LAUNCH: Final = 4
_OPAQUE: Final = 255
_LINE: Final = 0  # FPDF_SEGMENT_LINETO
_MOVE: Final = 2
_CORNERS: Final = frozenset({4, 5})
_LEAST: Final = 4.0  # points: a lower or narrower rectangle is a rule
_SLACK: Final = 1.0  # points
_PAGE_SHARE: Final = 0.7
_LIGHT: Final = 200  # of each of three colours
_SCRIPTS: Final = re.compile(rb"/JavaScript\b|/JS\s*[(<\d]")
_LAUNCHES: Final = re.compile(rb"/Launch\b")
_LAYERS_OFF: Final = re.compile(rb"/OFF\s*\[((?:\s*\d+\s+\d+\s+R)+)\s*\]")
_LAST: Final = 1 << 30  # drawn after everything
_EMPTY_TEXT_BYTES: Final = 2  # UTF-16 that ends with a zero


class _Box(NamedTuple):
    left: float
    bottom: float
    right: float
    top: float

    def holds(self, other: _Box) -> bool:
        return (
            self.left - _SLACK <= other.left
            and self.bottom - _SLACK <= other.bottom
            and other.right <= self.right + _SLACK
            and other.top <= self.top + _SLACK
        )

    def misses(self, other: _Box) -> bool:
        return other.right < self.left or self.right < other.left or other.top < self.bottom or self.top < other.bottom

    @property
    def area(self) -> float:
        return (self.right - self.left) * (self.top - self.bottom)


class _Cover(NamedTuple):
    number: int  # in the order of drawing
    box: _Box
    colour: tuple[int, ...]


def look(data: bytes) -> Counter[str]:
    """Look into a document.

    Raises:
        BrokenError: it does not open.
    """
    import pypdfium2  # noqa: PLC0415  # loaded by the fork server alone
    import pypdfium2.raw as pdfium  # noqa: PLC0415

    said = Counter[str]()
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise BrokenError from error
    _whole(pdfium, document.raw, data, said)
    clock, pages = _Clock(), len(document)
    for number in range(pages):
        page = pdfium.FPDF_LoadPage(document.raw, number)
        try:
            clock.look()
            if page:
                _page(pdfium, page, said, clock)
        except TimeoutError:
            said["unseen_pages"] = pages - number
            break
        finally:
            if page:
                pdfium.FPDF_ClosePage(page)
    return said


class _Clock:
    """Says when there was time enough for pages."""

    def __init__(self) -> None:
        self._until = time.perf_counter() + PAGES_S

    def look(self) -> None:
        """Go on.

        Raises:
            TimeoutError: not any more.
        """
        if time.perf_counter() > self._until:
            raise TimeoutError


def _whole(pdfium: Any, document: Any, data: bytes, said: Counter[str]) -> None:
    said["attachments"] = max(pdfium.FPDFDoc_GetAttachmentCount(document), 0)
    said["javascript"] = max(pdfium.FPDFDoc_GetJavaScriptActionCount(document), bool(_SCRIPTS.search(data)))
    said["launch_actions"] = int(bool(_LAUNCHES.search(data)))
    said["hidden_layers"] = sum(off.count(b"R") for off in _LAYERS_OFF.findall(data)[:1])
    for word, tag in (("author", b"Author"), ("producer", b"Producer")):
        said[word] = int(pdfium.FPDF_GetMetaText(document, tag, None, 0) > _EMPTY_TEXT_BYTES)


def _page(pdfium: Any, page: Any, said: Counter[str], clock: _Clock) -> None:
    _marks(pdfium, page, said)
    _launches(pdfium, page, said)
    box, sides = pdfium.FS_RECTF(), [ctypes.c_float() for _ in range(4)]
    pdfium.FPDF_GetPageBoundingBox(page, ctypes.byref(box))
    whole = _Box(box.left, box.bottom, box.right, box.top)
    refs = [ctypes.byref(side) for side in sides]
    drawn: dict[int, int] = {}
    covers: list[_Cover] = []
    for number in range(pdfium.FPDFPage_CountObjects(page)):
        if number % _THINGS_AT_ONCE == 0:
            clock.look()
        thing = pdfium.FPDFPage_GetObject(page, number)
        kind = pdfium.FPDFPageObj_GetType(thing)
        if kind == _FORM:
            said["invisible_text"] += _invisible_in(pdfium, thing)
        if kind not in {_TEXT, _PATH} or not pdfium.FPDFPageObj_GetBounds(thing, *refs):
            continue
        bounds = _Box(*(side.value for side in sides))
        if kind == _TEXT:
            drawn[ctypes.addressof(thing.contents)] = number
            said["invisible_text"] += pdfium.FPDFTextObj_GetTextRenderMode(thing) == _INVISIBLE
            said["off_page_text"] += whole.area > 0 and whole.misses(bounds)
        elif (colour := _covers(pdfium, thing, bounds, whole)) is not None:
            covers.append(_Cover(number, bounds, colour))
    if covers:
        said["covered_text"] += _covered(pdfium, page, covers, drawn, clock)


def _invisible_in(pdfium: Any, form: Any) -> int:
    things = (
        pdfium.FPDFFormObj_GetObject(form, number) for number in range(max(pdfium.FPDFFormObj_CountObjects(form), 0))
    )
    return sum(
        pdfium.FPDFPageObj_GetType(thing) == _TEXT and pdfium.FPDFTextObj_GetTextRenderMode(thing) == _INVISIBLE
        for thing in things
    )


def _marks(pdfium: Any, page: Any, said: Counter[str]) -> None:
    for number in range(pdfium.FPDFPage_GetAnnotCount(page)):
        mark = pdfium.FPDFPage_GetAnnot(page, number)
        if not mark:
            continue
        kind = pdfium.FPDFAnnot_GetSubtype(mark)
        if kind == _WIDGET:
            said["form_fields"] += 1
        elif kind not in {_LINK, _POPUP}:
            said["comments"] += 1
        pdfium.FPDFPage_CloseAnnot(mark)


def _launches(pdfium: Any, page: Any, said: Counter[str]) -> None:
    at, link = ctypes.c_int(0), pdfium.FPDF_LINK()
    found = 0
    while pdfium.FPDFLink_Enumerate(page, ctypes.byref(at), ctypes.byref(link)):
        action = pdfium.FPDFLink_GetAction(link)
        found += bool(action) and pdfium.FPDFAction_GetType(action) == _LAUNCH
    said["launch_actions"] = max(said["launch_actions"], found)


def _covers(pdfium: Any, path: Any, bounds: _Box, whole: _Box) -> tuple[int, ...] | None:
    """The colour of a path that is a filled, opaque, upright, dark rectangle and could hide a letter; else None."""
    if min(bounds.right - bounds.left, bounds.top - bounds.bottom) < _LEAST or bounds.area > _PAGE_SHARE * whole.area:
        return None
    fill, stroke = ctypes.c_int(0), ctypes.c_int(0)
    if not pdfium.FPDFPath_GetDrawMode(path, ctypes.byref(fill), ctypes.byref(stroke)) or not fill.value:
        return None
    colour = _colour(pdfium, path)
    if colour[3] != _OPAQUE or min(colour[:3]) >= _LIGHT or pdfium.FPDFPageObj_HasTransparency(path):
        return None
    matrix = pdfium.FS_MATRIX()
    turned = pdfium.FPDFPageObj_GetMatrix(path, ctypes.byref(matrix)) and (matrix.b or matrix.c)
    return None if turned or not _is_rectangle(pdfium, path) else colour


def _colour(pdfium: Any, thing: Any) -> tuple[int, ...]:
    """What a thing is filled with: red, green, blue, and how opaque; nothing opaque where it is not known."""
    parts = [ctypes.c_uint(0) for _ in range(4)]
    pdfium.FPDFPageObj_GetFillColor(thing, *(ctypes.byref(part) for part in parts))
    return tuple(part.value for part in parts)


def _is_rectangle(pdfium: Any, path: Any) -> bool:
    count = pdfium.FPDFPath_CountSegments(path)
    if count not in _CORNERS:
        return False
    across, up = set(), set()
    x, y = ctypes.c_float(), ctypes.c_float()
    for number in range(count):
        segment = pdfium.FPDFPath_GetPathSegment(path, number)
        if pdfium.FPDFPathSegment_GetType(segment) not in {_LINE, _MOVE}:
            return False
        pdfium.FPDFPathSegment_GetPoint(segment, ctypes.byref(x), ctypes.byref(y))
        across.add(round(x.value, 2))
        up.add(round(y.value, 2))
    return len(across) == len(up) == 2  # noqa: PLR2004  # two sides each way


def _covered(pdfium: Any, page: Any, covers: list[_Cover], drawn: dict[int, int], clock: _Clock) -> int:
    """Count the rectangles that wholly cover a sign of a text that was drawn before them, or is of their colour."""
    text = pdfium.FPDFText_LoadPage(page)
    if not text:
        return 0
    hiding: set[int] = set()
    sides = [ctypes.c_double() for _ in range(4)]
    refs = [ctypes.byref(side) for side in sides]
    try:
        for sign in range(pdfium.FPDFText_CountChars(text)):
            if sign % _THINGS_AT_ONCE == 0:
                clock.look()
            if not pdfium.FPDFText_GetCharBox(text, sign, *refs):
                continue
            left, right, bottom, top = (side.value for side in sides)
            box = _Box(left, bottom, right, top)
            over = [cover for cover in covers if cover.number not in hiding and cover.box.holds(box)]
            thing = pdfium.FPDFText_GetTextObject(text, sign) if over and right > left else None
            if thing:
                at, colour = drawn.get(ctypes.addressof(thing.contents), _LAST), _colour(pdfium, thing)
                hiding |= {cover.number for cover in over if at < cover.number or colour == cover.colour}
    finally:
        pdfium.FPDFText_ClosePage(text)
    return len(hiding)
