"""The snapshot: Casbin's traps closed, answers remembered rightly, reloads without a wrong answer."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import inspect
import logging
import random
import struct
import threading
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import casbin
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import PolicyError
from service.scoping import matrix as matrix_module
from service.scoping.actions import (
    ASKING_ACTIONS,
    DENYING,
    DOCUMENT_ACTIONS,
    MONOTONE,
    NONE,
    VENDOR_ROLES,
    Action,
    Duty,
    Fact,
    Label,
    Role,
    Sensitivity,
)
from service.scoping.factwords import FACT_WORDS
from service.scoping.matrix import (
    ERROR,
    NO_RULE,
    Matrix,
    MatrixHolder,
    at_most,
    cells_of,
    covers,
    holds,
)
from service.scoping.rules import epoch_of
from tests.scale import count
from tests.scoping.policies import POLICIES, policy_folder

ALL_OPEN = int(MONOTONE)
MATRIX = Matrix.load(POLICIES)
QUESTIONS = [(role, action) for role in Role for action in Action]
questions = st.sampled_from(QUESTIONS).flatmap(
    lambda pair: st.tuples(st.just(pair[0]), st.just(pair[1]), st.sampled_from(list(cells_of(pair[1]))))
)


def whole_enforcer(matrix: Matrix) -> Any:
    """One enforcer with every rule, in file order, as Casbin's own documentation would have it."""
    enforcer = casbin.Enforcer(casbin.Enforcer.new_model(text=(POLICIES / "model.conf").read_text()))
    for function in (covers, at_most, holds):
        enforcer.add_function(function.__name__, function)
    for rule in matrix.rules:
        enforcer.add_policy(rule.id, *rule.cells)
    return enforcer


# Casbin's traps -----------------------------------------------------------------------------------------------------

MATCHERS = (
    "covers(p.role, r.role)",
    "covers(p.action, r.action)",
    "covers(p.label, r.label)",
    "at_most(r.sensitivity, p.sensitivity)",
    "holds(r.facts, p.facts)",
    "covers(p.role, r.role) && covers(p.action, r.action)",
    "covers(p.role, r.role) && holds(r.facts, p.facts)",
    (POLICIES / "model.conf").read_text().rpartition("m = ")[2].strip(),
)
EMPTIED = ("role", "action", "label", "sensitivity", "facts")


@pytest.mark.parametrize(("matcher", "emptied"), list(product(MATCHERS, EMPTIED)))
def test_an_empty_policy_allows_nobody_whatever_the_matcher_and_the_request(matcher: str, emptied: str) -> None:
    """Asked with no rules, Casbin evaluates the matcher once with empty cells: a truthy result would be a yes."""
    text = (POLICIES / "model.conf").read_text().rpartition("m = ")[0] + f"m = {matcher}\n"
    enforcer = casbin.Enforcer(casbin.Enforcer.new_model(text=text))
    for function in (covers, at_most, holds):
        enforcer.add_function(function.__name__, function)
    request = {"role": "owner", "action": "me:read", "label": "-", "sensitivity": "-", "facts": "-"}
    try:
        allowed = enforcer.enforce(*{**request, emptied: ""}.values())
    except (ValueError, KeyError):
        allowed = False
    assert not allowed


def test_an_empty_rule_set_is_refused_by_the_bench_even_if_casbin_said_yes() -> None:
    bench = matrix_module._Bench((POLICIES / "model.conf").read_text(), (), Role.OWNER, Action.ME_READ)
    assert bench.ask(NONE, NONE, ALL_OPEN) == (False, ERROR)


def test_a_switched_off_enforcer_allows_nobody() -> None:
    bench = matrix_module._Bench((POLICIES / "model.conf").read_text(), MATRIX.rules, Role.OWNER, Action.ME_READ)
    assert bench.ask(NONE, NONE, ALL_OPEN)[0]
    bench._enforcer.enable_enforce(False)
    assert bench.ask(NONE, NONE, ALL_OPEN) == (False, ERROR)


