"""What is granted and not used: found in the log, scored, and made less in one act."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select, update

from service import usage
from service.db.models import grants, log_entries
from service.ledger import Outcome
from service.scoping.actions import Ability
from tests.world import DAY_S, Engagement, Person, World, findings, rfc3339

LONG = 60 * DAY_S


async def _grant(engagement: Engagement, seat: Person, abilities: tuple[str, ...] = ("view", "download")) -> Any:
    """A new paper, handed out for sixty days."""
    paper = (await engagement.document())["document_id"]
    body = {
        "membership_id": seat.membership_id,
        "abilities": list(abilities),
        "not_after": rfc3339(engagement.world.now + LONG),
        "purpose": "Draft the letter.",
    }
    return await engagement.attorney.post(f"/documents/{paper}/grants", body)


async def _view(seat: Person, grant: Any) -> None:
    await seat.get(f"/documents/{grant['document_id']}")


async def _download(seat: Person, grant: Any) -> None:
    await seat.get(f"/documents/{grant['document_id']}/content")


async def _unused(engagement: Engagement, days: int = 14, asker: Person | None = None) -> set[str]:
    path = f"/engagements/{engagement.id}/unused-grants?days={days}"
    return {row["id"] for row in (await (asker or engagement.attorney).get(path))["items"]}


async def _score(engagement: Engagement) -> Any:
    return await engagement.attorney.get(f"/engagements/{engagement.id}/least-privilege")


def _entries(world: World) -> list[Any]:
    with world.services.database.read(world.firm_id) as tx:
        rows = tx.all(select(log_entries.c.idx, log_entries.c.body).where(log_entries.c.log_id == world.firm_id))
    return [json.loads(row.body) for row in sorted(rows, key=lambda row: row.idx)]


async def test_a_grant_is_unused_until_its_holder_opens_it(engagement: Engagement) -> None:
    seat, other, world = await engagement.member(), await engagement.member(), engagement.world
    never, viewed, sent, elsewhere = [await _grant(engagement, seat) for _ in range(4)]
    await engagement.attorney.get(f"/documents/{never['document_id']}/content")  # an attorney's reading is not his
    assert await _unused(engagement) == set()  # too young to tell
    world.sleep(10 * DAY_S)
    await _view(seat, viewed)
    await _download(seat, sent)
    await _view(seat, elsewhere)
    assert (await other.ask("GET", f"/documents/{never['document_id']}")).status_code == 404  # a refusal is no opening
    world.sleep(4 * DAY_S - 1)
    assert await _unused(engagement) == set()  # one second too young
    world.sleep(1)
    assert await _unused(engagement) == {never["id"]}
    assert await _unused(engagement, days=4) == {never["id"]}
    world.sleep(10 * DAY_S)  # fourteen days after the openings, to the second
    assert await _unused(engagement) == {never["id"]}
    world.sleep(1)
    assert await _unused(engagement) == {never["id"], viewed["id"], sent["id"], elsewhere["id"]}
    assert await _unused(engagement, days=30) == set()  # none is that old


async def test_what_was_opened_under_an_older_grant_does_not_count(engagement: Engagement) -> None:
    seat, world = await engagement.member(), engagement.world
    first = await _grant(engagement, seat)
    await _view(seat, first)
    world.sleep(DAY_S)
    await engagement.attorney.change("DELETE", f"/grants/{first['id']}")
    again = await engagement.grant(seat, first["document_id"])
    world.sleep(5 * DAY_S)
    assert await _unused(engagement, days=5) == {again["id"]}
    assert (await _score(engagement))["grants_used"] == 0


async def test_ended_grants_are_not_told_and_pages_go_on(engagement: Engagement) -> None:
    seat, world = await engagement.member(), engagement.world
    made = {(await _grant(engagement, seat))["id"] for _ in range(3)}
    gone = await _grant(engagement, seat)
    await engagement.attorney.change("DELETE", f"/grants/{gone['id']}")
    world.sleep(20 * DAY_S)
    cursor: str | None = ""
    path = f"/engagements/{engagement.id}/unused-grants?limit=2"
    found: list[Any] = []
    while cursor is not None:
        page = await engagement.attorney.get(path + (f"&cursor={cursor}" if cursor else ""))
        found += [row["id"] for row in page["items"]]
        cursor = page["next_cursor"]
    assert found == sorted(made)
    entry = _entries(world)[-1]
    assert (entry["action"], entry["type"], entry["data"]["count"]) == ("engagement:usage", "list.read", 1)
    world.sleep(LONG)
    assert await _unused(engagement) == set()  # all have ended


async def test_an_attorney_is_told_of_grants_on_his_own_matters_papers_only(engagement: Engagement) -> None:
    seat, world = await engagement.member(), engagement.world
    mine = await _grant(engagement, seat)
    colleague = await world.attorney()
    await world.owner.post(
        f"/engagements/{engagement.id}/members", {"person_id": colleague.person_id, "role": "attorney"}
    )
    world.sleep(20 * DAY_S)
    assert await _unused(engagement) == {mine["id"]}
    assert await _unused(engagement, asker=colleague) == set()  # in the engagement, not on the matter
    scored = await colleague.get(f"/engagements/{engagement.id}/least-privilege")
    assert (scored["grants"], scored["percent"], scored["suggestions"]) == (0, None, [])
    body = {"items": [{"act": "revoke", "grant_id": mine["id"], "etag": mine["etag"]}]}
    await colleague.post(f"/engagements/{engagement.id}/least-privilege/shrink", body, 404)


async def test_the_score_is_the_example_of_its_page(engagement: Engagement) -> None:
    """docs/least-privilege.md works this out by hand."""
    seat, world = await engagement.member(), engagement.world
    idle, viewed, sent = [await _grant(engagement, seat) for _ in range(3)]
    view_only = await _grant(engagement, seat, ("view",))
    world.sleep(16 * DAY_S)
    await _view(seat, viewed)
    await _download(seat, sent)
    await _view(seat, view_only)
    scored = await _score(engagement)
    assert (scored["grants"], scored["grants_used"]) == (4, 3)
    assert (scored["pairs"], scored["pairs_used"], scored["percent"]) == (7, 4, 57)
    assert scored["ending"] == {"within_7_days": 0, "within_30_days": 0, "later": 4}
    assert {(each["act"], each["grant"]["id"]) for each in scored["suggestions"]} == {
        ("revoke", idle["id"]),
        ("narrow", viewed["id"]),
    }
    world.sleep(31 * DAY_S)
    later = await _score(engagement)
    assert (later["grants_used"], later["pairs_used"], later["percent"]) == (3, 0, 0)
    assert later["ending"] == {"within_7_days": 0, "within_30_days": 4, "later": 0}


# Shrinking ------------------------------------------------------------------------------------------------------------


async def test_accepted_suggestions_are_done_in_one_act_with_an_entry_each(engagement: Engagement) -> None:
    seat, world, lead = await engagement.member(), engagement.world, engagement.attorney
    idle, viewed = [await _grant(engagement, seat) for _ in range(2)]
    world.sleep(16 * DAY_S)
    await _view(seat, viewed)
    items = [
        {"act": each["act"], "grant_id": each["grant"]["id"], "etag": each["grant"]["etag"]}
        for each in (await _score(engagement))["suggestions"]
    ]
    before = len(_entries(world))
    done = await lead.post(f"/engagements/{engagement.id}/least-privilege/shrink", {"items": items}, 200)
    by_id = {one["id"]: one for one in done["items"]}
    assert by_id[viewed["id"]]["abilities"] == ["view"]
    assert by_id[viewed["id"]]["revoked_at"] is None
    assert by_id[idle["id"]]["revoked_at"] == rfc3339(world.now)
    new = _entries(world)[before:]
    assert {(entry["type"], entry["action"]) for entry in new} == {
        ("grant.narrowed", "grant:revoke"),
        ("grant.revoked", "grant:revoke"),
    }
    assert {entry["subjects"]["document"] for entry in new} == {idle["document_id"], viewed["document_id"]}
    assert (await seat.ask("GET", f"/documents/{idle['document_id']}")).status_code == 404
    assert (await seat.ask("GET", f"/documents/{viewed['document_id']}")).status_code == 200
    assert (await seat.ask("GET", f"/documents/{viewed['document_id']}/content")).status_code == 403
    assert (await lead.ask("GET", f"/grants/{viewed['id']}")).headers["etag"] == by_id[viewed["id"]]["etag"]
    assert await findings(world.services) == []  # the doctor follows what was narrowed
    assert (await _score(engagement))["suggestions"] == []


@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        (lambda item: {**item, "etag": item["etag"].replace("-1", "-2")}, 412),
        (lambda item: {**item, "grant_id": "grt_" + "0" * 32}, 404),
        (lambda item: {**item, "act": "widen"}, 422),
    ],
)
async def test_where_one_cannot_be_done_none_is(engagement: Engagement, spoil: Any, status: int) -> None:
    seat, lead = await engagement.member(), engagement.attorney
    made = [await _grant(engagement, seat) for _ in range(2)]
    items = [{"act": "revoke", "grant_id": each["id"], "etag": each["etag"]} for each in made]
    path = f"/engagements/{engagement.id}/least-privilege/shrink"
    await lead.post(path, {"items": [items[0], spoil(items[1])]}, status)
    for each in made:
        assert (await lead.get(f"/grants/{each['id']}"))["revoked_at"] is None


async def test_what_is_over_or_has_nothing_to_lose_is_said(engagement: Engagement) -> None:
    seat, lead = await engagement.member(), engagement.attorney
    narrow = await _grant(engagement, seat, ("view",))
    over = await _grant(engagement, seat)
    await lead.change("DELETE", f"/grants/{over['id']}")
    etag = (await lead.ask("GET", f"/grants/{over['id']}")).headers["etag"]
    path = f"/engagements/{engagement.id}/least-privilege/shrink"
    for item in (
        {"act": "narrow", "grant_id": narrow["id"], "etag": narrow["etag"]},
        {"act": "revoke", "grant_id": over["id"], "etag": etag},
    ):
        await lead.post(path, {"items": [item]}, 409)
    other = await engagement.world.engagement()
    item = {"act": "revoke", "grant_id": narrow["id"], "etag": narrow["etag"]}
    await other.attorney.post(f"/engagements/{other.id}/least-privilege/shrink", {"items": [item]}, 404)
    twice = [item, item]
    await lead.post(path, {"items": twice}, 412)


async def test_the_doctor_finds_a_grant_that_was_widened_again_behind_the_log(engagement: Engagement) -> None:
    seat, lead, world = await engagement.member(), engagement.attorney, engagement.world
    made = await _grant(engagement, seat)
    item = {"act": "narrow", "grant_id": made["id"], "etag": made["etag"]}
    await lead.post(f"/engagements/{engagement.id}/least-privilege/shrink", {"items": [item]}, 200)

    def widen(tx: Any, _moment: Any) -> Any:
        tx.run(update(grants).where(grants.c.id == made["id"]).values(abilities=5))
        return Outcome(None, ())

    await world.services.ledger.submit(world.firm_id, widen)
    assert [found.code for found in await findings(world.services)] == ["grant_changed"]


async def test_text_that_is_carried_is_more_than_was_used_until_it_is_narrowed_away(engagement: Engagement) -> None:
    seat, world = await engagement.member(), engagement.world
    grant = await _grant(engagement, seat, ("view", "text"))
    world.sleep(16 * DAY_S)
    await _view(seat, grant)
    scored = await _score(engagement)
    assert (scored["pairs"], scored["pairs_used"], scored["percent"]) == (2, 1, 50)
    [suggested] = scored["suggestions"]
    assert suggested["act"] == "narrow"
    body = {"items": [{"act": "narrow", "grant_id": grant["id"], "etag": suggested["grant"]["etag"]}]}
    await engagement.attorney.post(f"/engagements/{engagement.id}/least-privilege/shrink", body, 200)
    assert (await engagement.attorney.get(f"/grants/{grant['id']}"))["abilities"] == ["view"]
    assert (await _score(engagement))["percent"] == 100


def test_each_ability_has_a_use_of_its_own() -> None:
    used = usage.Used(view=1, download=2, revise=3)
    assert [used.of(each) for each in usage.COUNTED] == [1, 0, 2, 3]
    assert (used.last, usage.Used().last) == (3, 0)
    assert set(usage.COUNTED) == set(Ability)
