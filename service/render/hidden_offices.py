"""What lies hidden in office packages. Runs in a probe.

Source: ECMA-376 part 1: 17.13 (comments, revisions), 17.3.2.41 (vanish), 18.2.27 and 18.3.1 (hidden sheets, rows,
columns), 19.3.1.38 (hidden slides), 15.2.12 (properties).
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

from service.render.office_texts import slides
from service.render.packages import Attributes, Package, is_on

_CORE: Final = "docProps/core.xml"
_PEOPLE: Final = frozenset({"creator", "lastModifiedBy"})
_CHANGED: Final = re.compile(rb"[<:](?:ins|del|moveFrom|moveTo|vanish)[\s/>]")
_HIDES: Final = re.compile(rb"hidden\s*=")
_TEXT: Final = frozenset({"t", "delText"})


class _Elements:
    """Counts elements of some names, each under a word."""

    def __init__(self, words: Mapping[str, str], said: Counter[str]) -> None:
        self._words, self._said = words, said

    def start(self, name: str, _attributes: Attributes) -> None:
        word = self._words.get(name)
        if word is not None:
            self._said[word] += 1


class _Changes:
    """Counts the tracked changes of a Word part that have text, and its runs of hidden text."""

    def __init__(self, said: Counter[str]) -> None:
        self._said = said
        self._words: list[str] = []  # of the changes that are open
        self._runs, self._hides = 0, False

    def start(self, name: str, attributes: Attributes) -> None:
        if name in {"ins", "moveTo"}:
            self._words.append("insertions")
        elif name in {"del", "moveFrom"}:
            self._words.append("deletions")
        elif name == "r":
            self._runs, self._hides = self._runs + 1, False
        elif name == "vanish" and self._runs:
            self._hides = is_on(attributes)
        elif name in _TEXT:
            if self._words and self._words[-1]:
                self._said[self._words[-1]] += 1
                self._words[-1] = ""  # counted: once for each change, however many runs it has
            self._said["hidden_text"] += self._hides

    def end(self, name: str) -> None:
        if name in {"ins", "moveTo", "del", "moveFrom"}:
            self._words.pop()
        elif name == "r":
            self._runs, self._hides = self._runs - 1, False


class _Hidden:
    """Counts the hidden rows and columns of a sheet."""

    def __init__(self, said: Counter[str]) -> None:
        self._said = said

    def start(self, name: str, attributes: Attributes) -> None:
        if name in {"row", "col"} and attributes.get("hidden") in {"1", "true"}:
            self._said["hidden_rows" if name == "row" else "hidden_columns"] += 1


class _Sheets:
    """Counts the sheets of a workbook that are not shown."""

    def __init__(self, said: Counter[str]) -> None:
        self._said = said

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "sheet" and attributes.get("state", "visible") != "visible":
            self._said["hidden_sheets"] += 1


class _Names:
    """Notes whether properties name somebody."""

    def __init__(self, said: Counter[str]) -> None:
        self._said, self._reads = said, False

    def start(self, name: str, _attributes: Attributes) -> None:
        self._reads = name in _PEOPLE

    def end(self, _name: str) -> None:
        self._reads = False

    def text(self, text: str) -> None:
        if self._reads and text.strip():
            self._said["author"] = 1


class _Spoken:
    """Counts notes that say something besides the number of their slide."""

    def __init__(self, said: Counter[str]) -> None:
        self._said, self._reads, self._field = said, False, 0
        self._found = False

    def start(self, name: str, _attributes: Attributes) -> None:
        self._field += name == "fld"
        self._reads = name == "t" and not self._field

    def end(self, name: str) -> None:
        self._field -= name == "fld"
        self._reads = False

    def text(self, text: str) -> None:
        if self._reads and text.strip() and not self._found:
            self._said["speaker_notes"] += 1
            self._found = True


def word(data: bytes) -> Counter[str]:
    """Look into a Word file."""
    package, said = _begin(data)
    for part in _parts(package, "word/", but=("styles", "settings", "theme", "fontTable", "numbering", "webSettings")):
        if posixpath.basename(part).startswith("comments"):
            # Newer versions keep what belongs to a comment in further parts of similar names.
            if posixpath.basename(part) == "comments.xml":
                package.walk(part, _Elements({"comment": "comments"}, said))
        elif package.mentions(part, _CHANGED):
            package.walk(part, _Changes(said))
    return said


def excel(data: bytes) -> Counter[str]:
    """Look into an Excel file."""
    package, said = _begin(data)
    package.walk("xl/workbook.xml", _Sheets(said))
    for part in _parts(package, "xl/worksheets/"):
        if package.mentions(part, _HIDES):
            package.walk(part, _Hidden(said))
    for part in _parts(package, "xl/"):
        if "omments" in posixpath.basename(part):  # comments1.xml; threaded ones stand in both
            package.walk(part, _Elements({"comment": "comments"}, said))
    said["external_links"] += len(_parts(package, "xl/externalLinks/"))
    return said


def powerpoint(data: bytes) -> Counter[str]:
    """Look into a PowerPoint file."""
    package, said = _begin(data)
    said["hidden_slides"] += sum(not is_shown for _, is_shown in slides(package))
    for part in _parts(package, "ppt/notesSlides/"):
        package.walk(part, _Spoken(said))
    for part in _parts(package, "ppt/comments/"):
        package.walk(part, _Elements({"cm": "comments"}, said))
    return said


def _begin(data: bytes) -> tuple[Package, Counter[str]]:
    """What may lie in a package of any kind, told by its parts."""
    package, said = Package(data), Counter[str]()
    for name in package.names:
        base = posixpath.basename(name)
        said["macros"] += base == "vbaProject.bin"
        said["embedded_objects"] += "/embeddings/" in name and bool(base)
        said["custom_data"] += name == "docProps/custom.xml" or (
            name.startswith("customXml/item") and base.endswith(".xml") and "Props" not in base
        )
    package.walk(_CORE, _Names(said))
    return package, said


def _parts(package: Package, folder: str, but: tuple[str, ...] = ()) -> list[str]:
    """The XML parts that lie in a folder, not below it."""
    return [
        name
        for name in package.names
        if posixpath.dirname(name) + "/" == folder
        and name.endswith(".xml")
        and not (but and posixpath.basename(name).startswith(but))
    ]
