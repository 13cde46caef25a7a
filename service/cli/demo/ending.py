"""The end: two people close the engagement, it is destroyed and certified, and nothing opens it again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from service.cli.demo.machine import Machine, verify
from service.cli.demo.people import VENDOR_PEOPLE, WAIVER
from service.cli.demo.proof import UnprovenError, refused, same, true
from service.cli.demo.proving import SOUND, fetch
from service.cli.demo.stage import API, Stage, sha256
from service.errors import (
    BadStateError,
    DisposedError,
    KeyMissingError,
    MunimentError,
    SecondPersonNeededError,
    StepUpNeededError,
)


def back_up(stage: Stage) -> str:
    """Stop the service, lay a copy of rows and blobs aside, look that it opens, and start the service again."""
    stage.leave()
    stage.machine.stop()
    copies = stage.machine.home / "copy"
    shutil.rmtree(copies, ignore_errors=True)
    made = stage.machine.run("backup", str(copies / "backup"), "--without-keys")
    stage.copy = Machine(copies / "restored", **stage.where.beside(copies / "restored"))
    same(stage.copy.run("restore", str(copies / "backup"))["blobs"], made["blobs"], "the blobs in the copy")
    with _copy_served(stage):
        for held in stage.documents:
            same(sha256(stage.content("dana", held.id)), held.paper.sha256, f"{held.paper.title}, read from the copy")
    stage.machine.start()
    same(
        len(stage.listed("dana")), len(stage.documents) + len(stage.brought), "what the attorney sees after the restart"
    )
    return (
        f"The service stops and starts in good order; a copy of all rows and {made['blobs']} blobs, without keys, is "
        "laid aside: beside the keys it opens everything, so far."
    )


def request_end(stage: Stage) -> str:
    """Ask for the end as one attorney; agree as the other."""
    disposal = stage.make("dana@house", f"/engagements/{stage.engagement}/disposal")
    stage.disposal = disposal["id"]
    for person in VENDOR_PEOPLE:
        for document in stage.granted(person.key):
            stage.refuse_both(person, document, "after the end was asked for")
    first = stage.documents[0]
    same(stage.content("dana", first.id), first.paper.content, "what the attorney reads meanwhile")
    approval = f"/disposals/{stage.disposal}/approval"
    for who in ("dana@house", "marcus@house"):
        with refused(StepUpNeededError, "agreeing with a token alone"):
            stage.make(who, approval, manifest_sha256=disposal["manifest_sha256"])
        stage.step_up(who)
    with refused(SecondPersonNeededError, "agreeing with oneself"):
        stage.make("dana@house", approval, manifest_sha256=disposal["manifest_sha256"])
    with refused(MunimentError, "agreeing to something else"):
        stage.make("marcus@house", approval, manifest_sha256=sha256(b"something else"))
    approved = stage.make("marcus@house", approval, manifest_sha256=disposal["manifest_sha256"])
    same(approved["state"], "approved", "the disposal's state")
    stage.only_copies = dict.fromkeys(disposal["only_copies"], "")
    return (
        "One attorney asks for the end: vendor access is over at once, attorneys still read; no token alone is enough "
        "to agree, and she cannot agree with herself; the second does, to exactly that manifest, with a code of his "
        "authenticator."
    )


def destroy(stage: Stage) -> str:
    """Return or waive, read back what exists nowhere else, then destroy."""
    path = f"/disposals/{stage.disposal}"
    brought = {held.id for held in stage.brought}
    same(brought & stage.only_copies.keys(), brought, "what the vendor's people added to be only copies")
    with refused(BadStateError, "destroying only copies that nobody read back"):
        stage.make("dana@house", f"{path}/return", waiver=WAIVER, only_copies=[])
    read_back = [
        {"document_id": document, "sha256": sha256(stage.content("dana", document))} for document in stage.only_copies
    ]
    stage.make("dana@house", f"{path}/return", waiver=WAIVER, only_copies=read_back)
    done = stage.make("dana@house", f"{path}/run")
    same(done["state"], "certified", "the disposal's state")
    return (
        f"What exists nowhere else is read back by its SHA-256 ({len(read_back)}), the rest waived in words; keys die."
    )


def certify(stage: Stage) -> str:
    """Read the certificate, and compare it with what is on the disk."""
    found = stage.as_("grace@house").items(f"{API}/certificates")
    certificate_id = next(each["id"] for each in found if each["engagement_id"] == stage.engagement)
    certificate = stage.read("dana@house", f"/certificates/{certificate_id}")
    body = certificate["body"]
    same(sha256(certificate["text"].encode()), certificate["sha256"], "the certificate's digest")
    same(body["objects_deleted"], stage.revisions, "the objects that it says were deleted: each revision")
    true(body["irrecoverable_at"] > body["access_ended_at"], "two times, one after the other")
    same(stage.where.blobs(), stage.blobs_before, "blobs that are left")
    kept = stage.where.keys()
    true(kept, "the keys of the firm and its people to be left")
    true(not any(key in name for key in body["key_ids"] for name in kept), "the certified keys to be in no key place")
    for held in stage.documents:
        with refused(DisposedError, f"{held.paper.title} after its end"):
            stage.content("dana@house", held.id)
    stage.figures["destroyed"] = f"{body['keys_destroyed']} keys, {body['objects_deleted']} objects"
    return (
        f"Certified: {body['keys_destroyed']} keys, {body['objects_deleted']} objects gone; access ended "
        f"{_at(body['access_ended_at'])}, irrecoverable from {_at(body['irrecoverable_at'])}; "
        f"{len(body['downloads_that_left'])} downloads that left are named."
    )


def open_copy(stage: Stage) -> str:
    """Serve the old copy with every key that is left, and try to open names and contents."""
    with _copy_served(stage):
        true(stage.read("owner", "/people")["items"], "names under other keys to open in the copy")
        with refused(KeyMissingError, "titles in the copy"):
            stage.listed("dana")
        for held in stage.documents:
            for path in ("", "/content"):
                with refused(KeyMissingError, f"{held.paper.title} in the copy"):
                    stage.read("dana", f"/documents/{held.id}{path}")
    return (
        "Served from the copy made before, with every key that is left: people still have names, the papers have "
        "neither title nor content."
    )


def verify_again(stage: Stage) -> str:
    """Verify the log once more, against the checkpoint that was kept before the end."""
    bundle = stage.out("log-after.zip")
    fetch(stage, "grace@house", bundle)
    verdict = verify(bundle, "--key", stage.verifier_key, "--checkpoint", str(stage.checkpoint))
    same(verdict.exit_code, SOUND, "the verdict after the end")
    stage.figures["log"] = f"{verdict.report['entries']} entries, sound, continues the checkpoint kept before the end"
    found = stage.machine.run("doctor")["items"]
    same({each["code"] for each in found}, stage.where.doubts, "what the doctor finds")
    return (
        f"The log still verifies, {verdict.report['entries']} entries, it continues what was signed before the end; "
        "the doctor finds everything as it should be."
    )


@contextmanager
def _copy_served(stage: Stage) -> Iterator[None]:
    """Serve the copy, and speak to it, for the time of the block."""
    stage.leave()
    here = stage.machine
    stage.machine = old = _copy(stage)
    try:
        old.start()
        yield
        stage.leave()
        old.stop()
    finally:
        stage.leave()
        old.abandon()
        stage.machine = here


def _copy(stage: Stage) -> Machine:
    if stage.copy is None:
        raise UnprovenError("expected: a copy to have been made")
    return stage.copy


def _at(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%S UTC")
