"""Ids that this request may see: proof of a decision, carried in signatures.

Rules kept here:

* an `Authorised` comes from a decision or a list of this package and from nowhere else; the doors that open names and
  bytes take one and refuse any id that is not in it;
* a document's id enters only as an `AuthorisedDocumentId`, which only this package makes; ids of other rows, found by
  a query that is bound to the decided subject, may be added by the use case;
* where the title alone was decided, what enters is no document's id (`title_of`): bytes never open on it.

Source: docs/adr/0006-one-door.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Self

_MINT: Final = object()
DOCUMENT_PREFIX: Final = "doc_"
TITLE_PREFIX: Final = "title of "


class AuthorisedDocumentId(str):
    """The id of a document that was decided, or listed, in this request."""

    __slots__ = ()

    def __new__(cls, *_: object) -> Self:
        """Refuse to be made by its name: `authorise_document` goes around this.

        Raises:
            TypeError: always.
        """
        raise TypeError("only service.scoping authorises documents")


class Authorised:
    """A set of ids that one request may see."""

    __slots__ = ("_ids",)

    def __init__(self, ids: frozenset[str], mint: object = None) -> None:
        if mint is not _MINT:
            raise TypeError("only service.scoping authorises")
        self._ids = ids

    def __contains__(self, row_id: object) -> bool:
        return row_id in self._ids

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._ids))

    def __repr__(self) -> str:
        return f"Authorised({len(self._ids)} ids)"

    def also(self, ids: Iterable[str]) -> Authorised:
        """Return this with more ids.

        Raises:
            TypeError: a document among them that this request was not authorised for.
        """
        more = frozenset(ids)
        for row_id in more:
            if (
                row_id.startswith((DOCUMENT_PREFIX, TITLE_PREFIX))
                and not isinstance(row_id, AuthorisedDocumentId)
                and row_id not in self
            ):
                raise TypeError("a document is authorised by deciding or listing it")
        return Authorised(self._ids | more, _MINT)

    def joined(self, other: Authorised) -> Authorised:
        """Return what both see: two decisions of one request."""
        return Authorised(self._ids | other._ids, _MINT)


def authorise_ids(ids: frozenset[str]) -> Authorised:
    """Make an `Authorised`. For decide.py and listing.py; lint/ and a test keep everybody else away."""
    return Authorised(ids, _MINT)


def authorise_document(document_id: str) -> AuthorisedDocumentId:
    """Make an `AuthorisedDocumentId`. For decide.py and listing.py only."""
    return str.__new__(AuthorisedDocumentId, document_id)


def title_of(document_id: str) -> str:
    """Return what stands in an `Authorised` where the document's title may be opened, and nothing else of it."""
    return TITLE_PREFIX + document_id


def authorise_title(document_id: str) -> AuthorisedDocumentId:
    """Let the title of a document be opened. For decide.py only."""
    return str.__new__(AuthorisedDocumentId, title_of(document_id))


NOTHING: Final = Authorised(frozenset(), _MINT)
