"""A list is exactly what deciding each document gives, whatever the world looks like."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from service import asks
from service.db import models
from service.scoping import listing
from service.scoping.actions import (
    FIRM_ROLES,
    OWED_BY_ENGAGEMENT,
    OWED_BY_MATTER,
    OWN_LIFE_S,
    VENDOR_ROLES,
    Ability,
    Action,
    Duty,
    Label,
    Role,
    Sensitivity,
    Side,
)
from service.scoping.actors import Actor
from service.scoping.authorised import AuthorisedDocumentId
from service.scoping.decide import Subject, decide
from service.scoping.duties import PERSON_DUTIES, VENDOR_DUTIES
from service.scoping.matrix import Matrix
from service.scoping.statements import Where
from tests.scoping.policies import POLICIES
from tests.scoping.schedules import terms
from tests.scoping.world import NOW, Ground, World, an_id

MATRIX = Matrix.load(POLICIES)
ON_DOCUMENTS = (
    Action.DOCUMENT_LIST,
    Action.DOCUMENT_VIEW,
    Action.DOCUMENT_DOWNLOAD,
    Action.DOCUMENT_REVISE,
    Action.DOCUMENT_TAKE_BACK,
    Action.DOCUMENT_CONFIRM,
    Action.DOCUMENT_ACCESS,
    Action.GRANT_CREATE,
    Action.WITHHELD_LIST,
)
Draw = Callable[[st.SearchStrategy[Any]], Any]
BOTH = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # each example starts on empty tables
_BROADEST = frozenset({Role.PARALEGAL, Role.ATTORNEY})
IN_HOURS, OUT_OF_HOURS = terms("08:00", "08:01", zone="UTC"), terms("08:01", "08:00", zone="UTC", days=("fri",))
OVERLAYS = (
    "*,document:download,*,*,never",
    "*,document:view,exhibit billing,confidential,never",
    "paralegal,document:list,*,privileged,never",
    "paralegal,document:view,*,*,assigned",
    "paralegal,document:view,*,*,stepped_up\nparalegal,withheld:list,other,*,never",
    "damaged",
)
MATTERS, ENGAGEMENTS = ("case", "other"), ("deal", "second")


class Paper(NamedTuple):
    label: str
    sensitivity: str
    state: str
    added_by: int
    added_at: int
    matter: str
    engagement: str


# Times that matter: exactly now, one second around it, and the edge of the 72 hours.
_times = st.sampled_from([NOW - 10, NOW - 1, NOW, NOW + 1, NOW + 10])
_spans = st.tuples(_times, _times).filter(lambda span: span[0] < span[1])
_mostly = st.sampled_from([True] * 7 + [False])
_often_first = st.sampled_from([0, 0, 0, 1])
_papers = st.builds(
    Paper,
    label=st.sampled_from([label.value for label in Label]),
    sensitivity=st.sampled_from(["routine", "confidential", "confidential", "privileged", "attorney_only"]),
    state=st.sampled_from(["confirmed", "confirmed", "to_look_at", "to_look_at", "taken_back", "moved", "destroyed"]),
    added_by=st.integers(0, 3),
    added_at=st.sampled_from([NOW - 5, NOW - OWN_LIFE_S - 1, NOW - OWN_LIFE_S, NOW - OWN_LIFE_S + 1]),
    matter=st.sampled_from(MATTERS),
    engagement=_often_first.map(ENGAGEMENTS.__getitem__),
)


def _members(draw: Draw, world: World) -> list[str]:
    """Four seats: two vendor people of the first engagement, one firm person there, one for the whole house."""
    seats: tuple[tuple[str, frozenset[Role], str | None], ...] = (
        ("vera", VENDOR_ROLES, "deal"),
        ("vito", VENDOR_ROLES, ENGAGEMENTS[draw(_often_first)]),
        ("fay", FIRM_ROLES, "deal"),
        ("finn", FIRM_ROLES, None),
    )
    made = []
    for name, roles, engagement in seats:
        role = draw(st.sampled_from([*sorted(roles), *list(_BROADEST & roles) * 6]))
        starts, ends = (NOW - 10, NOW + 10) if draw(_mostly) else draw(_spans)
        suspended = 0 if draw(_mostly) else 1
        made.append(world.member(name, role, engagement, starts_at=starts, ends_at=ends, suspended=suspended))
    return made


def _duties(draw: Draw, world: World) -> None:
    """Mostly an NDA, mostly in the right engagement, mostly in force; some of the others where they are demanded."""
    for name in ("vera", "vito"):
        if draw(_mostly):
            _duty(draw, world, Duty.NDA, world.person(name, "vendor"))
    if draw(_mostly):
        return
    subjects = [
        *(world.person(name, "vendor") for name in ("vera", "vito")),
        world.vendor(),
        *map(world.matter, MATTERS),
    ]
    for name in ENGAGEMENTS:
        world.change(models.engagements, world.engagement(name), owed=draw(_some_of(OWED_BY_ENGAGEMENT)))
    for name in MATTERS:
        world.change(models.matters, world.matter(name), owed=draw(_some_of(OWED_BY_MATTER)))
    for _ in range(draw(st.integers(0, 12))):
        _duty(draw, world, draw(st.sampled_from(list(Duty))), draw(st.sampled_from(subjects)))
    for kind in Duty:  # often all that anybody could owe, but for one
        for subject in subjects if draw(_mostly) else ():
            world.duty(kind, subject, world.engagement(ENGAGEMENTS[0]))


def _duty(draw: Draw, world: World, kind: Duty, subject: str) -> None:
    starts, ends = (NOW - 10, NOW + 10) if draw(_mostly) else draw(_spans)
    engagement = world.engagement(ENGAGEMENTS[draw(_often_first)])
    world.duty(kind, subject, engagement, valid_from=starts, valid_until=ends)


def _some_of(duties: Duty) -> st.SearchStrategy[int]:
    return st.sets(st.sampled_from([int(duty) for duty in duties]), max_size=3).map(sum)


def random_world(draw: Draw, ground: Ground, copies: int = 1) -> tuple[World, list[Actor], list[str]]:
    """A random world, everybody in it as actors, and the ids of its documents.

    Args:
        copies: how many there are of each document, granted alike: for lists that are longer than a page.
    """
    world = ground.world()
    for name in ENGAGEMENTS:
        starts, ends = (NOW - 10, NOW + 10) if draw(_mostly) else draw(_spans)
        status = draw(st.sampled_from(["running"] * 8 + ["closing", "disposed"]))
        withheld = draw(st.sampled_from(["may_be_asked_for", "may_be_asked_for", "invisible"]))
        overlay = draw(st.sampled_from([*[""] * len(OVERLAYS), *OVERLAYS]))
        world.engagement(name, starts_at=starts, ends_at=ends, status=status, withheld=withheld, overlay=overlay)
    members = _members(draw, world)
    alike = [
        [world.document(f"paper {n} {copy}", members[paper.added_by], **_row(paper)) for copy in range(copies)]
        for n, paper in enumerate(draw(st.lists(_papers, min_size=1, max_size=8)))
    ]
    _duties(draw, world)
    for _ in range(draw(st.integers(4, 16))):
        starts, ends = (NOW - 10, NOW + 10) if draw(_mostly) else draw(_spans)
        member, documents = draw(st.sampled_from(members[:2])), draw(st.sampled_from(alike))
        abilities = 15 if draw(_mostly) else draw(st.integers(0, 15))
        revoked_at = NOW + 10**9 if draw(_mostly) else draw(_times)
        for document in documents:
            times = {"not_before": starts, "not_after": ends, "revoked_at": revoked_at}
            world.grant(member, document, abilities=abilities, **times)
    for name in ("fay", "finn"):
        for matter in MATTERS:
            if draw(_mostly):
                since, until = (NOW - 10, NOW + 10) if draw(_mostly) else draw(_spans)
                world.team(matter, name, since=since, until=until)
    _emergencies(draw, world, members)
    for name, side in (("vera", "vendor"), ("fay", "firm"), ("finn", "firm")):
        if draw(st.sampled_from([True, False, False])):
            raised, lifted = (NOW - 10, NOW + 10) if draw(_mostly) else draw(_spans)
            world.wall(name, draw(st.sampled_from(MATTERS)), side, raised_at=raised, lifted_at=lifted)
    _schedules(draw, world, members)
    scopes = draw(st.sampled_from(["*"] * 6 + ["document", "audit token", "grant"]))
    return world, [world.actor(member, scopes) for member in members], [each for group in alike for each in group]


def _emergencies(draw: Draw, world: World, members: list[str]) -> None:
    for _ in range(draw(st.integers(0, 3))):
        opened, closes = (NOW - 10, NOW + 10) if draw(_mostly) else draw(_spans)
        world.emergency(
            draw(st.sampled_from(members)),  # of any role: rows alone open nothing
            draw(st.sampled_from(MATTERS)),
            opened_at=opened,
            closes_at=closes,
            ended_at=NOW + 10**9 if draw(_mostly) else draw(_times),
        )


def _schedules(draw: Draw, world: World, members: list[str]) -> None:
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        said = draw(st.sampled_from([IN_HOURS, IN_HOURS, OUT_OF_HOURS]))
        since, until = (NOW - 10, NOW + 10) if draw(_mostly) else draw(_spans)
        whose, engagement = draw(st.sampled_from([None, *members[:2]])), ENGAGEMENTS[draw(_often_first)]
        world.schedule(said, whose, engagement, valid_from=since, valid_until=until)


def _row(paper: Paper) -> dict[str, Any]:
    row = paper._asdict()
    del row["added_by"]
    return row


def _decided(world: World, actor: Actor, action: Action, ids: list[str]) -> list[str]:
    return [
        document
        for document in sorted(ids)
        if decide(world.tx, MATRIX, world.moment, actor, action, Subject(document=document)).allowed
    ]


@given(st.data())
@BOTH
def test_a_list_is_what_deciding_each_document_gives(ground: Ground, data: st.DataObject) -> None:
    world, actors, ids = random_world(data.draw, ground)
    for actor in actors:
        for action in ON_DOCUMENTS:
            decided = _decided(world, actor, action, ids)
            page = listing.page(world.tx, MATRIX, world.moment, actor, action, after="", most=100)
            assert [row.id for row in page] == decided
            assert listing.count(world.tx, MATRIX, world.moment, actor, action) == len(decided)


@given(st.data(), st.integers(1, 3))
@BOTH
def test_pages_in_a_row_are_the_whole_list(ground: Ground, data: st.DataObject, most: int) -> None:
    world, actors, ids = random_world(data.draw, ground)
    for actor in actors:
        paged: list[str] = []
        while True:
            after = paged[-1] if paged else ""
            rows = listing.page(world.tx, MATRIX, world.moment, actor, after=after, most=most)
            paged += [row.id for row in rows]
            if len(rows) < most:
                break
        assert paged == _decided(world, actor, Action.DOCUMENT_LIST, ids)


PAGES = (1, 5, 16, 100)


@given(st.data(), st.sampled_from(PAGES))
@BOTH
def test_a_cursor_kept_across_a_revoke_goes_on_with_what_may_still_be_seen(
    ground: Ground, data: st.DataObject, most: int
) -> None:
    """Some pages are read, then things happen; from the cursor on, the pages are what deciding each gives now."""
    world, actors, ids = random_world(data.draw, ground, copies=3)
    actor = data.draw(st.sampled_from(actors))
    before: list[str] = []
    for _ in range(data.draw(st.integers(0, 3))):
        rows = listing.page(world.tx, MATRIX, world.moment, actor, after=before[-1] if before else "", most=most)
        before += [row.id for row in rows]
    assert before == _decided(world, actor, Action.DOCUMENT_LIST, ids)[: len(before)]
    _something_happens(data.draw, world, actor)
    kept, after = (before[-1] if before else ""), list[str]()
    while True:
        rows = listing.page(world.tx, MATRIX, world.moment, actor, after=after[-1] if after else kept, most=most)
        after += [row.id for row in rows]
        if len(rows) < most:
            break
    decided = _decided(world, actor, Action.DOCUMENT_LIST, ids)
    assert after == [document for document in decided if document > kept]
    assert listing.count(world.tx, MATRIX, world.moment, actor) == len(decided)


def _something_happens(draw: Draw, world: World, actor: Actor) -> None:
    """What takes away, in the very second of the list: of one thing, of all of one's own, or of everything."""
    match draw(st.sampled_from(["revoke", "wall", "suspend", "close", "NDA", "disclaim", "nothing"])):
        case "revoke":
            mine = [row["id"] for row in world.rows("grt") if row["membership_id"] == actor.membership_id]
            for grant in draw(st.lists(st.sampled_from(mine), max_size=9)) if mine else ():
                world.change(models.grants, grant, revoked_at=NOW)
        case "wall":
            wall = {"person_id": actor.person_id, "matter_id": world.matter(draw(st.sampled_from(MATTERS)))}
            world.add(
                models.walls, id=an_id("wal", "new"), firm_id=world.firm(), raised_at=NOW, lifted_at=NOW + 1, **wall
            )
        case "disclaim":
            papers = [row["id"] for row in world.rows("doc")]
            for paper in draw(st.lists(st.sampled_from(papers), max_size=9, unique=True)) if papers else ():
                world.disclaim(paper, actor.membership_id, actor.person_id, draw(st.sampled_from([NOW, NOW + 1])))
        case "suspend":
            world.change(models.memberships, actor.membership_id, suspended=1)
        case "close":
            world.change(models.engagements, world.engagement(draw(st.sampled_from(ENGAGEMENTS))), status="closing")
        case "NDA":
            for duty in world.rows("dut"):
                world.change(models.duties, duty["id"], valid_until=NOW)


