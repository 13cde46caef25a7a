"""Only scoping says what may be seen."""

from __future__ import annotations

import pytest

from service.scoping.authorised import (
    NOTHING,
    Authorised,
    AuthorisedDocumentId,
    authorise_document,
    authorise_ids,
    authorise_title,
    title_of,
)

PAPER = f"doc_{'1' * 32}"


def test_nobody_else_can_authorise() -> None:
    with pytest.raises(TypeError):
        Authorised(frozenset({PAPER}))
    with pytest.raises(TypeError):
        AuthorisedDocumentId(PAPER)
    with pytest.raises(TypeError):
        Authorised(frozenset({PAPER}), object())


def test_a_document_cannot_be_slipped_in_beside_what_was_decided() -> None:
    decided = authorise_ids(frozenset({"eng_1"}))
    with pytest.raises(TypeError):
        decided.also([PAPER])
    assert PAPER not in decided


def test_decided_and_listed_documents_and_other_rows_are_added() -> None:
    decided = authorise_ids(frozenset({authorise_document(PAPER)}))
    more = decided.also([PAPER, authorise_document("doc_2"), "rev_1"])
    assert list(more) == [PAPER, "doc_2", "rev_1"]
    assert list(decided) == [PAPER]
    assert list(NOTHING) == []


def test_a_title_is_not_its_document_and_cannot_be_slipped_in_either() -> None:
    title = authorise_ids(frozenset({authorise_title(PAPER)}))
    assert title_of(PAPER) in title
    assert PAPER not in title
    with pytest.raises(TypeError):
        title.also([PAPER])
    with pytest.raises(TypeError):
        NOTHING.also([title_of(PAPER)])
    both = authorise_ids(frozenset({"eng_1"})).joined(title)
    assert list(both) == ["eng_1", title_of(PAPER)]


def test_its_repr_names_nothing() -> None:
    assert repr(authorise_ids(frozenset({PAPER}))) == "Authorised(1 ids)"


def test_an_authorised_id_is_its_id() -> None:
    assert authorise_document(PAPER) == PAPER
    assert hash(authorise_document(PAPER)) == hash(PAPER)
