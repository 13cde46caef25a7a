"""Each promise of access, asked of rows: one fact taken away and the answer changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.db import models
from service.db.models import FOREVER
from service.errors import MunimentError
from service.ledger import Refused
from service.scoping.actions import OWN_LIFE_S, Action, Label
from service.scoping.actors import Actor
from service.scoping.answers import Kind, State
from service.scoping.authorised import title_of
from service.scoping.decide import Decision, Subject, authorise, decide
from service.scoping.matrix import NO_RULE, Matrix
from service.scoping.subjects import KINDS, follow
from tests.scoping.policies import policy_folder
from tests.scoping.world import DAY, NOW, World, an_id

NOT_THERE = f"doc_{'0' * 32}"


class Scene:
    """A running engagement: lead attorney on the team, a paralegal with a signed NDA and a grant on one paper."""

    def __init__(self, world: World, matrix: Matrix) -> None:
        self.world, self.matrix = world, matrix
        self.lead = world.member("lead", "attorney", None)
        self.paralegal = world.member("vera", "paralegal")
        world.team("case", "lead")
        self.nda = world.nda("vera", text="b" * 64)
        self.paper = world.document("paper", self.lead)
        self.grant = world.grant(self.paralegal, self.paper)
        self.part = world.part()
        self.engagement = world.engagement()
        self.matter = world.matter()

    def ask(self, membership: str, action: Action, subject: Subject | None = None, **actor: Any) -> Decision:
        who = self.world.actor(membership, **actor)
        on = Subject(document=self.paper) if subject is None else subject
        return decide(self.world.tx, self.matrix, self.world.moment, who, action, on)

    def vera(self, action: Action = Action.DOCUMENT_VIEW, subject: Subject | None = None, **actor: Any) -> Decision:
        return self.ask(self.paralegal, action, subject, **actor)


@pytest.fixture
def scene(world: World, matrix: Matrix) -> Scene:
    return Scene(world, matrix)


def told(decision: Decision) -> tuple[State | None, str | None, int | None]:
    """Why, for the log; what is answered."""
    error = decision.error
    return decision.state, None if error is None else error.code, None if error is None else error.status


# A vendor person's document -----------------------------------------------------------------------------------------


def test_a_live_grant_in_a_running_engagement_with_a_signed_nda_opens_the_document(scene: Scene) -> None:
    decision = scene.vera()
    assert decision.allowed
    assert decision.error is None
    assert decision.facts == ("assigned", "duties", "live", "window")
    assert decision.rule.startswith("policy.csv:")
    assert decision.policy == scene.matrix.epoch
    assert decision.nda == "b" * 64
    assert decision.subjects == {
        "document": scene.paper,
        "engagement": scene.engagement,
        "matter": scene.matter,
        "part": scene.part,
    }
    assert scene.paper in decision.authorised
    assert scene.world.row(scene.paper)["revision_id"] in decision.authorised
    assert an_id("doc", "another") not in decision.authorised


def _change(table: Any, row: str, **values: Any) -> Callable[[Scene], None]:
    def change(scene: Scene) -> None:
        scene.world.change(table, getattr(scene, row), **values)

    return change


def _walled(scene: Scene) -> None:
    scene.world.wall("vera", side="vendor", raised_at=NOW)


TAKEN_AWAY: dict[str, tuple[Callable[[Scene], None], State]] = {
    "the grant was revoked this second": (_change(models.grants, "grant", revoked_at=NOW), State.REVOKED),
    "the grant ends this second": (_change(models.grants, "grant", not_after=NOW), State.EXPIRED),
    "the grant begins next second": (_change(models.grants, "grant", not_before=NOW + 1), State.NOT_YET),
    "the grant does not let him view": (_change(models.grants, "grant", abilities=14), State.NEVER_GRANTED),
    "the NDA falls this second": (_change(models.duties, "nda", valid_until=NOW), State.DUTY_MISSING),
    "the NDA holds from the next second": (_change(models.duties, "nda", valid_from=NOW + 1), State.DUTY_MISSING),
    "the engagement ends this second": (_change(models.engagements, "engagement", ends_at=NOW), State.NOT_LIVE),
    "it begins next second": (_change(models.engagements, "engagement", starts_at=NOW + 1), State.NOT_LIVE),
    "it is closing": (_change(models.engagements, "engagement", status="closing"), State.NOT_LIVE),
    "it is disposed of": (_change(models.engagements, "engagement", status="disposed"), State.DISPOSED),
    "his window ends this second": (_change(models.memberships, "paralegal", ends_at=NOW), State.OUTSIDE_WINDOW),
    "his window opens next second": (_change(models.memberships, "paralegal", starts_at=NOW + 1), State.OUTSIDE_WINDOW),
    "he is suspended": (_change(models.memberships, "paralegal", suspended=1), State.SUSPENDED),
    "the paper is above his ceiling": (
        _change(models.documents, "paper", sensitivity="attorney_only"),
        State.ABOVE_CEILING,
    ),
    "nobody has looked at it yet": (_change(models.documents, "paper", state="to_look_at"), State.NEVER_GRANTED),
    "it was taken back": (_change(models.documents, "paper", state="taken_back"), State.TAKEN_BACK),
    "it was moved": (_change(models.documents, "paper", state="moved"), State.MOVED),
    "it was destroyed": (_change(models.documents, "paper", state="destroyed"), State.DISPOSED),
    "its label is damaged": (_change(models.documents, "paper", label="exhibits"), State.ERROR),
    "a wall stands before the matter": (_walled, State.WALLED),
}


@pytest.mark.parametrize("name", TAKEN_AWAY)
def test_whatever_is_missing_the_document_does_not_exist(scene: Scene, name: str) -> None:
    take_away, state = TAKEN_AWAY[name]
    take_away(scene)
    for action in (Action.DOCUMENT_VIEW, Action.DOCUMENT_DOWNLOAD, Action.DOCUMENT_LIST):
        assert told(scene.vera(action)) == (state, "not_found", 404)


@pytest.mark.parametrize("name", TAKEN_AWAY)
def test_every_404_says_the_same(scene: Scene, name: str) -> None:
    absent = scene.vera(subject=Subject(document=NOT_THERE)).error
    TAKEN_AWAY[name][0](scene)
    error = scene.vera().error
    assert isinstance(error, MunimentError)
    assert isinstance(absent, MunimentError)
    assert (type(error), error.message, error.extra) == (type(absent), absent.message, absent.extra)


def test_a_lifted_wall_and_a_wall_of_the_next_second_do_not_count(scene: Scene) -> None:
    scene.world.wall("vera", side="vendor", lifted_at=NOW)
    scene.world.wall("vera", side="vendor", raised_at=NOW + 1)
    assert scene.vera().allowed


def test_a_grant_without_the_ability_is_told_so_and_only_so(scene: Scene) -> None:
    scene.world.change(models.grants, scene.grant, abilities=1)
    assert scene.vera(Action.DOCUMENT_VIEW).allowed
    assert told(scene.vera(Action.DOCUMENT_DOWNLOAD)) == (State.ABILITY_MISSING, "ability_missing", 403)
    scene.world.change(models.duties, scene.nda, valid_until=NOW)
    assert told(scene.vera(Action.DOCUMENT_DOWNLOAD)) == (State.DUTY_MISSING, "not_found", 404)


def test_nobody_sees_another_persons_grant(scene: Scene) -> None:
    other = scene.world.member("vito", "paralegal")
    scene.world.nda("vito")
    assert told(scene.ask(other, Action.DOCUMENT_VIEW)) == (State.NEVER_GRANTED, "not_found", 404)


def test_a_grant_of_one_engagement_opens_nothing_through_a_seat_in_another(scene: Scene) -> None:
    seat = scene.world.member("vera", "paralegal", "second")
    scene.world.nda("vera", "second")
    scene.world.grant(seat, scene.paper)
    assert told(scene.ask(seat, Action.DOCUMENT_VIEW)) == (State.ABSENT, "not_found", 404)


def test_another_firms_document_does_not_exist(scene: Scene) -> None:
    stranger = scene.world.member("eve", "attorney", None, firm="rivals")
    assert told(scene.ask(stranger, Action.DOCUMENT_VIEW)) == (State.ABSENT, "not_found", 404)


def test_a_stolen_membership_id_with_another_person_opens_nothing(scene: Scene) -> None:
    real = scene.world.actor(scene.paralegal)
    forged = Actor(
        real.firm_id,
        scene.world.person("vito", "vendor"),
        real.membership_id,
        real.token_id,
        real.role,
        real.side,
        real.engagement_id,
        real.vendor_id,
        real.scopes,
    )
    decision = decide(
        scene.world.tx,
        scene.matrix,
        scene.world.moment,
        forged,
        Action.DOCUMENT_VIEW,
        Subject(document=scene.paper),
    )
    assert told(decision) == (State.ABSENT, "not_found", 404)


def test_a_narrow_token_is_told_so_for_every_id_alike(scene: Scene) -> None:
    for subject in (Subject(document=scene.paper), Subject(document=NOT_THERE)):
        decision = scene.vera(subject=subject, scopes="me agreement")
        assert told(decision) == (State.NARROWED, "token_too_narrow", 403)
        assert "narrowed" in decision.facts


def test_a_narrow_token_is_told_so_about_engagements_too(scene: Scene) -> None:
    for engagement in (scene.engagement, f"eng_{'0' * 32}"):
        decision = scene.vera(Action.ENGAGEMENT_READ, Subject(engagement=engagement), scopes="document")
        assert told(decision) == (State.NARROWED, "token_too_narrow", 403)


def test_what_is_seen_but_above_the_roles_ceiling_for_this_act_is_told_so(scene: Scene, tmp_path: Path) -> None:
    def no_download(text: str) -> str:
        line = (
            "coordinator,document:download document:inspect document:list document:text document:view,*,confidential,"
            "assigned,allow"
        )
        assert line in text
        return text.replace(
            line,
            "coordinator,document:list document:view,*,confidential,assigned,allow\n"
            "coordinator,document:download,billing,confidential,assigned,allow",
        )

    scene.matrix = Matrix.load(policy_folder(tmp_path, policy=no_download))
    coordinator = scene.world.member("cora", "coordinator", None)
    scene.world.team("case", "cora")
    assert scene.ask(coordinator, Action.DOCUMENT_VIEW).allowed
    assert told(scene.ask(coordinator, Action.DOCUMENT_DOWNLOAD)) == (State.ABILITY_MISSING, "ability_missing", 403)


def test_a_list_asks_for_the_fewest_duties_that_any_document_needs(scene: Scene, tmp_path: Path) -> None:
    """A BAA for medical records must not close the list of everything else."""
    scene.matrix = Matrix.load(
        policy_folder(tmp_path, duties=lambda text: text + "paralegal,document:list,billing medical_record,baa\n")
    )
    assert scene.vera(Action.DOCUMENT_LIST, Subject(engagement=scene.engagement)).allowed


def test_an_act_that_is_not_in_the_role_is_told_so_for_every_id_alike(scene: Scene) -> None:
    for subject in (Subject(document=scene.paper), Subject(document=NOT_THERE)):
        assert told(scene.vera(Action.DOCUMENT_CONFIRM, subject)) == (State.ROLE, "forbidden", 403)


# What one added oneself ---------------------------------------------------------------------------------------------


def _added(scene: Scene, **values: Any) -> Subject:
    given = {"state": "to_look_at", "sensitivity": "confidential", "added_at": NOW, **values}
    return Subject(document=scene.world.document("own", scene.paralegal, **given))


def test_the_adder_sees_replaces_and_takes_back_his_own_until_it_is_confirmed(scene: Scene) -> None:
    own = _added(scene)
    acts = (Action.DOCUMENT_VIEW, Action.DOCUMENT_DOWNLOAD, Action.DOCUMENT_REVISE, Action.DOCUMENT_TAKE_BACK)
    assert all(scene.vera(action, own).allowed for action in acts)
    assert own.document is not None
    scene.world.change(models.documents, own.document, state="confirmed")
    for action in acts:
        assert told(scene.vera(action, own))[1:] == ("not_found", 404)


@pytest.mark.parametrize(("age", "seen"), [(0, True), (OWN_LIFE_S - 1, True), (OWN_LIFE_S, False)])
def test_own_papers_are_seen_for_72_hours(scene: Scene, age: int, seen: bool) -> None:  # a case
    assert scene.vera(subject=_added(scene, added_at=NOW - age)).allowed is seen


def test_another_vendor_person_and_a_coordinator_do_not_see_what_is_to_look_at(scene: Scene) -> None:
    own = _added(scene)
    scene.world.team("case", "cora")
    coordinator = scene.world.member("cora", "coordinator", None)
    other = scene.world.member("vito", "paralegal")
    scene.world.nda("vito")
    assert not scene.ask(other, Action.DOCUMENT_VIEW, own).allowed
    assert not scene.ask(coordinator, Action.DOCUMENT_VIEW, own).allowed
    assert scene.ask(coordinator, Action.DOCUMENT_VIEW).allowed
    assert scene.ask(scene.lead, Action.DOCUMENT_CONFIRM, own).allowed


def test_adding_needs_a_live_ask_for_that_label_in_that_part(scene: Scene) -> None:
    def add(label: str, part: str = scene.part) -> Decision:
        return scene.vera(Action.DOCUMENT_ADD, Subject(part=part, label=label))

    assert told(add("exhibit")) == (State.NEVER_GRANTED, "not_found", 404)
    ask = scene.world.ask(scene.paralegal, scene.part, "exhibit")
    assert add("exhibit").allowed
    assert told(add("billing")) == (State.NOT_ASKED, "forbidden", 403)
    assert told(add("exhibit", scene.world.part("other"))) == (State.NEVER_GRANTED, "not_found", 404)
    scene.world.change(models.duties, scene.nda, valid_until=NOW)
    assert told(add("exhibit")) == (State.DUTY_MISSING, "not_found", 404)
    scene.world.change(models.asks, ask, ended_at=NOW)
    assert told(add("exhibit")) == (State.NEVER_GRANTED, "not_found", 404)


def test_a_label_above_the_ceiling_cannot_be_added_even_when_asked(scene: Scene) -> None:
    clerk = scene.world.member("bill", "billing_clerk")
    scene.world.nda("bill")
    scene.world.ask(clerk, scene.part, "medical_record")
    decision = scene.ask(clerk, Action.DOCUMENT_ADD, Subject(part=scene.part, label="medical_record"))
    assert told(decision) == (State.NOT_ASKED, "forbidden", 403)


def test_a_part_of_another_engagement_is_not_there(scene: Scene) -> None:
    elsewhere = Subject(part=scene.world.part("case", "second"), label="exhibit")
    assert told(scene.vera(Action.DOCUMENT_ADD, elsewhere)) == (State.ABSENT, "not_found", 404)
    crossed = Subject(part=scene.part, engagement=scene.world.engagement("second"), label="exhibit")
    assert told(scene.ask(scene.lead, Action.DOCUMENT_ADD, crossed)) == (State.ABSENT, "not_found", 404)
    right = Subject(part=scene.part, engagement=scene.engagement, label="exhibit")
    assert scene.ask(scene.lead, Action.DOCUMENT_ADD, right).allowed


# The firm's people --------------------------------------------------------------------------------------------------


def test_an_attorney_of_the_team_needs_no_grant_duty_or_window(scene: Scene) -> None:
    decision = scene.ask(scene.lead, Action.DOCUMENT_DOWNLOAD)
    assert decision.allowed
    assert decision.nda is None


def test_an_attorney_who_is_not_on_the_team_sees_nothing(scene: Scene) -> None:
    other = scene.world.member("otto", "attorney", None)
    assert told(scene.ask(other, Action.DOCUMENT_VIEW)) == (State.NEVER_GRANTED, "not_found", 404)


@pytest.mark.parametrize("span", [{"since": NOW + 1}, {"until": NOW}])
def test_a_team_counts_for_its_own_dates(scene: Scene, span: dict[str, int]) -> None:
    other = scene.world.member("otto", "attorney", None)
    scene.world.team("case", "otto", **span)
    assert not scene.ask(other, Action.DOCUMENT_VIEW).allowed


@pytest.mark.parametrize(
    ("who", "until", "seen"),
    [("cora", FOREVER, False), ("cora", NOW + 1, False), ("cora", NOW, True), ("vera", FOREVER, True)],
)
def test_what_a_coordinator_said_was_not_meant_for_him_is_closed_to_him_alone(
    scene: Scene, who: str, until: int, *, seen: bool
) -> None:
    seat = scene.world.member("cora", "coordinator")
    scene.world.team("case", "cora")
    about = Subject(document=scene.paper)
    assert scene.ask(seat, Action.DOCUMENT_VIEW, about).allowed
    scene.world.disclaim(scene.paper, seat, scene.world.person(who, "firm" if who == "cora" else "vendor"), until)
    assert scene.ask(seat, Action.DOCUMENT_VIEW, about).allowed is seen
    assert scene.ask(scene.lead, Action.DOCUMENT_VIEW, about).allowed


DISCLOSED_TO_HER: dict[str, tuple[bool, dict[str, Any]]] = {
    "now": (True, {}),
    "from this second": (True, {"not_before": NOW}),
    "from the next second": (False, {"not_before": NOW + 1}),
    "until the next second": (True, {"not_after": NOW + 1}),
    "until this second": (False, {"not_after": NOW}),
    "ended in the next second": (True, {"ended_at": NOW + 1}),
    "ended in this second": (False, {"ended_at": NOW}),
}


@pytest.mark.parametrize("when", list(DISCLOSED_TO_HER))
def test_a_title_is_told_while_it_is_disclosed_and_nothing_else_of_the_paper(scene: Scene, when: str) -> None:
    told_now, span = DISCLOSED_TO_HER[when]
    reviewer = scene.world.member("rae", "reviewer", None)
    assert not scene.ask(reviewer, Action.TITLE_READ).allowed
    scene.world.disclose(scene.paper, reviewer, **span)
    decision = scene.ask(reviewer, Action.TITLE_READ)
    assert decision.allowed is told_now
    assert list(decision.authorised) == ([title_of(scene.paper)] if told_now else [])
    assert scene.paper not in decision.authorised
    for action in (Action.DOCUMENT_VIEW, Action.DOCUMENT_TEXT, Action.DOCUMENT_DOWNLOAD, Action.DISCLOSURE_END):
        assert not scene.ask(reviewer, action).allowed


def _taken_back(scene: Scene, _seat: str) -> None:
    scene.world.change(models.documents, scene.paper, state="taken_back")


def _moved(scene: Scene, _seat: str) -> None:
    scene.world.change(models.documents, scene.paper, state="moved")


def _disposed(scene: Scene, _seat: str) -> None:
    scene.world.change(models.engagements, scene.engagement, status="disposed")


NOT_DISCLOSED: dict[str, Callable[[Scene, str], object]] = {
    "taken back": _taken_back,
    "moved": _moved,
    "disposed": _disposed,
    "walled": lambda scene, _seat: scene.world.wall("rae"),
    "suspended": lambda scene, seat: scene.world.change(models.memberships, seat, suspended=1),
    "ended": lambda scene, seat: scene.world.change(models.memberships, seat, ends_at=NOW),
    "not begun": lambda scene, seat: scene.world.change(models.memberships, seat, starts_at=NOW + 1),
    "another's seat": lambda scene, seat: scene.world.change(
        models.memberships, seat, engagement_id=scene.world.engagement("second")
    ),
}


@pytest.mark.parametrize("why", list(NOT_DISCLOSED))
def test_a_disclosed_title_is_not_told(scene: Scene, why: str) -> None:
    reviewer = scene.world.member("rae", "reviewer", None)
    scene.world.disclose(scene.paper, reviewer)
    assert scene.ask(reviewer, Action.TITLE_READ).allowed
    NOT_DISCLOSED[why](scene, reviewer)
    assert not scene.ask(reviewer, Action.TITLE_READ).allowed


def test_a_disclosure_is_for_one_membership_one_paper_and_one_role(scene: Scene) -> None:
    reviewer, same = (scene.world.member("rae", "reviewer", engagement) for engagement in (None, "deal"))
    scene.world.disclose(scene.paper, reviewer)
    assert not scene.ask(same, Action.TITLE_READ).allowed
    assert not scene.ask(scene.lead, Action.TITLE_READ).allowed
    other = scene.world.document("other", scene.lead)
    assert not scene.ask(reviewer, Action.TITLE_READ, Subject(document=other)).allowed
    # A closed engagement is reviewed all the same; and nobody asks whether who disclosed it is still there.
    scene.world.change(models.engagements, scene.engagement, status="closing")
    scene.world.change(models.memberships, scene.lead, ends_at=NOW)
    assert scene.ask(reviewer, Action.TITLE_READ).allowed
    # A role that is told no titles is told none by a row.
    owner = scene.world.member("olga", "owner", None)
    scene.world.disclose(scene.paper, owner)
    assert not scene.ask(owner, Action.TITLE_READ).allowed


def test_a_wall_binds_the_attorney_who_leads(scene: Scene) -> None:
    scene.world.wall("lead")
    assert told(scene.ask(scene.lead, Action.DOCUMENT_VIEW)) == (State.WALLED, "not_found", 404)
    for action in (Action.MATTER_READ, Action.WALL_LIST, Action.HOLD_PLACE):
        assert told(scene.ask(scene.lead, action, Subject(matter=scene.matter))) == (State.WALLED, "not_found", 404)
    decision = scene.ask(scene.lead, Action.DOCUMENT_ADD, Subject(part=scene.part, label="exhibit"))
    assert told(decision) == (State.WALLED, "not_found", 404)


def test_a_departed_attorney_sees_nothing_from_that_second(scene: Scene) -> None:
    scene.world.change(models.memberships, scene.lead, ends_at=NOW)
    assert told(scene.ask(scene.lead, Action.DOCUMENT_VIEW))[1] == "not_found"
    assert told(scene.ask(scene.lead, Action.PERSON_LIST, Subject())) == (
        State.OUTSIDE_WINDOW,
        "outside_window",
        403,
    )


def test_a_seat_in_one_engagement_shows_no_document_of_another(scene: Scene) -> None:
    seated = scene.world.member("ann", "attorney", "second")
    scene.world.team("case", "ann")
    assert told(scene.ask(seated, Action.DOCUMENT_VIEW)) == (State.ABSENT, "not_found", 404)


def test_attorneys_read_but_do_not_change_a_closing_engagement(scene: Scene) -> None:
    scene.world.change(models.engagements, scene.engagement, status="closing")
    assert scene.ask(scene.lead, Action.DOCUMENT_DOWNLOAD).allowed
    for action in (Action.DOCUMENT_REVISE, Action.GRANT_CREATE):
        assert told(scene.ask(scene.lead, action)) == (State.NOT_LIVE, "bad_state", 409)


def test_what_was_destroyed_answers_410_to_those_who_could_see_it(scene: Scene) -> None:
    scene.world.change(models.documents, scene.paper, state="destroyed")
    other = scene.world.member("otto", "attorney", None)
    assert told(scene.ask(scene.lead, Action.DOCUMENT_VIEW)) == (State.DISPOSED, "disposed", 410)
    assert told(scene.ask(other, Action.DOCUMENT_VIEW)) == (State.ABSENT, "not_found", 404)
    scene.world.change(models.documents, scene.paper, state="taken_back")
    assert told(scene.ask(scene.lead, Action.DOCUMENT_VIEW)) == (State.TAKEN_BACK, "not_found", 404)


def test_what_was_moved_answers_410_to_those_who_could_see_it_and_leaves_them_a_lineage(scene: Scene) -> None:
    other, coordinator = scene.world.member("otto", "attorney", None), scene.world.member("cora", "coordinator", None)
    scene.world.team("case", "cora")
    scene.world.change(models.documents, scene.paper, state="moved")
    for action in (Action.DOCUMENT_VIEW, Action.DOCUMENT_DOWNLOAD, Action.DOCUMENT_MOVE, Action.GRANT_CREATE):
        assert told(scene.ask(scene.lead, action)) == (State.MOVED, "moved", 410)
        assert scene.ask(other, action).error is not None
    assert told(scene.ask(other, Action.DOCUMENT_VIEW)) == (State.ABSENT, "not_found", 404)
    assert told(scene.ask(coordinator, Action.DOCUMENT_VIEW)) == (State.ABSENT, "not_found", 404)
    traced = scene.ask(scene.lead, Action.DOCUMENT_LINEAGE)
    assert traced.allowed
    assert scene.paper not in traced.authorised  # it opens neither title nor bytes
    assert told(scene.ask(other, Action.DOCUMENT_LINEAGE)) == (State.NEVER_GRANTED, "not_found", 404)
    assert told(scene.vera(Action.DOCUMENT_LINEAGE)) == (State.ROLE, "forbidden", 403)
    scene.world.change(models.engagements, scene.engagement, status="disposed")
    assert scene.ask(scene.lead, Action.DOCUMENT_LINEAGE).allowed  # its end did not reach what was moved before
    scene.world.change(models.documents, scene.paper, state="destroyed")
    assert told(scene.ask(scene.lead, Action.DOCUMENT_LINEAGE)) == (State.DISPOSED, "disposed", 410)


def test_moving_needs_a_running_engagement_and_a_lineage_does_not(scene: Scene) -> None:
    assert scene.ask(scene.lead, Action.DOCUMENT_MOVE).allowed
    scene.world.change(models.engagements, scene.engagement, status="closing")
    assert told(scene.ask(scene.lead, Action.DOCUMENT_MOVE)) == (State.NOT_LIVE, "bad_state", 409)
    assert scene.ask(scene.lead, Action.DOCUMENT_LINEAGE).allowed


def test_a_disposed_engagements_part_answers_410_to_those_who_could_see_it(scene: Scene) -> None:
    scene.world.change(models.engagements, scene.engagement, status="disposed")
    on = Subject(part=scene.part, label="exhibit")
    other = scene.world.member("otto", "attorney", None)
    assert told(scene.ask(scene.lead, Action.DOCUMENT_ADD, on)) == (State.DISPOSED, "disposed", 410)
    assert told(scene.ask(other, Action.DOCUMENT_ADD, on)) == (State.ABSENT, "not_found", 404)
    assert told(scene.vera(Action.DOCUMENT_ADD, on)) == (State.DISPOSED, "not_found", 404)


def test_a_coordinator_sees_up_to_confidential(scene: Scene) -> None:
    coordinator = scene.world.member("cora", "coordinator", None)
    scene.world.team("case", "cora")
    assert scene.ask(coordinator, Action.GRANT_LIST).allowed
    scene.world.change(models.documents, scene.paper, sensitivity="privileged")
    assert told(scene.ask(coordinator, Action.DOCUMENT_VIEW)) == (State.ABOVE_CEILING, "not_found", 404)


@pytest.mark.parametrize("role", ["owner", "reviewer"])
def test_owner_and_reviewer_have_no_act_on_a_document(scene: Scene, role: str) -> None:
    member = scene.world.member("olga", role, None)
    scene.world.team("case", "olga")
    for action, kinds in KINDS.items():
        if Kind.DOCUMENT in kinds and (role, action) != ("reviewer", Action.TITLE_READ):
            assert told(scene.ask(member, action)) == (State.ROLE, "forbidden", 403)
    if role == "reviewer":  # no act but being told a title that was disclosed to him, and this one was not
        assert told(scene.ask(member, Action.TITLE_READ)) == (State.NEVER_GRANTED, "not_found", 404)


# Engagements, matters, the house, oneself ---------------------------------------------------------------------------


def test_an_agreement_can_be_read_and_signed_before_anything_else_is_in_force(scene: Scene) -> None:
    scene.world.change(models.duties, scene.nda, valid_until=NOW)
    scene.world.change(models.memberships, scene.paralegal, starts_at=NOW + DAY, ends_at=NOW + 2 * DAY)
    on = Subject(engagement=scene.engagement)
    assert scene.vera(Action.AGREEMENT_READ, on).allowed
    assert scene.vera(Action.AGREEMENT_SIGN, on).allowed
    elsewhere = Subject(engagement=scene.world.engagement("second"))
    assert told(scene.vera(Action.AGREEMENT_SIGN, elsewhere)) == (State.NEVER_GRANTED, "not_found", 404)


def test_the_engagement_says_what_is_missing(scene: Scene) -> None:
    on = Subject(engagement=scene.engagement)
    assert scene.vera(Action.ENGAGEMENT_READ, on).allowed
    scene.world.change(models.duties, scene.nda, valid_until=NOW)
    decision = scene.vera(Action.ENGAGEMENT_READ, on)
    assert told(decision) == (State.DUTY_MISSING, "duty_missing", 403)
    assert decision.missing == ("duties",)
    scene.world.change(models.memberships, scene.paralegal, starts_at=NOW + 1)
    assert told(scene.vera(Action.ENGAGEMENT_READ, on)) == (State.OUTSIDE_WINDOW, "outside_window", 403)
    scene.world.change(models.engagements, scene.engagement, ends_at=NOW)
    assert told(scene.vera(Action.ENGAGEMENT_READ, on)) == (State.NOT_LIVE, "outside_window", 403)
    scene.world.change(models.memberships, scene.paralegal, starts_at=NOW, suspended=1)
    assert told(scene.vera(Action.ENGAGEMENT_READ, on)) == (State.SUSPENDED, "suspended", 403)


def test_a_suspended_person_still_learns_about_himself(scene: Scene) -> None:
    scene.world.change(models.memberships, scene.paralegal, suspended=1)
    me = Subject(person=scene.world.person("vera", "vendor"))
    assert scene.vera(Action.ME_READ, me).allowed
    assert told(scene.vera(Action.RECEIPT_READ, me)) == (State.SUSPENDED, "suspended", 403)


def test_the_list_of_documents_is_refused_with_what_is_missing_before_any_is_shown(scene: Scene) -> None:
    on = Subject(engagement=scene.engagement)
    assert scene.vera(Action.DOCUMENT_LIST, on).allowed
    assert scene.vera(Action.DOCUMENT_LIST, Subject()).subjects == {"engagement": scene.engagement}
    assert scene.ask(scene.lead, Action.DOCUMENT_LIST, on).allowed
    scene.world.change(models.duties, scene.nda, valid_until=NOW)
    assert told(scene.vera(Action.DOCUMENT_LIST, on)) == (State.DUTY_MISSING, "duty_missing", 403)
    elsewhere = Subject(engagement=scene.world.engagement("second"))
    assert told(scene.vera(Action.DOCUMENT_LIST, elsewhere)) == (State.NEVER_GRANTED, "not_found", 404)
    owner = scene.world.member("olga", "owner", None)
    assert told(scene.ask(owner, Action.DOCUMENT_LIST, on)) == (State.ROLE, "forbidden", 403)


@pytest.mark.parametrize("seat", ["lead", "deputy", "sits", "belongs"])
def test_an_engagement_is_assigned_to_who_leads_deputises_or_sits_in_it(scene: Scene, seat: str) -> None:
    world = scene.world
    house = world.member("otto", "attorney", None)
    on = Subject(engagement=scene.engagement)
    assert told(scene.ask(house, Action.ENGAGEMENT_READ, on)) == (State.NEVER_GRANTED, "not_found", 404)
    if seat in ("lead", "deputy"):
        world.change(models.engagements, scene.engagement, **{f"{seat}_id": world.person("otto")})
    else:
        seated = world.member("otto", "attorney")
        house = seated if seat == "belongs" else house
    assert scene.ask(house, Action.ENGAGEMENT_CHANGE, on).allowed


READ_BY_THE_TEAM = {
    Action.AGREEMENT_READ,
    Action.ASK_LIST,
    Action.ENGAGEMENT_READ,
    Action.MEMBER_LIST,
    Action.MISDIRECTION_LIST,
    Action.PART_LIST,
    Action.STANDING_SHARE_LIST,
    Action.TASK_LIST,
}


@pytest.mark.parametrize("role", ["attorney", "coordinator"])
def test_who_is_named_on_a_matter_reads_the_engagement_of_its_part_and_changes_nothing(scene: Scene, role: str) -> None:
    world, house = scene.world, scene.world.member("otto", role, None)
    on = Subject(engagement=scene.engagement)
    world.team("case", "otto")
    allowed = {
        action for action, kinds in KINDS.items() if Kind.ENGAGEMENT in kinds and scene.ask(house, action, on).allowed
    }
    # A firm person's list of documents is decided document by document, wherever it is asked for.
    of_attorneys = {Action.ACCESS_REQUEST_LIST, Action.ON_CALL_LIST, Action.TASK_MEASURE, Action.PERSON_ACCESS}
    # Each grant is decided as grant:create or grant:revoke too.
    of_attorneys |= {Action.ENGAGEMENT_USAGE, Action.ENGAGEMENT_SHARE, Action.ENGAGEMENT_SHRINK}
    of_attorneys |= {Action.DISCLOSURE_LIST, Action.DUTY_LIST, Action.OVERLAY_READ, Action.STANDBY_LIST}
    assert allowed == READ_BY_THE_TEAM | {Action.DOCUMENT_LIST} | (of_attorneys if role == "attorney" else set())
    assert scene.ask(house, Action.ENGAGEMENT_READ, on).facts == ("duties", "live", "named", "window")
    assert told(scene.ask(house, Action.ENGAGEMENT_CHANGE, on))[0] in {State.NEVER_GRANTED, State.ROLE}


@pytest.mark.parametrize("role", ["owner", "reviewer"])
def test_being_named_on_a_matter_gives_owner_and_reviewer_nothing(scene: Scene, role: str) -> None:
    scene.world.team("case", "olga")
    decision = scene.ask(scene.world.member("olga", role, None), Action.PART_LIST, Subject(engagement=scene.engagement))
    assert told(decision) == (State.ROLE, "forbidden", 403)


def _named_and_walled(world: World) -> None:
    world.team("case", "otto")
    world.wall("otto")


UNNAMED: dict[str, Callable[[World], None]] = {
    "a matter that has no part in it": lambda world: world.team("other", "otto"),
    "named from the next second": lambda world: world.team("case", "otto", since=NOW + 1),
    "named until this second": lambda world: world.team("case", "otto", until=NOW),
    "a wall before the matter": _named_and_walled,
}


@pytest.mark.parametrize("why", list(UNNAMED))
def test_who_is_not_named_now_or_is_walled_learns_of_no_engagement(scene: Scene, why: str) -> None:
    world, house = scene.world, scene.world.member("otto", "attorney", None)
    UNNAMED[why](world)
    for action in READ_BY_THE_TEAM:
        decision = scene.ask(house, action, Subject(engagement=scene.engagement))
        assert told(decision) == (State.NEVER_GRANTED, "not_found", 404)


def test_a_wall_before_one_matter_leaves_the_engagement_of_another_readable(scene: Scene) -> None:
    world, house = scene.world, scene.world.member("otto", "attorney", None)
    on = Subject(engagement=scene.engagement)
    world.team("case", "otto")
    world.team("other", "otto")
    world.part("other")
    world.wall("otto")
    assert scene.ask(house, Action.ENGAGEMENT_READ, on).allowed
    world.wall("otto", "other", lifted_at=NOW + 1)
    assert told(scene.ask(house, Action.ENGAGEMENT_READ, on)) == (State.NEVER_GRANTED, "not_found", 404)


def test_a_seat_in_one_engagement_reads_no_other_of_the_same_matter(scene: Scene) -> None:
    seated = scene.world.member("ann", "attorney", "second")
    scene.world.team("case", "ann")
    on = Subject(engagement=scene.engagement)
    assert told(scene.ask(seated, Action.ENGAGEMENT_READ, on)) == (State.NEVER_GRANTED, "not_found", 404)


def test_putting_a_matter_into_an_engagement_needs_both(scene: Scene) -> None:
    both = Subject(engagement=scene.engagement, matter=scene.matter)
    assert scene.ask(scene.lead, Action.PART_ADD, both).allowed
    other = Subject(engagement=scene.engagement, matter=scene.world.matter("other"))
    assert told(scene.ask(scene.lead, Action.PART_ADD, other)) == (State.NEVER_GRANTED, "not_found", 404)
    unknown = Subject(engagement=scene.engagement, matter=f"mtr_{'0' * 32}")
    assert told(scene.ask(scene.lead, Action.PART_ADD, unknown)) == (State.ABSENT, "not_found", 404)
    scene.world.wall("lead")
    assert told(scene.ask(scene.lead, Action.PART_ADD, both)) == (State.WALLED, "not_found", 404)


def test_a_disposal_is_approved_by_another_person_with_another_token(scene: Scene) -> None:
    world, owner = scene.world, scene.world.member("olga", "owner", None)
    on = Subject(engagement=scene.engagement)
    assert told(scene.ask(owner, Action.DISPOSAL_APPROVE, on, stepped_up=True)) == (
        State.SECOND_NEEDED,
        "second_person_needed",
        403,
    )
    disposal = world.add(
        models.disposals,
        id=an_id("dsp", "one"),
        firm_id=world.firm(),
        engagement_id=scene.engagement,
        state="requested",
        requested_by=world.person("lead"),
        requested_token=an_id("tok", "first"),
    )
    assert scene.ask(owner, Action.DISPOSAL_APPROVE, Subject(via=disposal), stepped_up=True).allowed
    for membership, token in ((owner, "first"), (scene.lead, "second"), (scene.lead, "first")):
        decision = scene.ask(membership, Action.DISPOSAL_APPROVE, on, token=token, stepped_up=True)
        assert told(decision) == (State.SECOND_NEEDED, "second_person_needed", 403)
    world.change(models.disposals, disposal, state="withdrawn")
    assert not scene.ask(owner, Action.DISPOSAL_APPROVE, on, stepped_up=True).allowed


def test_the_whole_log_is_for_who_reviews_the_house_and_one_engagements_for_its_seat(scene: Scene) -> None:
    whole = scene.world.member("rita", "reviewer", None)
    seated = scene.world.member("ruth", "reviewer")
    on, elsewhere = Subject(engagement=scene.engagement), Subject(engagement=scene.world.engagement("second"))
    for subject in (Subject(), on, elsewhere):
        assert scene.ask(whole, Action.AUDIT_EXPORT, subject).allowed
    assert scene.ask(seated, Action.AUDIT_EXPORT, on).allowed
    assert told(scene.ask(seated, Action.AUDIT_EXPORT, Subject())) == (State.NEVER_GRANTED, "forbidden", 403)
    assert told(scene.ask(seated, Action.AUDIT_EXPORT, elsewhere)) == (State.NEVER_GRANTED, "not_found", 404)
    assert told(scene.ask(scene.lead, Action.AUDIT_READ, Subject())) == (State.NEVER_GRANTED, "forbidden", 403)
    assert scene.ask(scene.lead, Action.AUDIT_READ, on).allowed
    scene.world.change(models.memberships, whole, starts_at=NOW + 1)
    assert not scene.ask(whole, Action.AUDIT_EXPORT, Subject()).allowed


def _limited(scene: Scene) -> str:
    """A reviewer's seat limited to the scene's matter."""
    return scene.world.member("mira", "reviewer", None, matter_id=scene.world.matter())


def test_a_seat_in_one_matter_reads_the_log_of_that_and_no_other(scene: Scene) -> None:
    world, seat, whole = scene.world, _limited(scene), scene.world.member("rita", "reviewer", None)
    on, other = Subject(matter=world.matter()), Subject(matter=world.matter("second"))
    absent = Subject(matter=an_id("mtr", "nowhere"))
    for action in (Action.AUDIT_READ, Action.AUDIT_PROVE, Action.AUDIT_CHECKPOINT):
        assert scene.ask(seat, action, on).allowed
        assert scene.ask(whole, action, on).allowed
        assert told(scene.ask(seat, action, other)) == (State.NEVER_GRANTED, "not_found", 404)
        assert told(scene.ask(seat, action, absent)) == (State.ABSENT, "not_found", 404)
        assert told(scene.ask(seat, action, Subject())) == (State.NEVER_GRANTED, "forbidden", 403)
        assert not scene.ask(seat, action, Subject(engagement=scene.engagement)).allowed
        assert not scene.ask(seat, action, Subject(engagement=scene.engagement, matter=world.matter())).allowed
        assert not scene.ask(scene.lead, action, on).allowed  # being on its team is not enough
    world.wall("mira")
    for action in (Action.AUDIT_READ, Action.AUDIT_PROVE, Action.AUDIT_CHECKPOINT):
        assert told(scene.ask(seat, action, on)) == (State.WALLED, "not_found", 404)


def test_a_seat_in_one_matter_reads_registers_where_that_has_a_part(scene: Scene) -> None:
    world, seat = scene.world, _limited(scene)
    on, elsewhere = Subject(engagement=scene.engagement), Subject(engagement=world.engagement("second"))
    world.part("another", "second")
    assert scene.ask(seat, Action.REGISTER_READ, on).allowed
    assert told(scene.ask(seat, Action.REGISTER_READ, elsewhere)) == (State.NEVER_GRANTED, "not_found", 404)
    world.member("mira", "reviewer", "second")  # a seat there besides is another membership's
    assert not scene.ask(seat, Action.REGISTER_READ, elsewhere).allowed
    world.wall("mira")
    assert not scene.ask(seat, Action.REGISTER_READ, on).allowed


def test_a_seat_in_one_matter_exports_nothing_and_reads_no_certificate(scene: Scene) -> None:
    seat, on = _limited(scene), Subject(engagement=scene.engagement)
    for action in (Action.AUDIT_EXPORT, Action.CERTIFICATE_LIST, Action.CERTIFICATE_READ, Action.DISPOSAL_READ):
        assert told(scene.ask(seat, action, Subject())) == (State.NEVER_GRANTED, "forbidden", 403)
        assert told(scene.ask(seat, action, on)) == (State.NEVER_GRANTED, "not_found", 404)


def test_a_seat_in_one_matter_is_told_titles_of_that_matter(scene: Scene) -> None:
    world, seat = scene.world, _limited(scene)
    world.disclose(scene.paper, seat)
    assert scene.ask(seat, Action.TITLE_READ).allowed
    world.change(models.memberships, seat, matter_id=world.matter("second"))
    assert told(scene.ask(seat, Action.TITLE_READ)) == (State.ABSENT, "not_found", 404)


def test_new_people_and_matters_need_a_seat_for_the_whole_house(scene: Scene) -> None:
    seated = scene.world.member("ann", "attorney")
    for action in (Action.PERSON_ADD, Action.MATTER_CREATE, Action.ENGAGEMENT_CREATE):
        assert scene.ask(scene.lead, action, Subject()).allowed
        assert told(scene.ask(seated, action, Subject())) == (State.NEVER_GRANTED, "forbidden", 403)


def test_ones_own_tokens_and_receipts_are_ones_own(scene: Scene) -> None:
    world, owner = scene.world, scene.world.member("olga", "owner", None)
    vera, lead = Subject(person=world.person("vera", "vendor")), Subject(person=world.person("lead"))
    assert scene.vera(Action.TOKEN_REVOKE, vera).allowed
    assert told(scene.vera(Action.TOKEN_REVOKE, lead)) == (State.NEVER_GRANTED, "not_found", 404)
    assert scene.ask(owner, Action.TOKEN_REVOKE, vera).allowed
    assert not scene.ask(owner, Action.TOKEN_CREATE, vera).allowed
    assert scene.vera(Action.RECEIPT_READ, vera).allowed
    own = _added(scene)
    assert scene.vera(Action.RECEIPT_READ, Subject(receipt=own.document)).allowed
    assert told(scene.vera(Action.RECEIPT_READ, Subject(receipt=scene.paper)))[1:] == ("not_found", 404)


def test_a_matter_is_read_by_its_team_and_not_by_the_owner(scene: Scene) -> None:
    on, owner = Subject(matter=scene.matter), scene.world.member("olga", "owner", None)
    assert scene.ask(scene.lead, Action.MATTER_READ, on).allowed
    assert told(scene.ask(owner, Action.MATTER_READ, on)) == (State.ROLE, "forbidden", 403)
    assert scene.ask(owner, Action.HOLD_PLACE, on).allowed
    seated = scene.world.member("ann", "attorney", "second")
    scene.world.team("case", "ann")
    assert not scene.ask(seated, Action.MATTER_READ, on).allowed
    scene.world.part("case", "second")
    assert scene.ask(seated, Action.MATTER_READ, on).allowed


# Ids that stand for something else ----------------------------------------------------------------------------------


def test_ids_are_followed_to_what_they_stand_for(scene: Scene) -> None:
    world = scene.world
    hold = world.add(models.holds, id=an_id("hld", "one"), firm_id=world.firm(), matter_id=scene.matter)
    wall = world.wall("otto", lifted_at=FOREVER)
    agreement = world.add(
        models.agreements, id=an_id("agr", "one"), firm_id=world.firm(), engagement_id=scene.engagement, kind="nda"
    )
    ask = world.ask(scene.paralegal, scene.part, "exhibit")
    for action, via, noun, subject in (
        (Action.GRANT_REVOKE, scene.grant, "grant", {"document": scene.paper}),
        (Action.HOLD_LIFT, hold, "hold", {"matter": scene.matter}),
        (Action.WALL_LIST, wall, "wall", {"matter": scene.matter}),
        (Action.AGREEMENT_READ, agreement, "agreement", {"engagement": scene.engagement}),
        (Action.ASK_END, ask, "ask", {"part": scene.part}),
        (Action.MEMBER_END, scene.paralegal, "membership", {"engagement": scene.engagement}),
    ):
        decision = scene.ask(scene.lead, action, Subject(via=via), stepped_up=True)
        assert decision.allowed, action
        assert {noun: via, **subject}.items() <= decision.subjects.items()


@pytest.mark.parametrize("via", ["", "grt", "xyz_1", f"grt_{'0' * 32}", "../../etc/passwd", "tok_é"])
def test_an_id_that_stands_for_nothing_does_not_exist_and_is_not_recorded(scene: Scene, via: str) -> None:
    decision = scene.ask(scene.lead, Action.GRANT_REVOKE, Subject(via=via))
    assert told(decision) == (State.ABSENT, "not_found", 404)
    assert set(decision.subjects.values()) <= {f"grt_{'0' * 32}"}


def test_an_id_that_stands_for_another_kind_of_thing_is_not_there(scene: Scene) -> None:
    for action, via in ((Action.HOLD_PLACE, scene.grant), (Action.GRANT_REVOKE, scene.paralegal)):
        assert told(scene.ask(scene.lead, action, Subject(via=via))) == (State.ABSENT, "not_found", 404)


def test_another_firms_grant_is_not_followed(scene: Scene) -> None:
    stranger = scene.world.member("eve", "attorney", None, firm="rivals")
    assert told(scene.ask(stranger, Action.GRANT_REVOKE, Subject(via=scene.grant))) == (
        State.ABSENT,
        "not_found",
        404,
    )


def test_whoever_runs_another_house_finds_nothing_of_this_one(scene: Scene) -> None:
    """An owner needs no seat, team or grant for what is of the house: only the firm keeps one from another's."""
    olga = scene.world.member("olga", "owner", None, firm="rivals")
    vera = scene.world.row(scene.paralegal)["person_id"]
    for action, subject in (
        (Action.ENGAGEMENT_READ, Subject(engagement=scene.engagement)),
        (Action.MEMBER_END, Subject(via=scene.paralegal)),
        (Action.DISPOSAL_REQUEST, Subject(engagement=scene.engagement)),
        (Action.HOLD_PLACE, Subject(matter=scene.matter)),
        (Action.WALL_RAISE, Subject(matter=scene.matter)),
        (Action.TOKEN_REVOKE, Subject(person=vera)),
    ):
        decision = scene.ask(olga, action, subject)
        assert told(decision) == (State.ABSENT, "not_found", 404), action
        assert decision.row is None