@given(st.data())
@BOTH
def test_asks_are_listed_exactly_where_each_would_be_read(ground: Ground, data: st.DataObject) -> None:
    """A firm person's list of an engagement's asks is what deciding each gives; a vendor person's is his own."""
    world, actors, _ids = random_world(data.draw, ground)
    for actor in actors[:2]:
        for matter in MATTERS:
            if data.draw(_mostly):
                part = world.part(matter, _name_of(world, actor.engagement_id))
                world.ask(actor.membership_id, part, data.draw(st.sampled_from(["exhibit", "billing"])))
    for actor in actors:
        eyes = {"firm": actor.firm_id, "person": actor.person_id, "own": actor.membership_id, "side": actor.side}
        for name in ENGAGEMENTS:
            place = world.engagement(name)
            if not _may(world, actor, Subject(engagement=place)):
                continue
            rows = world.tx.all(asks._SOME, **eyes, now=NOW, engagement=place, after="", most=100)
            there = [row["id"] for row in world.rows("ask") if row["engagement_id"] == place]
            if actor.side == Side.FIRM:
                expected = [ask for ask in there if _may(world, actor, Subject(via=ask))]
            else:
                own = [ask for ask in there if world.row(ask)["membership_id"] == actor.membership_id]
                expected = [ask for ask in own if not _is_walled(world, actor, world.row(ask)["part_id"])]
            assert [row.id for row in rows] == sorted(expected)


