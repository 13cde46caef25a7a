"""Every operation of the API, as its own description lists them, asked by every kind of caller.

A route without a case in routes.py fails here, and so does a case without a row in answers.csv. What is asked and by
whom: routes.py, scene.py; the answers that are expected: answers.csv.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.asking import Answer, Record, ask_everything, firm_of, operation_of
from tests.api.entries import entries
from tests.api.names import BELONGS
from tests.api.requests import Request, answers, is_id, phantom
from tests.api.routes import CASES, OPEN, SIGNED
from tests.api.scene import CALLERS, CANARIES, Scene
from tests.api.staging import Stage, staged

SAMPLE = ("owner", "lead", "granted", "foreign_attorney")
LISTED = {"ability_missing", "duty_missing", "suspended", "outside_window", "second_person_needed", "not_on_call"}
"""Codes of refusals to somebody who may know that the thing is there."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Everybody, and something of everything."""
    home = tmp_path_factory.mktemp("routes")
    yield from staged(home / "var", f"sqlite:///{home / 'muniment.db'}")


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scene, Record]]:
    """What came of it when everybody had asked everything."""
    home = tmp_path_factory.mktemp("record")
    for stage in staged(home / "var", f"sqlite:///{home / 'muniment.db'}"):
        yield stage.scene, stage.runner.run(ask_everything(stage.scene))


# What is covered ------------------------------------------------------------------------------------------------------


def test_every_operation_has_a_case_and_every_case_has_its_answers(stage: Stage) -> None:
    assert {operation_of(case) for case in CASES} == set(stage.operations) - OPEN - SIGNED
    assert list(answers()) == list(CASES)
    assert all(set(row) == set(CALLERS) and all(row.values()) for row in answers().values())


def test_every_operation_is_allowed_to_somebody_and_refused_to_somebody() -> None:
    for operation in {operation_of(case) for case in CASES}:
        found = {word for case, row in answers().items() if operation_of(case) == operation for word in row.values()}
        assert any(word.startswith("2") for word in found), operation
        assert any(word.startswith("4") for word in found), operation


# Without a valid token ------------------------------------------------------------------------------------------------


def _tokens(stage: Stage) -> dict[str, str | None]:
    scene, lead = stage.scene, stage.scene.lead
    revoked = stage.runner.run(lead.post("/tokens", {"scopes": ["*"], "days": 1}))
    stage.runner.run(lead.ask("DELETE", f"/tokens/{revoked['id']}"))
    expired = stage.runner.run(scene.world.token(lead.person_id, lead.membership_id, ttl_s=1))
    scene.world.sleep(1)
    changed = lead.token[:-2] + ("AA" if lead.token[-2:] != "AA" else "BB")
    return {
        "none": None,
        "empty": "",
        "garbage": "garbage",
        "one digit wrong": changed,
        "cut short": lead.token[:-8],
        "expired": expired,
        "revoked": revoked["token"],
        "of an ended membership": scene.seats["ended"].token,
        "an id": revoked["id"],
    }


def test_without_a_token_in_force_every_operation_answers_the_same_401(stage: Stage) -> None:
    tokens, scene = _tokens(stage), stage.scene
    made = {case: stage.runner.run(make(scene)) for case, make in CASES.items()}
    before = len(entries(scene.world))
    found: dict[str, list[str]] = {}
    for case, request in made.items():
        for what, token in tokens.items():
            found.setdefault(stage.ask(case, token, request).text, []).append(f"{case}, {what}")
    text = max(found, key=len)
    without_body = text.partition("\n\n")[0] + "\n\n"  # what a HEAD is answered
    assert set(found) == {text, without_body}
    assert text.startswith("401 ")
    assert "\nwww-authenticate: Bearer\n" in text
    assert not any(canary in text for canary in CANARIES.values())
    assert len(entries(scene.world)) == before


