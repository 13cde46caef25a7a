"""What a person may always know about himself: also without duties, outside the agreed time, when suspended."""

from __future__ import annotations

import hashlib

from tests.api.entries import entries
from tests.world import DAY_S, NDA, YEARS_S, Engagement, Person, World, rfc3339

SHA256 = hashlib.sha256(NDA.encode()).hexdigest()


async def _newer(engagement: Engagement, *, at_once: bool) -> None:
    agreement = await engagement.agreement()
    path = f"/agreements/{agreement['id']}"
    body = {"text": NDA + "More.\n", "at_once": at_once}
    await engagement.attorney.change("POST", f"{path}/versions", body, match=path, status=201)


# Me -------------------------------------------------------------------------------------------------------------------


async def test_i_learn_who_i_am_here_and_until_when(engagement: Engagement) -> None:
    seat, world = await engagement.member(), engagement.world
    me = await seat.get("/me")
    assert me["person"]["id"] == seat.person_id
    assert me["person"]["name"].startswith("Vera")
    assert me["person"]["email"].endswith("@vendor.example")
    assert me["firm"] == {"id": world.firm_id, "name": "Hale & Partners"}
    membership = me["membership"]
    assert (membership["id"], membership["role"], membership["side"]) == (seat.membership_id, "paralegal", "vendor")
    assert membership["suspended"] is False
    assert membership["engagement"]["id"] == engagement.id
    assert membership["engagement"]["ends_at"] == rfc3339(world.now + 90 * DAY_S)
    assert "name" not in membership["engagement"]  # its speaking name is for the firm
    assert me["token"]["scopes"] == ["*"]
    assert me["token"]["expires_at"] == rfc3339(world.now + YEARS_S)
    assert (me["missing"], me["due"]) == ([], [])


async def test_people_of_the_firm_owe_nothing_and_belong_to_the_whole_house(world: World) -> None:
    for person, role in ((world.owner, "owner"), (await world.attorney(), "attorney")):
        me = await person.get("/me")
        assert (me["membership"]["role"], me["membership"]["engagement"]) == (role, None)
        assert me["membership"]["ends_at"] is None
        assert (me["missing"], me["due"]) == ([], [])


async def test_before_anything_is_published_the_missing_duty_is_the_firm_s_to_mend(engagement: Engagement) -> None:
    seat = await engagement.member(signed=False)
    assert (await seat.get("/me"))["missing"] == [
        {
            "duty": "nda",
            "lapses_at": None,
            "waived": False,
            "part_id": None,
            "mended_by": "firm",
            "words": "The firm publishes the text; then the member signs it.",
            "to_sign": None,
        }
    ]


async def test_what_is_missing_comes_with_what_mends_it(engagement: Engagement) -> None:
    agreement = await engagement.agreement()
    seat = await engagement.member(signed=False)
    (missing,) = (await seat.get("/me"))["missing"]
    assert missing == {
        "duty": "nda",
        "lapses_at": None,
        "waived": False,
        "part_id": None,
        "mended_by": "member",
        "words": "The member reads the non-disclosure agreement and signs it.",
        "to_sign": {
            "agreement_id": agreement["id"],
            "number": 1,
            "sha256": SHA256,
            "bites_at": "2027-01-15T08:00:00Z",
        },
    }
    body = {"sha256": missing["to_sign"]["sha256"], "typed_name": "Vera"}
    await seat.post(f"/agreements/{missing['to_sign']['agreement_id']}/signatures", body)
    assert (await seat.get("/me"))["missing"] == []


async def test_a_duty_that_is_about_to_lapse_is_told_before_it_does(engagement: Engagement) -> None:
    seat, world = await engagement.member(), engagement.world
    await _newer(engagement, at_once=False)
    (lapsing,) = (await seat.get("/me"))["missing"]
    assert lapsing["lapses_at"] == lapsing["to_sign"]["bites_at"] == "2027-01-21T00:00:00Z"
    assert lapsing["to_sign"]["number"] == 2
    await seat.get(f"/engagements/{engagement.id}")
    world.sleep(6 * DAY_S)
    (missing,) = (await seat.get("/me"))["missing"]
    assert missing == {**lapsing, "lapses_at": None}
    await seat.get(f"/engagements/{engagement.id}", 403)
    await engagement.sign(seat)
    assert (await seat.get("/me"))["missing"] == []