def _name_of(world: World, engagement_id: str | None) -> str:
    return next(name for name in ENGAGEMENTS if world.engagement(name) == engagement_id)


def _may(world: World, actor: Actor, subject: Subject) -> bool:
    return decide(world.tx, MATRIX, world.moment, actor, Action.ASK_LIST, subject).allowed


def _is_walled(world: World, actor: Actor, part: str) -> bool:
    matter = world.row(part)["matter_id"]
    return any(
        (wall["person_id"], wall["matter_id"]) == (actor.person_id, matter)
        and wall["raised_at"] <= NOW < wall["lifted_at"]
        for wall in world.rows("wal")
    )


def test_every_surface_that_lists_or_counts_documents_is_compared() -> None:
    """A new one belongs into this list, with the test that holds it to `decide`; tests/e2e/test_houses.py asks them."""
    surfaces = (
        ("access.py", "listing.count"),  # how much a wall would take away: tests/api/test_access.py
        ("documents.py", "listing.page"),  # the list, whatever the page
        ("giving.py", "listing.page"),  # what may be shared at once: tests/api/test_sharing_many.py
        ("me.py", "listing.count"),  # how many close soon
    )
    uses = ("listing.page", "listing.count")
    modules = [path for path in Path(listing.__file__).parents[1].rglob("*.py") if path.parent.name != "scoping"]
    assert {(path.name, use) for path in modules for use in uses if use in path.read_text("utf-8")} == set(surfaces)


