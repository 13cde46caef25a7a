"""One real request for every operation of the API, or several where a thing has several states.

A case is named by its operation id, with a word for the state behind it where there is more than one. Its request names
things that are really there; what it uses up is made anew by `Scene`. `make_answers.py` asks them all as everybody and
writes answers.csv, which is what `test_every_route.py` expects.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from service.brakes.marks import MARKS
from service.crypto.onetime import STEP_S
from tests.api.requests import Request
from tests.api.scene import ALWAYS, CANARIES, Scene
from tests.pockets import Pocket
from tests.uploads.purposes import write_purpose
from tests.world import DAY_S, NDA, rfc3339

NOBODYS = "billing_clerk,document:view,internal_note,*,never"
"""A row of an overlay that takes nothing from anybody."""
OTHER_POLICY = MappingProxyType({"duties.csv": (Path(__file__).parents[2] / "policies/duties.csv").read_text("utf-8")})
"""Files to be compared with those in force; they say the same."""
TUS = MappingProxyType({"Tus-Resumable": "1.0.0"})
Make = Callable[[Scene], Coroutine[Any, Any, Request]]


def _plain(**json: Any) -> Make:
    """Ask about nothing in particular."""

    async def make(_scene: Scene) -> Request:
        return Request(json=json or None)

    return make


def _of(parameter: str, thing: str, **query: str) -> Make:
    """Ask about a thing that stays as it is; a query names things too."""

    async def make(scene: Scene) -> Request:
        named = {name: scene.things.get(noun, noun) for name, noun in query.items()}
        return Request({parameter: scene.things[thing]} if parameter else {}, named)

    return make


async def _add_person(scene: Scene) -> Request:
    address = f"n{next(scene.world.numbers)}@{CANARIES['address']}"
    return Request(
        json={"email": address, "name": CANARIES["vendor person"], "vendor_id": scene.things["vendor"]},
    )


async def _create_matter(scene: Scene) -> Request:
    return Request(json={"number": f"2027-{next(scene.world.numbers):04}", "client": CANARIES["client"]})


async def _text_handed(scene: Scene) -> Request:
    document_id = await scene.paper()
    await scene.grant("granted", document_id, ["view", "text"])
    return Request({"document_id": document_id})


async def _someone_on_team(scene: Scene) -> Request:
    person_id = await scene.person()
    await scene.world.owner.post("/members", {"person_id": person_id, "role": "attorney"})
    named = await scene.lead.ask("PUT", f"/matters/{scene.main.matter_id}/team/{person_id}")
    assert named.status_code == 204, named.text
    return Request({"matter_id": scene.main.matter_id, "person_id": person_id})


async def _raise_wall(scene: Scene) -> Request:
    member = await scene.member()
    body = {"person_id": member.person_id, "matter_id": scene.main.matter_id, "reason": CANARIES["wall"]}
    return Request(json=body)


async def _preview_wall(scene: Scene) -> Request:
    return Request(json={"person_id": scene.things["person"], "matter_id": scene.main.matter_id})


async def _of_person(scene: Scene) -> Request:
    return Request({"person_id": scene.seats["granted"].person_id}, {"engagement_id": scene.main.id})


async def _lift_wall(scene: Scene) -> Request:
    wall = await scene.wall((await scene.member()).person_id)
    return Request({"wall_id": wall}, headers=await scene.tag(f"/walls/{wall}"))


async def _declare_emergency(scene: Scene) -> Request:
    number = f"2027-{next(scene.world.numbers):04}"  # a matter without papers: what is opened stays open
    await scene.lead.post("/matters", {"number": number, "client": CANARIES["client"]})
    return Request(json=scene.declaring(number))


async def _end_emergency(scene: Scene) -> Request:
    emergency = await scene.emergency()
    return Request({"emergency_id": emergency}, headers=await scene.tag(f"/emergencies/{emergency}"))


async def _review_emergency(scene: Scene) -> Request:
    emergency = await scene.emergency(ended=True)
    return Request(
        {"emergency_id": emergency},
        json={"verdict": "justified", "note": CANARIES["review"]},
        headers=await scene.tag(f"/emergencies/{emergency}"),
    )


async def _place_hold(scene: Scene) -> Request:
    return Request(json={"matter_id": scene.main.matter_id, "reason": CANARIES["hold"]})


async def _lift_hold(scene: Scene) -> Request:
    hold = await scene.hold(scene.main.matter_id)
    return Request({"hold_id": hold}, headers=await scene.tag(f"/holds/{hold}"))


async def _create_engagement(scene: Scene) -> Request:
    now = scene.world.now
    body = {
        "vendor_id": scene.things["vendor"],
        "number": f"E-{next(scene.world.numbers):04}",
        "name": CANARIES["engagement name"],
        "starts_at": rfc3339(now),
        "ends_at": rfc3339(now + DAY_S),
        "lead_id": scene.lead.person_id,
    }
    return Request(json=body)


async def _change_engagement(scene: Scene) -> Request:
    path = {"engagement_id": scene.main.id}
    return Request(path, headers=await scene.tag(f"/engagements/{scene.main.id}"), json={"name": "Redstart again"})


async def _change_overlay(scene: Scene) -> Request:
    tag = await scene.tag(f"/engagements/{scene.main.id}")
    return Request({"engagement_id": scene.main.id}, headers=tag, json={"rows": [NOBODYS]})


async def _remove_overlay(scene: Scene) -> Request:
    return Request({"engagement_id": scene.main.id}, headers=await scene.tag(f"/engagements/{scene.main.id}"))


async def _preview_overlay(scene: Scene) -> Request:
    return Request({"engagement_id": scene.main.id}, json={"rows": [NOBODYS]})


async def _set_brakes(scene: Scene) -> Request:
    path = {"engagement_id": scene.main.id}
    return Request(path, headers=await scene.tag(f"/engagements/{scene.main.id}"), json=dict(MARKS))


async def _add_part(scene: Scene) -> Request:
    matter_id = str((await scene.lead.post("/matters", (await _create_matter(scene)).json))["id"])
    body = {"matter_id": matter_id, "caption": CANARIES["caption"]}
    return Request({"engagement_id": scene.main.id}, json=body)


async def _add_member(scene: Scene) -> Request:
    body = {"person_id": await scene.person(scene.main.vendor_id), "role": "paralegal"}
    return Request({"engagement_id": scene.main.id}, json=body)


async def _add_house_member(scene: Scene) -> Request:
    return Request(json={"person_id": await scene.person(), "role": "coordinator"})


async def _member(scene: Scene) -> Request:
    member = (await scene.member()).membership_id
    return Request({"member_id": member}, headers=await scene.tag(f"/members/{member}"))


async def _suspended_member(scene: Scene) -> Request:
    member = (await scene.member()).membership_id
    await scene.lead.change("POST", f"/members/{member}/suspension", match=f"/members/{member}")
    return Request({"member_id": member}, headers=await scene.tag(f"/members/{member}"))


async def _create_agreement(scene: Scene) -> Request:
    return Request({"engagement_id": (await scene.aside()).id}, json={"kind": "nda", "text": NDA})


async def _publish_agreement(scene: Scene) -> Request:
    agreement = await (await scene.aside()).agreement()
    tag = await scene.tag(f"/agreements/{agreement['id']}")
    return Request({"agreement_id": agreement["id"]}, headers=tag, json={"text": "More.\n"})


async def _sign_agreement(scene: Scene) -> Request:
    agreement = await scene.main.agreement()
    body = {"sha256": agreement["sha256"], "typed_name": CANARIES["typed name"]}
    return Request({"agreement_id": agreement["id"]}, json=body)


async def _read_version(scene: Scene) -> Request:
    return Request({"agreement_id": scene.things["agreement"], "number": "1"})


async def _create_asks(scene: Scene) -> Request:
    member = await scene.member()
    return Request({"engagement_id": scene.main.id}, json=scene.asking(member.membership_id, "intake_form"))


async def _end_ask(scene: Scene) -> Request:
    body = scene.asking((await scene.member()).membership_id, "intake_form")
    made = (await scene.lead.post(f"/engagements/{scene.main.id}/asks", body))["items"][0]
    return Request({"ask_id": made["id"]}, headers={"If-Match": made["etag"]})


async def _create_task(scene: Scene) -> Request:
    member = await scene.member()
    return Request({"engagement_id": scene.main.id}, json=scene.tasking(member.membership_id))


async def _read_returned_task(scene: Scene) -> Request:
    return Request({"task_id": (await scene.task("granted", returned=True))["id"]})


async def _submit_task(scene: Scene) -> Request:
    task = await scene.task("granted")
    body = {"documents": [{"document_id": await scene.own_paper()}]}
    return Request({"task_id": task["id"]}, headers={"If-Match": task["etag"]}, json=body)


async def _return_task(scene: Scene) -> Request:
    task = await scene.task("granted", submitted=True)
    return Request({"task_id": task["id"]}, headers={"If-Match": task["etag"]}, json={"note": CANARIES["note"]})


async def _accept_task(scene: Scene) -> Request:
    task = await scene.task("granted", submitted=True)
    (out,) = [paper for paper in task["documents"] if paper["direction"] == "out"]
    named = {"document_id": out["document_id"], "revision_id": out["revision_id"]}
    return Request({"task_id": task["id"]}, headers={"If-Match": task["etag"]}, json={"documents": [named]})


async def _cancel_task(scene: Scene) -> Request:
    task = await scene.task("granted")
    return Request({"task_id": task["id"]}, headers={"If-Match": task["etag"]})


async def _seal_standby(scene: Scene) -> Request:
    body = {
        "membership_id": scene.seats["granted"].membership_id,
        "part_id": scene.main.part_id,
        "documents": [scene.things["document"]],
        "abilities": ["view"],
        "lasts_s": 3600,
        "valid_until": rfc3339(scene.world.now + DAY_S),
        "note": CANARIES["standby"],
    }
    return Request({"engagement_id": scene.main.id}, json=body)


async def _end_standby(scene: Scene) -> Request:
    made = await scene.standby()
    return Request({"standby_id": made["id"]}, headers={"If-Match": made["etag"]})


async def _open_standby(scene: Scene) -> Request:
    return replace(await _end_standby(scene), json={"reason": CANARIES["opening"]})


async def _close_standby(scene: Scene) -> Request:
    made = await scene.standby_opened()
    return Request({"standby_id": made}, headers=await scene.tag(f"/standbys/{made}"))


async def _record_duty(scene: Scene) -> Request:
    body = {"duty": "training", "person_id": (await scene.member()).person_id, "note": CANARIES["evidence"]}
    return Request({"engagement_id": scene.main.id}, json=body)


async def _record_duty_of_matter(scene: Scene) -> Request:
    body = {"duty": "client_consent", "matter_id": scene.main.matter_id, "note": CANARIES["evidence"]}
    return Request({"engagement_id": scene.main.id}, json=body)


async def _waive_duty(scene: Scene) -> Request:
    body = {"duty": "training", "person_id": (await scene.member()).person_id, "reason": CANARIES["evidence"]}
    return Request({"engagement_id": scene.main.id}, json=body)


async def _end_duty(scene: Scene) -> Request:
    made = await scene.main.evidence("insurance", note=CANARIES["evidence"])
    return Request({"duty_id": made["id"]}, headers={"If-Match": made["etag"]})


async def _change_matter(scene: Scene) -> Request:
    matter = scene.main.matter_id
    return Request({"matter_id": matter}, headers=await scene.tag(f"/matters/{matter}"), json={"owed": []})


async def _create_schedule(scene: Scene) -> Request:
    body = {**ALWAYS, "membership_id": (await scene.member()).membership_id}
    return Request({"engagement_id": scene.main.id}, json=body)


async def _end_schedule(scene: Scene) -> Request:
    made = await scene.schedule((await scene.member()).membership_id)
    return Request({"schedule_id": made["id"]}, headers={"If-Match": made["etag"]})


async def _create_access_request(scene: Scene) -> Request:
    paper = await scene.paper()
    await scene.grant("granted", paper)
    await scene.grant("viewer", paper, ["view"])
    return Request(json=scene.requesting(paper))


async def _extend(scene: Scene) -> Request:
    made = await scene.grant("granted", await scene.paper())
    return Request(json={"kind": "extension", "grant_id": made["id"], "reason": CANARIES["reason"]})


async def _withdraw_access_request(scene: Scene) -> Request:
    request_id = await scene.requested()
    return Request({"request_id": request_id}, headers=await scene.tag(f"/access-requests/{request_id}"))


async def _answer_access_request(scene: Scene) -> Request:
    return replace(await _withdraw_access_request(scene), json={"answer": "yes", "note": CANARIES["answer"]})


async def _refuse_access_request(scene: Scene) -> Request:
    return replace(await _withdraw_access_request(scene), json={"answer": "no", "note": CANARIES["answer"]})


async def _create_on_call(scene: Scene) -> Request:
    return Request({"engagement_id": scene.main.id}, json=scene.calling(await scene.caller()))


async def _end_on_call(scene: Scene) -> Request:
    made = await scene.on_call()
    return Request({"on_call_id": made["id"]}, headers={"If-Match": made["etag"]})


def _add_document(**query: str) -> Make:
    async def make(scene: Scene) -> Request:
        title = f"UTF-8''{CANARIES['title']}"
        return Request(
            {"engagement_id": scene.main.id},
            {"part_id": scene.main.part_id, **query},
            {"Muniment-Title": title, "Content-Type": "text/plain"},
            content=CANARIES["content"].encode(),
        )

    return make


async def _create_upload(scene: Scene) -> Request:
    said = {"engagement_id": scene.main.id, "part_id": scene.main.part_id, "label": "correspondence"}
    headers = {"Upload-Length": "9", "Upload-Metadata": write_purpose({**said, "title": CANARIES["title"]})}
    return Request(headers={**TUS, **headers})


async def _upload(scene: Scene) -> Request:
    begun = await _create_upload(scene)
    made = await scene.lead.ask("POST", "/uploads", headers=dict(begun.headers))
    assert made.status_code == 201, made.text
    return Request({"upload_id": made.headers["location"].rpartition("/")[2]}, headers=TUS)


async def _append_upload(scene: Scene) -> Request:
    begun = await _upload(scene)
    headers = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    return replace(begun, headers=headers, content=CANARIES["content"][:9].encode())


async def _confirm_document(scene: Scene) -> Request:
    paper = await scene.own_paper()
    body = {"label": "intake_form", "sensitivity": "confidential", "title": CANARIES["title"]}
    return Request({"document_id": paper}, headers=await scene.tag(f"/documents/{paper}"), json=body)


async def _correct_document(scene: Scene) -> Request:
    paper = await scene.paper()
    body = {"label": "billing", "title": CANARIES["title"]}
    return Request({"document_id": paper}, headers=await scene.tag(f"/documents/{paper}"), json=body)


async def _say_misdirected(scene: Scene) -> Request:
    paper = await scene.paper()
    await scene.grant("granted", paper)
    return Request({"document_id": paper}, json={"note": CANARIES["misdirection"]})


async def _acknowledge_misdirection(scene: Scene) -> Request:
    said = await scene.misdirection()
    body = {"answer": CANARIES["acknowledgment"], "meant_for_him": False}
    return Request({"misdirection_id": said}, headers=await scene.tag(f"/misdirections/{said}"), json=body)


async def _create_disclosures(scene: Scene) -> Request:
    reviewer, paper = scene.seats["reviewer"], await scene.paper()
    body = scene.disclosing(reviewer.membership_id, paper, CANARIES["disclosure"])
    return Request({"engagement_id": scene.things["engagement"]}, json=body)


async def _end_disclosure(scene: Scene) -> Request:
    made = await scene.disclosure()
    return Request({"disclosure_id": made}, headers=await scene.tag(f"/disclosures/{made}"))


async def _replacing(scene: Scene, paper: str) -> Request:
    tag = await scene.tag(f"/documents/{paper}")
    content = CANARIES["content"].encode() * 2
    return Request({"document_id": paper}, headers={**tag, "Content-Type": "text/plain"}, content=content)


async def _replace_own(scene: Scene) -> Request:
    return await _replacing(scene, await scene.own_paper())


async def _replace(scene: Scene) -> Request:
    paper = await scene.paper()
    await scene.grant("granted", paper)
    await scene.grant("viewer", paper, ["view"])
    return await _replacing(scene, paper)


async def _take_back_own(scene: Scene) -> Request:
    paper = await scene.own_paper()
    return Request({"document_id": paper}, headers=await scene.tag(f"/documents/{paper}"))


async def _take_back(scene: Scene) -> Request:
    paper = await scene.paper()
    await scene.grant("granted", paper)
    await scene.grant("viewer", paper, ["view"])
    return Request({"document_id": paper}, headers=await scene.tag(f"/documents/{paper}"))


async def _move_document(scene: Scene) -> Request:
    paper = await scene.paper()
    await scene.grant("granted", paper)
    await scene.grant("viewer", paper, ["view"])
    body = {"part_id": scene.things["side_part"]}
    return Request({"document_id": paper}, headers=await scene.tag(f"/documents/{paper}"), json=body)


async def _create_grant(scene: Scene) -> Request:
    body = {
        "membership_id": (await scene.member()).membership_id,
        "abilities": ["view"],
        "not_after": rfc3339(scene.world.now + DAY_S),
        "purpose": CANARIES["purpose"],
    }
    return Request({"document_id": scene.things["document"]}, json=body)


async def _revoke_grant(scene: Scene) -> Request:
    made = await scene.grant("granted", await scene.paper())
    return Request({"grant_id": made["id"]}, headers={"If-Match": made["etag"]})


async def _shrink_grants(scene: Scene) -> Request:
    made = await scene.grant("granted", await scene.paper())
    item = {"act": "revoke", "grant_id": made["id"], "etag": made["etag"]}
    return Request({"engagement_id": scene.main.id}, json={"items": [item]})


async def _share_many(scene: Scene) -> Request:
    member = await scene.member()
    return Request({"engagement_id": scene.main.id}, json={**scene.sharing(member.membership_id), "dry_run": True})


async def _share_many_in_earnest(scene: Scene) -> Request:
    body = scene.sharing((await scene.member()).membership_id)
    path = f"/engagements/{scene.main.id}/grants"
    shown = await scene.lead.post(path, {**body, "dry_run": True}, 200)
    return Request({"engagement_id": scene.main.id}, json={**body, "digest": shown["digest"]})


async def _revoke_many(scene: Scene) -> Request:
    member = await scene.member()
    return Request({"engagement_id": scene.main.id}, json={"person_id": member.person_id, "dry_run": True})


async def _undo_grant(scene: Scene) -> Request:
    return Request({"grant_id": (await scene.grant("granted", await scene.paper()))["id"]})


async def _undo_bulk_grant(scene: Scene) -> Request:
    return Request({"bulk_id": await scene.bulk()})


async def _create_standing_share(scene: Scene) -> Request:
    return Request({"engagement_id": scene.main.id}, json=scene.standing((await scene.member()).membership_id))


async def _end_standing_share(scene: Scene) -> Request:
    made = await scene.standing_share()
    return Request({"share_id": made["id"]}, headers={"If-Match": made["etag"]})


async def _prove_entry(_scene: Scene) -> Request:
    return Request({"index": "3"})


async def _export_part(scene: Scene) -> Request:
    return Request(json={"engagement_id": scene.main.id})


async def _request_disposal(scene: Scene) -> Request:
    return Request({"engagement_id": (await scene.aside()).id})


async def _requested(scene: Scene) -> Request:
    return Request({"disposal_id": (await scene.ending())["id"]})


async def _approve_disposal(scene: Scene) -> Request:
    made = await scene.ending()
    return Request({"disposal_id": made["id"]}, json={"manifest_sha256": made["manifest_sha256"]})


async def _confirm_return(scene: Scene) -> Request:
    made = await scene.ending("approved")
    return Request({"disposal_id": made["id"]}, json={"waiver": CANARIES["waiver"]})


async def _run_disposal(scene: Scene) -> Request:
    return Request({"disposal_id": (await scene.ending("returned"))["id"]})


async def _confirm_authenticator(scene: Scene) -> Request:
    """The first code of an authenticator of the reviewer's: of nobody else's."""
    who, world, pockets = scene.seats["reviewer"], scene.world, scene.world.pockets
    if (await who.get("/me"))["token"]["stepped_up_until"] is None:  # the last one was confirmed
        pockets.known[who.person_id] = pockets.waiting[who.person_id]
        pockets.until.pop(who.token, None)
    await world.step_up(who)
    made = await who.post("/me/authenticator")
    pocket = pockets.waiting[who.person_id] = Pocket(made["secret"], world.now // STEP_S - 1)
    return Request(json={"code": pocket.code(world.now)})


async def _step_up(scene: Scene) -> Request:
    """The next code of the lead's."""
    pocket = scene.world.pockets.known[scene.lead.person_id]
    if pocket.step > scene.world.now // STEP_S:
        scene.world.sleep(STEP_S)
    return Request(json={"code": pocket.code(scene.world.now)})