async def test_a_signature_elsewhere_does_not_count_here(engagement: Engagement, world: World) -> None:
    seat = await engagement.member()
    other = await world.engagement()
    assert (await seat.get("/me"))["missing"] == []
    await other.agreement()
    (missing,) = (await (await other.member(signed=False)).get("/me"))["missing"]
    assert missing["to_sign"] is not None


async def test_what_is_due_is_told_with_its_instructions(engagement: Engagement) -> None:
    seat, other = await engagement.member(), await engagement.member()
    made = (await engagement.ask(seat, ("intake_form", "identification")))["items"]
    due = (await seat.get("/me"))["due"]
    assert {ask["id"] for ask in due} == {ask["id"] for ask in made}
    assert {ask["instructions"] for ask in due} == {"The client's form, please."}
    assert (await other.get("/me"))["due"] == []
    await engagement.attorney.change("DELETE", f"/asks/{made[0]['id']}")
    assert [ask["id"] for ask in (await seat.get("/me"))["due"]] == [made[1]["id"]]
    engagement.world.sleep(14 * DAY_S)
    assert (await seat.get("/me"))["due"] == []


async def test_how_many_documents_soon_close_to_me_is_told_without_which(engagement: Engagement) -> None:
    seat, other, world = await engagement.member(), await engagement.member(), engagement.world
    papers = [(await engagement.document())["document_id"] for _ in range(3)]
    made = [
        await engagement.attorney.post(
            f"/documents/{paper}/grants",
            {
                "membership_id": seat.membership_id,
                "abilities": ["view"],
                "not_after": rfc3339(world.now + days * DAY_S),
                "purpose": "Read it.",
            },
        )
        for paper, days in zip(papers, (7, 8, 2), strict=True)
    ]
    me = await seat.get("/me")
    assert me["ending_soon"] == 2
    assert not any(paper in repr(me) for paper in papers)
    assert (await other.get("/me"))["ending_soon"] == (await engagement.attorney.get("/me"))["ending_soon"] == 0
    await engagement.attorney.change("DELETE", f"/grants/{made[2]['id']}")
    assert (await seat.get("/me"))["ending_soon"] == 1
    await _newer(engagement, at_once=True)
    assert (await seat.get("/me"))["ending_soon"] == 0  # not even how many, while a duty is missing
    await engagement.sign(seat)
    world.sleep(2 * DAY_S)
    assert (await seat.get("/me"))["ending_soon"] == 2
    await engagement.attorney.post(
        "/walls", {"person_id": seat.person_id, "matter_id": engagement.matter_id, "reason": "Conflict."}
    )
    assert (await seat.get("/me"))["ending_soon"] == 0


async def test_instructions_of_a_client_s_case_wait_for_the_duties(engagement: Engagement) -> None:
    seat = await engagement.member(signed=False)
    await engagement.ask(seat)
    me = await seat.get("/me")
    assert (len(me["missing"]), me["due"]) == (1, [])
    await engagement.sign(seat)
    assert len((await seat.get("/me"))["due"]) == 1
    await _newer(engagement, at_once=True)
    assert (await seat.get("/me"))["due"] == []


async def test_the_suspended_still_learn_that_they_are(engagement: Engagement) -> None:
    seat = await engagement.member()
    await engagement.ask(seat)
    path = f"/members/{seat.membership_id}"
    await engagement.attorney.change("POST", f"{path}/suspension", match=path)
    me = await seat.get("/me")
    assert (me["membership"]["suspended"], me["due"]) == (True, [])
    assert (await seat.get("/me/receipts", 403))["code"] == "suspended"


async def test_after_the_engagement_s_end_i_still_learn_when_it_ended(engagement: Engagement) -> None:
    seat, world = await engagement.member(), engagement.world
    await engagement.ask(seat)
    world.sleep(91 * DAY_S)
    me = await seat.get("/me")
    assert me["membership"]["engagement"]["ends_at"] == rfc3339(world.now - DAY_S)
    assert me["due"] == []


async def test_nothing_is_said_of_documents(engagement: Engagement) -> None:
    seat = await engagement.member()
    before = await seat.get("/me")
    document = await engagement.document()
    await engagement.grant(seat, document["document_id"])
    assert await seat.get("/me") == before


