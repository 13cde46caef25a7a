"""The steps that Muniment takes by itself: destroy keys, delete objects, verify, certify.

Each step: do it, then move the row's state and write the entry in one transaction. A crash between the two repeats the
step, and every step can be repeated: a key that is gone confirms again, an object that is absent counts as deleted.
After *destroying* nothing turns back; `resume_all` finishes what a crash cut short at the next start.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import bindparam, insert, or_, select, update

from service import events, holds, tombstones
from service.acts import Act, Caller, perform
from service.db.auditstore import each_log
from service.db.models import certificates, disposals, documents, engagements, revisions
from service.db.session import EVERY_LOG, Tx
from service.disposal.body import certificate_body
from service.disposal.manifest import Manifest, manifest_of
from service.disposal.retired import retired_of
from service.disposal.steps import DAY_S, Disposal, read
from service.door import try_to_open
from service.errors import BadStateError, HeldError, MunimentError, StaleError, UnavailableError
from service.events import EventType
from service.ledger import Draft, Moment, Outcome
from service.scoping.actions import Action
from service.scoping.decide import Subject
from service.services import Services
from service.tombstones import Tombstone
from service.uploads import expiry

ORDER: Final = ("destroying", "keys_destroyed", "objects_deleted", "verified", "certified")

logger = logging.getLogger(__name__)

_ONE = select(disposals).where(disposals.c.id == bindparam("disposal"))
_UNFINISHED = select(disposals.c.id, disposals.c.firm_id).where(
    disposals.c.firm_id == bindparam("firm"), or_(*(disposals.c.state == state for state in ORDER[:-1]))
)
_MOVE = (
    update(disposals)
    .where(disposals.c.id == bindparam("disposal"), disposals.c.state == bindparam("old_state"))
    .values(state=bindparam("new_state"), evidence=bindparam("new_evidence"), version=disposals.c.version + 1)
)
_DESTROY_DOCUMENTS = (
    update(documents)
    .where(
        documents.c.engagement_id == bindparam("engagement"),
        documents.c.state != "taken_back",
        documents.c.state != "moved",  # it lives on elsewhere
    )
    .values(state="destroyed", version=documents.c.version + 1)
)
_FORGET_KEYS = (
    update(revisions)
    .where(
        revisions.c.document_id.in_(select(documents.c.id).where(documents.c.engagement_id == bindparam("engagement")))
    )
    .values(wrapped_key=b"")
)
_DISPOSED = (
    update(engagements)
    .where(engagements.c.id == bindparam("engagement"))
    .values(status="disposed", version=engagements.c.version + 1)
)
_RECONCILED = (
    update(disposals)
    .where(disposals.c.engagement_id == bindparam("engagement"), disposals.c.state != "withdrawn")
    .values(state="reconciled", version=disposals.c.version + 1)
)
_ADD_CERTIFICATE = insert(certificates)


async def run(services: Services, caller: Caller, disposal_id: str) -> Disposal:
    """Destroy what was approved and returned, and certify it; returns when it is done.

    Raises:
        BadStateError: it was not returned, or the approval has lapsed.
        HeldError: a legal hold came first.
        StaleError: what would be destroyed is no longer what was approved.
        KeyPlaceError, StoreUnavailableError: a place did not confirm; run it again, nothing was certified.
    """

    def change(act: Act) -> None:
        row = act.tx.one(_ONE, disposal=disposal_id)
        if row.state in ORDER:
            return  # under way, or finished: what is left is done below
        lapsed = row.approved_at is None or act.moment.s >= row.approved_at + services.settings.approval_days * DAY_S
        if row.state != "returned" or lapsed:
            raise BadStateError("It must be approved and returned first, and an approval stands seven days.")
        if holds.in_force(act.tx, row.engagement_id, act.moment.s):
            raise HeldError
        if manifest_of(act.tx, row.engagement_id).sha256 != row.manifest_sha256:
            raise StaleError("What would be destroyed has changed. Withdraw the disposal and ask for it again.")
        act.tx.run(_MOVE, disposal=disposal_id, old_state="returned", new_state="destroying", new_evidence=row.evidence)

    await perform(services, caller, Action.DISPOSAL_RUN, Subject(via=disposal_id), change)
    await finish(services, caller.credential.firm_id, disposal_id)
    return await read(services, caller, disposal_id)


async def resume_all(services: Services) -> dict[str, MunimentError | None]:
    """Finish what a crash, a place that was away or a process without the right to delete left unfinished.

    Returns:
        The disposals that were unfinished, each with the error that stopped it again; None where it is finished now.
    """
    fates: dict[str, MunimentError | None] = {}
    with services.database.read(EVERY_LOG) as tx:
        unfinished = [row for log in each_log(tx) for row in tx.all(_UNFINISHED, firm=log.id)]
    for row in unfinished:
        try:
            await finish(services, row.firm_id, row.id)
            fates[row.id] = None
        except MunimentError as error:
            fates[row.id] = error
            logger.warning("a disposal could not be finished", extra={"disposal": row.id, "code": error.code})
    return fates


async def finish(services: Services, firm_id: str, disposal_id: str) -> None:
    """Take every step that is left."""
    steps = {
        "destroying": _destroy_keys,
        "keys_destroyed": _delete_objects,
        "objects_deleted": _verify,
        "verified": _certify,
    }
    while True:
        with services.database.read(firm_id) as tx:
            row = tx.one(_ONE, disposal=disposal_id)
            manifest = manifest_of(tx, row.engagement_id)
        step = steps.get(row.state)
        if step is None:
            return
        await step(services, firm_id, row, manifest)


async def _destroy_keys(services: Services, firm_id: str, row: Any, manifest: Manifest) -> None:
    # Before the first key dies: a database restored from before must not bring back what is gone (ADR 0016).
    await tombstones.bury(services, firm_id, row.engagement_id, row.id, manifest.key_ids)
    places: dict[str, int] = {}
    for key_id in _all_keys(services, firm_id, manifest):
        for confirmation in await asyncio.to_thread(services.keys.destroy, key_id):
            places[confirmation.place] = max(places.get(confirmation.place, 0), confirmation.confirmed_at)
    settings = services.settings
    last = max(places.values())
    irrecoverable_at = last + settings.key_cache_s + settings.backup_days * DAY_S
    evidence = {"keys": len(manifest.key_ids), "places": places, "irrecoverable_at": irrecoverable_at}

    def also(tx: Tx) -> None:
        tx.run(_DESTROY_DOCUMENTS, engagement=row.engagement_id)
        tx.run(_FORGET_KEYS, engagement=row.engagement_id)

    data = {"keys": len(manifest.key_ids), "irrecoverable_at": irrecoverable_at}
    await _move(services, firm_id, row, EventType.DISPOSAL_KEYS_DESTROYED, evidence, data, also)


def _all_keys(services: Services, firm_id: str, manifest: Manifest) -> tuple[str, ...]:
    """The manifest's keys, and those that a rotation replaced: cut short, it may have left them in a place."""
    with services.database.read(firm_id) as tx:
        return (*retired_of(tx, firm_id, manifest.engagement_id), *manifest.key_ids)


