"""The marks of an engagement: read, and set anew by whoever may change the engagement; stricter or looser, recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, select, update

from service.acts import Act, Caller, perform
from service.brakes.marks import MOST_BYTES, MOST_DOCUMENTS, Marks
from service.db.models import engagements
from service.errors import BadInputError, NotFoundError
from service.events import EventType
from service.scoping.actions import Action
from service.scoping.decide import Subject
from service.services import Services

_ONE: Final = select(
    engagements.c.slow_documents,
    engagements.c.slow_bytes,
    engagements.c.stop_documents,
    engagements.c.stop_bytes,
    engagements.c.id,
    engagements.c.version,
).where(engagements.c.id == bindparam("engagement"), engagements.c.firm_id == bindparam("firm"))
_SET: Final = (
    update(engagements)
    .where(engagements.c.id == bindparam("engagement"))
    .values(
        **{name: bindparam(f"new_{name}") for name in Marks._fields},
        version=engagements.c.version + 1,
    )
)


@dataclass(frozen=True, slots=True)
class Brakes:
    """The marks that stand, and the version of their engagement."""

    engagement_id: str
    marks: Marks
    version: int


async def read(services: Services, caller: Caller, engagement_id: str) -> Brakes:
    """Read the marks of an engagement."""

    def look(act: Act) -> Brakes:
        return _row(act, engagement_id)

    found: Brakes = (
        await perform(services, caller, Action.ENGAGEMENT_USAGE, Subject(engagement=engagement_id), look)
    ).result
    return found


async def change(services: Services, caller: Caller, engagement_id: str, marks: Marks) -> Brakes:
    """Set the marks of an engagement; they bind from the next body on.

    Raises:
        BadInputError: a mark out of range, or a lower one above the higher.
        PreconditionMissingError, StaleError: see `Act.require_version`.
    """
    for kind, slow, stop, most in (
        ("documents", marks.slow_documents, marks.stop_documents, MOST_DOCUMENTS),
        ("bytes", marks.slow_bytes, marks.stop_bytes, MOST_BYTES),
    ):
        if not 0 <= slow <= stop <= most or stop == 0:
            sentence = f"slow_{kind}: 0 or more, and no more than stop_{kind}, which is 1 to {most}."
            raise BadInputError(sentence, extra={"field": f"slow_{kind}"})

    def write(act: Act) -> Brakes:
        before = _row(act, engagement_id)
        act.require_version(engagement_id, before.version)
        act.tx.run(_SET, engagement=engagement_id, **{f"new_{name}": value for name, value in marks._asdict().items()})
        stood = {f"{name}_before": value for name, value in before.marks._asdict().items()}
        act.record(EventType.ENGAGEMENT_BRAKES_SET, {"engagement": engagement_id}, {**marks._asdict(), **stood})
        return _row(act, engagement_id)

    subject = Subject(engagement=engagement_id)
    found: Brakes = (await perform(services, caller, Action.ENGAGEMENT_CHANGE, subject, write)).result
    return found


def _row(act: Act, engagement_id: str) -> Brakes:
    row: Any = act.tx.one(_ONE, engagement=engagement_id, firm=act.firm_id)
    if row is None:
        raise NotFoundError
    return Brakes(row.id, Marks(*row[:4]), row.version)
