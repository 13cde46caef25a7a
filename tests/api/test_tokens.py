"""One's own tokens over HTTP: narrower, shorter, revocable, shown once."""

from __future__ import annotations

from tests.api.places import columns_with, rows
from tests.logs import entries_of
from tests.world import DAY_S, Engagement, Person, World


def _with(world: World, seat: Person, token: str) -> Person:
    return Person(world.http, seat.person_id, seat.membership_id, token)


async def test_a_narrower_token_does_what_it_was_made_for_and_no_more(world: World, engagement: Engagement) -> None:
    attorney = engagement.attorney
    made = await attorney.post("/tokens", {"scopes": ["me", "document"], "days": 1})
    narrow = _with(world, attorney, made["token"])
    assert (await narrow.get("/me"))["token"]["scopes"] == ["document", "me"]
    await narrow.get(f"/engagements/{engagement.id}/documents")
    refused = await narrow.post("/matters", {"number": "1", "client": "x"}, status=403)
    assert refused["code"] == "token_too_narrow"
    await narrow.get("/tokens", status=403)


async def test_a_token_is_never_wider_or_longer_lived_than_the_one_it_is_made_with(world: World) -> None:
    owner = world.owner
    narrow = _with(world, owner, (await owner.post("/tokens", {"scopes": ["me", "token"], "days": 2}))["token"])
    for scopes in (["*"], ["person"], ["me", "vendor"]):
        await narrow.post("/tokens", {"scopes": scopes, "days": 1}, status=422)
    await narrow.post("/tokens", {"scopes": ["me"], "days": 3}, status=422)
    await narrow.post("/tokens", {"scopes": ["me"], "days": 2})
    world.sleep(1)
    await narrow.post("/tokens", {"scopes": ["me"], "days": 2}, status=422)
    await narrow.post("/tokens", {"scopes": ["me"], "days": 1})


async def test_scopes_and_days_of_another_form_are_refused(world: World) -> None:
    before = rows(world.services.database)
    bodies: list[dict[str, object]] = [
        {"scopes": []},
        {"scopes": ["nothing"]},
        {"scopes": ["me "]},
        {"scopes": ["me", "document:view"]},
        {"scopes": "me"},
        {"scopes": ["me"], "days": 0},
        {"scopes": ["me"], "days": -1},
        {"scopes": ["me"], "days": 367},
        {"scopes": ["me"], "days": 10**30},
        {"scopes": ["me"], "days": 1.5},
        {"scopes": ["me"], "days": "1"},
        {"scopes": ["me"], "days": True},
        {"scopes": ["me"], "membership_id": "mem_" + "0" * 32},
        {"scopes": ["me"] * 41},
    ]
    for body in bodies:
        await world.owner.post("/tokens", body, status=422)
    assert rows(world.services.database) == before


async def test_a_revoked_token_opens_nothing_from_that_second_on(world: World) -> None:
    made = await world.owner.post("/tokens", {"scopes": ["*"], "days": 1})
    other = _with(world, world.owner, made["token"])
    await other.get("/me")
    assert (await world.owner.ask("DELETE", f"/tokens/{made['id']}")).status_code == 204
    await other.get("/me", status=401)
    assert (await world.owner.ask("DELETE", f"/tokens/{made['id']}")).status_code == 409
    [listed] = [each for each in (await world.owner.get("/tokens"))["items"] if each["id"] == made["id"]]
    assert listed["revoked_at"] == "2027-01-15T08:00:00Z"


async def test_its_text_is_shown_once_and_kept_nowhere(world: World) -> None:
    made = await world.owner.post("/tokens", {"scopes": ["me"], "days": 1})
    assert "token" not in (await world.owner.get("/tokens"))["items"][-1]
    secret = made["token"].removeprefix("mun_")[24:]
    assert columns_with(world.services.database, secret.encode()) == []
    assert secret not in str(entries_of(world.services.database, world.firm_id))


async def test_one_sees_and_revokes_ones_own_and_the_owner_anybodys(world: World, engagement: Engagement) -> None:
    seat, other = await engagement.member(), await engagement.member()
    mine = (await seat.get("/tokens"))["items"]
    assert len(mine) == 1
    assert (await other.ask("DELETE", f"/tokens/{mine[0]['id']}")).status_code == 404
    assert (await engagement.attorney.ask("DELETE", f"/tokens/{mine[0]['id']}")).status_code in (403, 404)
    await seat.get("/me")
    assert (await world.owner.ask("DELETE", f"/tokens/{mine[0]['id']}")).status_code == 204
    await seat.get("/me", status=401)
    assert (await world.owner.ask("DELETE", "/tokens/tok_" + "0" * 32)).status_code == 404


async def test_revoking_a_token_ends_all_that_were_made_with_it_and_no_other(world: World) -> None:
    owner, broad = world.owner, {"scopes": ["me", "token"], "days": 2}
    first, beside = await owner.post("/tokens", broad), await owner.post("/tokens", broad)
    second = await _with(world, owner, first["token"]).post("/tokens", broad)
    third = await _with(world, owner, second["token"]).post("/tokens", {"scopes": ["me"], "days": 1})
    over = await _with(world, owner, second["token"]).post("/tokens", {"scopes": ["me"], "days": 1})
    assert (await owner.ask("DELETE", f"/tokens/{over['id']}")).status_code == 204
    await _with(world, owner, third["token"]).get("/me")
    recorded = len(entries_of(world.services.database, world.firm_id, "token.revoked"))
    assert (await owner.ask("DELETE", f"/tokens/{first['id']}")).status_code == 204
    for made in (first, second, third):
        await _with(world, owner, made["token"]).get("/me", status=401)
    for token in (beside["token"], owner.token):
        await _with(world, owner, token).get("/me")
    ended = entries_of(world.services.database, world.firm_id, "token.revoked")[recorded:]
    told = [dict(entry.subjects or {}) for entry in ended]
    assert [subjects["token"] for subjects in told] == [first["id"], second["id"], third["id"]]
    assert {subjects["person"] for subjects in told} == {owner.person_id}


async def test_a_token_ends_with_its_second(world: World) -> None:
    made = await world.owner.post("/tokens", {"scopes": ["me"], "days": 1})
    other = _with(world, world.owner, made["token"])
    world.sleep(DAY_S - 1)
    await other.get("/me")
    world.sleep(1)
    await other.get("/me", status=401)