async def _delete_objects(services: Services, firm_id: str, row: Any, manifest: Manifest) -> None:
    await expiry.collect(services)  # what was still on its way goes with the engagement
    report = await services.blobs.delete([each.blob_id for each in manifest.revisions])
    if report.failed:
        raise UnavailableError("The store has not deleted everything. Run the disposal again.")
    evidence = {"objects": len(manifest.revisions)}
    await _move(services, firm_id, row, EventType.DISPOSAL_OBJECTS_DELETED, evidence, evidence)


async def destroy_again(services: Services, stone: Tombstone) -> None:
    """Destroy what restored rows still hold of an engagement that was disposed of after they were copied.

    It can be done again at any step. No certificate is issued: the one that was stands, and the firm has it.

    Raises:
        KeyPlaceError, UnavailableError: a place or the store did not confirm; do it again.
    """
    with services.database.read(stone.firm_id) as tx:
        manifest = manifest_of(tx, stone.engagement_id)
    for key_id in dict.fromkeys((*stone.key_ids, *manifest.key_ids)):
        await asyncio.to_thread(services.keys.destroy, key_id)
    report = await services.blobs.delete([each.blob_id for each in manifest.revisions])
    if report.failed:
        raise UnavailableError("The store has not deleted everything. Reconcile again.")

    def job(tx: Tx, _moment: Moment) -> Outcome[None]:
        tx.run(_DESTROY_DOCUMENTS, engagement=stone.engagement_id)
        tx.run(_FORGET_KEYS, engagement=stone.engagement_id)
        tx.run(_DISPOSED, engagement=stone.engagement_id)
        tx.run(_RECONCILED, engagement=stone.engagement_id)
        who = events.system("restore", {"engagement": stone.engagement_id, "disposal": stone.disposal_id})
        data = {"keys": len(manifest.key_ids), "objects": len(manifest.revisions)}
        return Outcome(None, (events.changed(EventType.DISPOSAL_RECONCILED, who, data=data),))

    await services.ledger.submit(stone.firm_id, job)


