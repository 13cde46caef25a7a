"""What a client asks of a file's bytes: all of them, a part, or only whether they are still the same.

Pure: words of headers in, what to send out. It decides nothing about access and reads no bytes.

* one range of bytes is served; several at once are answered with the whole file, as anything that cannot be read is;
* a range that begins behind the end is refused, and the size is told;
* only strong comparison lets a part be put to what the client has already.

Source: RFC 9110, sections 13.1.2, 13.1.5, 13.2.2 and 14; RFC 9530, section 4.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from service.errors import RangeError

_DIGITS: Final = 19  # beyond any file, and far from what would be dear to convert
_ONE: Final = re.compile(rf"bytes=[ \t]*([0-9]{{0,{_DIGITS}}})-([0-9]{{0,{_DIGITS}}})[ \t]*", re.IGNORECASE)
_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')
_NOT_WANTED: Final = re.compile(r"\bsha-256[ \t]*=[ \t]*0[ \t]*(?:,|$)")


class Span(NamedTuple):
    """The bytes [start, stop) of a file."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request says of the bytes it is about; headers as they were sent, None where there was none."""

    range: str | None = None
    if_range: str | None = None
    if_none_match: str | None = None
    want_digest: str | None = None
    no_bytes: bool = False  # a HEAD: the headers alone

    def is_unchanged(self, etag: str) -> bool:
        """Say whether the client has these very bytes already."""
        sent = self.if_none_match
        return sent is not None and (sent.strip() == "*" or etag in _TAG.findall(sent))

    def wants_digest(self) -> bool:
        """Say whether the SHA-256 of the whole file was asked for."""
        sent = self.want_digest
        return sent is not None and "sha-256" in sent and _NOT_WANTED.search(sent) is None

    def span(self, etag: str, size_bytes: int) -> Span | None:
        """The part that is to be sent; None: all of it.

        Raises:
            RangeError: the part begins behind the end.
        """
        if self.range is None or self.no_bytes or (self.if_range is not None and self.if_range.strip() != etag):
            return None
        found = _ONE.fullmatch(self.range)
        if found is None or found.group(1, 2) == ("", ""):
            return None
        return _span(found[1], found[2], size_bytes)


WHOLE: Final = Wanted()
"""A plain request for a whole file."""


def _span(first: str, last: str, size_bytes: int) -> Span | None:
    if not first:  # so many from the end; of an empty file that is all there is
        if int(last) == 0:
            raise RangeError(extra={"size_bytes": size_bytes})
        return Span(max(0, size_bytes - int(last)), size_bytes) if size_bytes else None
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size_bytes:
        raise RangeError(extra={"size_bytes": size_bytes})
    return Span(start, min(int(last) + 1, size_bytes) if last else size_bytes)
