"""Placing: a draft gets its index, its link in the engagement's chain, its bytes and its leaf hash. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import bindparam, select

from audit.entry import Entry, encode
from audit.merkle import leaf_hash
from service.db.models import log_chains
from service.db.session import Tx
from service.errors import LedgerUnavailableError
from service.ledger.drafts import Draft, Moment


@dataclass(slots=True)
class Head:
    """Where a log stands while a batch is being written."""

    size: int
    time_ms: int
    chains: dict[str, tuple[int, bytes]] = field(default_factory=dict)  # engagement -> length, last leaf


_CHAIN = select(log_chains.c.length, log_chains.c.last_leaf).where(
    log_chains.c.log_id == bindparam("log"), log_chains.c.engagement_id == bindparam("engagement")
)


class Placed(NamedTuple):
    """A draft with its place, encoded and hashed, not yet written."""

    draft: Draft
    at: int  # its index
    body: bytes
    leaf: bytes
    engagement_id: str
    length: int  # of the engagement's chain with this entry


def place(tx: Tx, log_id: str, head: Head, moment: Moment, drafts: tuple[Draft, ...]) -> list[Placed]:
    """Give each draft its index and its link; writes nothing, so that a draft that cannot be encoded harms nobody."""
    if drafts and not log_id:
        raise LedgerUnavailableError  # an entry needs a log
    placed: list[Placed] = []
    chains = dict(head.chains) if len(drafts) > 1 else head.chains
    for index, draft in enumerate(drafts, head.size):
        engagement_id = draft.subjects.get("engagement", "")
        length, last = _chain(tx, log_id, chains, engagement_id) if engagement_id else (0, None)
        body = encode(_entry(log_id, index, moment.ms, draft, length, last))
        leaf = leaf_hash(body)
        if len(drafts) > 1 and engagement_id:
            chains[engagement_id] = (length + 1, leaf)
        placed.append(Placed(draft, index, body, leaf, engagement_id, length + 1))
    return placed


def _chain(tx: Tx, log_id: str, chains: Mapping[str, tuple[int, bytes]], engagement_id: str) -> tuple[int, bytes]:
    """Return the length of an engagement's chain and the leaf hash of its newest entry."""
    known = chains.get(engagement_id)
    if known is None:
        row = tx.one(_CHAIN, log=log_id, engagement=engagement_id)
        known = (row.length, row.last_leaf) if row else (0, bytes(32))
    return known


def _entry(log_id: str, index: int, time_ms: int, draft: Draft, length: int, last: bytes | None) -> Entry:
    """Give a draft its place in the log and in its engagement's chain."""
    return Entry(
        log=log_id,
        index=index,
        time=time_ms,
        type=draft.type,
        outcome=draft.outcome,
        actor=draft.actor,
        subjects=draft.subjects,
        action=draft.action,
        rule=draft.rule,
        facts=draft.facts,
        policy=draft.policy,
        nda=draft.nda,
        header=draft.header,
        request=draft.request,
        payload=draft.payload.commitment if draft.payload else None,
        eseq=None if last is None else length,
        eprev=None if last is None else last.hex(),
        data=draft.data,
    )