async def _verify(services: Services, firm_id: str, row: Any, manifest: Manifest) -> None:
    """Try to open one of each kind of thing; each must fail, for the right reason."""
    blob_ids = [each.blob_id for each in manifest.revisions]
    opened = await try_to_open(services.keys, services.blobs, _all_keys(services, firm_id, manifest), blob_ids)
    if opened:
        raise UnavailableError("Something could still be opened after its key was destroyed. Run `muniment doctor`.")
    evidence = {"tried": len(manifest.key_ids) + len(manifest.revisions), "opened": 0}
    await _move(services, firm_id, row, EventType.DISPOSAL_VERIFIED, evidence, evidence)


async def _certify(services: Services, firm_id: str, row: Any, manifest: Manifest) -> None:
    certificate_id = f"crt_{row.id.removeprefix('dsp_')}"  # one certificate a disposal, also after a crash

    def also(tx: Tx, moment: Moment) -> tuple[Draft, ...]:
        body, digest = certificate_body(tx, moment, row, manifest, certificate_id)
        tx.run(
            _ADD_CERTIFICATE,
            id=certificate_id,
            firm_id=firm_id,
            disposal_id=row.id,
            engagement_id=row.engagement_id,
            body=body,
            sha256=digest,
            issued_at=moment.s,
        )
        tx.run(_DISPOSED, engagement=row.engagement_id)
        subjects = {"disposal": row.id, "certificate": certificate_id}
        who = events.system("disposal", {"engagement": row.engagement_id})
        return (events.changed(EventType.CERTIFICATE_ISSUED, who, subjects, {"sha256": digest}),)

    def job(tx: Tx, moment: Moment) -> Outcome[None]:
        evidence = row.evidence
        if not tx.run(_MOVE, disposal=row.id, old_state=row.state, new_state="certified", new_evidence=evidence):
            return Outcome(None)
        return Outcome(None, also(tx, moment))

    await services.ledger.submit(firm_id, job)


async def _move(
    services: Services,
    firm_id: str,
    row: Any,
    kind: EventType,
    evidence: Mapping[str, Any],
    data: Mapping[str, int],
    also: Callable[[Tx], None] | None = None,
) -> None:
    """Keep the evidence of a step, move the state on, and write the entry, once."""
    who = events.system("disposal", {"engagement": row.engagement_id})
    new_state = ORDER[ORDER.index(row.state) + 1]

    def job(tx: Tx, moment: Moment) -> Outcome[None]:
        kept = json.dumps({**json.loads(row.evidence), new_state: {**evidence, "at": moment.s}}, sort_keys=True)
        if not tx.run(_MOVE, disposal=row.id, old_state=row.state, new_state=new_state, new_evidence=kept):
            return Outcome(None)  # another process was first
        if also is not None:
            also(tx)
        return Outcome(None, (events.changed(kind, who, {"disposal": row.id}, data),))

    await services.ledger.submit(firm_id, job)
