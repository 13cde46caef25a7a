"""Agreements: texts with versions, published by the firm, read by those who are to sign them.

Rules kept here:

* the text that is shown is the text that was hashed: it is never normalised, and every answer that holds a text holds
  its SHA-256, for a signature must carry it;
* a new version bites at once, or at the end of the third working day after the one on which it is published; from then
  on what was signed before no longer counts. Whoever signs it meanwhile keeps access without a gap;
* what this does to duties is written in the same transaction, and follows from the entries alone.

Working days are Monday to Friday where the firm is; holidays are not known here. Signing is `service.signatures`.
"""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, insert, select, update

from service import duties
from service.acts import Act, Caller, perform
from service.db.ids import is_id
from service.db.models import agreement_versions, agreements, firms, signatures
from service.door import Holder, NameReader
from service.errors import BadInputError, ExistsError, NotFoundError
from service.events import EventType
from service.paging import Page, Window, page
from service.scoping.actions import Action
from service.scoping.decide import Subject
from service.services import Services

KINDS: Final = ("nda",)
TEXT_CHARACTERS: Final = 200_000
NOTICE_DAYS: Final = 3  # working days
FIRST: Final = 1

_SATURDAY: Final = 5
_NUMBER_DIGITS: Final = 9
_TURNED: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # they make a text read otherwise


@dataclass(frozen=True, slots=True)
class Agreement:
    """An agreement with one version of its text. Times are UTC seconds."""

    id: str
    engagement_id: str
    kind: str
    number: int
    sha256: str  # hex, of the text in UTF-8
    published_by: str  # a person
    published_at: int
    bites_at: int
    signed_at: int | None  # by the caller
    version: int  # number of the newest text
    text: str | None  # None in lists


_a, _v, _s = agreements, agreement_versions, signatures
_VERSIONS = (
    select(
        _a.c.id,
        _a.c.engagement_id,
        _a.c.kind,
        _a.c.version,
        _v.c.id.label("version_id"),
        _v.c.number,
        _v.c.body,
        _v.c.sha256,
        _v.c.published_by,
        _v.c.published_at,
        _v.c.bites_at,
        _s.c.signed_at,
    )
    .select_from(
        _a.join(_v, _v.c.agreement_id == _a.c.id).outerjoin(
            _s, (_s.c.version_id == _v.c.id) & (_s.c.person_id == bindparam("person"))
        )
    )
    .where(_a.c.firm_id == bindparam("firm"))
)
_NEWEST = _VERSIONS.where(_a.c.id == bindparam("agreement"), _v.c.number == _a.c.version)
_NUMBERED = _VERSIONS.where(_a.c.id == bindparam("agreement"), _v.c.number == bindparam("wanted"))
_VERSION = _VERSIONS.where(_v.c.id == bindparam("wanted"))
_SOME = (
    _VERSIONS.where(
        _a.c.engagement_id == bindparam("engagement"), _v.c.number == _a.c.version, _a.c.id > bindparam("after")
    )
    .order_by(_a.c.id)
    .limit(bindparam("most"))
)
_OF_KIND = select(_a.c.id).where(_a.c.engagement_id == bindparam("engagement"), _a.c.kind == bindparam("wanted"))
_ADD = insert(agreements)
_ADD_VERSION = insert(agreement_versions)
_MOVE = update(_a).where(_a.c.id == bindparam("agreement")).values(version=bindparam("newest"))
_ZONE = select(firms.c.zone).where(firms.c.id == bindparam("firm"))


# Publishing -----------------------------------------------------------------------------------------------------------


async def create(services: Services, caller: Caller, engagement_id: str, kind: str, text: str) -> Agreement:
    """Publish the first text of an agreement; it bites at once.

    Raises:
        BadInputError: the text cannot be kept as it is, or the kind is not known.
        ExistsError: the engagement has an agreement of this kind.
    """
    if kind not in KINDS:
        raise BadInputError(f"kind: only {', '.join(KINDS)} can be agreed upon here.", extra={"field": "kind"})
    digest = digest_of(text)

    def change(act: Act) -> tuple[Holder, Any]:
        request = {"engagement": engagement_id, "kind": kind, "sha256": digest}
        version_id = act.once("agreement", request, lambda: _create(act, engagement_id, kind, text, digest))
        return act.firm(), _found(act, _VERSION, wanted=version_id)

    done = await perform(services, caller, Action.AGREEMENT_PUBLISH, Subject(engagement=engagement_id), change)
    return _opened(NameReader(services.keys, done.authorised), *done.result)


