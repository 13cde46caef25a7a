"""A person suspended in all that he has in one firm; and that walls follow the person, not the seat."""

from __future__ import annotations

from typing import Any

from tests.api.entries import another_firm, entries
from tests.api.test_signin import sign_in
from tests.world import DAY_S, Engagement, Person, World, findings, rfc3339


async def _second_seat(first: Engagement, who: Person) -> tuple[Engagement, Person]:
    """The same person in another engagement of the firm with the same vendor."""
    world, lead, number = first.world, first.attorney, next(first.world.numbers)
    matter = await lead.post("/matters", {"number": f"2027-{number:04}", "client": "Joe Park"})
    body = {
        "vendor_id": first.vendor_id,
        "number": f"E-{number:04}",
        "name": "Park intake",
        "starts_at": rfc3339(world.now),
        "ends_at": rfc3339(world.now + 90 * DAY_S),
        "lead_id": lead.person_id,
    }
    made = await world.owner.post("/engagements", body)
    part = await lead.post(f"/engagements/{made['id']}/parts", {"matter_id": matter["id"], "caption": "Park"})
    second = Engagement(world, made["id"], first.vendor_id, matter["id"], part["id"], lead)
    member = await second.attorney.post(
        f"/engagements/{second.id}/members", {"person_id": who.person_id, "role": "paralegal"}
    )
    seat = await world.sign_in(who.person_id, member["id"])
    await second.sign(seat)
    return second, seat


async def _contain(by: Person, who: Person, status: int = 200) -> Any:
    return await by.post(f"/people/{who.person_id}/suspension", status=status)


async def _release(by: Person, who: Person, status: int = 200) -> Any:
    answer = await by.ask("DELETE", f"/people/{who.person_id}/suspension")
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_suspended_person_is_out_of_both_engagements_and_back_in_both(engagement: Engagement) -> None:
    first = await engagement.member()
    other, second = await _second_seat(engagement, first)
    mine, owner = {first.membership_id, second.membership_id}, engagement.world.owner
    assert set((await _contain(owner, first))["membership_ids"]) == mine
    for seat, place in ((first, engagement), (second, other)):
        refused = await seat.get(f"/engagements/{place.id}", status=403)
        assert refused["code"] == "suspended"
        assert (await seat.get("/me"))["membership"]["suspended"] is True
    await _contain(owner, first, 409)
    assert set((await _release(owner, first))["membership_ids"]) == mine
    for seat, place in ((first, engagement), (second, other)):
        await seat.get(f"/engagements/{place.id}")
    await _release(owner, first, 409)
    told = [(each["type"], each["data"]["contained"]) for each in entries(engagement.world) if "contained" in str(each)]
    assert told == [("member.suspended", True)] * 2 + [("member.resumed", False)] * 2
    assert [each.code for each in await findings(engagement.world.services)] == []


async def test_the_suspension_of_one_membership_leaves_the_other(engagement: Engagement) -> None:
    first = await engagement.member()
    other, second = await _second_seat(engagement, first)
    path = f"/members/{first.membership_id}"
    await engagement.attorney.change("POST", f"{path}/suspension", match=path)
    await first.get(f"/engagements/{engagement.id}", status=403)
    await second.get(f"/engagements/{other.id}")


async def test_what_was_suspended_before_stays_so_when_the_person_is_resumed(engagement: Engagement) -> None:
    first = await engagement.member()
    other, second = await _second_seat(engagement, first)
    path = f"/members/{first.membership_id}"
    await engagement.attorney.change("POST", f"{path}/suspension", match=path)
    await _contain(engagement.world.owner, first)
    await _release(engagement.world.owner, first)
    await first.get(f"/engagements/{engagement.id}", status=403)
    await second.get(f"/engagements/{other.id}")


async def test_nobody_lets_him_in_by_another_door(engagement: Engagement) -> None:
    first = await engagement.member()
    path, world = f"/members/{first.membership_id}", engagement.world
    await _contain(world.owner, first)
    await engagement.attorney.change("DELETE", f"{path}/suspension", status=409, match=path)
    for role in ("paralegal", "billing_clerk"):
        body = {"person_id": first.person_id, "role": role}
        await engagement.attorney.post(f"/engagements/{engagement.id}/members", body, 409)
    await engagement.attorney.change("DELETE", path)
    body = {"person_id": first.person_id, "role": "paralegal"}
    await engagement.attorney.post(f"/engagements/{engagement.id}/members", body, 409)  # ended is not released
    await _release(world.owner, first)
    await engagement.attorney.post(f"/engagements/{engagement.id}/members", body)
    assert [each.code for each in await findings(world.services)] == []


async def test_another_firm_where_he_works_hears_and_loses_nothing(world: World, engagement: Engagement) -> None:
    abroad = await (await another_firm(world)).engagement()
    first, foreign = await engagement.member(), await abroad.member()
    signed = await sign_in(first)
    seat = await signed.add(foreign)
    before = len(entries(abroad.world))
    await _contain(world.owner, first)
    assert len(entries(abroad.world)) == before
    assert await signed.states() == {signed.first: "suspended", seat: "running"}
    await foreign.get(f"/engagements/{abroad.id}")
    await (await signed.sit(seat)).get(f"/engagements/{abroad.id}")
    await _contain(abroad.world.owner, first, 404)


async def test_who_may(engagement: Engagement) -> None:
    world = engagement.world
    first = await engagement.member()
    nobody = Person(world.http, "per_" + "0" * 32, "", "")
    for by in (first, await engagement.member("vendor_manager"), engagement.attorney):
        refused = [await _contain(by, who, 403) for who in (first, nobody)]
        assert refused[0]["detail"] == refused[1]["detail"]
    await _contain(world.owner, nobody, 404)
    await _release(world.owner, nobody, 404)
    await _contain(world.owner, world.owner, 409)  # the last one
    await world.owner.get("/people")


async def test_a_wall_follows_the_person_over_his_seats(engagement: Engagement) -> None:
    first = await engagement.member()
    other, second = await _second_seat(engagement, first)
    part = await engagement.attorney.post(
        f"/engagements/{other.id}/parts", {"matter_id": engagement.matter_id, "caption": "Too"}
    )
    papers = []
    for place, seat, part_id in ((engagement, first, engagement.part_id), (other, second, part["id"])):
        made = await engagement.attorney.upload(place.id, part_id, b"paper", sensitivity="confidential")
        papers.append((seat, made["document_id"]))
        await engagement.grant(seat, made["document_id"])
    for seat, paper in papers:
        await seat.get(f"/documents/{paper}")
    body = {"person_id": first.person_id, "matter_id": engagement.matter_id, "reason": "Worked for them before."}
    await engagement.attorney.post("/walls", body)
    for seat, paper in papers:
        await seat.get(f"/documents/{paper}", status=404)


async def test_two_seats_in_one_firm_see_each_their_own(engagement: Engagement) -> None:
    first = await engagement.member()
    _, second = await _second_seat(engagement, first)
    paper = (await engagement.document())["document_id"]
    await engagement.grant(first, paper)
    signed = await sign_in(first)
    seat = await signed.add(second)
    await (await signed.sit(signed.first)).get(f"/documents/{paper}")
    await (await signed.sit(seat)).get(f"/documents/{paper}", status=404)
