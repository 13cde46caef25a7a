"""A page of a list: every row decided in SQL compiled from the policy, every title opened through the door.

The peer is what somebody would write by hand who knows the rules of this one role by heart: one join, and the titles
opened by the same call of the same library, with the key at hand. Neither side records anything here (`append_group`
and `request` do); both read in a transaction of their own, as a request does.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from service.crypto.contexts import field_context
from service.door import Holder, NameReader, field_key
from service.ledger import Moment
from service.scoping import listing
from service.scoping.actors import Actor
from service.scoping.authorised import authorise_ids
from tests.benchmarks.deciding import ENGAGEMENTS
from tests.benchmarks.grants import DOCUMENTS, Granted, a_world_of
from tests.benchmarks.places import FILES, Place
from tests.benchmarks.rounds import Better, Measured, by_turns

PAGE: Final = 50
PAGES: Final = 40  # a round
ROUNDS: Final = 21

BY_HAND: Final = """
SELECT d.id, d.engagement_id, d.part_id, d.matter_id, d.number, d.label, d.sensitivity, d.state, d.title, d.revision_id,
       d.added_by, d.added_at, d.version, r.size_bytes, r.media_type, r.condition, r.pages, p.key_id, p.field_key
FROM grants g
JOIN documents d ON d.id = g.document_id
JOIN engagements e ON e.id = d.engagement_id
JOIN memberships m ON m.id = g.membership_id
JOIN parts p ON p.id = d.part_id
JOIN revisions r ON r.id = d.revision_id
WHERE g.membership_id = :membership AND g.document_id > :after AND g.abilities & 1 <> 0
  AND g.not_before <= :now AND g.not_after > :now AND g.revoked_at > :now
  AND m.person_id = :person AND m.suspended = 0 AND m.starts_at <= :now AND m.ends_at > :now
  AND e.status = 'running' AND e.starts_at <= :now AND e.ends_at > :now
  AND d.state = 'confirmed' AND d.sensitivity IN ('routine', 'confidential', 'privileged')
  AND NOT EXISTS (SELECT 1 FROM walls w WHERE w.person_id = :person AND w.matter_id = d.matter_id
                  AND w.raised_at <= :now AND w.lifted_at > :now)
  AND EXISTS (SELECT 1 FROM duties y WHERE y.subject_id = :person AND y.engagement_id = e.id AND y.kind = 1
              AND y.valid_from <= :now AND y.valid_until > :now)
ORDER BY g.document_id LIMIT :most
"""

Questions = list[tuple[Actor, str]]


def list_page(
    folder: Path, engagements: int = ENGAGEMENTS, documents: int = DOCUMENTS, rounds: int = ROUNDS, place: Place = FILES
) -> Measured:
    """Read pages that begin anywhere in anybody's list."""
    with ExitStack() as stack:
        world = stack.enter_context(a_world_of(folder, engagements, documents, place))
        return by_turns(
            _listing(world, _questions(world, rounds)),
            _by_hand(world, _questions(world, rounds), place.sql(BY_HAND)),
            "ms",
            Better.LESS,
            rounds,
        )


def _questions(world: Granted, rounds: int) -> list[Questions]:
    draw = random.Random(4)
    pages = world.some(PAGES * (rounds + 1), seed=draw.randrange(99))
    firsts = [(actor, draw.choice(("", document_id))) for actor, document_id in pages]
    return [firsts[at : at + PAGES] for at in range(0, len(firsts), PAGES)]


def _listing(world: Granted, questions: list[Questions]) -> Callable[[], float]:
    services, moment, turns = world.services, Moment(world.now_s * 1000), iter(questions)

    def page(actor: Actor, after: str) -> list[str]:
        with services.database.read(world.firm_id) as tx:
            rows = listing.page(tx, services.matrix.current, moment, actor, after=after, most=PAGE + 1)
        shown = rows[:PAGE]
        reader = NameReader(services.keys, authorise_ids(frozenset(row.id for row in shown)))
        return [reader.open(_part(row), "documents", "title", row.id, row.title) for row in shown]

    return lambda: _a_page(page, next(turns))


def _part(row: Any) -> Holder:
    return Holder(row.part_id, row.part_key_id, row.part_field_key)


def _by_hand(world: Granted, questions: list[Questions], sql: str) -> Callable[[], float]:
    services, turns = world.services, iter(questions)

    def page(actor: Actor, after: str) -> list[str]:
        bound = {"membership": actor.membership_id, "person": actor.person_id, "now": world.now_s}
        with services.database.read(world.firm_id) as tx:
            cursor: Any = tx._cursor
            cursor.execute(sql, {**bound, "after": after, "most": PAGE + 1})
            shown = cursor.fetchall()[:PAGE]
        keys: dict[str, AESGCMSIV] = {}
        titles = []
        for row in shown:
            part_id, sealed = row[2], row[8]
            if part_id not in keys:
                keys[part_id] = AESGCMSIV(field_key(services.keys, Holder(part_id, *row[17:19]), wait=True).reveal())
            context = field_context("documents", "title", row[0])
            titles.append(keys[part_id].decrypt(sealed[1:13], sealed[13:], context).decode())
        return titles

    return lambda: _a_page(page, next(turns))


def _a_page(page: Callable[[Actor, str], list[str]], questions: Questions) -> float:
    """Return milliseconds a page."""
    opened = 0
    start = time.perf_counter()
    for actor, after in questions:
        opened += len(page(actor, after))
    taken = time.perf_counter() - start
    assert opened
    return taken / len(questions) * 1e3