@BOTH
@given(
    st.data(),
    st.builds(
        Where,
        engagement=st.sampled_from([None, *(an_id("eng", f"firm {name}") for name in ENGAGEMENTS)]),
        part=st.sampled_from([None, an_id("prt", "firm deal case")]),
        matter=st.sampled_from([None, *(an_id("mtr", f"firm {name}") for name in MATTERS)]),
        state=st.sampled_from([None, "to_look_at", "confirmed"]),
        label=st.sampled_from([None, "exhibit", "billing"]),
        ends_by=st.sampled_from([None, None, NOW, NOW + 1, NOW + 10]),
    ),
)
def test_a_place_only_narrows_a_list(ground: Ground, data: st.DataObject, where: Where) -> None:
    world, actors, _ids = random_world(data.draw, ground)
    for actor in actors:
        whole = listing.page(world.tx, MATRIX, world.moment, actor, after="", most=100)
        there = listing.page(world.tx, MATRIX, world.moment, actor, after="", most=100, where=where)
        expected = [
            row.id
            for row in whole
            if where.engagement in (None, row.engagement_id)
            and where.part in (None, row.part_id)
            and where.matter in (None, row.matter_id)
            and where.state in (None, row.state)
            and where.label in (None, row.label)
            and (where.ends_by is None or _ends_by(world, actor, row.id, where.ends_by))
        ]
        assert [row.id for row in there] == expected
        assert listing.count(world.tx, MATRIX, world.moment, actor, where=where) == len(expected)


