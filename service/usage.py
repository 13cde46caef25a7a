"""Whether grants are used: never-used ones, a least-privilege score, and what could be taken away without being missed.

Rules kept here:

* used is what the log says: an entry of an opening by the grant's holder, not older than the grant. No row is kept of
  it, so that no forged row can make an unused grant look used, and nothing is written when a document is opened;
* every ability that a grant carries is counted: `view` is used by a card read or a file sent, `download` by a file
  sent, `revise` by a file taken in its place; nothing uses `text` by itself yet, so to carry it is more than was used;
* the asker is told of grants on documents that he could ask about himself, and of no others, not even by a number;
* a suggestion names one act on one grant at one version. It does nothing: service/shrinking.py does, when asked.

It costs reading the engagement's entries since the oldest grant (or the days asked about), about 10 µs each, in a
snapshot that holds nobody up.

Source: docs/least-privilege.md defines the score, with an example.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, select

from service import events
from service.acts import Act, Caller, etag, perform
from service.db.models import log_entries, logs
from service.db.session import Tx
from service.ledger import Moment
from service.paging import START, Page, Window, page
from service.scoping import held
from service.scoping.actions import Ability, Action, words_of
from service.scoping.decide import Subject
from service.scoping.together import Asker
from service.services import Services
from service.tokens import authenticate

DAY_S: Final = 86_400
SCORE_DAYS: Final = 30
SUGGEST_DAYS: Final = 14
MOST_SUGGESTED: Final = 100
NARROWED: Final = Ability.DOWNLOAD | Ability.TEXT
"""What a grant that is narrowed is to be without: copies of the file and of its text."""
ROWS: Final = 1000  # entries or grants fetched at a time
COUNTED: Final = (Ability.VIEW, Ability.TEXT, Ability.DOWNLOAD, Ability.REVISE)

_OPENING: Final = events.EventType.DOCUMENT_OPENING.value
_READ: Final = events.EventType.ACCESS_ALLOWED.value
_REVISING: Final = events.EventType.DOCUMENT_REVISING.value
NEEDLES: Final = (f'"type":"{_OPENING}"'.encode(), f'"action":"{Action.DOCUMENT_VIEW.value}"'.encode())
_USING: Final = (*NEEDLES, f'"type":"{_REVISING}"'.encode())
_ENTRIES = (
    select(log_entries.c.idx, log_entries.c.body)
    .where(
        log_entries.c.log_id == bindparam("log"),
        log_entries.c.engagement_id == bindparam("engagement"),
        log_entries.c.idx < bindparam("before"),
    )
    .order_by(log_entries.c.idx.desc())
    .limit(ROWS)
)
_LOG_SIZE = select(logs.c.size).where(logs.c.id == bindparam("firm"))


class Used(NamedTuple):
    """When a member last viewed, downloaded and replaced a document: UTC seconds, 0 for never."""

    view: int = 0
    download: int = 0
    revise: int = 0

    def of(self, ability: Ability) -> int:
        """When one ability was last used."""
        return {Ability.VIEW: self.view, Ability.DOWNLOAD: self.download, Ability.REVISE: self.revise}.get(ability, 0)

    @property
    def last(self) -> int:
        """When any of them was."""
        return max(self)


Uses = dict[tuple[str, str], Used]  # (membership, document)


@dataclass(frozen=True, slots=True)
class Grant:
    """A live grant and its use. Times are UTC seconds."""

    id: str
    membership_id: str
    person_id: str
    role: str
    document_id: str
    abilities: tuple[str, ...]
    granted_by: str  # a membership
    granted_at: int
    not_after: int
    standing_id: str | None  # the standing share that made it
    etag: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One act that would make a grant less: `revoke` or `narrow` (to be without `NARROWED`)."""

    act: str
    grant: Grant


@dataclass(frozen=True, slots=True)
class Score:
    """How much of what is granted is used."""

    as_of: int  # UTC seconds
    grants: int
    grants_used: int  # at all
    grants_standing: int  # made by a standing share
    pairs: int  # (grant, ability)
    pairs_used: int  # in the last `SCORE_DAYS`
    ending: dict[str, int]  # live grants by when they end
    suggestions: tuple[Suggestion, ...]
    more: bool  # there are more suggestions than are shown

    @property
    def percent(self) -> int | None:
        """The score: the whole percent of pairs that were used; None where nothing is granted."""
        return self.pairs_used * 100 // self.pairs if self.pairs else None


async def unused(services: Services, caller: Caller, engagement_id: str, days: int, asked: Window) -> Page[Grant]:
    """List live grants, at least so many days old, whose holder has not opened the document in so many days."""

    def find(tx: Tx, asker: Asker) -> Page[Grant]:
        since = asker.now.s - days * DAY_S
        old = [row for row in _live(tx, services, asker, engagement_id, asked.after) if row.granted_at <= since]
        # The log is read for who may be told of a grant, and for nobody else.
        uses, found = _uses(tx, asker, engagement_id, since) if old else {}, []
        for row in old:
            if not _used(uses, row).last >= max(since, 1):
                found.append(_shown(row))
            if len(found) > asked.limit:
                break
        return page(found, asked)

    done: Page[Grant] = await _asked(
        services, caller, engagement_id, find, lambda found: [one.id for one in found.items]
    )
    return done