def test_nothing_in_the_service_switches_enforcement_off_or_filters_or_watches() -> None:
    """`enable_enforce(False)` allows all; a filtered load empties the live policy first; a watcher reloads nothing."""
    words = {"enable_enforce", "load_filtered_policy", "set_watcher", "load_policy", "enable_log", "SyncedEnforcer"}
    for path in Path(matrix_module.__file__).parents[1].rglob("*.py"):
        used = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        assert not used & words, path


def test_only_our_three_functions_can_be_called_by_a_matcher() -> None:
    bench = matrix_module._Bench((POLICIES / "model.conf").read_text(), MATRIX.rules, Role.OWNER, Action.ME_READ)
    assert set(bench._enforcer.fm.get_functions()) == {"covers", "at_most", "holds"}


@pytest.mark.parametrize("word", ["eval(", "regexMatch", "keyMatch", "globMatch", "ipMatch", "g(", "r.sub"])
def test_the_model_compares_words_and_nothing_else(word: str) -> None:
    assert word not in (POLICIES / "model.conf").read_text()


@pytest.mark.parametrize("change", ["\n", " ", "# comment\n"])
def test_a_model_that_is_one_character_different_is_refused(tmp_path: Path, change: str) -> None:
    with pytest.raises(PolicyError, match="is not the model"):
        Matrix.load(policy_folder(tmp_path, model=lambda text: text + change))


def test_a_user_whose_id_is_a_role_name_gets_nothing_by_it() -> None:
    """Ids never reach Casbin: a decision asks with the membership's role, checked against the vocabulary."""
    parameters = list(inspect.signature(Matrix.answer).parameters)
    assert parameters == ["self", "role", "action", "label", "sensitivity", "facts"]
    assert MATRIX.answer("per_owner", Action.ME_READ, NONE, NONE, ALL_OPEN).rule == ERROR
    assert MATRIX.answer("admin", Action.ME_READ, NONE, NONE, ALL_OPEN).rule == ERROR


WORDS = [
    *Role,
    *Action,
    *Label,
    *Sensitivity,
    NONE,
    "*",
    "",
    "document:",
    "document:view\n",
    "Owner",
    "exhibit billing",
]


@given(st.sampled_from(WORDS) | st.text(), st.sampled_from(WORDS), st.sampled_from(WORDS), st.sampled_from(WORDS))
def test_words_in_the_wrong_place_are_refused_and_never_remembered(
    role: str, action: str, label: str, top: str
) -> None:
    before = len(MATRIX._cells)
    known = role in set(Role) and action in set(Action) and (label, top) in set(cells_of(Action(action)))
    answer = MATRIX.answer(role, action, label, top, ALL_OPEN)
    assert known or answer == (False, ERROR, 0, 0)
    assert known or len(MATRIX._cells) == before


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_word_covers_itself_and_no_other(cell: str, asked: str) -> None:
    """The pattern functions of Casbin match more than what is written; ours compares words."""
    if " " not in cell + asked and cell != "*":
        assert covers(cell, asked) == (cell == asked)


@pytest.mark.parametrize("pair", [("", "x"), ("x", ""), ("", "")])
def test_empty_words_are_an_error_and_not_a_match(pair: tuple[str, str]) -> None:
    for function in (covers, holds):
        with pytest.raises(ValueError, match="empty"):
            function(*pair)


def test_a_ceiling_is_an_order_of_words_and_nothing_else_fits_below_it() -> None:
    """Text would compare "9" > "10" and 7 with "7"; there are no numbers here, and no other words."""
    words = list(Sensitivity)
    for one, top in product(words, words):
        assert at_most(one, top) == (words.index(one) <= words.index(top))
    assert at_most(NONE, NONE)
    assert at_most(NONE, "*")
    assert not at_most(NONE, "routine")
    assert not at_most("routine", NONE)
    for wrong in ("", "secret", "ROUTINE", "1"):
        with pytest.raises(KeyError):
            at_most(wrong, "routine")


