"""What became of a COMMIT without a reply: the answer is never given while the transaction may still end otherwise."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import insert

from service.db.models import log_entries
from service.ledger.fate import LOCK_HEAD, PAUSES_S, Fate, Trace, find_out
from tests.ledger.desk import FIRM, Desk

_LEAF = b"\1" * 32
_ENTRY = {"log_id": FIRM, "idx": 0, "body": b"{}", "leaf_hash": _LEAF, "engagement_id": ""}
_TRACE = Trace(FIRM, 0, (_LEAF,))


def _never(_seconds: float) -> None:
    return None


@pytest.mark.parametrize(("ending", "fate"), [("COMMIT", Fate.DONE), ("ROLLBACK", Fate.UNDONE)])
def test_it_waits_until_the_transaction_in_doubt_has_ended(desk: Desk, ending: str, fate: Fate) -> None:
    connection = desk.database.connect()
    tx = desk.database.begin(connection, desk.database.begin_write, FIRM)
    tx.one(LOCK_HEAD, log=FIRM)
    tx.run(insert(log_entries), **_ENTRY, payload=None, payload_holder=None)
    found: list[Fate] = []
    looking = threading.Thread(target=lambda: found.append(find_out(desk.database, _TRACE, _never)))
    looking.start()
    looking.join(0.2)
    assert found == []
    tx.command(ending)
    looking.join(10)
    connection.close()
    assert found == [fate]


@pytest.mark.parametrize(
    "trace", [Trace(FIRM, 0, (_LEAF, _LEAF)), Trace(FIRM, 1, (_LEAF,)), Trace(FIRM, 0, (b"\2" * 32,))]
)
def test_entries_of_somebody_else_in_the_same_place_are_not_taken_for_ours(desk: Desk, trace: Trace) -> None:
    connection = desk.database.connect()
    tx = desk.database.begin(connection, desk.database.begin_write, FIRM)
    tx.run(insert(log_entries), **_ENTRY, payload=None, payload_holder=None)
    tx.command("COMMIT")
    connection.close()
    assert find_out(desk.database, trace, _never) is Fate.UNDONE
    assert find_out(desk.database, _TRACE, _never) is Fate.DONE


def test_it_asks_a_few_times_and_then_says_that_it_does_not_know(desk: Desk) -> None:
    slept: list[Any] = []
    desk.database.faults.plan("connect", desk.database.error, times=len(PAUSES_S))
    assert find_out(desk.database, _TRACE, slept.append) is Fate.UNKNOWN
    assert slept == list(PAUSES_S)
    desk.database.faults.plan("begin", desk.database.error, times=len(PAUSES_S) - 1)
    assert find_out(desk.database, _TRACE, slept.append) is Fate.UNDONE


def test_without_a_trace_nothing_is_asked_and_nothing_claimed(desk: Desk) -> None:
    connections = desk.database.connections
    assert find_out(desk.database, None, _never) is Fate.UNKNOWN
    assert desk.database.connections == connections
