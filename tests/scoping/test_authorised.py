"""Only scoping says what may be seen."""

from __future__ import annotations

import pytest

from service.scoping.authorised import NOTHING, Authorised, AuthorisedDocumentId, authorise_document, authorise_ids

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


def test_its_repr_names_nothing() -> None:
    assert repr(authorise_ids(frozenset({PAPER}))) == "Authorised(1 ids)"


def test_an_authorised_id_is_its_id() -> None:
    assert authorise_document(PAPER) == PAPER
    assert hash(authorise_document(PAPER)) == hash(PAPER)