async def publish(services: Services, caller: Caller, agreement_id: str, text: str, *, at_once: bool) -> Agreement:
    """Publish a new version of a text.

    Args:
        at_once: it bites now; else `bites_at` tells when.

    Raises:
        BadInputError: the text cannot be kept as it is.
        ExistsError: it is the newest text already.
        PreconditionMissingError, StaleError: If-Match.
    """
    digest = digest_of(text)

    def change(act: Act) -> tuple[Holder, Any]:
        request = {"agreement": agreement_id, "sha256": digest, "at_once": at_once}
        made = act.once("agreement version", request, lambda: _publish(act, agreement_id, text, digest, at_once))
        return act.firm(), _found(act, _VERSION, wanted=made)

    done = await perform(services, caller, Action.AGREEMENT_PUBLISH, subject_of(agreement_id), change)
    return _opened(NameReader(services.keys, done.authorised), *done.result)


def digest_of(text: str) -> str:
    """Return the hex SHA-256 of a text that may be published: 1 to 200,000 characters.

    Raises:
        BadInputError: empty, too long, or it holds control characters other than newline and tab, marks that turn the
            direction of reading, or what is not Unicode.
    """
    refused = any(
        sign in _TURNED or (unicodedata.category(sign) in {"Cc", "Cs"} and sign not in "\n\t") for sign in text
    )
    if refused or not text.strip() or len(text) > TEXT_CHARACTERS:
        raise BadInputError(
            f"text: send 1 to {TEXT_CHARACTERS} characters; lines end with a newline alone, and there are no other "
            "control characters but tabs, and no marks that turn the direction of reading.",
            extra={"field": "text"},
        )
    return hashlib.sha256(text.encode()).hexdigest()


def end_of_notice(now: int, zone: ZoneInfo, working_days: int = NOTICE_DAYS) -> int:
    """Return when a text bites that is published now: the end, where the firm is, of the last working day of notice.

    The day of publication does not count, nor do Saturdays and Sundays. All times are UTC seconds.

    >>> end_of_notice(1_700_000_000, ZoneInfo("UTC"))  # Tuesday 14 November 2023, 22:13
    1700265600
    """
    day = datetime.fromtimestamp(now, zone).date()
    left = working_days
    while left:
        day += timedelta(days=1)
        left -= day.weekday() < _SATURDAY
    following = day + timedelta(days=1)
    # Where clocks jump over midnight this is the moment of the jump: the first moment of that day (PEP 495, fold=0).
    return int(datetime(following.year, following.month, following.day, tzinfo=zone).timestamp())


def _create(act: Act, engagement_id: str, kind: str, text: str, digest: str) -> str:
    if act.tx.one(_OF_KIND, engagement=engagement_id, wanted=kind) is not None:
        raise ExistsError("This engagement has an agreement of this kind. Publish a new version of it.")
    agreement_id = act.new_id("agr")
    act.tx.run(
        _ADD,
        id=agreement_id,
        firm_id=act.firm_id,
        engagement_id=engagement_id,
        kind=kind,
        created_at=act.moment.s,
        version=FIRST,
    )
    subjects = {"engagement": engagement_id, "agreement": agreement_id}
    return _write(act, subjects, kind, FIRST, text, digest, act.moment.s)


def _publish(act: Act, agreement_id: str, text: str, digest: str, at_once: bool) -> str:  # noqa: FBT001  # handed on
    newest = newest_of(act, agreement_id)
    act.require_version(agreement_id, newest.version)
    if newest.sha256 == digest:
        raise ExistsError("This is the newest text already.")
    now, number = act.moment.s, newest.version + 1
    bites_at = now if at_once else end_of_notice(now, ZoneInfo(act.tx.value(_ZONE, firm=act.firm_id)))
    act.tx.run(_MOVE, agreement=agreement_id, newest=number)
    duties.end_with(act.tx, agreement_id, bites_at)
    subjects = {"engagement": newest.engagement_id, "agreement": agreement_id}
    return _write(act, subjects, newest.kind, number, text, digest, bites_at)


