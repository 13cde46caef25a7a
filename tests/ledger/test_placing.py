"""Placing alone: indexes, links and leaves of drafts that are not written yet."""

from __future__ import annotations

import pytest

from audit.entry import decode
from audit.errors import EntryError
from audit.merkle import leaf_hash
from service.db.session import Database
from service.errors import LedgerUnavailableError
from service.ledger import Moment
from service.ledger.placing import Head, place
from tests.ledger.desk import ENGAGEMENTS, FIRM, draft


def test_drafts_follow_one_another_in_index_and_chain(migrated_url: str) -> None:
    database, head = Database(migrated_url), Head(5, 10, {ENGAGEMENTS[1]: (3, b"\7" * 32)})
    with database.read(FIRM) as tx:
        placed = place(tx, FIRM, head, Moment(77), (draft(1), draft(0), draft(1), draft(3)))
    entries = [decode(each.body) for each in placed]
    assert [entry.index for entry in entries] == [5, 6, 7, 8]
    assert {entry.time for entry in entries} == {77}
    assert [(entry.eseq, entry.eprev) for entry in entries] == [
        (3, "07" * 32),
        (None, None),
        (4, placed[0].leaf.hex()),
        (0, "0" * 64),
    ]
    assert [each.leaf for each in placed] == [leaf_hash(each.body) for each in placed]
    database.close()


def test_a_draft_that_cannot_be_encoded_moves_nothing(migrated_url: str) -> None:
    database, head = Database(migrated_url), Head(5, 10, {ENGAGEMENTS[1]: (3, b"\7" * 32)})
    with database.read(FIRM) as tx, pytest.raises(EntryError):
        place(tx, FIRM, head, Moment(77), (draft(1), draft(1, data={"float": 1.5})))
    assert head == Head(5, 10, {ENGAGEMENTS[1]: (3, b"\7" * 32)})
    database.close()


def test_without_a_log_there_is_no_place(migrated_url: str) -> None:
    database = Database(migrated_url)
    with database.read(FIRM) as tx:
        assert place(tx, "", Head(0, 0), Moment(1), ()) == []
        with pytest.raises(LedgerUnavailableError):
            place(tx, "", Head(0, 0), Moment(1), (draft(),))
    database.close()