async def _reset_authenticator(scene: Scene) -> Request:
    member = await scene.member()
    await scene.world.step_up(member)
    return Request({"person_id": member.person_id})


async def _add_seat(scene: Scene) -> Request:
    return Request(json={"signin": (await scene.lead.post("/signin", {"days": 1}))["signin"]})


async def _suspend_person(scene: Scene) -> Request:
    return Request({"person_id": (await scene.member()).person_id})


async def _resume_person(scene: Scene) -> Request:
    request = await _suspend_person(scene)
    await scene.world.owner.post(f"/people/{request.path['person_id']}/suspension", status=200)
    return request


async def _revoke_token(scene: Scene) -> Request:
    return Request({"token_id": await scene.token("granted")})


CASES: Mapping[str, Make] = MappingProxyType(
    {
        "read_firm": _plain(),
        "read_policy": _plain(),
        "preview_policy": _plain(files=dict(OTHER_POLICY)),
        "read_me": _plain(),
        "list_receipts": _plain(),
        "enrol_authenticator": _plain(),
        "confirm_authenticator": _confirm_authenticator,
        "step_up": _step_up,
        "reset_authenticator": _reset_authenticator,
        "add_person": _add_person,
        "list_people": _plain(),
        "read_person": _of("person_id", "person"),
        "explain_person": _of_person,
        "suspend_person": _suspend_person,
        "resume_person": _resume_person,
        "add_vendor": _plain(name=CANARIES["vendor"]),
        "list_vendors": _plain(),
        "read_vendor": _of("vendor_id", "vendor"),
        "create_matter": _create_matter,
        "list_matters": _plain(),
        "read_matter": _of("matter_id", "matter"),
        "explain_matter": _of("matter_id", "matter"),
        "change_matter": _change_matter,
        "name_on_team": _someone_on_team,
        "take_off_team": _someone_on_team,
        "raise_wall": _raise_wall,
        "preview_wall": _preview_wall,
        "list_walls": _plain(),
        "list_walls of_matter": _of("", "", matter_id="matter"),
        "read_wall": _of("wall_id", "wall"),
        "lift_wall": _lift_wall,
        "declare_emergency": _declare_emergency,
        "list_emergencies": _plain(),
        "list_emergencies of_matter": _of("", "", matter_id="matter"),
        "read_emergency": _of("emergency_id", "emergency"),
        "end_emergency": _end_emergency,
        "review_emergency": _review_emergency,
        "place_hold": _place_hold,
        "list_holds": _plain(),
        "list_holds of_matter": _of("", "", matter_id="matter"),
        "read_hold": _of("hold_id", "hold"),
        "lift_hold": _lift_hold,
        "create_engagement": _create_engagement,
        "list_engagements": _plain(),
        "read_engagement": _of("engagement_id", "engagement"),
        "read_engagement disposed": _of("engagement_id", "disposed_engagement"),
        "change_engagement": _change_engagement,
        "read_overlay": _of("engagement_id", "engagement"),
        "change_overlay": _change_overlay,
        "remove_overlay": _remove_overlay,
        "preview_overlay": _preview_overlay,
        "read_brakes": _of("engagement_id", "engagement"),
        "set_brakes": _set_brakes,
        "add_part": _add_part,
        "list_parts": _of("engagement_id", "engagement"),
        "add_member": _add_member,
        "list_members": _of("engagement_id", "engagement"),
        "add_house_member": _add_house_member,
        "list_house_members": _plain(),
        "read_member": _of("member_id", "member"),
        "read_member of_the_firm": _of("member_id", "firm_member"),
        "suspend_member": _member,
        "resume_member": _suspended_member,
        "end_member": _member,
        "create_agreement": _create_agreement,
        "list_agreements": _of("engagement_id", "engagement"),
        "read_agreement": _of("agreement_id", "agreement"),
        "read_agreement_version": _read_version,
        "publish_agreement": _publish_agreement,
        "create_asks": _create_asks,
        "list_asks": _of("engagement_id", "engagement"),
        "read_ask": _of("ask_id", "ask"),
        "end_ask": _end_ask,
        "create_task": _create_task,
        "list_tasks": _of("engagement_id", "engagement"),
        "read_task": _of("task_id", "task"),
        "read_task returned": _read_returned_task,
        "read_figures": _of("engagement_id", "engagement"),
        "submit_task": _submit_task,
        "return_task": _return_task,
        "accept_task": _accept_task,
        "cancel_task": _cancel_task,
        "seal_standby": _seal_standby,
        "list_standbys": _of("engagement_id", "engagement"),
        "read_standby": _of("standby_id", "standby"),
        "read_standby opened": _of("standby_id", "standby_opened"),
        "open_standby": _open_standby,
        "close_standby": _close_standby,
        "end_standby": _end_standby,
        "record_duty": _record_duty,
        "record_duty of_matter": _record_duty_of_matter,
        "waive_duty": _waive_duty,
        "list_duties": _of("engagement_id", "engagement"),
        "read_duty": _of("duty_id", "duty"),
        "read_duty of_matter": _of("duty_id", "matter_duty"),
        "end_duty": _end_duty,
        "create_schedule": _create_schedule,
        "list_schedules": _of("engagement_id", "engagement"),
        "read_schedule": _of("schedule_id", "schedule"),
        "end_schedule": _end_schedule,
        "add_document": _add_document(label="correspondence", sensitivity="confidential"),
        "add_document asked": _add_document(label="intake_form"),
        "list_documents": _of("engagement_id", "engagement"),
        "list_documents of_part": _of("engagement_id", "engagement", part_id="part"),
        "read_document": _of("document_id", "document"),
        "read_document own": _of("document_id", "own"),
        "read_document attorney_only": _of("document_id", "attorney_only"),
        "read_document disposed": _of("document_id", "disposed"),
        "read_content": _of("document_id", "document"),
        "read_content own": _of("document_id", "own"),
        "read_content attorney_only": _of("document_id", "attorney_only"),
        "read_content disposed": _of("document_id", "disposed"),
        "read_text": _of("document_id", "document"),
        "read_text own": _of("document_id", "own"),
        "read_text attorney_only": _of("document_id", "attorney_only"),
        "read_text disposed": _of("document_id", "disposed"),
        "read_text handed": _text_handed,
        "describe_content": _of("document_id", "document"),
        "describe_content own": _of("document_id", "own"),
        "describe_content attorney_only": _of("document_id", "attorney_only"),
        "describe_content disposed": _of("document_id", "disposed"),
        "create_upload": _create_upload,
        "describe_upload": _upload,
        "append_upload": _append_upload,
        "end_upload": _upload,
        "replace_content": _replace,
        "replace_content own": _replace_own,
        "confirm_document": _confirm_document,
        "correct_document": _correct_document,
        "say_misdirected": _say_misdirected,
        "list_misdirections": _of("engagement_id", "engagement"),
        "list_register": _of("engagement_id", "engagement"),
        "list_register disposed": _of("engagement_id", "disposed_engagement"),
        "create_disclosures": _create_disclosures,
        "list_disclosures": _of("engagement_id", "engagement"),
        "read_disclosure": _of("disclosure_id", "disclosure"),
        "end_disclosure": _end_disclosure,
        "read_misdirection": _of("misdirection_id", "misdirection"),
        "acknowledge_misdirection": _acknowledge_misdirection,
        "take_back_document": _take_back,
        "take_back_document own": _take_back_own,
        "move_document": _move_document,
        "read_document moved": _of("document_id", "moved"),
        "read_content moved": _of("document_id", "moved"),
        "read_lineage": _of("document_id", "document"),
        "read_lineage moved": _of("document_id", "moved"),
        "explain_access": _of("document_id", "document"),
        "explain_access person": _of("document_id", "document", person_id="person"),
        "create_grant": _create_grant,
        "list_grants": _of("document_id", "document"),
        "read_grant": _of("grant_id", "grant"),
        "revoke_grant": _revoke_grant,
        "share_many": _share_many,
        "share_many in_earnest": _share_many_in_earnest,
        "revoke_many": _revoke_many,
        "undo_grant": _undo_grant,
        "undo_bulk_grant": _undo_bulk_grant,
        "create_standing_share": _create_standing_share,
        "list_standing_shares": _of("engagement_id", "engagement"),
        "read_standing_share": _of("share_id", "standing_share"),
        "end_standing_share": _end_standing_share,
        "list_withheld": _of("engagement_id", "engagement"),
        "create_access_request": _create_access_request,
        "create_access_request extension": _extend,
        "list_access_requests": _of("engagement_id", "engagement"),
        "read_access_request": _of("request_id", "request"),
        "answer_access_request": _answer_access_request,
        "answer_access_request no": _refuse_access_request,
        "withdraw_access_request": _withdraw_access_request,
        "create_on_call": _create_on_call,
        "list_on_calls": _of("engagement_id", "engagement"),
        "end_on_call": _end_on_call,
        "list_entries": _plain(),
        "list_entries of_engagement": _of("", "", engagement_id="engagement"),
        "read_checkpoint": _plain(),
        "prove_entry": _prove_entry,
        "export_log": _plain(engagement_id=None),
        "export_log of_engagement": _export_part,
        "list_unused_grants": _of("engagement_id", "engagement"),
        "score_least_privilege": _of("engagement_id", "engagement"),
        "shrink_grants": _shrink_grants,
        "request_disposal": _request_disposal,
        "newest_disposal": _of("engagement_id", "disposed_engagement"),
        "read_disposal": _of("disposal_id", "disposal"),
        "withdraw_disposal": _requested,
        "approve_disposal": _approve_disposal,
        "confirm_return": _confirm_return,
        "run_disposal": _run_disposal,
        "list_certificates": _plain(),
        "list_certificates of_engagement": _of("", "", engagement_id="disposed_engagement"),
        "read_certificate": _of("certificate_id", "certificate"),
        "create_token": _plain(scopes=["me"], days=1),
        "list_tokens": _plain(),
        "create_signin": _plain(days=1),
        "add_seat": _add_seat,
        "revoke_token": _revoke_token,
        "sign_agreement": _sign_agreement,  # last: whoever had not signed has signed then
    }
)
"""Every request, by the name of its case, in the order in which they are asked."""

OPEN = frozenset({"health", "readiness", "metrics"})
"""Operations that need no token: of the operator's machines, with no name and no id."""

SIGNED = frozenset({"list_seats", "choose_seat", "remove_seat", "end_signin"})
"""Operations that need a sign-in, and to which every token is none: asked in test_signin.py."""
