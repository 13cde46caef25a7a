"""One sign-in for several firms: each seat is its own firm's business, and nobody else's."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from service import signin
from service.acts import perform
from service.db.models import seats, signins
from service.db.session import EVERY_LOG
from service.errors import LedgerUnavailableError, UnauthenticatedError
from service.firms import deployment_log
from service.signin import adding, choosing, ending
from tests.api.entries import another_firm
from tests.api.places import columns_with
from tests.logs import check_logs
from tests.world import DAY_S, Engagement, Person, World, findings

HOUR_S = 3600
IDS = re.compile(rb"(?:sgn|req)_[0-9a-f]{32}")


@dataclass
class SignIn:
    """Somebody who shows a sign-in."""

    http: httpx2.AsyncClient
    text: str
    first: str  # the id of its first seat

    async def ask(self, method: str, path: str, status: int = 200, token: str | None = None) -> Any:
        headers = {"authorization": f"Bearer {token or self.text}"}
        answer = await self.http.request(method, f"/api/v1{path}", headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def seats(self) -> list[Any]:
        return list((await self.ask("GET", "/seats"))["seats"])

    async def states(self) -> dict[str, str]:
        return {each["id"]: each["state"] for each in await self.seats()}

    async def choose(self, seat_id: str, status: int = 201) -> Any:
        return await self.ask("POST", f"/seats/{seat_id}/token", status)

    async def sit(self, seat_id: str) -> Person:
        chosen = await self.choose(seat_id)
        return Person(self.http, "", chosen["membership_id"], chosen["token"])

    async def add(self, who: Person, status: int = 201) -> Any:
        return (await who.post("/seats", {"signin": self.text}, status)).get("id")


async def sign_in(who: Person, days: int = 7) -> SignIn:
    made = await who.post("/signin", {"days": days})
    return SignIn(who.http, made["signin"], made["seat_id"])


@dataclass
class Two:
    """Somebody who works for two firms, with a seat in each."""

    here: Engagement
    there: Engagement
    at_home: Person
    abroad: Person
    signed: SignIn
    seat: str
    other: str


@pytest.fixture
async def two(world: World) -> Two:
    here, there = await world.engagement(), await (await another_firm(world)).engagement()
    at_home, abroad = await here.member(), await there.member()
    signed = await sign_in(at_home)
    return Two(here, there, at_home, abroad, signed, signed.first, await signed.add(abroad))


# Choosing -------------------------------------------------------------------------------------------------------------


async def test_a_paralegal_of_three_firms_and_five_engagements_shows_one_sign_in(world: World) -> None:
    second, third = await another_firm(world), await another_firm(world)
    places = [await each.engagement() for each in (world, world, second, second, third)]
    people = [await place.member() for place in places]
    signed = await sign_in(people[0])
    for who in people[1:]:
        await signed.add(who)
    known = {each["membership_id"]: each for each in await signed.seats()}
    told = [known[who.membership_id] for who in people]
    assert [each["place"]["engagement_id"] for each in told] == [place.id for place in places]
    assert {each["state"] for each in told} == {"running"}
    for each, who in zip(told, people, strict=True):
        chosen = await signed.choose(each["id"])
        assert chosen["place"] == each["place"]
        me = await Person(world.http, "", "", chosen["token"]).get("/me")
        assert me["membership"]["id"] == chosen["membership_id"] == who.membership_id
        assert me["firm"] == {"id": each["place"]["firm_id"], "name": each["place"]["firm_name"]}
        assert me["membership"]["engagement"]["number"] == each["place"]["engagement_number"]


async def test_a_chosen_token_reaches_its_own_membership_and_no_other_seats(two: Two) -> None:
    at_home = await two.signed.sit(two.seat)
    await at_home.get(f"/engagements/{two.here.id}")
    await at_home.get(f"/engagements/{two.there.id}", status=404)
    await two.signed.ask("GET", "/seats", 401, token=at_home.token)
    await two.signed.ask("POST", f"/seats/{two.seat}/token", 401, token=at_home.token)
    await two.signed.ask("DELETE", f"/seats/{two.seat}", 401, token=at_home.token)
    await two.signed.ask("DELETE", "/signin", 401, token=at_home.token)


async def test_a_sign_in_itself_opens_nothing(two: Two) -> None:
    for method, path in (
        ("GET", "/me"),
        ("GET", f"/engagements/{two.here.id}"),
        ("GET", "/tokens"),
        ("POST", "/tokens"),
        ("POST", "/seats"),
        ("POST", "/signin"),
    ):
        await two.signed.ask(method, path, 401)


async def test_a_chosen_token_lives_twelve_hours_at_most(world: World, two: Two) -> None:
    chosen = await two.signed.sit(two.seat)
    world.sleep(12 * HOUR_S - 1)
    await chosen.get("/me")
    world.sleep(1)
    await chosen.get("/me", status=401)


async def test_nor_longer_than_its_own_token_or_the_sign_in(world: World, engagement: Engagement) -> None:
    who = await engagement.member()
    brief = Person(world.http, who.person_id, who.membership_id, "")
    brief.token = await world.token(who.person_id, who.membership_id, ttl_s=HOUR_S)
    signed = await sign_in(brief)
    chosen = await signed.sit(signed.first)
    world.sleep(HOUR_S - 1)
    await chosen.get("/me")
    world.sleep(1)
    await chosen.get("/me", status=401)
    assert await signed.states() == {signed.first: "closed"}
    assert (await signed.choose(signed.first, 409))["code"] == "bad_state"

    lasting = await sign_in(who, days=1)
    world.sleep(DAY_S - 2 * HOUR_S)
    chosen = await lasting.sit(lasting.first)
    world.sleep(2 * HOUR_S - 1)
    await chosen.get("/me")
    world.sleep(1)
    await chosen.get("/me", status=401)
    await lasting.ask("GET", "/seats", 401)
    await lasting.choose(lasting.first, 401)
    await lasting.ask("DELETE", "/signin", 401)
    await lasting.add(who, 401)


async def test_it_is_no_wider_than_the_seats_own_token_and_a_narrow_one_takes_no_seat(
    world: World, engagement: Engagement
) -> None:
    who = await engagement.member()
    narrow = await world.sign_in(who.person_id, who.membership_id, "me token")
    signed = await sign_in(narrow)
    chosen = await signed.sit(signed.first)
    assert (await chosen.get("/me"))["token"]["scopes"] == ["me", "token"]
    await chosen.get(f"/engagements/{engagement.id}", status=403)
    narrower = await world.sign_in(who.person_id, who.membership_id, "me document")
    assert (await narrower.post("/signin", {"days": 1}, 403))["code"] == "token_too_narrow"
    await signed.add(narrower, 403)
    mute = await world.sign_in(who.person_id, who.membership_id, "token")
    await signed.add(mute)
    assert {each["state"] for each in await signed.seats()} == {"closed"}  # it may not read what /me tells


async def test_what_was_proven_with_a_code_is_not_carried_over(world: World, engagement: Engagement) -> None:
    attorney = engagement.attorney
    await world.step_up(attorney)
    signed = await sign_in(attorney)
    assert (await (await signed.sit(signed.first)).get("/me"))["token"]["stepped_up_until"] is None


# Each firm cuts its own -----------------------------------------------------------------------------------------------


async def _revoke(two: Two) -> None:
    mine = (await two.at_home.get("/me"))["token"]["id"]
    assert (await two.here.world.owner.ask("DELETE", f"/tokens/{mine}")).status_code == 204


async def _end(two: Two) -> None:
    await two.here.attorney.change("DELETE", f"/members/{two.at_home.membership_id}")


async def _suspend(two: Two) -> None:
    path = f"/members/{two.at_home.membership_id}"
    await two.here.attorney.change("POST", f"{path}/suspension", match=path)


async def _remove(two: Two) -> None:
    await two.signed.ask("DELETE", f"/seats/{two.seat}", 204)


@pytest.mark.parametrize(
    ("act", "left", "state", "again"),
    [
        (_revoke, 401, "closed", 409),
        (_end, 401, "closed", 409),
        (_suspend, 403, "suspended", 403),
        (_remove, 401, None, 404),
    ],
)
async def test_what_one_firm_does_cuts_its_own_seat_alone(
    two: Two, act: Callable[[Two], Awaitable[None]], left: int, state: str | None, again: int
) -> None:
    here, there = await two.signed.sit(two.seat), await two.signed.sit(two.other)
    await act(two)
    await here.get(f"/engagements/{two.here.id}", status=left)
    await there.get(f"/engagements/{two.there.id}")
    states = await two.signed.states()
    assert (states.get(two.seat), states[two.other]) == (state, "running")
    await two.signed.choose(two.seat, again)
    await (await two.signed.sit(two.other)).get(f"/engagements/{two.there.id}")
    assert [each.code for each in await findings(two.here.world.services)] == []


async def test_the_end_of_a_sign_in_ends_all_that_was_made_by_it_and_what_was_made_with_that(two: Two) -> None:
    here, there = await two.signed.sit(two.seat), await two.signed.sit(two.other)
    further = await here.post("/tokens", {"scopes": ["me"], "days": 1}, 422)  # never longer than the chosen one
    assert further["code"] == "bad_input"
    await two.signed.ask("DELETE", "/signin", 204)
    for who in (here, there):
        await who.get("/me", status=401)
    for who in (two.at_home, two.abroad):
        await who.get("/me")
    await two.signed.ask("GET", "/seats", 401)
    assert _rows(two.here.world) == ([], [])
    assert [each.code for each in await findings(two.here.world.services)] == []


async def test_a_sign_in_made_with_a_chosen_token_ends_with_it(two: Two) -> None:
    inner = await sign_in(await two.signed.sit(two.seat))
    chosen = await inner.sit(inner.first)
    await two.signed.ask("DELETE", "/signin", 204)
    await chosen.get("/me", status=401)
    assert await inner.states() == {inner.first: "closed"}


async def test_an_end_that_failed_halfway_is_repeated_and_opens_nothing_meanwhile(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = await two.signed.sit(two.other)

    async def fail(*_: Any) -> None:
        raise LedgerUnavailableError

    with monkeypatch.context() as patched:
        patched.setattr(ending, "cut", fail)
        await two.signed.ask("DELETE", "/signin", 503)
    await two.signed.ask("GET", "/seats", 401)
    await two.signed.choose(two.other, 401)
    await two.signed.add(two.abroad, 401)
    await two.signed.ask("DELETE", "/signin", 204)
    await there.get("/me", status=401)
    await two.signed.ask("DELETE", "/signin", 401)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(("path", "status"), [("/signin", 401), ("/seats/{seat}", 404)])
async def test_a_token_chosen_while_its_seat_goes_is_not_given_and_not_left(
    two: Two, path: str, status: int, first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (await two.at_home.get("/tokens"))["items"]

    async def late(*how: Any) -> Any:
        if first:
            await two.signed.ask("DELETE", path.format(seat=two.seat), 204)
        done = await perform(*how)
        if not first:
            await two.signed.ask("DELETE", path.format(seat=two.seat), 204)
        return done

    monkeypatch.setattr(choosing, "perform", late)
    await two.signed.choose(two.seat, status)
    made = [each for each in (await two.at_home.get("/tokens"))["items"] if each not in before]
    assert [each["revoked_at"] is not None for each in made] == [True]


async def test_removing_a_seat_twice_is_no_harm_and_a_strangers_is_not_there(world: World, two: Two) -> None:
    stranger = await sign_in(await two.here.member())
    for seat in (two.seat, "sea_" + "0" * 32, "nothing", two.at_home.membership_id):
        await stranger.choose(seat, 404)
        await stranger.ask("DELETE", f"/seats/{seat}", 404)
    assert (await two.signed.states())[two.seat] == "running"
    for _ in range(2):
        await two.signed.ask("DELETE", f"/seats/{two.seat}", 204)
    assert list(await two.signed.states()) == [two.other]


async def test_a_seat_taken_anew_replaces_the_one_before(world: World, two: Two) -> None:
    await _revoke(two)
    again = await world.sign_in(two.at_home.person_id, two.at_home.membership_id)
    fresh = await two.signed.add(again)
    assert await two.signed.states() == {two.other: "running", fresh: "running"}
    chosen = await two.signed.sit(fresh)
    await two.signed.ask("DELETE", "/signin", 204)
    await chosen.get("/me", status=401)


async def test_there_are_so_many_seats_and_no_more(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adding, "MOST_SEATS", 2)
    await two.signed.add(await two.here.member(), 409)


@pytest.mark.parametrize("days", [0, -1, 31, 10**30, 1.5, "1", True, None])
async def test_days_of_another_form_are_refused(world: World, days: object) -> None:
    await world.owner.post("/signin", {"days": days}, 422)
    assert _rows(world) == ([], [])


# What nobody learns ---------------------------------------------------------------------------------------------------


def _rows(world: World) -> tuple[list[Any], list[Any]]:
    with world.services.database.read(EVERY_LOG) as tx:
        log = deployment_log(tx)
        assert log is not None
        tx.turn_to(log)
        return tx.all(select(signins)), tx.all(select(seats))


async def test_no_firms_world_says_that_its_person_sits_elsewhere(world: World, two: Two) -> None:
    await two.signed.seats()
    await two.signed.sit(two.seat)
    await two.signed.sit(two.other)
    await two.signed.ask("DELETE", f"/seats/{two.other}", 204)
    logs = check_logs(world.services.database)
    home, abroad = world.firm_id, two.there.world.firm_id
    told = {log: b"\n".join(repr(entry).encode() for entry in logs[log]) for log in logs}
    here, there = (set(IDS.findall(told[log])) for log in (home, abroad))
    assert here & there == set()  # not even the id of a request that touched both
    assert not any(each.startswith(b"sgn_") for each in here | there)
    mine = {two.at_home.person_id, two.at_home.membership_id, two.seat, two.here.id, home}
    others = {two.abroad.person_id, two.abroad.membership_id, two.other, two.there.id, abroad}
    assert not any(each.encode() in told[abroad] for each in mine)
    assert not any(each.encode() in told[home] for each in others)
    [deployment] = set(told) - {home, abroad}
    kinds = [entry.type for entry in logs[deployment] if entry.type.startswith("signin")]
    assert kinds == ["signin.created", "signin.seat_added", "signin.used", "signin.used", "signin.seat_removed"]
    named = {each for each in (*mine, *others) if each[:3] in {"per", "mem", "eng"}}
    assert not any(each.encode() in told[deployment] for each in named)


async def test_everybody_who_is_told_of_tokens_and_members_is_told_the_same_as_without_it(world: World) -> None:
    engagement = await world.engagement()
    one, other = await engagement.member(), await engagement.member()
    foreign = await (await (await another_firm(world)).engagement()).member()
    signed, alone = await sign_in(one), await sign_in(other)
    await signed.add(foreign)
    for who in (world.owner, engagement.attorney):
        told = [
            re.sub(r"[0-9a-f]{32}|Vera \d+|v\d+@", "", (await who.ask("GET", path)).text)
            for each in (one, other)
            for path in (f"/people/{each.person_id}", f"/members/{each.membership_id}")
        ]
        assert told[:2] == told[2:]
    assert len(await alone.seats()) == 1


async def test_a_transaction_of_a_firm_sees_no_sign_ins_rows_on_postgresql(world: World, two: Two) -> None:
    if world.services.database.is_sqlite:
        return  # it has no walls between rows (docs/adr/0015)
    for firm in (world.firm_id, two.there.world.firm_id, EVERY_LOG):
        with world.services.database.read(firm) as tx:
            assert (tx.all(select(signins)), tx.all(select(seats))) == ([], [])
    assert len(_rows(world)[1]) == 2


async def test_its_text_is_shown_once_and_kept_nowhere(world: World, two: Two) -> None:
    assert columns_with(world.services.database, two.signed.text[4:].encode()) == []
    assert columns_with(world.services.database, two.signed.text[30:].encode()) == []
    made = adding.Made("sgn_1", "sea_1", 0, two.signed.text)
    assert two.signed.text not in repr(made)


async def test_rows_of_sign_ins_that_are_over_are_deleted(world: World, two: Two) -> None:
    assert [len(each) for each in _rows(world)] == [1, 2]
    world.sleep(7 * DAY_S)
    await sign_in(two.at_home)
    assert [len(each) for each in _rows(world)] == [1, 1]


# Without one ----------------------------------------------------------------------------------------------------------


async def test_what_is_no_sign_in_in_force_answers_the_same_and_is_counted(world: World, two: Two) -> None:
    await two.signed.ask("DELETE", "/signin", 204)
    world.app.state.attempts.take(all_minutes=True)
    logs = check_logs(world.services.database)
    wrong = two.signed.text[:-2] + ("AA" if two.signed.text[-2:] != "AA" else "BB")
    shown = [two.signed.text, wrong, "mus_" + "A" * 64, "mus_", "garbage", two.at_home.token]
    answers = set()
    for text in shown:
        got = await world.http.get("/api/v1/seats", headers={"authorization": f"Bearer {text}"})
        answers.add(re.sub(r"req_[0-9a-f]{32}", "", f"{got.status_code} {got.text}"))
    assert len(answers) == 1
    for text in (two.signed.text, wrong, "mus_", two.at_home.token):
        await two.at_home.post("/seats", {"signin": text}, 401)
    counted = {route: count for _, _, route, count in world.app.state.attempts.take(all_minutes=True)}
    assert sum(counted.values()) == 10
    assert check_logs(world.services.database) == logs  # and no log grows by it


@pytest.mark.parametrize(
    "text", ["", "mus_", "mus_" + "A" * 63, "mus_" + "A" * 65, "mun_" + "A" * 64, "mus_" + "A" * 63 + "="]
)
def test_what_has_not_the_form_is_refused(text: str) -> None:
    with pytest.raises(UnauthenticatedError):
        signin.parse(text)


async def test_a_closed_seat_that_is_chosen_stands_in_the_deployments_log(world: World, two: Two) -> None:
    await _revoke(two)
    await two.signed.choose(two.seat, 409)
    told = [entry for entries in check_logs(world.services.database).values() for entry in entries]
    failed = [entry.subjects for entry in told if entry.type == "signin.failed"]
    assert [(each or {}).get("seat") for each in failed] == [two.seat]
