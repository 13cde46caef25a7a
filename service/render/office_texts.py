"""The text of Word, Excel and PowerPoint files, as somebody reads it who opens them. Runs in a probe.

What is hidden there is left out: deleted and moved text, hidden text, comments, hidden sheets, rows and columns, hidden
slides and speaker notes. Numbers and dates of sheets are given as they are stored.

Source: ECMA-376 part 1: 17 (WordprocessingML), 18 (SpreadsheetML), 19 (PresentationML).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from service.render.found import DOCX, PPTX, XLSX
from service.render.gathered import Gathered
from service.render.packages import Attributes, Package, TooMuchError, is_on

_WORD: Final = "word/document.xml"
_WORKBOOK: Final = "xl/workbook.xml"
_SLIDES: Final = "ppt/presentation.xml"
_BESIDE: Final = ("header", "footer", "footnotes", "endnotes")
MAX_COLUMNS: Final = 16_384


def text(media_type: str, data: bytes) -> bytes:
    """Return the text of a package of this type, in UTF-8.

    Raises:
        BrokenError, TooMuchError: see `service.render.packages`, `service.render.gathered`.
    """
    gathered = Gathered()
    TEXTS[media_type](Package(data), gathered)
    return gathered.whole()


# Word ---------------------------------------------------------------------------------------------------------------

_SKIPPED: Final = frozenset({"Fallback", "moveFrom", "del"})  # what stands there too in another form, or no more


class _Paragraphs:
    """Paragraphs of WordprocessingML or of DrawingML, a line each; cells of a row with tabs between."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self._skipping = self._cells = self._runs = 0
        self._reads = self._hides = False

    def start(self, name: str, attributes: Attributes) -> None:
        if self._skipping or name in _SKIPPED:
            self._skipping += 1
        elif name == "r":
            self._runs, self._hides = self._runs + 1, False
        elif name == "vanish":
            self._hides = bool(self._runs) and is_on(attributes)
        elif name == "t":
            self._reads = True
        elif name == "tc":
            self._cells += 1
        elif name == "tab" and self._runs:
            self._gathered.add("\t")
        elif name in {"br", "cr"}:
            self._gathered.add("\n")
        elif name == "noBreakHyphen":
            self._gathered.add("-")

    def end(self, name: str) -> None:
        if self._skipping:
            self._skipping -= 1
        elif name == "t":
            self._reads = False
        elif name == "r":
            self._runs, self._hides = self._runs - 1, False
        elif name == "p":
            self._gathered.add(" " if self._cells else "\n")
        elif name == "tc":
            self._cells -= 1
            self._gathered.add("\t")
        elif name == "tr":
            self._gathered.add("\n")

    def text(self, text: str) -> None:
        if self._reads and not self._skipping and not self._hides:
            self._gathered.add(text)


def _word(package: Package, gathered: Gathered) -> None:
    package.walk(_WORD, _Paragraphs(gathered))
    beside = sorted({each.target for each in package.relations(_WORD).values() if each.kind in _BESIDE})
    for part in beside:
        gathered.add("\n")
        package.walk(part, _Paragraphs(gathered))


# Excel --------------------------------------------------------------------------------------------------------------


class _Book:
    """The names of a workbook's visible sheets, and how it refers to them."""

    def __init__(self) -> None:
        self.sheets: list[tuple[str, str]] = []

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "sheet" and attributes.get("state", "visible") == "visible":
            self.sheets.append((attributes.get("r:id", ""), attributes.get("name", "")))


