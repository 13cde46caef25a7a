"""Telling the grants of a document to who may know them."""

from __future__ import annotations

from typing import Any

from service.acts import Act, Caller, perform
from service.door import NameReader
from service.grants.rows import SOME, Grant, opened, row_of, subject_of
from service.paging import Page, Window, page
from service.scoping.actions import Action
from service.scoping.decide import Subject
from service.services import Services


async def read(services: Services, caller: Caller, grant_id: str) -> Grant:
    """Read one grant."""
    done = await perform(services, caller, Action.GRANT_LIST, subject_of(grant_id), lambda act: row_of(act, grant_id))
    return opened(NameReader(services.keys, done.authorised), done.result)


async def list_all(services: Services, caller: Caller, document_id: str, asked: Window) -> Page[Grant]:
    """List the grants of a document, oldest first, revoked and expired ones too."""

    def change(act: Act) -> Page[Any]:
        rows = act.tx.all(SOME, document=act.decision.row.id, after=asked.after, most=asked.limit + 1)
        found = page(rows, asked)
        act.list_out([row.id for row in found.items])
        return found

    done = await perform(services, caller, Action.GRANT_LIST, Subject(document=document_id), change)
    reader, listed = NameReader(services.keys, done.authorised), done.result
    found: Page[Grant] = listed.map(lambda row: opened(reader, row))
    return found
