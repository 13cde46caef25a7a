"""Authenticators over HTTP: enrolled, confirmed, used once a code, replaced with a proof, reset by somebody else."""

from __future__ import annotations

import pytest

from service.crypto import onetime
from tests.api.entries import entries
from tests.api.places import columns_with
from tests.doctor.tampering import tamper
from tests.pockets import Pocket
from tests.world import Engagement, Person, World, findings

STEP_S = onetime.STEP_S


async def _enrolled(world: World, who: Person) -> Pocket:
    """Give somebody an authenticator that is in force; two more codes can follow at once."""
    made = await who.post("/me/authenticator")
    pocket = Pocket(made["secret"], world.now // STEP_S - 1)
    await who.post("/me/authenticator/confirmation", {"code": onetime.code(pocket.secret, pocket.step)}, 200)
    return pocket


def _wrong(pocket: Pocket, world: World) -> str:
    """A code that no step of this hour has."""
    near = {onetime.code(pocket.secret, world.now // STEP_S + each) for each in range(-3, 120)}
    return next(code for code in map("{:06}".format, range(1000)) if code not in near)


async def _send(who: Person, code: str, status: int = 200) -> dict[str, str]:
    found: dict[str, str] = await who.post("/me/step-up", {"code": code}, status)
    return found


# Enrolling ------------------------------------------------------------------------------------------------------------


async def test_a_secret_is_told_once_and_kept_sealed(world: World) -> None:
    made = await world.owner.post("/me/authenticator")
    assert made["uri"].startswith("otpauth://totp/Muniment:owner%40firm.example?")
    assert f"secret={made['secret']}" in made["uri"]
    assert columns_with(world.services.database, made["secret"].encode()) == []
    assert made["secret"] not in str(entries(world))
    assert (await world.owner.get("/me"))["authenticator_since"] is None  # not before its first code


async def test_it_counts_once_it_is_confirmed_with_its_own_code(world: World) -> None:
    owner = world.owner
    assert (await _send(owner, "123456", 409))["code"] == "bad_state"
    await owner.post("/me/authenticator/confirmation", {"code": "123456"}, 409)
    made = await owner.post("/me/authenticator")
    pocket = Pocket(made["secret"], world.now // STEP_S - 1)
    assert (await _send(owner, pocket.code(world.now), 409))["code"] == "bad_state"
    refused = await owner.post("/me/authenticator/confirmation", {"code": _wrong(pocket, world)}, 403)
    assert refused["code"] == "wrong_code"
    code = onetime.code(pocket.secret, world.now // STEP_S)
    since = (await owner.post("/me/authenticator/confirmation", {"code": code}, 200))["authenticator_since"]
    assert (await owner.get("/me"))["authenticator_since"] == since
    assert (await owner.get("/me"))["token"]["stepped_up_until"] is None  # confirming is no proof for an act
    await _send(owner, code, 403)  # and its code is used up


async def test_of_two_that_wait_the_newer_is_confirmed(world: World) -> None:
    first, second = [(await world.owner.post("/me/authenticator"))["secret"] for _ in range(2)]
    now, path = world.now // STEP_S, "/me/authenticator/confirmation"
    await world.owner.post(path, {"code": onetime.code(first, now)}, 403)
    await world.owner.post(path, {"code": onetime.code(second, now)}, 200)


async def test_a_second_enrolment_needs_a_proof_with_the_first(world: World) -> None:
    owner = world.owner
    pocket = await _enrolled(world, owner)
    assert (await owner.post("/me/authenticator", status=403))["code"] == "step_up_needed"
    await _send(owner, pocket.code(world.now))
    made = await owner.post("/me/authenticator")
    await _send(owner, pocket.code(world.now))  # the old one counts until the new one is confirmed
    world.sleep(601)
    code = {"code": onetime.code(made["secret"], world.now // STEP_S)}
    refused = await owner.post("/me/authenticator/confirmation", code, 403)  # the proof is over
    assert refused["code"] == "step_up_needed"
    await _send(owner, pocket.code(world.now))
    await owner.post("/me/authenticator/confirmation", code, 200)
    assert (await owner.get("/me"))["token"]["stepped_up_until"] is None  # what the old one proved is over
    await _send(owner, pocket.code(world.now), 403)
    await _send(owner, onetime.code(made["secret"], world.now // STEP_S + 1))


# Stepping up ----------------------------------------------------------------------------------------------------------


async def test_one_token_is_stepped_up_for_ten_minutes(engagement: Engagement) -> None:
    world, lead = engagement.world, engagement.attorney
    other = await world.sign_in(lead.person_id, lead.membership_id)
    holds = [(await lead.post("/holds", {"matter_id": engagement.matter_id, "reason": "One."}))["id"] for _ in "12"]
    pocket = await _enrolled(world, lead)
    await lead.change("DELETE", f"/holds/{holds[0]}", status=403)
    await _send(lead, pocket.code(world.now))
    made = await lead.post("/tokens", {"scopes": ["*"], "days": 1})
    child = Person(world.http, lead.person_id, lead.membership_id, made["token"])
    for token in (other, child):
        assert (await token.change("DELETE", f"/holds/{holds[0]}", status=403))["code"] == "step_up_needed"
    world.sleep(599)
    await lead.change("DELETE", f"/holds/{holds[0]}")
    world.sleep(1)
    assert (await lead.change("DELETE", f"/holds/{holds[1]}", status=403))["code"] == "step_up_needed"


async def test_a_code_counts_once_for_all_tokens_of_a_person(world: World) -> None:
    pocket = await _enrolled(world, world.owner)
    code = pocket.code(world.now)
    await _send(world.owner, code)
    again = await world.sign_in(world.owner.person_id, world.owner.membership_id)
    for who in (world.owner, again):
        assert (await _send(who, code, 403))["code"] == "wrong_code"


@pytest.mark.parametrize(("steps", "status"), [(-2, 403), (-1, 200), (0, 200), (1, 200), (2, 403)])
async def test_clocks_may_differ_by_one_step(world: World, steps: int, status: int) -> None:
    pocket = await _enrolled(world, world.owner)
    world.sleep(600)
    await _send(world.owner, onetime.code(pocket.secret, world.now // STEP_S + steps), status)


async def test_a_code_of_an_earlier_step_than_the_last_counts_no_more(world: World) -> None:
    pocket = await _enrolled(world, world.owner)
    world.sleep(600)
    now = world.now // STEP_S
    await _send(world.owner, onetime.code(pocket.secret, now + 1))
    for step in (now - 1, now, now + 1):
        await _send(world.owner, onetime.code(pocket.secret, step), 403)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", 123456, None])
async def test_a_code_of_another_form_is_refused_before_it_is_counted(world: World, code: object) -> None:
    await _enrolled(world, world.owner)
    await world.owner.post("/me/step-up", {"code": code}, 422)
    assert not [each for each in entries(world) if each["type"] == "authenticator.code_refused"]


# Guessing -------------------------------------------------------------------------------------------------------------


async def test_after_five_wrong_codes_the_right_one_waits_too(world: World) -> None:
    owner, pocket = world.owner, await _enrolled(world, world.owner)
    for _ in range(5):
        assert (await _send(owner, _wrong(pocket, world), 403))["code"] == "wrong_code"
        world.sleep(60)
    again = await world.sign_in(owner.person_id, owner.membership_id)  # another token is the same person
    for who in (owner, again):
        response = await who.ask("POST", "/me/step-up", json={"code": onetime.code(pocket.secret, world.now // STEP_S)})
        assert (response.status_code, response.json()["code"]) == (429, "too_many_codes")
        assert response.headers["retry-after"] == str(900 - 300)
    world.sleep(599)
    await _send(owner, pocket.code(world.now), 429)
    world.sleep(1)
    await _send(owner, _wrong(pocket, world), 403)  # the first is 15 minutes old: one more try, and no more
    await _send(owner, pocket.code(world.now), 429)
    found = [each for each in entries(world) if each["type"] == "authenticator.code_refused"]
    assert [each["data"]["count"] for each in found] == [1, 2, 3, 4, 5, 5]
    assert {each["subjects"]["person"] for each in found} == {owner.person_id}
    assert {each["outcome"] for each in found} == {"refused"}


async def test_a_right_code_does_not_wipe_out_the_wrong_ones(world: World) -> None:
    owner, pocket = world.owner, await _enrolled(world, world.owner)
    for _ in range(4):
        await _send(owner, _wrong(pocket, world), 403)
    await _send(owner, pocket.code(world.now))
    await _send(owner, _wrong(pocket, world), 403)
    await _send(owner, pocket.code(world.now), 429)


async def test_wrong_codes_that_were_wiped_out_of_the_row_are_found(world: World) -> None:
    owner, pocket = world.owner, await _enrolled(world, world.owner)
    for pause in (0, 60, 900):
        world.sleep(pause)
        await _send(owner, _wrong(pocket, world), 403)
    assert await findings(world.services) == []
    tamper(world.services.database, "UPDATE authenticators SET wrong_at = ''")
    [found] = await findings(world.services)
    assert (found.code, found.differs) == ("authenticator_changed", (f"wrong_at: row , log {world.now}",))


async def test_no_code_stands_in_an_entry(world: World) -> None:
    pocket = await _enrolled(world, world.owner)
    codes = [_wrong(pocket, world), pocket.code(world.now)]
    await _send(world.owner, codes[0], 403)
    await _send(world.owner, codes[1])
    for each in entries(world):
        assert not {str(value) for value in (each.get("data") or {}).values()} & set(codes)


# Resetting ------------------------------------------------------------------------------------------------------------


async def test_the_owner_resets_somebody_elses_and_it_ends_at_once(engagement: Engagement) -> None:
    world, lead = engagement.world, engagement.attorney
    hold = (await lead.post("/holds", {"matter_id": engagement.matter_id, "reason": "One."}))["id"]
    pocket, path = await _enrolled(world, lead), f"/people/{lead.person_id}/authenticator"
    await _send(lead, pocket.code(world.now))
    refused = await world.owner.ask("DELETE", path)
    assert (refused.status_code, refused.json()["code"]) == (403, "step_up_needed")
    await world.step_up(world.owner)
    assert (await world.owner.ask("DELETE", path)).status_code == 204
    assert (await lead.change("DELETE", f"/holds/{hold}", status=403))["code"] == "step_up_needed"
    await _send(lead, pocket.code(world.now), 409)
    assert (await lead.get("/me"))["authenticator_since"] is None
    assert (await world.owner.ask("DELETE", path)).status_code == 409
    await _enrolled(world, lead)
    reset = next(each for each in entries(world) if each["type"] == "authenticator.reset")
    assert (reset["subjects"]["person"], reset["actor"]["person"]) == (lead.person_id, world.owner.person_id)


async def test_nobody_resets_his_own_and_nobody_but_the_owner_anybodys(engagement: Engagement) -> None:
    world, lead = engagement.world, engagement.attorney
    seat = await engagement.member()
    await world.step_up(world.owner, lead, seat)
    own = await world.owner.ask("DELETE", f"/people/{world.owner.person_id}/authenticator")
    assert (own.status_code, own.json()["code"]) == (403, "second_person_needed")
    for who in (lead, seat):
        for person_id in (lead.person_id, seat.person_id, world.owner.person_id, "per_" + "0" * 32):
            refused = await who.ask("DELETE", f"/people/{person_id}/authenticator")
            assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert (await world.owner.ask("DELETE", f"/people/per_{'0' * 32}/authenticator")).status_code == 404


async def test_a_narrow_token_steps_up_where_it_was_made_for_that(world: World) -> None:
    pocket = await _enrolled(world, world.owner)
    tokens = [await world.sign_in(world.owner.person_id, world.owner.membership_id, each) for each in ("me", "me hold")]
    assert (await _send(tokens[0], pocket.code(world.now), 403))["code"] == "token_too_narrow"
    wider = await world.sign_in(world.owner.person_id, world.owner.membership_id, "authenticator hold")
    await _send(wider, onetime.code(pocket.secret, world.now // STEP_S + 1))
