"""The beginning: a firm, its people, an engagement, and the agreement without which nothing opens."""

from __future__ import annotations

from typing import Final

from service.cli.client import Client
from service.cli.demo import papers
from service.cli.demo.people import CAST, FIRM, NDA, OWNER, VENDOR, VENDOR_PEOPLE, ZONE
from service.cli.demo.proof import refused, same, true
from service.cli.demo.stage import API, Held, Stage, hence, sha256
from service.errors import DutyMissingError, MunimentError, UnauthenticatedError

SIX: Final = 6
ACTS_WITHOUT_NDA: Final = 5  # engagement, list, card, bytes, a paper of one's own


def found_firm(stage: Stage) -> str:
    """Found a firm and start the service."""
    email, name = OWNER
    options = ["--firm", FIRM, "--owner", email, "--owner-name", name, "--zone", ZONE, "--another"]
    founded = stage.machine.run("init", *options)
    stage.verifier_key = founded["verifier_key"]
    stage.keep_token("owner", founded["owner_token"])
    stage.machine.start()
    same(stage.read("owner", "/firm")["name"], FIRM, "the firm's name")
    stranger = Client(stage.machine.url, "mun_" + "A" * 64, trust_env=False)
    with refused(UnauthenticatedError, "a made-up token"):
        stranger.read(f"{API}/firm")
    stranger.close()
    secrets = [secret.encode() for secret in (FIRM, email, name, founded["owner_token"])]
    for content in stage.where.stored():
        true(not any(secret in content for secret in secrets), "no name, address or token in the clear")
    return (
        f"On {stage.where.name}: {FIRM} is founded and served at {stage.machine.url}; no name, address or token is "
        "stored in the clear."
    )


def bring_people(stage: Stage) -> str:
    """Record the vendor and the people, and begin an engagement."""
    stage.vendor = stage.make("owner", "/vendors", name=VENDOR)["id"]
    for person in CAST:
        member_of = {"vendor_id": stage.vendor} if person.is_vendor else {}
        made = stage.make("owner", "/people", email=person.email, name=person.name, **member_of)
        stage.people[person.key] = made["id"]
        if person.house:
            seat = stage.make("owner", "/members", person_id=made["id"], role=person.role.value)
            stage.house[person.key] = seat["id"]
    engage(stage)
    roles = ", ".join(sorted(person.role.value.replace("_", " ") for person in CAST))
    return f"{VENDOR} is engaged as {stage.job.number}, with six members: {roles}; each has a token of his own."


def engage(stage: Stage) -> None:
    """Begin an engagement, give each person a seat in it, and each seat a token."""
    stage.engagement = stage.make(
        "owner",
        "/engagements",
        vendor_id=stage.vendor,
        number=stage.job.number,
        name=stage.job.name,
        starts_at=hence(),
        ends_at=hence(days=180),
        lead_id=stage.people["dana"],
        deputy_id=stage.people["marcus"],
    )["id"]
    for person in CAST:
        made = stage.make(
            "owner",
            f"/engagements/{stage.engagement}/members",
            person_id=stage.people[person.key],
            role=person.role.value,
        )
        stage.seats[person.key] = made["id"]
    same(len(stage.seats), SIX, "members")
    issue_tokens(stage)


def issue_tokens(stage: Stage) -> None:
    """Make a token for every membership, as the operator at the machine."""
    wanted = {**stage.seats, **{f"{key}@house": membership for key, membership in stage.house.items()}}
    options = [option for membership in wanted.values() for option in ("--membership", membership)]
    made = {item["membership"]: item["token"] for item in stage.machine.run("token", "create", *options)["items"]}
    for who, membership in wanted.items():
        stage.keep_token(who, made[membership])