def test_no_token_at_all_is_a_sign_in(stage: Stage) -> None:
    scene, found = stage.scene, set()
    for name in sorted(SIGNED):
        path = {"seat_id": "sea_" + "0" * 32} if "{" in stage.operations[name].path else {}
        for token in (None, "garbage", *(seat.token for seat in scene.seats.values())):
            found.add(stage.ask(name, token, Request(path)).text)
    assert len(found) == 1
    assert found.pop().startswith("401 ")


def test_a_token_made_for_something_else_is_too_narrow_for_every_operation(stage: Stage) -> None:
    scene, lead = stage.scene, stage.scene.lead
    tokens = {
        scope: stage.runner.run(scene.world.token(lead.person_id, lead.membership_id, scope))
        for scope in ("vendor", "hold")
    }
    for case, make in CASES.items():
        request = stage.runner.run(make(scene))
        narrow = tokens["hold" if "vendor" in case else "vendor"]
        answer = stage.ask(case, narrow, request)
        assert answer.word == "403 token_too_narrow", case
        assert not answer.canaries(), case
        # What a token covers says nothing of any thing, so it is said of things that never existed too.
        for named in filter(is_id, request.path.values()):
            assert stage.ask(case, narrow, request.with_id(named, phantom(named))).text == answer.text, case


# With one -------------------------------------------------------------------------------------------------------------


def test_everybody_gets_the_answers_that_are_expected(record: tuple[Scene, Record]) -> None:
    expected = answers()
    found = {(each.case, each.caller): each.answer.word for each in record[1].asked}
    assert not {
        key: (word, expected[key[0]][key[1]]) for key, word in found.items() if word != expected[key[0]][key[1]]
    }


def test_nothing_answers_with_a_fault_of_ours(record: tuple[Scene, Record]) -> None:
    answered = [answer for each in record[1].asked for answer in (each.answer, each.of_nothing) if answer is not None]
    assert not [answer.text for answer in answered if answer.status >= 500]


def test_what_may_not_be_known_answers_as_if_it_had_never_existed(record: tuple[Scene, Record]) -> None:
    differing = [
        f"{each.case}, {each.caller}: {each.answer.word}, of nothing: {each.of_nothing.word}"
        for each in record[1].asked
        if each.of_nothing is not None
        and each.answer.status in {403, 404}
        and each.answer.code not in LISTED
        and each.answer.text != each.of_nothing.text
    ]
    # Whoever was asked for other papers in this part knows that the part is there.
    assert differing == ["add_document, granted: 403 forbidden, of nothing: 404 not_found"]


def test_a_membership_of_the_house_is_as_one_that_never_existed(stage: Stage) -> None:
    scene = stage.scene
    member = Request({"member_id": scene.seats["coordinator"].membership_id})
    nothing = Request({"member_id": phantom(member.path["member_id"])})
    token = scene.seats["manager"].token
    assert stage.ask("read_member", token, member).text == stage.ask("read_member", token, nothing).text


def test_a_thing_that_never_existed_is_found_by_nobody(record: tuple[Scene, Record]) -> None:
    found = [
        (each.operation, each.of_nothing.text.rpartition("\n")[2])
        for each in record[1].asked
        if each.of_nothing is not None and each.of_nothing.status < 300
    ]
    # A firm person's list shows what is theirs wherever they look: an empty one tells nothing.
    assert set(found) == {("list_documents", '{"items":[],"next_cursor":null}')}


def test_a_refusal_repeats_no_id(record: tuple[Scene, Record]) -> None:
    assert not [
        (each.case, each.caller)
        for each in record[1].asked
        if each.answer.status in {401, 403, 404}
        and any(named in each.answer.text for named in each.named if is_id(named))
    ]


def test_what_cannot_be_read_by_its_id_is_named_nowhere_else(record: tuple[Scene, Record]) -> None:
    hidden: dict[str, dict[str, str]] = {}
    for each in record[1].asked:
        if each.operation.startswith("read_") and each.answer.status == 404 and is_id(each.named[0]):
            hidden.setdefault(each.caller, {})[each.named[0]] = each.case
    leaks = {
        f"{each.case} names what {hidden[each.caller][thing]} hides from {each.caller}"
        for each in record[1].asked
        for thing in hidden.get(each.caller, {})
        # The log names what was asked for and refused.
        if thing in each.answer.text and each.operation not in {"list_entries", "export_log"}
    }
    assert leaks == set()


