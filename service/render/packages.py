"""Reading the parts of an office package (ECMA-376): a zip of XML. Runs in a probe.

Rules kept here:

* XML is walked by expat, event by event, and no tree is built; a document type, an entity or anything fetched from
  elsewhere is refused when it is declared: no entity can grow, and nothing names another file;
* all parts together unpack to at most `MAX_UNPACKED_BYTES`, however small the file is;
* names of elements and attributes are compared without their namespace (but for `r:id`): the strict and the
  transitional form of the standard differ in nothing else that matters here.

Source: ECMA-376 parts 1 and 2; CWE-611, CWE-776.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Mapping
from typing import Final, NamedTuple, Protocol
from xml.parsers import expat  # declarations are refused below, before anything could come of them

MAX_UNPACKED_BYTES: Final = 268_435_456
MAX_ENTRIES: Final = 20_000
_STEP: Final = 65_536
_SPAN: Final = 64
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, KeyError, IndexError, LookupError)

Attributes = Mapping[str, str]


class BrokenError(Exception):
    """The file is not what it claims to be, or says what no such file needs to say."""


class TooMuchError(Exception):
    """The file holds more than is read of one."""


class Walker(Protocol):
    """What is told of the elements of a part, in their order; names come without their namespace.

    It may also have ``end(name)``, told when an element ends, and ``text(text)``, told of the characters between.
    """

    def start(self, name: str, attributes: Attributes) -> None:
        """An element begins."""


class Relation(NamedTuple):
    """What a part refers to: kind (the last word of its type), the part's name or an outer address, and which."""

    kind: str
    target: str
    is_outside: bool


class Package:
    """An open package; `BrokenError` where it is none."""

    def __init__(self, data: bytes) -> None:
        self._left = MAX_UNPACKED_BYTES
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except _BROKEN as error:
            raise BrokenError from error
        self.names = self._archive.namelist()
        if len(self.names) > MAX_ENTRIES:
            raise TooMuchError

    def walk(self, name: str, walker: Walker) -> None:
        """Tell a walker of a part; nothing where there is no such part.

        Raises:
            BrokenError: not well-formed, or it declares a document type or an entity.
            TooMuchError: the package unpacks to more than is read.
        """
        if name not in self.names:
            return
        parser = _parser(walker)
        try:
            with self._archive.open(name) as part:
                while piece := part.read(_STEP):
                    self._left -= len(piece)
                    if self._left < 0:
                        raise TooMuchError
                    parser.Parse(piece, False)
            parser.Parse(b"", True)
        except (*_BROKEN, expat.ExpatError, NotImplementedError, RuntimeError) as error:
            raise BrokenError from error

    def mentions(self, name: str, pattern: re.Pattern[bytes]) -> bool:
        """Say whether a part may have what a pattern of at most 64 bytes finds: cheaper by far than walking it.

        A part that is not in an ASCII-compatible encoding may have anything.

        Raises: as `walk`.
        """
        try:
            with self._archive.open(name) as part:
                before = b""
                while piece := part.read(_STEP):
                    self._left -= len(piece)
                    if self._left < 0:
                        raise TooMuchError
                    if pattern.search(before + piece) or (not before and piece.startswith(_WIDE)):
                        return True
                    before = piece[-_SPAN:]
        except (*_BROKEN, NotImplementedError, RuntimeError) as error:
            raise BrokenError from error
        return False

    def relations(self, part: str) -> dict[str, Relation]:
        """Return what a part refers to, by the ids that it uses; nothing where it refers to nothing."""
        folder, name = posixpath.split(part)
        found = _Relations(folder)
        self.walk(posixpath.join(folder, "_rels", f"{name}.rels"), found)
        return found.by_id


def _parser(walker: Walker) -> expat.XMLParserType:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    parser.StartElementHandler = lambda name, found: walker.start(
        _local(name), {_attribute(key): value for key, value in found.items()}
    )
    # What nobody asks to be told of never leaves expat: most of a part is text, and whoever counts needs none of it.
    if (end := getattr(walker, "end", None)) is not None:
        parser.EndElementHandler = lambda name: end(_local(name))
    parser.CharacterDataHandler = getattr(walker, "text", None)
    return parser


def _refuse(*_: object) -> int:
    raise BrokenError


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _attribute(name: str) -> str:
    """An attribute's name; ``r:id`` where it refers to another part, for there may be an ``id`` of the element too."""
    space, _, local = name.rpartition(" ")
    return f"r:{local}" if space.endswith("/relationships") else local


class _Relations:
    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.by_id: dict[str, Relation] = {}

    def start(self, name: str, attributes: Attributes) -> None:
        if name != "Relationship":
            return
        target, outside = attributes.get("Target", ""), attributes.get("TargetMode") == "External"
        if not outside:
            target = posixpath.normpath(posixpath.join("/", self._folder, target)).lstrip("/")
        kind = attributes.get("Type", "").rpartition("/")[2]
        self.by_id[attributes.get("Id", "")] = Relation(kind, target, outside)


def is_on(attributes: Attributes, name: str = "val") -> bool:
    """Read a switch of the standard: an attribute that is left out means yes."""
    return attributes.get(name, "1") not in {"0", "false", "off"}
