"""Overlays: rows that can only take away, proven and decided by Casbin, and used wherever somebody is decided."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.db import models
from service.errors import PolicyError
from service.scoping import inforce, listing, together
from service.scoping.actions import Action, Duty, Fact, Label, Role, Sensitivity
from service.scoping.decide import Decision, Subject, decide
from service.scoping.inforce import epoch_under, of_engagement, proven, under
from service.scoping.matrix import ERROR, Matrix, MatrixHolder, cells_of
from service.scoping.overlays import ACTIONS, FACTS, MAX_BYTES, MAX_ROWS, ROLES, Overlay, narrowed
from service.scoping.rules import Rule
from service.scoping.statements import EVERYWHERE
from service.scoping.together import Asker
from tests.scoping.policies import POLICIES, policy_folder
from tests.scoping.world import World, an_id

ROOT = Path(__file__).parents[2]
NO_DOWNLOAD = "*,document:download,*,*,never"
NO_LOOK = "paralegal,document:view,*,confidential,never"
STEP_UP = "paralegal,document:download,medical_record,*,stepped_up"


def spelt(*rows: str) -> str:
    return Overlay.read(rows).text


# The form -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "spelling"),
    [
        (NO_DOWNLOAD, NO_DOWNLOAD),
        ("paralegal,document:view,*,routine,never", "paralegal,document:view,*,*,never"),
        (
            "receptionist paralegal,document:view document:add,exhibit billing,privileged,stepped_up assigned",
            "paralegal receptionist,document:add document:view,exhibit billing,privileged,assigned stepped_up",
        ),
        (f"{' '.join(sorted(ROLES))},{' '.join(sorted(ACTIONS))},{' '.join(Label)},*,never", "*,*,*,*,never"),
    ],
)
def test_a_row_has_one_spelling(row: str, spelling: str) -> None:
    assert spelt(row) == spelling
    assert Overlay.stored(spelling).text == spelling


def test_rows_stand_in_order_and_once() -> None:
    assert Overlay.read([STEP_UP, NO_DOWNLOAD, STEP_UP]).lines == (NO_DOWNLOAD, STEP_UP)
    assert Overlay.read([]).text == Overlay.stored("").text == ""


@pytest.mark.parametrize(
    "row",
    [
        "",
        "never",
        "paralegal,document:view,*,*",
        "paralegal,document:view,*,*,never,allow",
        "paralegal,document:view,*,*,allow",
        "paralegal,document:view,*,*,",
        "paralegal,document:view,*,*,-",
        "paralegal,document:view,*,*,never stepped_up",
        "paralegal,document:view,*,*,live",
        "paralegal,document:view,*,*,walled",
        "paralegal,document:view,*,*,stepped_up stepped_up",
        "paralegal,document:list,*,*,stepped_up",
        "paralegal,withheld:list,*,*,assigned",
        "paralegal,document:view,*,secret,never",
        "paralegal,document:view,*,-,never",
        "paralegal,document:view,-,*,never",
        "paralegal,document:view,novel,*,never",
        "paralegal,me:read,*,*,never",
        "paralegal,document:confirm,*,*,never",
        "attorney,document:view,*,*,never",
        "vendor_manager,document:view,*,*,never",
        "paralegal attorney,document:view,*,*,never",
        "PARALEGAL,document:view,*,*,never",
        "paralegal ,document:view,*,*,never",
        "paralegal,document:view,*,*,never\n",
        "paralegal,document:view,*,*,never\u202e",
        '"paralegal",document:view,*,*,never',
    ],
)
def test_what_is_not_of_the_form_is_refused(row: str) -> None:
    with pytest.raises(PolicyError):
        Overlay.read([row])
    with pytest.raises(PolicyError):
        Overlay.stored(row or "\n")


def test_only_the_one_spelling_is_read_from_a_row() -> None:
    for other in (f"{STEP_UP}\n{NO_DOWNLOAD}", f"{NO_DOWNLOAD}\n{NO_DOWNLOAD}", f"{NO_DOWNLOAD}\n", f" {NO_DOWNLOAD}"):
        with pytest.raises(PolicyError):
            Overlay.stored(other)


def test_an_overlay_fits_an_entry_of_the_log() -> None:
    rows = [f"paralegal,document:view,{label},*,never" for label in Label]
    long = [f"{role},{' '.join(sorted(ACTIONS)[1:])},{row.split(',')[2]},*,never" for role in ROLES for row in rows]
    with pytest.raises(PolicyError, match=str(MAX_BYTES)):
        Overlay.read(long[:MAX_ROWS])
    with pytest.raises(PolicyError, match=str(MAX_ROWS)):
        Overlay.read([*rows, *rows])
    assert len(Overlay.read(rows).text) <= MAX_BYTES


# What it leaves -------------------------------------------------------------------------------------------------------

_some_roles = st.sets(st.sampled_from(sorted(ROLES)), min_size=1, max_size=3)
_labels = st.one_of(st.just({"*"}), st.sets(st.sampled_from([label.value for label in Label]), min_size=1, max_size=4))
_floors = st.sampled_from(["*", "routine", "confidential", "privileged", "attorney_only"])
_plain = st.sampled_from(sorted(ACTIONS - {Action.DOCUMENT_LIST, Action.WITHHELD_LIST}))


@st.composite
def rows(draw: st.DrawFn) -> str:
    """Any row of the form."""
    needs = draw(st.sampled_from(["never", "assigned", "stepped_up", "assigned stepped_up"]))
    actions = _plain if needs != "never" else st.sampled_from(sorted(ACTIONS))
    cells = (_some_roles, st.sets(actions, min_size=1, max_size=3), _labels)
    role, action, label = (" ".join(sorted(draw(cell))) for cell in cells)
    return f"{role},{action},{label},{draw(_floors)},{needs}"


overlays = st.lists(rows(), min_size=1, max_size=4).map(Overlay.read)
_cells = st.tuples(
    st.sampled_from(sorted(Role)),
    st.sampled_from(sorted(Action)),
    st.sampled_from(list(Label)),
    st.sampled_from(list(Sensitivity)),
)


def _holds(overlay: Overlay, role: Role, action: Action, label: str, sensitivity: str, facts: int) -> bool:
    """What the rows say, read once more without rules: nothing forbids it, and all that is asked for is there.

    Knowing comes before looking, that before reading the text, and that before carrying away; what one may never look
    at one may not ask for.
    """
    before = {
        Action.DOCUMENT_VIEW: {Action.DOCUMENT_LIST},
        Action.DOCUMENT_INSPECT: {Action.DOCUMENT_LIST, Action.DOCUMENT_VIEW},
        Action.DOCUMENT_TEXT: {Action.DOCUMENT_LIST, Action.DOCUMENT_VIEW},
        Action.DOCUMENT_DOWNLOAD: {Action.DOCUMENT_LIST, Action.DOCUMENT_VIEW, Action.DOCUMENT_TEXT},
    }
    for row in overlay.rows:
        asking = {Action.DOCUMENT_LIST, Action.DOCUMENT_VIEW} if row.needs is None else set()
        by_asking = asking if action in {Action.ACCESS_REQUEST_CREATE, Action.WITHHELD_LIST} else set()
        concerned = row.actions & ({action} | before.get(action, set()) | by_asking)
        if role not in row.roles or not concerned or label not in row.labels:
            continue
        if list(Sensitivity).index(Sensitivity(sensitivity)) < list(Sensitivity).index(row.floor):
            continue
        if row.needs is None or row.needs & ~facts:
            return False
    return True


def _every(mask: int) -> list[int]:
    """Every set of the facts in a mask, and the facts of overlays."""
    bits = [1 << n for n in range(20) if (mask | int(FACTS)) >> n & 1]
    return [sum(chosen) for size in range(len(bits) + 1) for chosen in combinations(bits, size)]


@given(overlays, st.lists(_cells, min_size=1, max_size=3))
@settings(deadline=None)
def test_an_answer_is_the_policys_own_and_nothing_that_a_row_takes(
    matrix: Matrix, overlay: Overlay, cells: list[tuple[Role, Action, Label, Sensitivity]]
) -> None:
    snapshot = under(matrix, overlay.text)
    concerned = [(role, act) for row in overlay.rows for role in sorted(row.roles) for act in sorted(row.actions)]
    cells = [*cells, *((role, act, label, s) for role, act in concerned[:2] for *_, label, s in cells[:1])]
    for role, action, label, sensitivity in cells:
        if (label, sensitivity) not in set(cells_of(action)):
            continue
        plain, left = (each.cell(role, action, label, sensitivity) for each in (matrix, snapshot))
        for facts in _every(plain.mask):
            expected = plain.answer(facts).allowed and _holds(overlay, role, action, label, sensitivity, facts)
            answer = left.answer(facts)
            assert (answer.allowed, answer.rule != ERROR) == (expected, True), (role, action, label, sensitivity, facts)


@given(overlays)
@settings(max_examples=15, deadline=None)
def test_whatever_can_be_written_is_proven_stricter(matrix: Matrix, overlay: Overlay) -> None:
    snapshot = proven(matrix, overlay)
    assert snapshot.epoch == epoch_under(matrix.epoch, overlay.text) != matrix.epoch
    assert snapshot.base is matrix


def _looser(rule: Rule) -> Rule:
    cells = (*rule.cells[:4], "live duties assigned", rule.cells[5])
    return replace(rule, cells=cells, facts=Fact.LIVE | Fact.DUTIES | Fact.ASSIGNED)


def test_an_overlay_that_would_open_something_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second lock, with the first one forced: rules that open outside of the window."""

    def forced(rules: tuple[Rule, ...], overlay: Overlay) -> tuple[Rule, ...]:
        wanted = Fact.LIVE | Fact.DUTIES | Fact.ASSIGNED | Fact.WINDOW
        found = narrowed(rules, overlay)
        return tuple(_looser(rule) if rule.facts == wanted and Role.PARALEGAL in rule.roles else rule for rule in found)

    monkeypatch.setattr(inforce, "narrowed", forced)
    with pytest.raises(PolicyError, match="would open"):
        proven(Matrix.load(POLICIES), Overlay.read([NO_DOWNLOAD]))