def _ends_by(world: World, actor: Actor, document: str, end: int) -> bool:
    return any(
        grant["abilities"] & Ability.VIEW
        and grant["not_before"] <= NOW < grant["not_after"] <= end
        and grant["revoked_at"] > NOW
        for grant in world.rows("grt")
        if grant["membership_id"] == actor.membership_id and grant["document_id"] == document
    )


@given(st.data())
@BOTH
def test_no_vendor_person_sees_a_document_without_everything_that_is_promised(
    ground: Ground,
    data: st.DataObject,
) -> None:
    """Live and duties and (assigned or own) and window and not walled, said again in Python from the rows."""
    world, actors, _ids = random_world(data.draw, ground)
    for actor in actors[:2]:
        for row in listing.page(world.tx, MATRIX, world.moment, actor, after="", most=100):
            engagement = world.row(row.engagement_id)
            member = world.row(actor.membership_id)
            assert engagement["status"] == "running"
            assert engagement["starts_at"] <= NOW < engagement["ends_at"]
            assert member["engagement_id"] == row.engagement_id
            assert member["starts_at"] <= NOW < member["ends_at"]
            assert not member["suspended"]
            assert any(
                duty["kind"] == Duty.NDA and duty["valid_from"] <= NOW < duty["valid_until"]
                for duty in world.rows("dut")
                if duty["subject_id"] == actor.person_id and duty["engagement_id"] == row.engagement_id
            )
            assert not any(
                schedule["valid_from"] <= NOW < schedule["valid_until"] and schedule["terms"] == OUT_OF_HOURS.text()
                for schedule in world.rows("sch")
                if schedule["engagement_id"] == row.engagement_id
                and schedule["membership_id"] in (None, actor.membership_id)
            )
            assert not any(
                wall["raised_at"] <= NOW < wall["lifted_at"]
                for wall in world.rows("wal")
                if wall["person_id"] == actor.person_id and wall["matter_id"] == row.matter_id
            )
            own = row.added_by == actor.membership_id and row.state == "to_look_at" and NOW - row.added_at < OWN_LIFE_S
            assert own or any(
                grant["abilities"] & Ability.VIEW
                and grant["not_before"] <= NOW < grant["not_after"]
                and grant["revoked_at"] > NOW
                for grant in world.rows("grt")
                if grant["membership_id"] == actor.membership_id and grant["document_id"] == row.id
            )
            assert row.sensitivity != Sensitivity.ATTORNEY_ONLY