@pytest.mark.parametrize("facts", [1 << 16, "live", None, 1.5])
def test_facts_that_are_no_mask_are_refused(facts: Any) -> None:
    bench = matrix_module._Bench((POLICIES / "model.conf").read_text(), MATRIX.rules, Role.OWNER, Action.FIRM_READ)
    assert bench.ask(NONE, NONE, 0)[0]
    assert bench.ask(NONE, NONE, facts) == (False, ERROR)


def test_an_exception_inside_casbin_is_a_no_and_the_next_one_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = Matrix.load(POLICIES)
    cell = fresh.cell(Role.OWNER, Action.FIRM_READ, NONE, NONE)
    with monkeypatch.context() as broken:
        broken.setattr(cell._bench._enforcer, "enforce_ex", lambda *_: 1 / 0)
        assert cell.answer(0) == (False, ERROR, 0, 0)
    assert cell.answer(0).allowed


def test_casbin_logs_nothing_of_a_request(caplog: pytest.LogCaptureFixture) -> None:
    for name in list(logging.Logger.manager.loggerDict):
        if name.startswith("casbin"):
            logging.getLogger(name).disabled = False
    with caplog.at_level(logging.DEBUG):
        Matrix.load(POLICIES).answer(Role.OWNER, Action.DOCUMENT_VIEW, "exhibit", "routine", ALL_OPEN)
        Matrix.load(POLICIES).answer(Role.OWNER, Action.FIRM_READ, NONE, NONE, ALL_OPEN)
    assert "Request" not in caplog.text


def test_exactly_one_distribution_provides_casbin() -> None:
    """`casbin` and `pycasbin` ship the same files and overwrite each other."""
    assert importlib.metadata.packages_distributions()["casbin"] == ["pycasbin"]


def test_only_the_matrix_imports_casbin() -> None:
    for path in Path(matrix_module.__file__).parents[1].rglob("*.py"):
        if path.name != "matrix.py":
            assert "import casbin" not in path.read_text(), path


# Answers ------------------------------------------------------------------------------------------------------------


def test_many_small_enforcers_answer_like_one_that_holds_every_rule() -> None:
    """Also for facts that no rule about the question mentions: leaving them out changes nothing."""
    enforcer = whole_enforcer(MATRIX)
    chance = random.Random(2)
    for _ in range(count(4000)):
        role, action = chance.choice(QUESTIONS)
        label, sensitivity = chance.choice(list(cells_of(action)))
        facts = chance.randrange(1 << 15) if chance.random() < 0.5 else chance.choice([ALL_OPEN, 39, 7, 53])
        words = " ".join(FACT_WORDS[facts]) or NONE
        expected = enforcer.enforce(role.value, action.value, label, sensitivity, words)
        answer = MATRIX.answer(role, action, label, sensitivity, facts)
        assert answer.allowed == expected, (role, action, label, sensitivity, words)
        assert answer.allowed == (answer.rule.startswith("policy.csv:") and not answer.blocking)


def test_the_order_of_questions_changes_no_answer() -> None:
    asked = [(r, a, *next(cells_of(a)), f) for r, a in QUESTIONS[::7] for f in (0, 7, 39, ALL_OPEN, 512 | ALL_OPEN)]
    first = Matrix.load(POLICIES)
    expected = {question: first.answer(*question) for question in asked}
    for seed in range(count(40)):
        shuffled = asked[:]
        random.Random(seed).shuffle(shuffled)
        other = Matrix.load(POLICIES)
        assert {question: other.answer(*question) for question in shuffled} == expected


@given(questions, st.integers(0, (1 << 15) - 1), st.integers(0, ALL_OPEN).map(ALL_OPEN.__and__))
def test_more_opening_facts_never_deny(question: tuple[Role, Action, tuple[str, str]], facts: int, more: int) -> None:
    role, action, cell = question
    if MATRIX.answer(role, action, *cell, facts).allowed:
        assert MATRIX.answer(role, action, *cell, facts | more).allowed