def _write(act: Act, subjects: dict[str, str], kind: str, number: int, text: str, digest: str, bites_at: int) -> str:
    version_id = act.new_id("ver")
    act.tx.run(
        _ADD_VERSION,
        id=version_id,
        firm_id=act.firm_id,
        agreement_id=subjects["agreement"],
        number=number,
        body=act.seal(act.firm(), "agreement_versions", "body", version_id, text),
        sha256=digest,
        published_by=act.actor.person_id,
        published_at=act.moment.s,
        bites_at=bites_at,
    )
    act.record(
        EventType.AGREEMENT_PUBLISHED,
        {**subjects, "version": version_id},
        {"kind": kind, "number": number, "sha256": digest, "bites_at": bites_at},
    )
    return version_id


# Reading --------------------------------------------------------------------------------------------------------------


async def read(services: Services, caller: Caller, agreement_id: str) -> Agreement:
    """Read the newest text of an agreement."""

    def change(act: Act) -> tuple[Holder, Any]:
        return act.firm(), newest_of(act, agreement_id)

    done = await perform(services, caller, Action.AGREEMENT_READ, subject_of(agreement_id), change)
    return _opened(NameReader(services.keys, done.authorised), *done.result)


async def read_version(services: Services, caller: Caller, agreement_id: str, number: str) -> Agreement:
    """Read one version of the text; `number` is what stands in the address, and may be anything."""
    wanted = int(number) if number.isascii() and number.isdigit() and len(number) <= _NUMBER_DIGITS else 0

    def change(act: Act) -> tuple[Holder, Any]:
        return act.firm(), _found(act, _NUMBERED, agreement=agreement_id, wanted=wanted)

    done = await perform(services, caller, Action.AGREEMENT_READ, subject_of(agreement_id), change)
    return _opened(NameReader(services.keys, done.authorised), *done.result)


async def list_all(services: Services, caller: Caller, engagement_id: str, asked: Window) -> Page[Agreement]:
    """List the agreements of an engagement, oldest first, without their texts."""

    def change(act: Act) -> Page[Any]:
        found = page(
            act.tx.all(
                _SOME,
                person=act.actor.person_id,
                firm=act.firm_id,
                engagement=engagement_id,
                after=asked.after,
                most=asked.limit + 1,
            ),
            asked,
        )
        act.list_out([row.id for row in found.items])
        return found

    done = await perform(services, caller, Action.AGREEMENT_READ, Subject(engagement=engagement_id), change)
    listed: Page[Any] = done.result
    return listed.map(lambda row: _agreement(row, None))


def subject_of(agreement_id: str) -> Subject:
    """Return what an act on an agreement is on; an id of another kind stands for nothing."""
    return Subject(via=agreement_id if is_id(agreement_id, "agr") else "")


def newest_of(act: Act, agreement_id: str) -> Any:
    """Return the row of an agreement with its newest version, and when the actor signed that (None: not yet).

    Raises:
        NotFoundError: there is no such agreement in the actor's firm.
    """
    return _found(act, _NEWEST, agreement=agreement_id)


def _found(act: Act, statement: Any, **wanted: object) -> Any:
    row = act.tx.one(statement, person=act.actor.person_id, firm=act.firm_id, **wanted)
    if row is None:
        raise NotFoundError
    act.show([row.version_id])
    return row


def _opened(reader: NameReader, firm: Holder, row: Any) -> Agreement:
    return _agreement(row, reader.open(firm, "agreement_versions", "body", row.version_id, row.body))


def _agreement(row: Any, text: str | None) -> Agreement:
    return Agreement(
        id=row.id,
        engagement_id=row.engagement_id,
        kind=row.kind,
        number=row.number,
        sha256=row.sha256,
        published_by=row.published_by,
        published_at=row.published_at,
        bites_at=row.bites_at,
        signed_at=row.signed_at,
        version=row.version,
        text=text,
    )