@given(st.data())
@BOTH
def test_an_engagement_is_read_by_who_sits_leads_or_is_named_and_by_nobody_else(
    ground: Ground, data: st.DataObject
) -> None:
    """Said again in Python from the rows: a place on a team of the house, a part of that matter, no wall between."""
    world, actors, _ids = random_world(data.draw, ground)
    for actor in actors[2:]:
        if actor.role not in {Role.ATTORNEY, Role.COORDINATOR}:
            continue
        member = world.row(actor.membership_id)
        open_now = member["starts_at"] <= NOW < member["ends_at"] and not member["suspended"]
        named = _named(world, actor.person_id)
        for name in ENGAGEMENTS:
            on = Subject(engagement=world.engagement(name))
            sits = actor.engagement_id == on.engagement
            reads = open_now and actor.scopes == {"*"} and (sits or (actor.engagement_id is None and name in named))
            changes = reads and sits and actor.role == Role.ATTORNEY
            for action, expected in ((Action.ENGAGEMENT_READ, reads), (Action.MEMBER_END, changes)):
                assert decide(world.tx, MATRIX, world.moment, actor, action, on).allowed == expected


def _named(world: World, person_id: str) -> set[str]:
    """The engagements with a part of a matter on whose team somebody is now, with no wall before it."""
    team, walls = world.tx.all(select(models.matter_team)), world.rows("wal")
    reached = {row.matter_id for row in team if row.person_id == person_id and row.since <= NOW < row.until}
    shut = {
        wall["matter_id"]
        for wall in walls
        if wall["person_id"] == person_id and wall["raised_at"] <= NOW < wall["lifted_at"]
    }
    parts = {part["engagement_id"] for part in world.rows("prt") if part["matter_id"] in reached - shut}
    return {name for name in ENGAGEMENTS if world.engagement(name) in parts}


@pytest.mark.parametrize(
    ("since", "until", "is_listed"),
    [(NOW - 1, NOW, False), (NOW - 1, NOW + 1, True), (NOW, NOW + 1, True), (NOW + 1, NOW + 2, False)],
)
def test_a_list_is_the_teams_of_this_second(
    world: World, matrix: Matrix, since: int, until: int, *, is_listed: bool
) -> None:
    attorney = world.member("finn", "attorney", None)
    world.team("case", "finn", since=since, until=until)
    actor, paper = world.actor(attorney), world.document("paper", attorney)
    rows = listing.page(world.tx, matrix, world.moment, actor, after="", most=10)
    assert [row.id for row in rows] == ([paper] if is_listed else [])
    assert listing.count(world.tx, matrix, world.moment, actor) == len(rows)
    on = Subject(document=paper)
    assert decide(world.tx, matrix, world.moment, actor, Action.DOCUMENT_LIST, on).allowed == is_listed


def test_several_grants_on_one_document_list_it_once(world: World, matrix: Matrix) -> None:
    paralegal, actor = _ready(world)
    paper = world.document("paper", paralegal)
    for abilities in (1, 5, 15):
        world.grant(paralegal, paper, abilities=abilities)
    rows = listing.page(world.tx, matrix, world.moment, actor, after="", most=10)
    assert [row.id for row in rows] == [paper]
    assert listing.count(world.tx, matrix, world.moment, actor) == 1


def test_several_grants_on_one_document_leave_room_on_the_page(world: World, matrix: Matrix) -> None:
    paralegal, actor = _ready(world)
    papers = sorted(world.document(name, paralegal) for name in ("one", "two", "three"))
    for paper in papers:
        for _ in range(3):
            world.grant(paralegal, paper)
    rows = listing.page(world.tx, matrix, world.moment, actor, after="", most=3)
    assert [row.id for row in rows] == papers


def test_listed_ids_are_authorised_ids(world: World, matrix: Matrix) -> None:
    paralegal, actor = _ready(world)
    world.grant(paralegal, world.document("paper", paralegal))
    row = listing.page(world.tx, matrix, world.moment, actor, after="", most=10)[0]
    again = decide(world.tx, matrix, world.moment, actor, Action.DOCUMENT_VIEW, Subject(document=row.id))
    assert again.allowed  # it is text to both drivers
    assert isinstance(row.id, AuthorisedDocumentId)
    assert row.part_key_id == ""


