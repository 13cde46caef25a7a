"""An engagement to end: papers of both sides, two attorneys and the owner."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from service.db.models import certificates, disposals, engagements, parts, revisions
from tests.world import Engagement, Person, World

FORM, LETTER = b"the client's form", b"the firm's letter" * 2000
_KEYS = (
    select(engagements.c.key_id).where(engagements.c.id == bindparam("engagement")),
    select(parts.c.key_id).where(parts.c.engagement_id == bindparam("engagement")),
)


@dataclass
class Ending:
    """An engagement with one paper of the attorney's and one of the vendor's, ready to be ended."""

    engagement: Engagement
    seat: Person
    letter: Any
    form: Any
    disposal: Any = None

    @property
    def world(self) -> World:
        return self.engagement.world

    @property
    def attorney(self) -> Person:
        return self.engagement.attorney

    @property
    def path(self) -> str:
        return f"/disposals/{self.disposal['id']}"

    async def request(self) -> Any:
        """The attorney asks for the end."""
        self.disposal = await self.attorney.post(f"/engagements/{self.engagement.id}/disposal")
        return self.disposal

    async def approve(self, by: Person | None = None, status: int = 200) -> Any:
        """The owner agrees."""
        body = {"manifest_sha256": self.disposal["manifest_sha256"]}
        who = by or self.world.owner
        await self.world.step_up(who)
        return await who.post(f"{self.path}/approval", body, status=status)

    async def give_back(self, status: int = 200, **changes: Any) -> Any:
        """The attorney confirms what the firm keeps."""
        only = {"document_id": self.form["document_id"], "sha256": hashlib.sha256(FORM).hexdigest()}
        body = {"waiver": "All is in our file.", "only_copies": [only], **changes}
        return await self.attorney.post(f"{self.path}/return", body, status=status)

    async def run(self, status: int = 200, by: Person | None = None) -> Any:
        """The attorney lets it run."""
        return await (by or self.attorney).post(f"{self.path}/run", status=status)

    async def returned(self) -> None:
        """Take every step up to the last."""
        await self.request()
        await self.approve()
        await self.give_back()

    def key_ids(self) -> list[str]:
        """The key objects that must die."""
        with self.world.services.database.read(self.world.firm_id) as tx:
            return [row.key_id for query in _KEYS for row in tx.all(query, engagement=self.engagement.id)]

    def row(self) -> Any:
        """The disposal as it stands."""
        with self.world.services.database.read(self.world.firm_id) as tx:
            return tx.one(select(disposals).where(disposals.c.id == self.disposal["id"]))

    def certificates(self) -> list[Any]:
        """All certificates there are."""
        with self.world.services.database.read(self.world.firm_id) as tx:
            return list(tx.all(select(certificates)))

    def blob_ids(self) -> list[str]:
        """The objects that must go."""
        with self.world.services.database.read(self.world.firm_id) as tx:
            return [row.blob_id for row in tx.all(select(revisions.c.blob_id))]


async def an_ending(world: World, engagement: Engagement | None = None) -> Ending:
    """Fill an engagement with a paper of either side; the vendor's has been confirmed and read."""
    engagement = engagement or await world.engagement()
    seat = await engagement.member("intake_specialist")
    await engagement.ask(seat)
    letter = await engagement.document(LETTER, title="Canary letter")
    form = await seat.upload(engagement.id, engagement.part_id, FORM, label="intake_form", title="Canary form")
    await engagement.attorney.change(
        "POST",
        f"/documents/{form['document_id']}/confirmation",
        {"label": "intake_form", "sensitivity": "confidential"},
        match=f"/documents/{form['document_id']}",
    )
    return Ending(engagement, seat, letter, form)
