"""One decision among many grants: beside its own facts query alone, and beside itself among few."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from service.db.session import Tx
from service.ledger import Moment
from service.scoping import queries
from service.scoping.abilities import ABILITY_OF
from service.scoping.actions import OWN_LIFE_S, Action
from service.scoping.actors import Actor
from service.scoping.decide import Subject, decide
from tests.benchmarks.grants import DOCUMENTS, Granted, a_world_of
from tests.benchmarks.places import FILES, Place
from tests.benchmarks.rounds import Better, Measured, by_turns

ENGAGEMENTS: Final = 100  # of 2,500 documents with 4 grants each: 1 M grants
DECISIONS: Final = 250  # a round
ROUNDS: Final = 61
ACTION: Final = Action.DOCUMENT_VIEW


Questions = list[list[tuple[Actor, str]]]


def decision(
    folder: Path, engagements: int = ENGAGEMENTS, documents: int = DOCUMENTS, rounds: int = ROUNDS, place: Place = FILES
) -> Measured:
    """Decide at random among all grants; the peer runs the same query for the same questions and reads its row."""
    with ExitStack() as stack:
        world = stack.enter_context(a_world_of(folder, engagements, documents, place))
        ours, peer = (stack.enter_context(world.services.database.read(world.firm_id)) for _ in range(2))
        asked = _questions(world, rounds)
        return by_turns(_deciding(world, ours, asked), _asking(world, peer, asked), "µs", Better.LESS, rounds)


def decision_growth(
    folder: Path, engagements: int = ENGAGEMENTS, documents: int = DOCUMENTS, rounds: int = ROUNDS, place: Place = FILES
) -> Measured:
    """Decide among many and among few."""
    with ExitStack() as stack:
        worlds = [
            stack.enter_context(a_world_of(folder, engagements, documents, place)),
            stack.enter_context(a_world_of(folder, 1, 250, place)),
        ]
        many, few = (
            _deciding(
                world, stack.enter_context(world.services.database.read(world.firm_id)), _questions(world, rounds)
            )
            for world in worlds
        )
        return by_turns(many, few, "µs", Better.LESS, rounds)


def _questions(world: Granted, rounds: int) -> Questions:
    """Other questions for every round: nobody is to find its rows in a cache because it has just read them."""
    some = world.some(DECISIONS * (rounds + 1), seed=2)
    return [some[at : at + DECISIONS] for at in range(0, len(some), DECISIONS)]


def _deciding(world: Granted, tx: Tx, questions: Questions) -> Callable[[], float]:
    moment, matrix, turns = Moment(world.now_s * 1000), world.services.matrix.current, iter(questions)

    def run() -> float:
        asked = [(_afresh(actor), _copy(document_id)) for actor, document_id in next(turns)]
        allowed = 0
        start = time.perf_counter()
        for actor, document_id in asked:
            allowed += decide(tx, matrix, moment, actor, ACTION, Subject(document=document_id)).allowed
        taken = time.perf_counter() - start
        assert allowed == len(asked)
        return taken / len(asked) * 1e6

    return run


def _asking(world: Granted, tx: Tx, questions: Questions) -> Callable[[], float]:
    prepared, turns = world.services.database.prepare(queries.DOCUMENT_FOR_VENDOR), iter(questions)
    sql, cursor = prepared.sql, tx._cursor

    def run() -> float:
        bound = [
            {**prepared.fixed, **_bound(world, _afresh(actor), _copy(document_id))}
            for actor, document_id in next(turns)
        ]
        found = 0
        start = time.perf_counter()
        for each in bound:
            cursor.execute(sql, each)
            found += cursor.fetchone() is not None
        taken = time.perf_counter() - start
        assert found == len(bound)
        return taken / len(bound) * 1e6

    return run


def _afresh(actor: Actor) -> Actor:
    """The actor as a request brings him: just read, not lying in a far corner of this process's memory."""
    return replace(
        actor,
        person_id=_copy(actor.person_id),
        membership_id=_copy(actor.membership_id),
        engagement_id=_copy(actor.engagement_id or ""),
    )


def _copy(text: str) -> str:
    return "".join((text[:4], text[4:]))


def _bound(world: Granted, actor: Actor, document_id: str) -> dict[str, Any]:
    return {
        "document": document_id,
        "firm": actor.firm_id,
        "person": actor.person_id,
        "membership": actor.membership_id,
        "vendor": actor.vendor_id,
        "now": world.now_s,
        "own_since": world.now_s - OWN_LIFE_S,
        "ability": int(ABILITY_OF[ACTION]),
    }