def test_rules_for_nobody_of_a_vendor_stay_as_they_are(matrix: Matrix) -> None:
    snapshot = under(matrix, spelt("*,*,*,*,never"))
    for role in (Role.ATTORNEY, Role.COORDINATOR, Role.OWNER, Role.REVIEWER, Role.VENDOR_MANAGER):
        for action in Action:
            assert snapshot.about(role, action) == matrix.about(role, action)
    for role in ROLES:
        assert not any(snapshot.role_may(role, action) for action in ACTIONS)
        assert snapshot.role_may(role, Action.ME_READ)
        assert snapshot.role_may(role, Action.ENGAGEMENT_READ)
    assert [rule for rule in snapshot.rules if not rule.allows] == [rule for rule in matrix.rules if not rule.allows]


def test_a_rule_of_both_sides_is_narrowed_for_the_vendor_alone(tmp_path: Path) -> None:
    row = "coordinator paralegal,document:add,*,confidential,live duties window asked,allow\n"
    matrix = Matrix.load(policy_folder(tmp_path, policy=lambda found: found + row))
    snapshot = under(matrix, spelt("paralegal,document:add,*,*,never"))
    assert snapshot.ceiling_allows("coordinator", "document:add", "exhibit", "confidential")
    assert not snapshot.ceiling_allows("paralegal", "document:add", "exhibit", "confidential")
    shut = under(matrix, "damaged")
    assert shut.ceiling_allows("coordinator", "document:add", "exhibit", "confidential")
    assert not shut.ceiling_allows("paralegal", "document:add", "exhibit", "confidential")