@given(questions, st.integers(0, (1 << 15) - 1), st.sampled_from(list(DENYING)))
def test_a_shutting_fact_never_allows(question: tuple[Role, Action, tuple[str, str]], facts: int, shut: Fact) -> None:
    role, action, cell = question
    answer = MATRIX.answer(role, action, *cell, facts | shut)
    if not MATRIX.answer(role, action, *cell, facts).allowed:
        assert not answer.allowed
    if (action, shut) != (Action.ME_READ, Fact.SUSPENDED):
        assert not answer.allowed
        assert answer.blocking & shut


@given(questions, st.integers(0, (1 << 15) - 1))
def test_a_refusal_says_the_fewest_facts_that_would_open_it(
    question: tuple[Role, Action, tuple[str, str]], facts: int
) -> None:
    role, action, cell = question
    answer = MATRIX.answer(role, action, *cell, facts)
    ways = MATRIX.cell(role, action, *cell).ways()
    if answer.allowed:
        assert (answer.missing, answer.blocking) == (0, 0)
        return
    assert not answer.missing & facts
    opened = MATRIX.answer(role, action, *cell, (facts | answer.missing) & ALL_OPEN)
    assert opened.allowed == bool(ways)
    if ways:
        assert answer.missing.bit_count() == min((way & ~facts).bit_count() for way in ways)


def _every_cell() -> Iterator[tuple[Role, Action, str, str]]:
    for role, action in QUESTIONS:
        for label, sensitivity in cells_of(action):
            yield role, action, label, sensitivity


def test_no_vendor_role_is_ever_allowed_what_no_policy_may_allow() -> None:
    needed = Fact.LIVE | Fact.DUTIES | Fact.WINDOW
    for role, action, label, sensitivity in _every_cell():
        ways = MATRIX.cell(role, action, label, sensitivity).ways()
        if role in VENDOR_ROLES and action in DOCUMENT_ACTIONS and ways:
            assert sensitivity != Sensitivity.ATTORNEY_ONLY
            some = Fact.ASSIGNED | Fact.OWN | Fact.ASKED | (Fact.KNOWN if action in ASKING_ACTIONS else Fact(0))
            assert all(way & needed == needed and way & some for way in ways)
            assert MATRIX.needs(role, action, label) & Duty.NDA
        if role is Role.REVIEWER and action is Action.TITLE_READ:
            assert all(way & Fact.DISCLOSED and way & Fact.WINDOW for way in ways)
        elif role in {Role.OWNER, Role.REVIEWER, Role.VENDOR_MANAGER} and action in DOCUMENT_ACTIONS:
            assert not ways


def test_conditions_say_exactly_what_is_allowed() -> None:
    """Lists are compiled from them: every fact set over a sample of cells."""
    chance = random.Random(4)
    for role, action in ((r, a) for r in Role for a in sorted(DOCUMENT_ACTIONS)):
        conditions = MATRIX.alternatives(role, action)
        for cell in chance.sample(list(cells_of(action)), 6):
            for facts in range(64):
                expected = any(cell in one.cells and one.facts & facts == one.facts for one in conditions)
                assert MATRIX.answer(role, action, *cell, facts).allowed == expected


def test_a_ceiling_is_what_a_role_may_ever_hold() -> None:
    assert MATRIX.ceiling_allows(Role.PARALEGAL, Action.DOCUMENT_DOWNLOAD, "exhibit", "privileged")
    assert not MATRIX.ceiling_allows(Role.PARALEGAL, Action.DOCUMENT_DOWNLOAD, "exhibit", "attorney_only")
    assert not MATRIX.ceiling_allows(Role.RECEPTIONIST, Action.DOCUMENT_DOWNLOAD, "contact_sheet", "routine")
    assert not MATRIX.ceiling_allows(Role.RECEPTIONIST, Action.DOCUMENT_VIEW, "medical_record", "routine")
    assert not MATRIX.ceiling_allows("nobody", Action.DOCUMENT_VIEW, "exhibit", "routine")
    assert MATRIX.role_may(Role.PARALEGAL, Action.DOCUMENT_VIEW)
    assert not MATRIX.role_may(Role.PARALEGAL, Action.DOCUMENT_CONFIRM)


