from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import bindparam, select, update

from service.db.models import engagements, parts
from service.db.session import Tx
from service.errors import KeyMissingError
from service.ledger import Moment, Outcome
from tests.service.house import Asker, House, code_of


async def put_in(lead: Asker, engagement: Any, matter: Any) -> Any:
    return await lead.made(
        f"/engagements/{engagement['id']}/parts", {"matter_id": matter["id"], "caption": "Delgado v. Acme"}
    )


async def test_a_part_ends_with_its_engagements_key(house: House) -> None:
    lead = await house.of_house("attorney")
    engagement = await house.engagement(lead)
    part = await put_in(lead, engagement, await house.matter(lead))
    with house.services.database.read(house.firm_id) as tx:
        row = tx.one(select(parts).where(parts.c.id == bindparam("id")), id=part["id"])
        key_id = tx.value(select(engagements.c.key_id).where(engagements.c.id == bindparam("id")), id=engagement["id"])
    assert b"Delgado" not in row.caption
    house.services.keys.open(row.key_id)
    house.services.keys.destroy(key_id)
    with pytest.raises(KeyMissingError):
        house.services.keys.open(row.key_id)
    assert code_of(await lead.get(f"/engagements/{engagement['id']}/parts")) == (503, "key_missing")


async def test_names_whose_key_was_destroyed_at_the_end_are_shown_as_gone(house: House) -> None:
    lead = await house.of_house("attorney")
    engagement = await house.engagement(lead)
    await put_in(lead, engagement, await house.matter(lead))
    closing = update(engagements).where(engagements.c.id == bindparam("closed")).values(status="closing")

    def close(tx: Tx, _moment: Moment) -> Outcome[int]:
        return Outcome(tx.run(closing, closed=engagement["id"]))

    with house.services.database.read(house.firm_id) as tx:
        by_id = select(engagements.c.key_id).where(engagements.c.id == bindparam("id"))
        key_id = tx.value(by_id, id=engagement["id"])
    await house.services.ledger.submit(house.firm_id, close)
    house.services.keys.destroy(key_id)
    path = f"/engagements/{engagement['id']}"
    assert [part["caption"] for part in await lead.listed(f"{path}/parts")] == [None]
    assert (await lead.seen(path))["name"] is None
    assert [row["name"] for row in await lead.listed("/engagements")] == [None]
    assert code_of(await lead.matched("PATCH", path, path, {"ends_at": "2119-01-01T00:00:00Z"})) == (409, "bad_state")


async def test_a_part_is_recorded_in_its_engagements_chain(house: House) -> None:
    lead = await house.of_house("attorney")
    engagement, matter = await house.engagement(lead), await house.matter(lead)
    part = await put_in(lead, engagement, matter)
    entry = house.entries("part.added")[0]
    assert entry["subjects"] == {"engagement": engagement["id"], "matter": matter["id"], "part": part["id"]}
    assert entry["eseq"] == 1
    assert "Delgado" not in str(entry)


async def test_only_a_matter_one_is_named_on_is_put_in(house: House, other_house: House) -> None:
    lead, other = await house.of_house("attorney"), await house.of_house("attorney")
    engagement = await house.engagement(lead)
    path = f"/engagements/{engagement['id']}/parts"
    foreign = await other_house.matter(await other_house.of_house("attorney"))
    for matter_id in ((await house.matter(other))["id"], foreign["id"], "mtr_" + "0" * 32):
        answer = await lead.post(path, {"matter_id": matter_id, "caption": "C"})
        assert code_of(answer) == (404, "not_found")
    mine = await house.matter(lead)
    wall = {"person_id": lead.person_id, "matter_id": mine["id"], "reason": "Conflict."}
    await lead.made("/walls", wall)
    assert code_of(await lead.post(path, {"matter_id": mine["id"], "caption": "C"})) == (404, "not_found")


async def test_an_engagement_has_one_part_of_a_matter(house: House) -> None:
    lead = await house.of_house("attorney")
    engagement, matter = await house.engagement(lead), await house.matter(lead)
    await put_in(lead, engagement, matter)
    answer = await lead.post(f"/engagements/{engagement['id']}/parts", {"matter_id": matter["id"], "caption": "C"})
    assert code_of(answer) == (409, "exists")


async def test_parts_exist_for_those_named_on_the_matter_with_no_wall_between(house: House) -> None:
    lead = await house.of_house("attorney")
    engagement, first, second = await house.engagement(lead), await house.matter(lead), await house.matter(lead)
    part, hidden = await put_in(lead, engagement, first), await put_in(lead, engagement, second)
    path = f"/engagements/{engagement['id']}/parts"
    assert {row["id"] for row in await lead.listed(f"{path}?limit=1")} == {part["id"], hidden["id"]}
    seat = await house.member(engagement, "attorney")
    assert await seat.listed(path) == []
    await lead.ask("PUT", f"/matters/{first['id']}/team/{seat.person_id}")
    assert [row["caption"] for row in await seat.listed(path)] == ["Delgado v. Acme"]
    wall = {"person_id": seat.person_id, "matter_id": first["id"], "reason": "Conflict."}
    await lead.made("/walls", wall)
    assert await seat.listed(path) == []


async def test_owner_and_vendor_people_list_no_parts(house: House) -> None:
    lead = await house.of_house("attorney")
    engagement = await house.engagement(lead)
    worker = await house.member(engagement, "paralegal")
    await house.sign_nda(lead, engagement, worker)
    for who in (house.owner, worker):
        assert code_of(await who.get(f"/engagements/{engagement['id']}/parts")) == (403, "forbidden")


async def test_repeating_a_request_with_its_key_adds_one_part(house: House) -> None:
    lead = await house.of_house("attorney")
    engagement, matter = await house.engagement(lead), await house.matter(lead)
    path, body = f"/engagements/{engagement['id']}/parts", {"matter_id": matter["id"], "caption": "C"}
    answers = [await lead.post(path, body, Idempotency_Key="k") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    reused = await lead.post(path, {**body, "caption": "D"}, Idempotency_Key="k")
    assert code_of(reused) == (422, "idempotency_mismatch")
    for wrong in ({**body, "caption": ""}, {**body, "key": "x"}, {**body, "matter_id": "x"}, {}):
        assert code_of(await lead.post(path, wrong)) == (422, "bad_input")