def test_an_id_of_another_firm_stands_for_nothing(scene: Scene) -> None:
    """Already when it is followed: what it stands for must not depend on a later look alone."""
    here, there = scene.world.firm(), scene.world.firm("rivals")
    for via in (scene.grant, scene.paralegal):
        assert follow(scene.world.tx, here, Subject(via=via)) is not None
        assert follow(scene.world.tx, there, Subject(via=via)) is None
    assert follow(scene.world.tx, here, Subject(receipt=scene.paper)) is not None
    assert follow(scene.world.tx, there, Subject(receipt=scene.paper)) is None


@pytest.mark.parametrize("malformed", ["", "doc_1", "doc_" + "Z" * 32, "x" * 5000, "doc_\x00"])
def test_a_malformed_id_does_not_exist_and_is_not_recorded(scene: Scene, malformed: str) -> None:
    decision = scene.vera(subject=Subject(document=malformed))
    assert told(decision) == (State.ABSENT, "not_found", 404)
    assert decision.subjects == {}


@pytest.mark.parametrize("malformed", ["", "eng_", "eng_\x00", "eng_' OR 1=1 --", "../.."])
def test_no_malformed_id_of_any_kind_reaches_the_database(scene: Scene, malformed: str) -> None:
    for action, subject in (
        (Action.ENGAGEMENT_READ, Subject(engagement=malformed)),
        (Action.MATTER_READ, Subject(matter=malformed)),
        (Action.DOCUMENT_ADD, Subject(part=malformed, label="exhibit")),
        (Action.TOKEN_LIST, Subject(person=malformed)),
        (Action.RECEIPT_READ, Subject(receipt=malformed)),
    ):
        decision = scene.ask(scene.lead, action, subject)
        assert told(decision) == (State.ABSENT, "not_found", 404)
        assert decision.subjects == {}


