"""Overlays over HTTP: an engagement stricter than the policy, whichever way somebody comes to a document."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from audit.policy import epoch_under
from service import doctor
from service.db.models import engagements
from service.scoping import inforce
from tests.api.entries import another_firm, entries
from tests.doctor.tampering import row_of, tamper
from tests.world import DAY_S, Engagement, Person, World, findings, rfc3339

NO_DOWNLOAD = "*,document:download,*,*,never"
NO_LOOK = "paralegal,document:list,correspondence,confidential,never"


async def _set(engagement: Engagement, *rows: str, status: int = 200, who: Person | None = None) -> Any:
    path = f"/engagements/{engagement.id}/overlay"
    return await (who or engagement.attorney).change("PUT", path, {"rows": list(rows)}, status)


async def _paper(engagement: Engagement, seat: Person, **more: Any) -> str:
    paper = str((await engagement.document(**more))["document_id"])
    await engagement.grant(seat, paper)
    return paper


async def _listed(engagement: Engagement, seat: Person) -> list[str]:
    found = await seat.get(f"/engagements/{engagement.id}/documents")
    return [item["id"] for item in found["items"]]


async def test_an_overlay_is_set_read_and_taken_away(world: World, engagement: Engagement) -> None:
    path, lead = f"/engagements/{engagement.id}/overlay", engagement.attorney
    base = (await lead.get("/policy"))["epoch"]
    nothing = {"engagement_id": engagement.id, "rows": [], "readable": True, "epoch": base}
    assert await lead.get(path) == nothing
    made = await _set(engagement, "paralegal,document:download,medical_record,routine,stepped_up", NO_DOWNLOAD)
    rows = [NO_DOWNLOAD, "paralegal,document:download,medical_record,*,stepped_up"]
    assert made == {**nothing, "rows": rows, "epoch": epoch_under(base, rows)}
    assert await lead.get(path) == made
    assert await lead.change("DELETE", path) == nothing
    await _set(engagement, NO_DOWNLOAD)
    assert await _set(engagement) == nothing
    said = entries(world, "overlay.changed")
    assert [entry["data"]["rows"] for entry in said] == [rows, [], [NO_DOWNLOAD], []]
    assert {entry["subjects"]["engagement"] for entry in said} == {engagement.id}
    assert await findings(world.services) == []


async def test_what_was_shared_can_be_looked_at_and_no_more_carried_away(engagement: Engagement) -> None:
    seat = await engagement.member()
    paper = await _paper(engagement, seat)
    assert await seat.get(f"/documents/{paper}/content") == b"a paper"
    await _set(engagement, NO_DOWNLOAD)
    refused = await seat.get(f"/documents/{paper}/content", 403)
    assert refused["code"] == "forbidden"
    assert (await seat.get(f"/documents/{paper}"))["id"] == paper
    assert await engagement.attorney.get(f"/documents/{paper}/content") == b"a paper"
    await _set(engagement)
    assert await seat.get(f"/documents/{paper}/content") == b"a paper"


async def test_what_is_not_to_be_known_is_nowhere(engagement: Engagement) -> None:
    seat = await engagement.member()
    kept, taken = await _paper(engagement, seat, label="exhibit"), await _paper(engagement, seat)
    engagement.world.sleep(8 * DAY_S)
    assert await _listed(engagement, seat) == sorted([kept, taken])
    assert (await seat.get("/me"))["ending_soon"] == 2
    await _set(engagement, NO_LOOK)
    assert await _listed(engagement, seat) == [kept]
    for path in (f"/documents/{taken}", f"/documents/{taken}/content"):
        assert (await seat.get(path, 404))["code"] == "not_found"
    assert (await seat.get("/me"))["ending_soon"] == 1
    lead = engagement.attorney
    told = await lead.get(f"/people/{seat.person_id}/access", params={"engagement_id": engagement.id})
    assert [item["document_id"] for item in told["items"]] == [kept]
    (sees,) = [
        item
        for item in (await lead.get(f"/matters/{engagement.matter_id}/access"))["items"]
        if item["membership_id"] == seat.membership_id
    ]
    assert (sees["views"], sees["downloads"]) == (1, 1)
    (access,) = (await lead.get(f"/documents/{taken}/access", params={"person_id": seat.person_id}))["items"]
    assert (access["sees"], {reason["why_not"] for reason in access["reasons"]}) == (False, {"above_ceiling"})
    between = {"person_id": seat.person_id, "matter_id": engagement.matter_id}
    (loss,) = (await lead.post("/wall-previews", between, 200))["losses"]
    assert loss["lost"]["document:view"] == 1


async def test_nothing_above_it_is_shared_or_asked_for(engagement: Engagement) -> None:
    seat = await engagement.member()
    paper = (await engagement.document())["document_id"]
    await _set(engagement, NO_DOWNLOAD, "*,document:add,billing,*,never")
    body = {
        "membership_id": seat.membership_id,
        "abilities": ["download"],
        "not_after": rfc3339(engagement.world.now + 99),
        "purpose": "Read it.",
    }
    lead = engagement.attorney
    problem = await lead.post(f"/documents/{paper}/grants", body, 403)
    assert (problem["code"], problem["ability"]) == ("above_ceiling", "download")
    await lead.post(f"/documents/{paper}/grants", {**body, "abilities": ["view"]})
    assert (await engagement.task(seat, (paper,), preset="work", status=403))["code"] == "above_ceiling"
    await engagement.task(seat, (paper,), preset="read", labels=[])
    asked = {
        "membership_id": seat.membership_id,
        "part_id": engagement.part_id,
        "labels": ["billing"],
        "instructions": "The bills.",
        "not_after": rfc3339(engagement.world.now + 99),
    }
    assert (await lead.post(f"/engagements/{engagement.id}/asks", asked, 403))["code"] == "above_ceiling"
    wanted = {"document_id": paper, "abilities": ["download"], "not_after": body["not_after"], "reason": "For work."}
    assert (await seat.post("/access-requests", wanted, 403))["code"] == "above_ceiling"


async def test_a_request_that_was_made_before_is_not_answered_above_it(engagement: Engagement) -> None:
    seat, lead = await engagement.member(), engagement.attorney
    paper = (await engagement.document())["document_id"]
    await engagement.grant(seat, paper, ("view",))
    wanted = {
        "document_id": paper,
        "abilities": ["download"],
        "not_after": rfc3339(engagement.world.now + 20 * 86_400),
        "reason": "For work.",
    }
    request = await seat.post("/access-requests", wanted)
    await _set(engagement, NO_DOWNLOAD)
    answer = {"answer": "yes", "note": "Take it."}
    headers = {"if-match": request["etag"]}
    problem = await lead.post(f"/access-requests/{request['id']}/answer", answer, 403, headers=headers)
    assert problem["code"] == "above_ceiling"


async def test_a_preview_counts_what_it_would_take_and_changes_nothing(engagement: Engagement) -> None:
    seat, other = await engagement.member(), await engagement.member("legal_assistant")
    for label in ("exhibit", "correspondence"):
        await _paper(engagement, seat, label=label)
    await _paper(engagement, other)
    path, lead = f"/engagements/{engagement.id}/overlay-previews", engagement.attorney

    async def shifts(*rows: str) -> set[tuple[str, str, int, int]]:
        found = (await lead.post(path, {"rows": list(rows)}, 200))["shifts"]
        return {(each["membership_id"], each["action"], each["gained"], each["lost"]) for each in found}

    taken = await shifts(NO_DOWNLOAD)
    assert taken == {
        (seat.membership_id, "document:download", 0, 2),
        (other.membership_id, "document:download", 0, 1),
    }
    assert len(await _listed(engagement, seat)) == 2
    await _set(engagement, NO_DOWNLOAD)
    assert await shifts(NO_DOWNLOAD) == set()
    assert await shifts() == {(member, action, lost, gained) for member, action, gained, lost in taken}
    assert {each[1] for each in await shifts(NO_LOOK, NO_DOWNLOAD)} == {"document:list", "document:view"}
    assert (await lead.get(f"/engagements/{engagement.id}/overlay"))["rows"] == [NO_DOWNLOAD]


async def test_a_preview_counts_nothing_that_the_asker_may_not_know(world: World, engagement: Engagement) -> None:
    seat = await engagement.member()
    await _paper(engagement, seat)
    body = {"person_id": engagement.attorney.person_id, "matter_id": engagement.matter_id, "reason": "He knows them."}
    await world.owner.post("/walls", body)
    path = f"/engagements/{engagement.id}/overlay-previews"
    assert (await engagement.attorney.post(path, {"rows": [NO_DOWNLOAD]}, 200))["shifts"] == []


@pytest.mark.parametrize(
    "rows",
    [
        ["paralegal,document:view,*,*,allow"],
        ["attorney,document:view,*,*,never"],
        ["paralegal,document:view,*,*"],
        [NO_DOWNLOAD] * 25,
        [""],
        [7],
        "rows",
    ],
)
async def test_rows_that_are_not_of_the_form_are_refused(engagement: Engagement, rows: Any) -> None:
    body, lead = {"rows": rows}, engagement.attorney
    problem = await lead.change("PUT", f"/engagements/{engagement.id}/overlay", body, 422)
    assert problem["code"] in {"bad_input", "invalid"}
    await lead.post(f"/engagements/{engagement.id}/overlay-previews", body, 422)
    assert (await lead.get(f"/engagements/{engagement.id}/overlay"))["rows"] == []


async def test_it_is_changed_by_whoever_read_it_as_it_stands(engagement: Engagement) -> None:
    path, lead = f"/engagements/{engagement.id}/overlay", engagement.attorney
    read = (await lead.ask("GET", path)).headers["etag"]
    assert (await lead.ask("PUT", path, json={"rows": []})).status_code == 428
    await _set(engagement, NO_DOWNLOAD)
    stale = await lead.ask("PUT", path, json={"rows": []}, headers={"if-match": read})
    assert stale.status_code == 412
    assert (await lead.get(path))["rows"] == [NO_DOWNLOAD]


async def test_who_does_not_lead_it_neither_reads_nor_changes_nor_tries(world: World, engagement: Engagement) -> None:
    seat, other, abroad = await engagement.member(), await world.attorney("Other"), (await another_firm(world)).owner
    place = f"/engagements/{engagement.id}"
    for who in (seat, other, world.owner, abroad):
        headers = {"if-match": f'"{engagement.id}-1"'}
        asked = [
            await who.ask("GET", f"{place}/overlay"),
            await who.ask("PUT", f"{place}/overlay", json={"rows": []}, headers=headers),
            await who.ask("DELETE", f"{place}/overlay", headers=headers),
            await who.ask("POST", f"{place}/overlay-previews", json={"rows": [NO_DOWNLOAD]}),
        ]
        assert {answer.status_code for answer in asked} <= {403, 404}, [answer.text for answer in asked]
    assert (await engagement.attorney.get(f"{place}/overlay"))["rows"] == []


async def test_who_shares_papers_in_it_reads_what_it_leaves_and_does_not_change_it(engagement: Engagement) -> None:
    colleague, path = await engagement.world.attorney("Tara Team"), f"/engagements/{engagement.id}/overlay"
    team = f"/matters/{engagement.matter_id}/team/{colleague.person_id}"
    assert (await engagement.attorney.ask("PUT", team)).status_code == 204
    await _set(engagement, NO_DOWNLOAD)
    assert (await colleague.get(path))["rows"] == [NO_DOWNLOAD]
    await _set(engagement, status=404, who=colleague)
    await colleague.post(f"{path}-previews", {"rows": []}, 404)


async def test_nothing_is_proven_for_somebody_who_may_not_change_it(
    world: World, engagement: Engagement, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proof costs up to a second: whoever could ask for it without being allowed could keep the service busy."""

    def proven(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("service.overlays.proven", proven)
    seat = await engagement.member()
    headers = {"if-match": f'"{engagement.id}-1"'}
    place = f"/engagements/{engagement.id}"
    for method, path in (("PUT", f"{place}/overlay"), ("POST", f"{place}/overlay-previews")):
        answer = await seat.ask(method, path, json={"rows": [NO_DOWNLOAD]}, headers=headers)
        assert answer.status_code in {403, 404}
    await world.http.put(f"/api/v1{place}/overlay", json={"rows": [NO_DOWNLOAD]})


async def test_a_proof_for_another_policy_is_made_again(
    engagement: Engagement, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = engagement.world.services
    other = type(services.matrix.current).load(services.settings.policies)
    monkeypatch.setattr("service.overlays.proven", lambda _matrix, overlay: inforce.proven(other, overlay))
    assert (await _set(engagement, NO_DOWNLOAD, status=503))["code"] == "unavailable"
    assert (await engagement.attorney.get(f"/engagements/{engagement.id}/overlay"))["rows"] == []


async def test_the_log_says_under_which_rules_a_vendors_people_were_decided(
    world: World, engagement: Engagement
) -> None:
    seat = await engagement.member()
    paper = await _paper(engagement, seat)
    made = await _set(engagement, NO_DOWNLOAD)
    await seat.get(f"/documents/{paper}")
    await seat.get(f"/documents/{paper}/content", 403)
    await _listed(engagement, seat)
    await engagement.attorney.get(f"/documents/{paper}")
    cited = [(entry["actor"]["person"], entry["policy"]) for entry in entries(world)[-4:] if "person" in entry["actor"]]
    base = world.services.matrix.current.epoch
    assert cited == [(seat.person_id, made["epoch"])] * 3 + [(engagement.attorney.person_id, base)]


# Damage ---------------------------------------------------------------------------------------------------------------


async def test_a_row_that_was_loosened_is_found_and_blocks_the_engagement(world: World, engagement: Engagement) -> None:
    seat = await engagement.member()
    paper = await _paper(engagement, seat)
    await _set(engagement, NO_DOWNLOAD)
    tamper(world.services.database, "UPDATE engagements SET overlay = '' WHERE id = ?", engagement.id)
    assert await seat.get(f"/documents/{paper}/content") == b"a paper"
    (found,) = await findings(world.services)
    assert (found.code, found.ids, found.engagements) == ("engagement_changed", (engagement.id,), (engagement.id,))
    assert found.differs == (f"overlay: row , log {NO_DOWNLOAD}",)
    await doctor.block(world.services, [found])
    assert (await seat.get(f"/documents/{paper}", 404))["code"] == "not_found"


async def test_a_row_that_cannot_be_read_shuts_the_vendors_people_out(world: World, engagement: Engagement) -> None:
    seat = await engagement.member()
    paper = await _paper(engagement, seat)
    tamper(world.services.database, "UPDATE engagements SET overlay = ? WHERE id = ?", "no such word", engagement.id)
    for path in (f"/documents/{paper}", f"/documents/{paper}/content"):
        assert (await seat.ask("GET", path)).status_code in {403, 404}
    assert (await seat.ask("GET", f"/engagements/{engagement.id}")).status_code in {403, 404}
    assert (await seat.get("/me"))["ending_soon"] == 0
    shown = await engagement.attorney.get(f"/engagements/{engagement.id}/overlay")
    assert (shown["rows"], shown["readable"]) == (["no such word"], False)
    assert {each.code for each in await findings(world.services)} == {"engagement_changed", "overlay_unreadable"}
    assert (await world.http.get("/readyz")).status_code == 200  # one engagement is shut, and everybody else served
    await _set(engagement, NO_DOWNLOAD)
    assert (await seat.get(f"/documents/{paper}"))["id"] == paper


async def test_an_overlay_holds_no_names(world: World, engagement: Engagement) -> None:
    await _set(engagement, NO_DOWNLOAD)
    row = row_of(world.services.database, engagements)
    assert row["overlay"] == NO_DOWNLOAD
    (entry,) = entries(world, "overlay.changed")
    assert "payload" not in entry
    assert hashlib.sha256(row["overlay"].encode()).hexdigest() not in str(entry)  # the rows stand there themselves
