"""Decisions, reads that are no document's bytes, and what the service itself came upon."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from service.events.drafts import Data, Who, draft, system
from service.events.types import EventType
from service.ledger import Draft


def access_allowed(who: Who, at: int | None = None) -> Draft:
    """Something was read: no list, no document's bytes; `at` where it was asked how it would be at that UTC second."""
    return draft(EventType.ACCESS_ALLOWED, "allowed", who, data=None if at is None else {"at": at})


def access_refused(who: Who, code: str) -> Draft:
    """The answer was no; `code` is what the asker was told."""
    return draft(EventType.ACCESS_REFUSED, "refused", who, data={"code": code})


def access_failed(who: Who, code: str) -> Draft:
    """The act was allowed but could not be done; nothing changed."""
    return draft(EventType.ACCESS_FAILED, "failed", who, data={"code": code})


def code_refused(who: Who, subjects: Mapping[str, str], count: int) -> Draft:
    """A code of an authenticator did not count; `count`: how many such there were lately, with this one."""
    return draft(EventType.AUTHENTICATOR_CODE_REFUSED, "refused", who, subjects=subjects, data={"count": count})


def list_read(who: Who, ids: Iterable[str], log_size: int | None = None, at: int | None = None) -> Draft:
    """A list was given out: how many things, the digest of their ids in order, and the log its snapshot had seen.

    Where no log size is given, the list was read in the transaction of this entry: its index is that size. `at` is
    there where it was asked what the list would be at that UTC second.
    """
    listed = list(ids)
    digest = hashlib.sha256("\n".join(listed).encode()).hexdigest()
    data: dict[str, str | int | bool | list[str]] = {"count": len(listed), "ids_sha256": digest}
    data |= {name: told for name, told in (("log_size", log_size), ("at", at)) if told is not None}
    return draft(EventType.LIST_READ, "allowed", who, data=data)


def attempt_failed(source_index: str, route: str, count: int, minute: int) -> Draft:
    """Requests without a valid credential: their source (blinded), route, number and minute (UTC seconds)."""
    data: Data = {"source": source_index, "route": route, "count": count, "minute": minute}
    return draft(EventType.ATTEMPT_FAILED, "refused", system("edge"), data=data)


def intent_abandoned(log_index: int, engagement_id: str) -> Draft:
    """Recovery: nobody knows what became of an announced act, because its process died."""
    subjects = {"engagement": engagement_id} if engagement_id else {}
    return draft(
        EventType.INTENT_ABANDONED, "unknown", system("recovery", subjects), data={"of": log_index}, closes=log_index
    )


def repairing(kind: EventType, data: Data) -> Draft:
    """The doctor will put this right; written before it does, because nothing is done that is not recorded."""
    return draft(kind, "allowed", system("doctor"), data=data)