def test_asking_about_the_wrong_kind_of_thing_is_a_fault_of_ours(scene: Scene) -> None:
    subjects = {
        Kind.DOCUMENT: Subject(document=scene.paper),
        Kind.PART: Subject(part=scene.part, label="exhibit"),
        Kind.ENGAGEMENT: Subject(engagement=scene.engagement),
        Kind.MATTER: Subject(matter=scene.matter),
        Kind.SELF: Subject(person=scene.world.person("lead")),
        Kind.FIRM: Subject(),
    }
    assert set(KINDS) == set(Action)
    for action, kinds in KINDS.items():
        for kind, subject in subjects.items():
            if kind in kinds:
                scene.ask(scene.lead, action, subject)
            else:
                with pytest.raises(ValueError, match="never about"):
                    scene.ask(scene.lead, action, subject)


def test_authorise_ends_the_job_with_the_answer(scene: Scene) -> None:
    tx, moment = scene.world.tx, scene.world.moment
    vera, on = scene.world.actor(scene.paralegal), Subject(document=scene.paper)
    assert authorise(tx, scene.matrix, moment, vera, Action.DOCUMENT_VIEW, on).allowed
    with pytest.raises(Refused) as refused:
        authorise(tx, scene.matrix, moment, vera, Action.DOCUMENT_CONFIRM, on)
    assert refused.value.error.code == "forbidden"