def test_a_duty_of_the_matter_is_asked_of_that_matter(world: World, matrix: Matrix) -> None:
    """What a matter demands (a client's consent) is asked for its documents only, and met by its own alone."""
    paralegal, actor = _ready(world)
    papers = {matter: world.document(matter, paralegal, matter) for matter in (*MATTERS, "third")}
    for paper in papers.values():
        world.grant(paralegal, paper)
    for matter in MATTERS:
        world.change(models.matters, world.matter(matter), owed=int(Duty.CLIENT_CONSENT))
    assert _sees(world, matrix, actor, papers) == {"third"}
    world.duty(Duty.CLIENT_CONSENT, world.matter("other"), models.ANY)
    assert _sees(world, matrix, actor, papers) == {"other", "third"}


def test_a_duty_of_a_label_is_asked_of_that_label(world: World, matrix: Matrix) -> None:
    """A protective order covers what was produced under it, not the client's own papers."""
    paralegal, actor = _ready(world)
    labels = ("discovery", "correspondence")
    papers = {label: world.document(label, paralegal, label=label) for label in labels}
    for paper in papers.values():
        world.grant(paralegal, paper)
    world.change(models.matters, world.matter(), owed=int(Duty.UNDERTAKING))
    assert _sees(world, matrix, actor, papers) == {"correspondence"}
    world.duty(Duty.UNDERTAKING, world.matter(), world.engagement())
    assert _sees(world, matrix, actor, papers) == set(labels)


@pytest.mark.parametrize("kind", list(OWED_BY_ENGAGEMENT | OWED_BY_MATTER))
def test_each_duty_shuts_where_it_is_demanded_and_opens_by_its_own_subject(
    world: World, matrix: Matrix, kind: Duty
) -> None:
    paralegal, actor = _ready(world)
    papers = {"paper": world.document("paper", paralegal)}
    world.grant(paralegal, papers["paper"])
    assert _sees(world, matrix, actor, papers) == {"paper"}
    if kind in OWED_BY_ENGAGEMENT:
        world.change(models.engagements, world.engagement(), owed=int(kind))
    else:
        world.change(models.matters, world.matter(), owed=int(kind))
    assert _sees(world, matrix, actor, papers) == set()
    subjects = [world.person("vera", "vendor"), world.vendor(), world.matter()]
    own = subjects[0 if kind in PERSON_DUTIES else 1 if kind in VENDOR_DUTIES else 2]
    for subject in subjects:
        if subject != own:
            world.duty(kind, subject, world.engagement())
    world.duty(kind, own, world.engagement("second"))
    world.duty(kind, own, world.engagement(), valid_until=NOW)
    world.duty(kind, own, world.engagement(), valid_from=NOW + 1)
    assert _sees(world, matrix, actor, papers) == set()
    world.duty(kind, own, world.engagement(), valid_from=NOW, valid_until=NOW + 1)
    assert _sees(world, matrix, actor, papers) == {"paper"}


def _sees(world: World, matrix: Matrix, actor: Actor, papers: dict[str, str]) -> set[str]:
    """The names of what is listed, which is what each decision allows and what is counted."""
    rows = listing.page(world.tx, matrix, world.moment, actor, after="", most=10)
    listed = {name for name, paper in papers.items() if paper in {row.id for row in rows}}
    for action in (Action.DOCUMENT_LIST, Action.DOCUMENT_VIEW):
        for name, paper in papers.items():
            decision = decide(world.tx, matrix, world.moment, actor, action, Subject(document=paper))
            assert decision.allowed == (name in listed)
            assert decision.allowed or (decision.error is not None and decision.error.status == 404)
    assert listing.count(world.tx, matrix, world.moment, actor) == len(listed)
    return listed


def test_a_duty_counts_for_its_own_subject_only(world: World, matrix: Matrix) -> None:
    paralegal = world.member("vera", "paralegal")
    actor = world.actor(paralegal)
    paper = world.document("paper", paralegal)
    world.grant(paralegal, paper)
    world.duty(Duty.NDA, world.matter(), models.ANY)
    world.duty(Duty.NDA, world.vendor(), models.ANY)
    assert listing.count(world.tx, matrix, world.moment, actor) == 0
    assert not decide(world.tx, matrix, world.moment, actor, Action.DOCUMENT_LIST, Subject(document=paper)).allowed


def _ready(world: World) -> tuple[str, Actor]:
    paralegal = world.member("vera", "paralegal")
    world.nda("vera")
    return paralegal, world.actor(paralegal)