# Snapshots ------------------------------------------------------------------------------------------------------------


def test_a_snapshot_is_made_once_and_of_the_policy_itself(matrix: Matrix) -> None:
    first = under(matrix, spelt(NO_DOWNLOAD))
    assert under(matrix, spelt(NO_DOWNLOAD)) is first
    assert under(first, spelt(NO_DOWNLOAD)) is first  # never one upon another
    assert under(first, "") is matrix
    assert under(under(matrix, spelt(STEP_UP)), spelt(NO_DOWNLOAD)) is first


def test_no_more_than_so_many_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inforce, "MOST_KEPT", 3)
    matrix = Matrix.load(POLICIES)
    made = [under(matrix, spelt(f"paralegal,document:view,{label},*,never")) for label in Label]
    assert list(matrix.overlaid.values()) == made[-3:]


def test_a_reload_makes_them_anew(tmp_path: Path) -> None:
    policies = MatrixHolder(policy_folder(tmp_path))
    before = under(policies.current, spelt(NO_LOOK))
    policy_folder(
        tmp_path,
        policy=lambda found: found.replace("paralegal,document:add,*,confidential", "paralegal,document:add,*,routine"),
    )
    after = under(policies.reload(), spelt(NO_LOOK))
    assert after is not before
    assert after.epoch == epoch_under(policies.current.epoch, spelt(NO_LOOK)) != before.epoch
    assert before.ceiling_allows("paralegal", "document:add", "exhibit", "confidential")
    assert not after.ceiling_allows("paralegal", "document:add", "exhibit", "confidential")


