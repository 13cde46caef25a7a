"""What changes meanwhile: the agreement, a grant that is taken back, a grant that ends by itself."""

from __future__ import annotations

import time

from service.cli.demo.opening import sign_all
from service.cli.demo.people import NDA_AFTER, VENDOR_PEOPLE
from service.cli.demo.proof import refused, same, true
from service.cli.demo.stage import Held, Stage, hence, person_of
from service.errors import DutyMissingError, NotFoundError

SHORT_S = 2
PATIENCE_S = 10


def change_nda(stage: Stage) -> str:
    """Publish a new text that binds at once, and sign it."""
    before = stage.nda_sha256
    agreement = f"/agreements/{stage.agreement}"
    stage.change("dana", "POST", f"{agreement}/versions", agreement, text=NDA_AFTER, at_once=True)
    for person in VENDOR_PEOPLE:
        for document in stage.granted(person.key):
            stage.refuse_both(person, document, "under the old agreement")
        with refused(DutyMissingError, f"{person.name} and the engagement"):
            stage.read(person.key, f"/engagements/{stage.engagement}")
    sign_all(stage)
    true(stage.nda_sha256 != before, "another text")
    for person in VENDOR_PEOPLE:
        same(set(stage.listed(person.key)), stage.granted(person.key), f"what {person.name} sees again")
    return (
        "A new version of the NDA closes every paper at once, until each has signed that text; then all is as before."
    )


def revoke(stage: Stage) -> str:
    """Take a grant back."""
    held = _shared(stage)
    grant = f"/grants/{stage.grants.pop(('sofia', held.id))}"
    stage.content("sofia", held.id)
    stage.change("dana", "DELETE", grant, grant)
    start = time.monotonic()
    with refused(NotFoundError, "a paper that is shared no more"):
        stage.content("sofia", held.id)
    took_ms = (time.monotonic() - start) * 1000
    same(set(stage.listed("sofia")), stage.granted("sofia"), "what the paralegal sees after that")
    return f"Sharing is stopped for one paper: the very next request, {took_ms:.0f} ms later, is 404."


def expire(stage: Stage) -> str:
    """Share for seconds, and wait."""
    held = _not_shared(stage)
    start = time.monotonic()
    stage.share(person_of("sofia"), held, not_after=hence(seconds=SHORT_S + 1))
    stage.content("sofia", held.id)
    while held.id in stage.listed("sofia"):
        true(time.monotonic() - start < PATIENCE_S, "the grant to end by itself")
        time.sleep(0.1)
    with refused(NotFoundError, "a paper whose time is over"):
        stage.content("sofia", held.id)
    del stage.grants["sofia", held.id]
    return f"A paper shared for seconds was open, and closed by itself after {time.monotonic() - start:.1f} s."


def _shared(stage: Stage) -> Held:
    return next(held for held in reversed(stage.documents) if held.id in stage.granted("sofia"))


def _not_shared(stage: Stage) -> Held:
    """A paper that the paralegal may be given and does not have."""
    granted = stage.granted("sofia")
    share = person_of("sofia").share
    return next(
        held
        for held in stage.documents
        if held.id not in granted and share is not None and share.covers(held.paper.label, held.paper.sensitivity)
    )