async def test_asking_about_oneself_is_recorded_without_a_name(engagement: Engagement) -> None:
    seat = await engagement.member()
    await seat.get("/me")
    entry = entries(engagement.world)[-1]
    assert (entry["type"], entry["action"], entry["actor"]["person"]) == ("access.allowed", "me:read", seat.person_id)
    assert "Vera" not in str(entry)


async def test_a_narrow_token_says_nothing_of_what_it_was_not_made_for(engagement: Engagement) -> None:
    seat = await engagement.member()
    await engagement.ask(seat)
    narrow = await engagement.world.sign_in(seat.person_id, seat.membership_id, "me")
    me = await narrow.get("/me")
    assert (me["token"]["scopes"], me["due"]) == (["me"], [])
    assert (await narrow.get("/me/receipts", 403))["code"] == "token_too_narrow"
    none = await engagement.world.sign_in(seat.person_id, seat.membership_id, "document")
    assert (await none.get("/me", 403))["code"] == "token_too_narrow"


async def test_without_a_credential_there_is_no_me(world: World) -> None:
    nobody = Person(world.http, "", "", "mun_" + "A" * 64)
    assert (await nobody.get("/me", 401))["code"] == "unauthenticated"
    assert (await nobody.get("/me/receipts", 401))["code"] == "unauthenticated"


# Receipts -------------------------------------------------------------------------------------------------------------


async def test_my_receipts_prove_what_i_added_and_when(engagement: Engagement) -> None:
    seat = await engagement.member()
    await engagement.ask(seat, ("correspondence",))
    added = await seat.upload(engagement.id, engagement.part_id, b"the client's letter", title="Letter to Maria")
    page = await seat.get("/me/receipts")
    (receipt,) = page["items"]
    assert receipt == {
        "revision_id": added["revision_id"],
        "document_id": added["document_id"],
        "sha256": hashlib.sha256(b"the client's letter").hexdigest(),
        "size_bytes": 19,
        "media_type": added["media_type"],
        "received_at": rfc3339(engagement.world.now),
        "log_index": added["log_index"],
    }
    entry = entries(engagement.world)[receipt["log_index"]]
    assert (entry["type"], entry["subjects"]["document"]) == ("document.added", added["document_id"])


async def test_a_receipt_stays_when_the_paper_itself_is_closed_to_its_adder(engagement: Engagement) -> None:
    seat = await engagement.member()
    await engagement.ask(seat, ("correspondence",))
    confirmed = await seat.upload(engagement.id, engagement.part_id, b"one")
    taken_back = await seat.upload(engagement.id, engagement.part_id, b"two")
    path = f"/documents/{confirmed['document_id']}"
    body = {"label": "other", "sensitivity": "attorney_only", "title": "What the attorney calls it"}
    await engagement.attorney.change("POST", f"{path}/confirmation", body, match=path)
    headers = {"if-match": taken_back["etag"]}
    assert (await seat.ask("DELETE", f"/documents/{taken_back['document_id']}", headers=headers)).status_code == 204
    await seat.get(path, 404)
    receipts = (await seat.get("/me/receipts"))["items"]
    assert {one["document_id"] for one in receipts} == {confirmed["document_id"], taken_back["document_id"]}
    assert "attorney" not in str(receipts)


async def test_receipts_are_for_their_adder_alone(engagement: Engagement) -> None:
    seat, other = await engagement.member(), await engagement.member()
    await engagement.ask(seat, ("correspondence",))
    await seat.upload(engagement.id, engagement.part_id, b"mine")
    assert (await other.get("/me/receipts"))["items"] == []
    assert (await engagement.attorney.get("/me/receipts"))["items"] == []
    assert (await engagement.world.owner.get("/me/receipts"))["items"] == []


async def test_receipts_come_in_pages_that_hold_everything_once(engagement: Engagement) -> None:
    attorney = engagement.attorney
    added = [(await engagement.document(str(n).encode()))["revision_id"] for n in range(3)]
    first = await attorney.get("/me/receipts", params={"limit": 2})
    rest = await attorney.get("/me/receipts", params={"limit": 2, "cursor": first["next_cursor"]})
    assert sorted(one["revision_id"] for one in first["items"] + rest["items"]) == sorted(added)
    assert (await attorney.get("/me/receipts", 422, params={"cursor": "!"}))["code"] == "bad_cursor"
    await attorney.get("/me/receipts", 422, params={"limit": 101})