@pytest.mark.parametrize("damaged", ["x", "paralegal,document:read,*,*,never", f"{NO_DOWNLOAD}\n", "-", "*"])
def test_what_cannot_be_read_shuts_the_engagement(matrix: Matrix, damaged: str) -> None:
    snapshot = under(matrix, damaged)
    assert snapshot.epoch not in {matrix.epoch, under(matrix, "").epoch}
    for role in (*ROLES, Role.VENDOR_MANAGER):
        may = {action for action in Action if snapshot.role_may(role, action)}
        before = {action for action in Action if matrix.role_may(role, action)}
        assert may <= before
        assert not may & (ACTIONS | {Action.ENGAGEMENT_READ, Action.TASK_LIST, Action.MEMBER_LIST})
        assert {Action.ME_READ, Action.AGREEMENT_SIGN} <= may
    assert snapshot.role_may("attorney", "document:view")


# Deciding -------------------------------------------------------------------------------------------------------------


def _paper(world: World, seat: str, name: str = "one", **values: Any) -> str:
    document = world.document(name, world.member("lead", "attorney", None), **values)
    world.grant(seat, document)
    return document


def _seat(world: World, *rows: str) -> str:
    world.engagement(overlay=spelt(*rows))
    seat = world.member("vera", "paralegal")
    world.nda("vera")
    return seat


def _decided(world: World, matrix: Matrix, seat: str, action: Action, document: str) -> Decision:
    return decide(world.tx, matrix, world.moment, world.actor(seat), action, Subject(document=document))


def test_what_a_row_takes_is_refused_and_the_decision_cites_its_epoch(world: World, matrix: Matrix) -> None:
    seat = _seat(world, NO_DOWNLOAD)
    paper = _paper(world, seat)
    looked = _decided(world, matrix, seat, Action.DOCUMENT_VIEW, paper)
    carried = _decided(world, matrix, seat, Action.DOCUMENT_DOWNLOAD, paper)
    assert (looked.allowed, carried.allowed) == (True, False)
    assert looked.policy == carried.policy == epoch_under(matrix.epoch, NO_DOWNLOAD)
    assert looked.rule.startswith("policy.csv:")
    listed = decide(world.tx, matrix, world.moment, world.actor(seat), Action.DOCUMENT_LIST, Subject())
    assert (listed.allowed, listed.policy) == (True, looked.policy)