def test_a_refusal_authorises_nothing_and_names_no_rule_that_allows(scene: Scene) -> None:
    scene.world.change(models.grants, scene.grant, revoked_at=NOW)
    decision = scene.vera()
    assert list(decision.authorised) == []
    assert decision.rule == NO_RULE
    assert decision.missing == ("assigned",)


def test_every_label_is_decided(scene: Scene) -> None:
    for label in Label:
        scene.world.change(models.documents, scene.paper, label=label.value)
        assert scene.vera().allowed


def test_breaking_the_glass_opens_a_matter_to_an_attorney_alone_and_for_its_time(scene: Scene) -> None:
    world = scene.world
    otto, cora = world.member("otto", "attorney", None), world.member("cora", "coordinator", None)
    for member in (otto, cora, scene.paralegal):
        world.emergency(member)
    decision = scene.ask(otto, Action.DOCUMENT_VIEW)
    assert decision.allowed
    assert "break_glass" in decision.facts
    assert "assigned" not in decision.facts
    assert not scene.ask(otto, Action.DOCUMENT_CONFIRM).allowed
    assert not scene.ask(otto, Action.GRANT_CREATE).allowed
    assert not scene.ask(cora, Action.DOCUMENT_VIEW).allowed
    for column, moment in (("opened_at", NOW + 1), ("closes_at", NOW), ("ended_at", NOW)):
        late = world.member(f"late {column}", "attorney", None)
        world.change(models.emergencies, world.emergency(late), **{column: moment})
        assert not scene.ask(late, Action.DOCUMENT_VIEW).allowed


def test_an_emergency_of_the_same_person_in_another_seat_opens_nothing(scene: Scene) -> None:
    world = scene.world
    house, seat = world.member("otto", "attorney", None), world.member("otto", "attorney", "other")
    world.emergency(seat)
    assert not scene.ask(house, Action.DOCUMENT_VIEW).allowed
    assert not scene.ask(seat, Action.DOCUMENT_VIEW).allowed  # it reaches no further than its engagement
