"""What a refused person is told: complete, and silent about what may not be known."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from service.errors import ForbiddenError, NotFoundError, PolicyError
from service.scoping.actions import Fact, Side
from service.scoping.answers import SAME_FOR_EVERY_ID, AnswerTable, Kind, State, state_of
from service.scoping.matrix import Matrix
from tests.scoping.policies import POLICIES, policy_folder

TABLE = AnswerTable.read((POLICIES / "answers.csv").read_bytes())


def test_every_state_of_every_kind_of_thing_has_an_answer() -> None:
    for case in product(State, Kind, Side):
        reply = TABLE.reply(*case)
        error = reply.raised()
        assert error.status == reply.error.status
        assert error.message
        assert error.extra == {}


def test_all_answers_that_a_thing_is_not_there_are_alike() -> None:
    replies = {case: TABLE.reply(*case) for case in product(State, Kind, Side)}
    absent = [reply for reply in replies.values() if reply.error is NotFoundError]
    assert len({(reply.listed, reply.sentence, reply.raised().message) for reply in absent}) == 1


def test_to_a_vendor_a_document_exists_only_when_it_is_listed() -> None:
    told = {state for state in State if TABLE.reply(state, Kind.DOCUMENT, Side.VENDOR).error is not NotFoundError}
    assert told - SAME_FOR_EVERY_ID == {State.ABILITY_MISSING}
    assert all(TABLE.reply(state, Kind.DOCUMENT, Side.VENDOR).listed for state in told - SAME_FOR_EVERY_ID)


def test_design_s_answers() -> None:
    document, engagement, vendor, firm = Kind.DOCUMENT, Kind.ENGAGEMENT, Side.VENDOR, Side.FIRM
    for state in (State.NEVER_GRANTED, State.REVOKED, State.EXPIRED, State.WALLED, State.ABSENT, State.DISPOSED):
        assert TABLE.reply(state, document, vendor).error.status == 404
    for state in (State.DUTY_MISSING, State.OUTSIDE_WINDOW, State.SUSPENDED, State.STEP_UP_NEEDED, State.NOT_LIVE):
        assert TABLE.reply(state, document, vendor).error.status == 404
        assert TABLE.reply(state, engagement, vendor).error.status == 403
    assert TABLE.reply(State.DUTY_MISSING, engagement, vendor).error.code == "duty_missing"
    assert TABLE.reply(State.ABILITY_MISSING, document, vendor).error.code == "ability_missing"
    assert TABLE.reply(State.DISPOSED, document, firm).error.status == 410
    assert issubclass(TABLE.reply(State.ROLE, Kind.FIRM, firm).error, ForbiddenError)


def test_further_safe_members_travel_with_the_error() -> None:
    assert TABLE.reply(State.DISPOSED, Kind.DOCUMENT, Side.FIRM).raised(certificate="crt_1").extra == {
        "certificate": "crt_1"
    }


REFUSED = {
    "an unknown state": "lost,*,*,no,404,not_found,-",
    "an unknown kind": "absent,planet,*,no,404,not_found,-",
    "an unknown side": "absent,*,moon,no,404,not_found,-",
    "listed is no yes or no": "absent,*,*,perhaps,404,not_found,-",
    "an unknown code": "absent,*,*,no,404,gone_fishing,-",
    "a status that is not the code's": "absent,*,*,no,403,not_found,-",
    "a 404 with words of its own": "absent,*,*,no,404,not_found,Your grant was revoked.",
    "a 404 that is listed": "absent,*,*,yes,404,not_found,-",
    "a document that a vendor may know of only by the answer": "absent,document,vendor,no,403,forbidden,-",
    "a part that a vendor may know of only by the answer": "walled,part,vendor,no,403,suspended,-",
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_answer_that_is_wrong_or_tells_too_much_refuses_the_policy(tmp_path: Path, name: str) -> None:
    def first(text: str) -> str:
        head, columns, rest = text.partition("words\n")
        return f"{head}{columns}{REFUSED[name]}\n{rest}"

    with pytest.raises(PolicyError, match=r"answers.csv, line"):
        Matrix.load(policy_folder(tmp_path, answers=first))


def test_a_row_that_answers_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="answers nothing that is not answered above"):
        Matrix.load(policy_folder(tmp_path, answers=lambda text: text + "absent,*,firm,no,404,not_found,-\n"))


def test_a_case_without_an_answer_is_refused(tmp_path: Path) -> None:
    def without(text: str) -> str:
        return text.replace("walled,*,*,no,404,not_found,-\n", "walled,*,vendor,no,404,not_found,-\n")

    with pytest.raises(PolicyError, match="no answer for walled, document, firm"):
        Matrix.load(policy_folder(tmp_path, answers=without))


@pytest.mark.parametrize(
    ("missing", "blocking", "state"),
    [
        (Fact.ASSIGNED | Fact.DUTIES, Fact(0), State.NEVER_GRANTED),
        (Fact.OWN, Fact.WALLED, State.NEVER_GRANTED),
        (Fact.ASKED | Fact.DUTIES, Fact(0), State.NOT_ASKED),
        (Fact(0), Fact.WALLED | Fact.SUSPENDED, State.WALLED),
        (Fact.DUTIES, Fact.SUSPENDED, State.SUSPENDED),
        (Fact.LIVE | Fact.WINDOW, Fact(0), State.NOT_LIVE),
        (Fact.WINDOW | Fact.DUTIES, Fact(0), State.OUTSIDE_WINDOW),
        (Fact.DUTIES, Fact(0), State.DUTY_MISSING),
        (Fact.STEPPED_UP | Fact.SECONDED, Fact(0), State.STEP_UP_NEEDED),
        (Fact.SECONDED, Fact(0), State.SECOND_NEEDED),
        (Fact(0), Fact.NARROWED | Fact.WALLED, State.NARROWED),
        (Fact(0), Fact(0), State.ABOVE_CEILING),
    ],
)
def test_who_has_no_way_to_a_thing_hears_of_nothing_else(missing: Fact, blocking: Fact, state: State) -> None:
    assert state_of(missing, blocking) is state