def open_matters(stage: Stage) -> str:
    """Open two matters and put a part of each into the engagement."""
    for number, client, caption in stage.job.matters:
        matter = stage.make("dana@house", "/matters", number=number, client=client)["id"]
        stage.as_("dana@house").ask("PUT", f"{API}/matters/{matter}/team/{stage.people['marcus']}")
        part = stage.make("dana@house", f"/engagements/{stage.engagement}/parts", matter_id=matter, caption=caption)
        stage.parts.append(part["id"])
    with refused(MunimentError, "the owner names no clients"):
        stage.read("owner", f"/engagements/{stage.engagement}/parts")
    return f"Two matters are opened and a sealed part of each lies in the engagement, until {hence(days=180)[:10]}."


def publish_nda(stage: Stage) -> Held:
    """Publish the agreement, and share a contact sheet with everybody: it opens with the signature, not before."""
    stage.agreement = stage.make("dana", f"/engagements/{stage.engagement}/agreements", kind="nda", text=NDA)["id"]
    sheet, _ = stage.add("dana", papers.contact_sheet(), stage.parts[0])
    stage.documents.append(sheet)
    for person in VENDOR_PEOPLE:
        stage.share(person, sheet)
    return sheet


def refuse_without_nda(stage: Stage) -> str:
    """Try everything before the agreement is signed."""
    sheet = publish_nda(stage)
    before = stage.log_size()
    for person in VENDOR_PEOPLE:
        with refused(DutyMissingError, f"{person.name} and the engagement"):
            stage.read(person.key, f"/engagements/{stage.engagement}")
        with refused(DutyMissingError, f"{person.name} and the list"):
            stage.listed(person.key)
        stage.refuse_both(person, sheet.id, "a shared paper before signing")
        with refused(MunimentError, f"{person.name} adds a paper"):
            stage.add(person.key, papers.brought_in(), stage.parts[0])
        missing = stage.read(person.key, "/me")["missing"]
        same([duty["duty"] for duty in missing], ["nda"], f"what {person.name} is told is missing")
    refusals = [entry for entry in stage.entries(before) if entry["outcome"] == "refused"]
    by = {entry["actor"]["membership"] for entry in refusals}
    same(by, {stage.seats[person.key] for person in VENDOR_PEOPLE}, "whose refusals are in the log")
    same(len(refusals), ACTS_WITHOUT_NDA * len(VENDOR_PEOPLE), "the refusals in the log")
    stage.figures["refused before the NDA"] = f"{len(refusals)} acts, each an entry"
    return (
        f"Without a signed NDA a shared paper is 404, engagement and list are refused, /me says what is missing; "
        f"all {len(refusals)} refusals are in the log."
    )


def sign_nda(stage: Stage) -> str:
    """Sign the agreement, bound to the exact text."""
    sign_all(stage)
    for person in VENDOR_PEOPLE:
        same(stage.read(person.key, f"/engagements/{stage.engagement}")["number"], stage.job.number, "the engagement")
        same(stage.listed(person.key), [stage.documents[0].id], f"what {person.name} sees after signing")
    return f"Three signatures bind to the SHA-256 of the text that was shown ({stage.nda_sha256[:16]}…); access opens."


def sign_all(stage: Stage) -> None:
    """Let each of the vendor's people read the newest text and sign it; a signature under another text is refused."""
    for person in VENDOR_PEOPLE:
        text = stage.read(person.key, f"/agreements/{stage.agreement}")
        same(sha256(text["text"].encode()), text["sha256"], "the text's own SHA-256")
        path = f"/agreements/{stage.agreement}/signatures"
        with refused(MunimentError, "a signature under another text"):
            stage.make(person.key, path, sha256=sha256(b"another text"), typed_name=person.name)
        signed = stage.make(person.key, path, sha256=text["sha256"], typed_name=person.name)
        same(signed["sha256"], text["sha256"], "what was signed")
        same(stage.read(person.key, "/me")["missing"], [], f"what {person.name} owes after signing")
        stage.nda_sha256 = text["sha256"]