def test_a_floor_leaves_what_lies_below_it(world: World, matrix: Matrix) -> None:
    seat = _seat(world, NO_LOOK)
    papers = {
        level: _paper(world, seat, level, sensitivity=level) for level in ("routine", "confidential", "privileged")
    }
    assert [
        _decided(world, matrix, seat, Action.DOCUMENT_VIEW, papers[level]).allowed
        for level in ("routine", "confidential", "privileged")
    ] == [True, False, False]


def test_an_overlay_is_its_own_engagements(world: World, matrix: Matrix) -> None:
    seat = _seat(world, NO_DOWNLOAD)
    other = world.member("vera", "paralegal", "second")
    world.nda("vera", "second")
    paper = _paper(world, seat)
    elsewhere = world.document("two", other, engagement="second")
    world.grant(other, elsewhere)
    attorney = world.member("lead", "attorney", None)
    world.team("case", "lead")
    assert not _decided(world, matrix, seat, Action.DOCUMENT_DOWNLOAD, paper).allowed
    assert _decided(world, matrix, other, Action.DOCUMENT_DOWNLOAD, elsewhere).allowed
    told = _decided(world, matrix, attorney, Action.DOCUMENT_DOWNLOAD, paper)
    assert (told.allowed, told.policy) == (True, matrix.epoch)


def test_what_is_taken_answers_the_same_for_papers_that_are_not_there(world: World, matrix: Matrix) -> None:
    """Or the two could be told apart: what nobody of a role may do is said alike of every id."""
    seat = _seat(world, "paralegal,document:list,*,*,never")
    shared, other = _paper(world, seat), world.document("two", seat, state="confirmed")
    for action in (Action.DOCUMENT_VIEW, Action.DOCUMENT_DOWNLOAD, Action.ACCESS_REQUEST_CREATE):
        answers = [_decided(world, matrix, seat, action, each) for each in (shared, other, an_id("doc", "nothing"))]
        assert len({(each.state, type(each.error), str(each.error), each.policy) for each in answers}) == 1
        assert not any(each.allowed for each in answers)


def test_a_fact_that_a_row_asks_for_is_named_as_missing(world: World, matrix: Matrix) -> None:
    seat = _seat(world, STEP_UP)
    paper = _paper(world, seat, label="medical_record")
    assert _decided(world, matrix, seat, Action.DOCUMENT_DOWNLOAD, paper).missing == ("stepped_up",)
    assert _decided(world, matrix, seat, Action.DOCUMENT_DOWNLOAD, _paper(world, seat, "two")).allowed


def test_what_one_may_never_look_at_one_cannot_ask_for(world: World, matrix: Matrix) -> None:
    world.engagement(withheld="may_be_asked_for", overlay=spelt("paralegal,document:view,billing,*,never"))
    seat = world.member("vera", "paralegal")
    world.nda("vera")
    bills, exhibit = (
        world.document(label, world.member("lead", "attorney", None), label=label) for label in ("billing", "exhibit")
    )
    asking = {
        each: _decided(world, matrix, seat, Action.ACCESS_REQUEST_CREATE, each).allowed for each in (bills, exhibit)
    }
    assert asking == {bills: False, exhibit: True}
    shown = listing.withheld(
        world.tx, matrix, world.moment, world.actor(seat), engagement=world.engagement(), after="", most=9
    )
    assert [each.id for each in shown] == [exhibit]


def test_papers_are_added_as_the_overlay_leaves_it(world: World, matrix: Matrix) -> None:
    seat = _seat(world, "paralegal,document:add,billing,*,never")
    world.ask(seat, world.part(), "billing")
    world.ask(seat, world.part(), "exhibit")
    added = [
        decide(
            world.tx,
            matrix,
            world.moment,
            world.actor(seat),
            Action.DOCUMENT_ADD,
            Subject(part=world.part(), label=label),
        ).allowed
        for label in ("billing", "exhibit")
    ]
    assert added == [False, True]
    left = of_engagement(world.tx, matrix, world.engagement())
    assert not left.ceiling_allows("paralegal", "document:add", "billing", "confidential")