async def score(services: Services, caller: Caller, engagement_id: str) -> Score:
    """Say how much of what is granted in an engagement is used, and what could be taken away."""

    def find(tx: Tx, asker: Asker) -> Score:
        rows = list(_live(tx, services, asker, engagement_id, START))
        oldest = min((row.granted_at for row in rows), default=asker.now.s)
        return _scored(rows, _uses(tx, asker, engagement_id, oldest) if rows else {}, asker.now.s)

    done: Score = await _asked(
        services, caller, engagement_id, find, lambda found: [one.grant.id for one in found.suggestions]
    )
    return done


def _scored(rows: list[Any], uses: Uses, now: int) -> Score:
    pairs = [(row, ability) for row in rows for ability in COUNTED if ability & row.abilities]
    recent = now - SCORE_DAYS * DAY_S
    suggestions = [made for row in rows if (made := _suggestion(row, _used(uses, row), now)) is not None]
    return Score(
        as_of=now,
        grants=len(rows),
        grants_used=sum(1 for row in rows if _used(uses, row).last),
        grants_standing=sum(1 for row in rows if row.standing_id is not None),
        pairs=len(pairs),
        pairs_used=sum(1 for row, ability in pairs if _used(uses, row).of(ability) > recent),
        ending={
            "within_7_days": sum(1 for row in rows if row.not_after <= now + 7 * DAY_S),
            "within_30_days": sum(1 for row in rows if row.not_after <= now + 30 * DAY_S),
            "later": sum(1 for row in rows if row.not_after > now + 30 * DAY_S),
        },
        suggestions=tuple(suggestions[:MOST_SUGGESTED]),
        more=len(suggestions) > MOST_SUGGESTED,
    )


def _suggestion(row: Any, used: Used, now: int) -> Suggestion | None:
    """One act that nobody would miss; nothing for a grant that is too young to tell."""
    since = now - SUGGEST_DAYS * DAY_S
    if row.granted_at > since:
        return None
    if used.last < since:
        return Suggestion("revoke", _shown(row))
    if row.abilities & NARROWED and not used.download:
        return Suggestion("narrow", _shown(row))
    return None


def _used(uses: Uses, row: Any) -> Used:
    """The use of this very grant: what was opened before it was given rested on another."""
    found = uses.get((row.membership_id, row.document_id), Used())
    return Used(*(second if second >= row.granted_at else 0 for second in found))


def _shown(row: Any) -> Grant:
    return Grant(
        id=row.id,
        membership_id=row.membership_id,
        person_id=row.person_id,
        role=row.role,
        document_id=row.document_id,
        abilities=words_of(Ability(row.abilities)),
        granted_by=row.granted_by,
        granted_at=row.granted_at,
        not_after=row.not_after,
        standing_id=row.standing_id,
        etag=etag(row.id, row.version),
    )


def _live(tx: Tx, services: Services, asker: Asker, engagement_id: str, after: str) -> Iterator[Any]:
    while True:
        rows = held.live(tx, services.matrix.current, asker, engagement_id, after=after, most=ROWS)
        yield from rows
        if len(rows) < ROWS:
            return
        after = rows[-1].id


# The log --------------------------------------------------------------------------------------------------------------


def _uses(tx: Tx, asker: Asker, engagement_id: str, since: int) -> Uses:
    """When each member last opened each document of an engagement, as far back as a UTC second."""
    found: Uses = {}
    for entry in newest_first(tx, asker.actor.firm_id, engagement_id, _USING):
        is_revising = entry["type"] == _REVISING
        if not is_revising and not is_opening(entry):
            continue
        second = entry["time"] // 1000
        if second < since:
            break
        key = (entry["actor"].get("membership", ""), entry["subjects"].get("document", ""))
        last = found.get(key, Used())
        sent, looked = (second if entry["type"] == _OPENING else 0), (0 if is_revising else second)
        revised = second if is_revising else 0
        found[key] = Used(max(last.view, looked), max(last.download, sent), max(last.revise, revised))
    return found


def newest_first(tx: Tx, firm_id: str, engagement_id: str, needles: tuple[bytes, ...]) -> Iterator[dict[str, Any]]:
    """Yield the entries of an engagement that hold one of some texts, newest first."""
    before: int = tx.value(_LOG_SIZE, firm=firm_id)
    while rows := tx.all(_ENTRIES, log=firm_id, engagement=engagement_id, before=before):
        for row in rows:
            if any(needle in row.body for needle in needles):  # most entries are of something else
                yield json.loads(row.body)
        before = rows[-1].idx


def is_opening(entry: dict[str, Any]) -> bool:
    """Say whether an entry tells that a document was opened: its bytes sent, or its card read."""
    return entry["type"] == _OPENING or (entry["type"] == _READ and entry.get("action") == Action.DOCUMENT_VIEW.value)


async def _asked(
    services: Services,
    caller: Caller,
    engagement_id: str,
    find: Callable[[Tx, Asker], Any],
    ids: Callable[[Any], list[str]],
) -> Any:
    """Read in a snapshot of its own, so that it never holds the log; then decide and record it."""
    found, log_size = await asyncio.to_thread(_snapshot, services, caller, find)

    def change(act: Act) -> None:
        act.drafts.append(events.list_read(act.who, ids(found), log_size))

    await perform(services, caller, Action.ENGAGEMENT_USAGE, Subject(engagement=engagement_id), change)
    return found


def _snapshot(services: Services, caller: Caller, find: Callable[[Tx, Asker], Any]) -> tuple[Any, int]:
    now = Moment(services.clock())
    with services.database.read(caller.credential.firm_id) as tx:
        asker = Asker(authenticate(tx, now, caller.credential), now)
        found = find(tx, asker)
        log_size: int = tx.value(_LOG_SIZE, firm=asker.actor.firm_id)
    return found, log_size