def test_every_answer_to_a_valid_token_is_in_that_firms_log_alone(record: tuple[Scene, Record]) -> None:
    scene, found = record
    firms = set(found.logged)
    for each in found.asked:
        firm = firm_of(scene, each.caller)
        (other,) = firms - {firm}
        for answer in filter(None, (each.answer, each.of_nothing)):
            types = found.logged[firm].get(answer.request_id, [])
            if (each.case, answer.status) == ("prove_entry", 404):
                continue  # the log may be read, but has no such entry: recorded as read
            assert types == _expected_types(answer, types), (each.case, each.caller, answer.word)
            assert answer.request_id not in found.logged[other]


def _expected_types(answer: Answer, types: list[str]) -> list[str]:
    """What a request leaves: nothing without a valid token, one refusal or failure, or whatever was done."""
    if answer.status == 401:
        return []
    if answer.code == "wrong_code":
        return ["authenticator.code_refused"]  # counted, so it stays
    if answer.status in {403, 404, 410}:
        return ["access.refused"]
    if answer.status >= 400:
        return ["access.failed"]
    assert types, "nothing"
    return [kind for kind in types if kind not in {"access.refused", "access.failed"}]


# No second door -------------------------------------------------------------------------------------------------------


def test_names_and_contents_get_out_where_they_belong_and_nowhere_else(record: tuple[Scene, Record]) -> None:
    allowed = {
        (kind, operation, caller)
        for kind, ways in BELONGS.items()
        for operations_, callers in ways
        for operation in operations_.split()
        for caller in callers.split()
    }
    found = {(kind, each.operation, each.caller) for each in record[1].asked for kind in each.answer.canaries()}
    assert found - allowed == set()
    assert {key[:2] for key in allowed} == {key[:2] for key in found}, "an operation that no longer tells it"
    assert {(key[0], key[2]) for key in allowed} == {(key[0], key[2]) for key in found}, (
        "a caller who no longer sees it"
    )


def test_a_request_about_nothing_brings_out_no_name(record: tuple[Scene, Record]) -> None:
    assert not [each for each in record[1].asked if each.of_nothing is not None and each.of_nothing.canaries()]


def test_no_entry_of_the_log_holds_a_name(record: tuple[Scene, Record]) -> None:
    assert "document.added" in record[1].bodies
    assert not [kind for kind, canary in CANARIES.items() if canary in record[1].bodies]


# Ids inside of a request ----------------------------------------------------------------------------------------------


def test_another_firms_id_anywhere_in_a_request_is_as_one_that_never_existed(stage: Stage) -> None:
    scene = stage.scene
    foreign = {thing[:3]: thing for thing in scene.foreign.values()}
    tried = set()
    for case, row in answers().items():
        caller = next((word for word, answer in row.items() if answer.startswith("2")), "lead")
        request = stage.runner.run(CASES[case](scene))
        for named in request.ids():
            if named[:3] not in foreign:
                continue
            token = scene.seats[caller].token
            theirs = stage.ask(case, token, request.with_id(named, foreign[named[:3]]))
            nothing = stage.ask(case, token, request.with_id(named, phantom(named)))
            assert theirs.text == nothing.text, (case, caller, named[:3])
            assert theirs.status >= 400 or '"items":[]' in theirs.text, (case, caller, named[:3])
            tried.add((operation_of(case), named[:3]))
    assert len(tried) > 50


# The other kind of database -------------------------------------------------------------------------------------------


def test_the_answers_are_the_same_on_postgresql(tmp_path: Path, migrated_postgres_url: str) -> None:
    expected = answers()
    for stage in staged(tmp_path / "var", migrated_postgres_url):
        asked = stage.runner.run(ask_everything(stage.scene, SAMPLE)).asked
        wrong = [each for each in asked if each.answer.word != expected[each.case][each.caller]]
        assert [(each.case, each.caller, each.answer.word) for each in wrong] == []