def test_pages_and_counts_are_as_the_overlay_leaves_them(world: World, matrix: Matrix) -> None:
    seat = _seat(world, "paralegal,document:list,*,privileged,never")
    kept, _taken = _paper(world, seat), _paper(world, seat, "two", sensitivity="privileged")
    actor = world.actor(seat)
    assert [row.id for row in listing.page(world.tx, matrix, world.moment, actor, after="", most=9)] == [kept]
    assert listing.count(world.tx, matrix, world.moment, actor) == 1


def test_what_another_sees_is_told_as_his_overlay_leaves_it(world: World, matrix: Matrix) -> None:
    seat = _seat(world, NO_LOOK)
    kept, taken = _paper(world, seat), _paper(world, seat, "two", sensitivity="privileged")
    attorney = world.actor(world.member("lead", "attorney", None))
    world.team("case", "lead")
    asker = Asker(attorney, world.moment)
    how = {"where": EVERYWHERE}
    seen = together.page(
        world.tx, matrix, asker, world.moment, world.actor(seat), Action.DOCUMENT_VIEW, after="", most=9, **how
    )
    assert [row.id for row in seen] == [kept]
    assert together.count(world.tx, matrix, asker, world.moment, world.actor(seat), Action.DOCUMENT_VIEW, **how) == 1
    assert together.count(world.tx, matrix, asker, world.moment, attorney, Action.DOCUMENT_VIEW, **how) == 2
    assert taken not in {row.id for row in seen}


def test_duties_still_bite_under_an_overlay(matrix: Matrix, world: World) -> None:
    seat = _seat(world, NO_DOWNLOAD)
    paper = _paper(world, seat)
    world.change(models.engagements, world.engagement(), owed=int(Duty.TRAINING))
    assert _decided(world, matrix, seat, Action.DOCUMENT_VIEW, paper).missing == ("duties",)
    world.duty(Duty.TRAINING, world.person("vera", "vendor"), world.engagement())
    assert _decided(world, matrix, seat, Action.DOCUMENT_VIEW, paper).allowed


def test_a_damaged_overlay_shuts_whoever_had_a_grant(world: World, matrix: Matrix) -> None:
    world.engagement(overlay="paralegal,document:download,*,*,sometimes")
    seat = world.member("vera", "paralegal")
    world.nda("vera")
    paper = _paper(world, seat)
    assert not any(
        _decided(world, matrix, seat, action, paper).allowed for action in (Action.DOCUMENT_LIST, Action.DOCUMENT_VIEW)
    )
    actor = world.actor(seat)
    assert listing.page(world.tx, matrix, world.moment, actor, after="", most=9) == []
    about = Subject(engagement=world.engagement())
    assert not decide(world.tx, matrix, world.moment, actor, Action.ENGAGEMENT_READ, about).allowed
    own = Subject(person=world.person("vera", "vendor"))
    assert decide(world.tx, matrix, world.moment, actor, Action.ME_READ, own).allowed


def test_abilities_above_an_overlay_are_not_there_to_give(world: World, matrix: Matrix) -> None:
    world.engagement(overlay=spelt(NO_DOWNLOAD))
    left = of_engagement(world.tx, matrix, world.engagement())
    assert not left.cell("paralegal", "document:download", "exhibit", "routine").ways()
    assert left.cell("paralegal", "document:view", "exhibit", "routine").ways()
    assert of_engagement(world.tx, matrix, world.engagement("second")) is matrix


def test_use_cases_ask_for_a_ceiling_under_the_engagements_overlay() -> None:
    """The decision finds its snapshot itself; whoever asks the policy of a role besides must not ask the plain one."""
    asking = re.compile(r"\b(?:matrix|current)\.(?:cell|answer|ceiling_allows|alternatives)\(")
    rooms = [path for path in (ROOT / "service").rglob("*.py") if "scoping" not in path.parts]
    found = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in rooms}
    those = {name: source for name, source in found.items() if asking.search(source)}
    assert set(those) == {"service/asks.py", "service/grants/ceilings.py"}
    for source in those.values():
        assert source.count("matrix.current") == source.count("of_engagement(act.tx, act.services.matrix.current,") == 1
