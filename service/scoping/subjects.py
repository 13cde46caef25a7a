"""What an act is on: a document, a matter part, an engagement, a matter, the firm, or a person's own affairs.

Rules kept here:

* each act is asked about the kinds of thing listed in `KINDS` and no others: asking about the whole firm what is meant
  for one matter is a fault of ours and raises, it is not answered;
* an id that stands for something else (a grant's, a hold's, a token's) is followed to that thing inside the deciding
  transaction and inside the asker's firm; what is not found there does not exist.

Source: docs/adr/0005-policy.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, Text, bindparam, case, select

from service.db import models
from service.db.ids import is_id
from service.db.session import Tx
from service.scoping.actions import UNCONFIRMED_SENSITIVITY, Action
from service.scoping.answers import Kind


class Subject(NamedTuple):
    """What an act is on. Name one thing; nothing named is the firm.

    `via` is the id of something that stands for a thing: a revision's, grant's, access request's, misdirection's or
    disclosure's (its document), an ask's, task's, standing or standby share's (its part), an agreement's, bulk grant's,
    disposal's, certificate's, membership's, schedule's or on-call duty's (its engagement), a duty's (its engagement,
    and the matter where it is a matter's), a hold's, wall's or emergency's (its matter), a token's (its person).
    `receipt` is the id of a document whose receipt is wanted, seen as its adder's own affair. A matter beside an
    engagement means both at once (putting a part of a matter into an engagement). `begun` is when an upload was let in
    that goes on (UTC seconds): the hours of that time count, so that what is on its way when they end may finish; all
    else is decided as it is now.
    """

    document: str | None = None
    part: str | None = None
    engagement: str | None = None
    matter: str | None = None
    person: str | None = None
    via: str | None = None
    receipt: str | None = None
    label: str | None = None  # of a paper to be added to a part
    sensitivity: str = UNCONFIRMED_SENSITIVITY.value
    begun: int | None = None

    @property
    def kind(self) -> Kind:
        """What kind of thing it is, once `via` and `receipt` were followed."""
        if self.document is not None:
            return Kind.DOCUMENT
        if self.part is not None:
            return Kind.PART
        if self.engagement is not None:
            return Kind.ENGAGEMENT
        if self.matter is not None:
            return Kind.MATTER
        return Kind.FIRM if self.person is None else Kind.SELF

    def ids(self) -> dict[str, str]:
        """The ids that were asked about, as entries name them; what is not shaped like an id is left out."""
        named = {
            "document": self.document or self.receipt,
            "part": self.part,
            "engagement": self.engagement,
            "matter": self.matter,
            "person": self.person,
        }
        found = {noun: text for noun, text in named.items() if text and is_id(text, _KIND_OF_ID[noun])}
        noun = _NOUNS.get(self.via[:3]) if self.via else None
        if self.via and noun and is_id(self.via, self.via[:3]):
            found[noun] = self.via
        return found


_KIND_OF_ID: Final = {"document": "doc", "part": "prt", "engagement": "eng", "matter": "mtr", "person": "per"}
_NOUNS: Final = {
    "acr": "access_request",
    "agr": "agreement",
    "ask": "ask",
    "blk": "bulk",
    "crt": "certificate",
    "dsc": "disclosure",
    "dsp": "disposal",
    "dut": "duty",
    "emg": "emergency",
    "grt": "grant",
    "hld": "hold",
    "mem": "membership",
    "msd": "misdirection",
    "onc": "on_call",
    "rev": "revision",
    "sby": "standby",
    "sch": "schedule",
    "stn": "standing",
    "tok": "token",
    "tsk": "task",
    "wal": "wall",
}


def _follow(table: Any, **to: Any) -> Select[Any]:
    columns = [column.label(noun) for noun, column in to.items()]
    return select(*columns).where(
        table.c.id == bindparam("id", type_=Text), table.c.firm_id == bindparam("firm", type_=Text)
    )


_VIA: Final[Mapping[str, Select[Any]]] = MappingProxyType(
    {
        "acr": _follow(models.access_requests, document=models.access_requests.c.document_id),
        "agr": _follow(models.agreements, engagement=models.agreements.c.engagement_id),
        "ask": _follow(models.asks, part=models.asks.c.part_id),
        "blk": _follow(models.bulk_grants, engagement=models.bulk_grants.c.engagement_id),
        "crt": _follow(models.certificates, engagement=models.certificates.c.engagement_id),
        "dsc": _follow(models.disclosures, document=models.disclosures.c.document_id),
        "dsp": _follow(models.disposals, engagement=models.disposals.c.engagement_id),
        "dut": _follow(
            models.duties,
            engagement=models.duties.c.engagement_id,
            # A duty of a matter is an act on both.
            matter=case((models.duties.c.subject_id.like("mtr%"), models.duties.c.subject_id)),
        ),
        "emg": _follow(models.emergencies, matter=models.emergencies.c.matter_id),
        "grt": _follow(models.grants, document=models.grants.c.document_id),
        "hld": _follow(models.holds, matter=models.holds.c.matter_id),
        "mem": _follow(models.memberships, engagement=models.memberships.c.engagement_id),
        "msd": _follow(models.misdirections, document=models.misdirections.c.document_id),
        "onc": _follow(models.on_calls, engagement=models.on_calls.c.engagement_id),
        "rev": _follow(models.revisions, document=models.revisions.c.document_id),
        "sby": _follow(models.standbys, part=models.standbys.c.part_id),
        "sch": _follow(models.schedules, engagement=models.schedules.c.engagement_id),
        "stn": _follow(models.standing_shares, part=models.standing_shares.c.part_id),
        "tok": _follow(models.tokens, person=models.tokens.c.person_id),
        "tsk": _follow(models.tasks, part=models.tasks.c.part_id),
        "wal": _follow(models.walls, matter=models.walls.c.matter_id),
    }
)
_RECEIPT: Final = (
    select(models.memberships.c.person_id.label("person"))
    .select_from(models.documents.join(models.memberships, models.memberships.c.id == models.documents.c.added_by))
    .where(
        models.documents.c.id == bindparam("id", type_=Text),
        models.documents.c.firm_id == bindparam("firm", type_=Text),
    )
)


def follow(tx: Tx, firm_id: str, subject: Subject) -> Subject | None:
    """Return the subject with what `via` or `receipt` stands for filled in; None when there is no such thing."""
    named = (subject.part, subject.engagement, subject.matter, subject.person, subject.via, subject.receipt)
    if not all(text is None or text[4:].isalnum() for text in named):
        return None  # what is no id never reaches SQL (PostgreSQL takes no NUL)
    wanted = subject.receipt if subject.via is None else subject.via
    if wanted is None:
        return subject
    statement = _RECEIPT if subject.via is None else _VIA.get(wanted[:3])
    row = tx.one(statement, id=wanted, firm=firm_id) if statement is not None else None
    return None if row is None else subject._replace(**row._asdict())


_D, _P, _E, _M, _F, _S = (
    Kind.DOCUMENT,
    Kind.PART,
    Kind.ENGAGEMENT,
    Kind.MATTER,
    Kind.FIRM,
    Kind.SELF,
)

KINDS: Final[Mapping[Action, frozenset[Kind]]] = MappingProxyType(
    {
        action: frozenset(kinds)
        for actions, kinds in (
            ((Action.ACCESS_REQUEST_ANSWER, Action.ACCESS_REQUEST_CREATE), (_D,)),
            ((Action.ACCESS_REQUEST_LIST,), (_E,)),
            ((Action.ACCESS_REQUEST_WITHDRAW,), (_S,)),
            ((Action.AGREEMENT_PUBLISH, Action.AGREEMENT_READ, Action.AGREEMENT_SIGN), (_E,)),
            ((Action.ASK_CREATE, Action.ASK_END), (_P,)),
            ((Action.ASK_LIST,), (_P, _E)),
            ((Action.AUDIT_CHECKPOINT, Action.AUDIT_PROVE, Action.AUDIT_READ), (_E, _M, _F)),
            ((Action.AUDIT_EXPORT,), (_E, _F)),  # of one matter nothing could prove that no entry is missing
            ((Action.AUTHENTICATOR_ENROL, Action.AUTHENTICATOR_REPLACE), (_S,)),
            ((Action.AUTHENTICATOR_RESET, Action.AUTHENTICATOR_USE), (_S,)),
            ((Action.CERTIFICATE_LIST, Action.CERTIFICATE_READ, Action.DISPOSAL_READ), (_E, _F)),
            ((Action.DISCLOSURE_CREATE, Action.DISCLOSURE_END, Action.TITLE_READ), (_D,)),
            ((Action.DISCLOSURE_LIST,), (_E,)),
            ((Action.DISPOSAL_APPROVE, Action.DISPOSAL_REQUEST, Action.DISPOSAL_RETURN, Action.DISPOSAL_RUN), (_E,)),
            ((Action.DISPOSAL_WITHDRAW,), (_E,)),
            ((Action.DOCUMENT_ACCESS, Action.DOCUMENT_CONFIRM, Action.DOCUMENT_CORRECT), (_D,)),
            ((Action.DOCUMENT_DOWNLOAD, Action.DOCUMENT_INSPECT), (_D,)),
            ((Action.DOCUMENT_LINEAGE, Action.DOCUMENT_MOVE), (_D,)),
            ((Action.DOCUMENT_LIST,), (_D, _P, _E, _M, _F)),  # one document, or the list of those in a place
            ((Action.DOCUMENT_REVISE, Action.DOCUMENT_TAKE_BACK), (_D,)),
            ((Action.DOCUMENT_TEXT, Action.DOCUMENT_VIEW), (_D,)),
            ((Action.DOCUMENT_ADD,), (_P,)),
            ((Action.DUTY_END, Action.DUTY_LIST, Action.DUTY_RECORD, Action.DUTY_WAIVE), (_E,)),
            ((Action.EMERGENCY_DECLARE, Action.EMERGENCY_END, Action.EMERGENCY_REVIEW), (_M,)),
            ((Action.EMERGENCY_LIST,), (_M, _F)),
            ((Action.ENGAGEMENT_CHANGE, Action.ENGAGEMENT_READ), (_E,)),
            ((Action.ENGAGEMENT_SHARE, Action.ENGAGEMENT_SHRINK, Action.ENGAGEMENT_USAGE), (_E,)),
            ((Action.ENGAGEMENT_CREATE, Action.ENGAGEMENT_LIST, Action.FIRM_READ), (_F,)),
            ((Action.GRANT_CREATE, Action.GRANT_LIST, Action.GRANT_REVOKE), (_D,)),
            ((Action.HOLD_LIFT, Action.HOLD_PLACE, Action.WALL_LIFT, Action.WALL_RAISE), (_M,)),
            ((Action.MATTER_ACCESS, Action.WALL_PREVIEW), (_M,)),
            ((Action.HOLD_LIST, Action.WALL_LIST), (_M, _F)),
            ((Action.MATTER_CREATE, Action.MATTER_LIST), (_F,)),
            ((Action.MATTER_CHANGE, Action.MATTER_NAME, Action.MATTER_READ), (_M,)),
            ((Action.MEMBER_ADD, Action.MEMBER_END, Action.MEMBER_LIST), (_E, _F)),
            ((Action.MEMBER_RESUME, Action.MEMBER_SUSPEND), (_E, _F)),
            ((Action.MISDIRECTION_ACKNOWLEDGE, Action.MISDIRECTION_CREATE), (_D,)),
            ((Action.MISDIRECTION_LIST,), (_E,)),
            ((Action.ON_CALL_CREATE, Action.ON_CALL_END, Action.ON_CALL_LIST), (_E,)),
            ((Action.OVERLAY_CHANGE, Action.OVERLAY_READ), (_E,)),
            ((Action.PART_ADD, Action.PART_LIST, Action.PERSON_ACCESS), (_E,)),
            ((Action.PERSON_ADD, Action.PERSON_LIST, Action.PERSON_READ), (_F,)),
            ((Action.PERSON_RESUME, Action.PERSON_SUSPEND), (_F,)),
            ((Action.POLICY_PREVIEW, Action.POLICY_READ), (_F,)),
            ((Action.REGISTER_READ,), (_E,)),
            ((Action.TASK_ACCEPT, Action.TASK_CANCEL, Action.TASK_CREATE, Action.TASK_RETURN), (_P,)),
            ((Action.TASK_LIST, Action.TASK_MEASURE, Action.TASK_SUBMIT), (_E,)),
            ((Action.TASK_READ,), (_P, _E)),
            ((Action.SCHEDULE_CREATE, Action.SCHEDULE_END, Action.SCHEDULE_LIST), (_E,)),
            ((Action.STANDBY_CREATE, Action.STANDBY_END), (_P,)),
            ((Action.STANDBY_LIST,), (_P, _E)),
            ((Action.STANDBY_OPEN,), (_P, _E)),
            ((Action.STANDING_SHARE_CREATE, Action.STANDING_SHARE_END), (_P,)),
            ((Action.STANDING_SHARE_LIST,), (_P, _E)),
            ((Action.VENDOR_ADD, Action.VENDOR_LIST, Action.VENDOR_READ), (_F,)),
            ((Action.ME_READ, Action.RECEIPT_READ), (_S,)),
            ((Action.WITHHELD_LIST,), (_D, _E)),  # one document, or the list of those in an engagement
            ((Action.TOKEN_CREATE, Action.TOKEN_LINK, Action.TOKEN_LIST, Action.TOKEN_REVOKE), (_S,)),
        )
        for action in actions
    }
)
"""The kinds of thing that each act may be asked about."""

OF_THE_HOUSE: Final = frozenset(
    {
        Action.ENGAGEMENT_CREATE,
        Action.ENGAGEMENT_LIST,
        Action.FIRM_READ,
        Action.MATTER_CREATE,
        Action.MATTER_LIST,
        Action.PERSON_ADD,
        Action.PERSON_LIST,
        Action.PERSON_READ,
        Action.POLICY_READ,
        Action.VENDOR_ADD,
        Action.VENDOR_LIST,
        Action.VENDOR_READ,
    }
)
"""Acts that are on the firm by nature. Any other act asked about the firm means all engagements or matters at once."""