class _Strings:
    """The strings that cells share."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._pieces: list[str] = []
        self._reads = False
        self._spoken = 0  # how something is pronounced stands beside it and is no part of it

    def start(self, name: str, _attributes: Attributes) -> None:
        if name == "rPh":
            self._spoken += 1
        elif name == "t":
            self._reads = not self._spoken

    def end(self, name: str) -> None:
        if name == "rPh":
            self._spoken -= 1
        elif name == "t":
            self._reads = False
        elif name == "si":
            self.found.append("".join(self._pieces))
            self._pieces = []

    def text(self, text: str) -> None:
        if self._reads:
            self._pieces.append(text)


class _Sheet:
    """The cells of a sheet: a line for each row, a tab for each column."""

    def __init__(self, gathered: Gathered, strings: list[str]) -> None:
        self._gathered, self._strings = gathered, strings
        self._hidden: list[tuple[int, int]] = []
        self._hides = self._reads = False
        self._kind, self._column, self._written = "", 0, 0
        self._value: list[str] = []

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "col" and attributes.get("hidden") in {"1", "true"}:
            self._hidden.append((int(attributes.get("min", "0")), int(attributes.get("max", "0"))))
            if len(self._hidden) > MAX_COLUMNS:
                raise TooMuchError
        elif name == "row":
            self._hides, self._column, self._written = attributes.get("hidden") in {"1", "true"}, 0, 0
        elif name == "c":
            self._kind, self._value = attributes.get("t", "n"), []
            self._column = _column(attributes.get("r", "")) or self._column + 1
        elif name in {"v", "t"}:
            self._reads = True

    def end(self, name: str) -> None:
        if name in {"v", "t"}:
            self._reads = False
        elif name == "c":
            self._write()
        elif name == "row" and self._written:
            self._gathered.add("\n")

    def text(self, text: str) -> None:
        if self._reads:
            self._value.append(text)

    def _write(self) -> None:
        value = "".join(self._value)
        if not value or self._hides or any(first <= self._column <= last for first, last in self._hidden):
            return
        if self._kind == "s":
            value = self._strings[int(value)]
        gap = min(self._column, MAX_COLUMNS) - max(self._written, 1)
        self._gathered.add("\t" * max(gap, 1 if self._written else 0) + value.replace("\n", " "))
        self._written = self._column


def _column(reference: str) -> int:
    """The number of a cell's column, from 1; 0 where its reference does not say."""
    number = 0
    for letter in reference[:3]:
        if not "A" <= letter <= "Z":
            break
        number = number * 26 + ord(letter) - 64
    return number


def _excel(package: Package, gathered: Gathered) -> None:
    relations, book, strings = package.relations(_WORKBOOK), _Book(), _Strings()
    package.walk(_WORKBOOK, book)
    shared = next((each.target for each in relations.values() if each.kind == "sharedStrings"), "")
    package.walk(shared, strings)
    for number, (relation_id, name) in enumerate(book.sheets):
        gathered.add(f"\f{name}\n" if number else f"{name}\n")
        if relation_id in relations:
            package.walk(relations[relation_id].target, _Sheet(gathered, strings.found))


# PowerPoint ---------------------------------------------------------------------------------------------------------


class _Show:
    """How a presentation refers to its slides, in their order."""

    def __init__(self) -> None:
        self.slides: list[str] = []

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "sldId":
            self.slides.append(attributes.get("r:id", ""))


class _Root:
    """The attributes of a part's first element."""

    def __init__(self) -> None:
        self.attributes: Attributes | None = None

    def start(self, _name: str, attributes: Attributes) -> None:
        if self.attributes is None:
            self.attributes = attributes


def slides(package: Package) -> list[tuple[str, bool]]:
    """Return the parts that are slides, in their order, and whether each is shown."""
    relations, show = package.relations(_SLIDES), _Show()
    package.walk(_SLIDES, show)
    found = []
    for relation_id in show.slides:
        if relation_id in relations:
            root, part = _Root(), relations[relation_id].target
            package.walk(part, root)
            found.append((part, is_on(root.attributes or {}, "show")))
    return found


def _powerpoint(package: Package, gathered: Gathered) -> None:
    shown = [part for part, is_shown in slides(package) if is_shown]
    for number, part in enumerate(shown):
        gathered.add("\f" if number else "")
        package.walk(part, _Paragraphs(gathered))


TEXTS: Final[Mapping[str, Callable[[Package, Gathered], None]]] = MappingProxyType(
    {DOCX: _word, XLSX: _excel, PPTX: _powerpoint}
)