def test_the_rule_named_is_the_first_of_the_file_that_decides() -> None:
    facts = int(Fact.LIVE | Fact.DUTIES | Fact.ASSIGNED | Fact.OWN | Fact.WINDOW)
    answer = MATRIX.answer(Role.PARALEGAL, Action.DOCUMENT_VIEW, "exhibit", "routine", facts)
    matching = [
        rule.id
        for rule in MATRIX.rules
        if rule.allows and Role.PARALEGAL in rule.roles and Action.DOCUMENT_VIEW in rule.actions
    ]
    assert len(matching) > 1
    assert answer.rule == matching[0]
    both = facts | Fact.WALLED | Fact.NARROWED
    assert MATRIX.answer(Role.PARALEGAL, Action.DOCUMENT_VIEW, "exhibit", "routine", both).rule == "policy.csv:1"
    assert MATRIX.answer(Role.OWNER, Action.DOCUMENT_VIEW, "exhibit", "routine", facts).rule == NO_RULE


def test_the_memory_is_bounded_by_the_domain() -> None:
    fresh = Matrix.load(POLICIES)
    for facts in range(1 << 15):
        fresh.answer(Role.PARALEGAL, Action.DOCUMENT_VIEW, "exhibit", "routine", facts)
    cell = fresh.cell(Role.PARALEGAL, Action.DOCUMENT_VIEW, "exhibit", "routine")
    assert len(cell._answers) <= 1 << cell.mask.bit_count()
    assert len(fresh._cells) == 1


# The epoch and reloading --------------------------------------------------------------------------------------------


def test_the_epoch_is_the_digest_that_the_readme_describes() -> None:
    contents = [(POLICIES / name).read_bytes() for name in ("model.conf", "policy.csv", "duties.csv", "answers.csv")]
    assert MATRIX.epoch == epoch_of(contents)
    assert len(MATRIX.epoch) == 64
    assert epoch_of([b"ab", b"c"]) != epoch_of([b"a", b"bc"])
    written = b"".join(struct.pack(">Q", len(content)) + content for content in contents)
    assert MATRIX.epoch == hashlib.sha256(written).hexdigest()


@pytest.mark.parametrize("name", ["policy", "duties", "answers"])
def test_any_change_of_a_file_is_another_epoch(tmp_path: Path, name: str) -> None:
    assert Matrix.load(policy_folder(tmp_path, **{name: lambda text: text + "#\n"})).epoch != MATRIX.epoch


def test_a_reload_that_fails_leaves_the_policy_in_force(tmp_path: Path) -> None:
    holder = MatrixHolder(policy_folder(tmp_path))
    before = holder.current
    policy_folder(tmp_path, policy="role,action,label,sensitivity,facts,effect\n")
    with pytest.raises(PolicyError):
        holder.reload()
    assert holder.current is before
    policy_folder(tmp_path)
    assert holder.reload() is before


def test_readers_during_reloads_never_get_a_wrong_answer(tmp_path: Path) -> None:
    """Reloading one enforcer under its readers let a departed user in, thousands of times."""
    first = policy_folder(tmp_path)
    holder = MatrixHolder(first)
    wrong: list[object] = []
    seen: set[str] = set()
    stop = threading.Event()

    def read() -> None:
        chance = random.Random(threading.get_ident())
        while not stop.is_set():
            snapshot = holder.current
            seen.add(snapshot.epoch)
            facts = chance.choice([ALL_OPEN, 39, 0, ALL_OPEN | Fact.SUSPENDED])
            answer = snapshot.answer(Role.PARALEGAL, Action.DOCUMENT_VIEW, "exhibit", "privileged", facts)
            if answer.allowed != (facts in (ALL_OPEN, 39)):
                wrong.append(answer)
            if snapshot.answer(Role.OWNER, Action.DOCUMENT_VIEW, "exhibit", "routine", ALL_OPEN).allowed:
                wrong.append("owner")

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for n in range(max(20, count(200))):
        (first / "answers.csv").write_text((POLICIES / "answers.csv").read_text() + f"# {n}\n")
        holder.reload()
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []
    assert len(seen) > 1
