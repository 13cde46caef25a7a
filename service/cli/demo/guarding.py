"""What keeps people out although a paper was shared: a duty, an engagement's own rules, a wall that takes a code."""

from __future__ import annotations

from typing import Final

from service.cli.demo.people import VENDOR_PEOPLE
from service.cli.demo.proof import refused, same
from service.cli.demo.stage import API, Stage, hence, person_of
from service.errors import DutyMissingError, ForbiddenError, StepUpNeededError
from service.scoping.actions import Sensitivity

YEAR_DAYS: Final = 365
NO_DOWNLOADS: Final = "paralegal,document:download,*,*,never"
NO_SECRETS: Final = "paralegal,document:list,*,confidential,never"


def demand_training(stage: Stage) -> str:
    """Demand a training that nobody has; record the evidence, and see it open."""
    engagement = f"/engagements/{stage.engagement}"
    before = {person.key: set(stage.listed(person.key)) for person in VENDOR_PEOPLE}
    stage.change("dana", "PATCH", engagement, engagement, owed=["training"])
    words = ""
    for person in VENDOR_PEOPLE:
        with refused(DutyMissingError, f"{person.name} and the engagement without training"):
            stage.read(person.key, engagement)
        for document in stage.granted(person.key):
            stage.refuse_both(person, document, "without training")
        missing = stage.read(person.key, "/me")["missing"]
        same([(duty["duty"], duty["mended_by"]) for duty in missing], [("training", "member")], "what is missing")
        words = missing[0]["words"]
    for number, person in enumerate(VENDOR_PEOPLE):
        stage.make(
            "dana",
            f"{engagement}/duties",
            duty="training",
            person_id=stage.people[person.key],
            valid_until=hence(days=YEAR_DAYS),
            note=f"Course on client secrets, certificate {4711 + number}, seen by us.",
        )
        same(set(stage.listed(person.key)), before[person.key], f"what {person.name} sees, once trained")
        for other in VENDOR_PEOPLE[number + 1 :]:
            with refused(DutyMissingError, f"{other.name}, while only {person.name} is trained"):
                stage.listed(other.key)
    return (
        f"A training is demanded: nothing is there any more, and each member is told “{words}”; evidence is recorded "
        "person by person, and opens to that person alone what was open before."
    )


def narrow(stage: Stage) -> str:
    """Make this engagement stricter than the policy: look first who loses what, then do it, and undo it."""
    path = f"/engagements/{stage.engagement}/overlay"
    granted = [held for held in stage.documents if held.id in stage.granted("sofia")]
    most = Sensitivity.ROUTINE.rank
    secrets = [held for held in granted if Sensitivity(held.paper.sensitivity).rank > most]
    rows = [NO_DOWNLOADS, NO_SECRETS]
    shifts = stage.make("dana", f"/engagements/{stage.engagement}/overlay-previews", rows=rows)["shifts"]
    same({shift["membership_id"] for shift in shifts}, {stage.seats["sofia"]}, "whom it would reach")
    same({shift["gained"] for shift in shifts}, {0}, "what anybody would gain")
    lost = {shift["action"]: shift["lost"] for shift in shifts}
    same((lost["document:download"], lost.get("document:list", 0)), (len(granted), len(secrets)), "what she would lose")
    same(set(stage.listed("sofia")), stage.granted("sofia"), "what she sees after the preview")
    stage.change("dana", "PUT", path, path, rows=rows)
    same(set(stage.listed("sofia")), stage.granted("sofia") - {held.id for held in secrets}, "what she still sees")
    with refused(ForbiddenError, "a download that the engagement's own rules forbid") as refusal:
        stage.content("sofia", granted[0].id)
    stage.change("dana", "DELETE", path, path)
    same(stage.content("sofia", granted[0].id), granted[0].paper.content, "the download, once the rules are as before")
    same(set(stage.listed("sofia")), stage.granted("sofia"), "what she sees, once the rules are as before")
    return (
        "This engagement is made stricter for paralegals: the preview says that one person would lose "
        f"{len(granted)} downloads and {len(secrets)} papers, and nobody else anything; then a download is refused: "
        f"“{refusal.words}” Taken away, all is as before."
    )


def lift_wall(stage: Stage) -> str:
    """Raise a wall, and lift it again: not with a token alone."""
    person, delgado = person_of("ines"), stage.parts[0]
    parts = stage.as_("dana").items(f"{API}/engagements/{stage.engagement}/parts")
    matter = next(part["matter_id"] for part in parts if part["id"] == delgado)
    between = {"person_id": stage.people[person.key], "matter_id": matter}
    seen = set(stage.listed(person.key))
    behind = {held.id for held in stage.documents if held.id in seen and held.part_id == delgado}
    [loss] = stage.make("dana", "/wall-previews", **between)["losses"]
    same(loss["lost"]["document:view"], len(behind), "what the wall would take")
    wall = stage.make("dana", "/walls", reason="Her sister drove the other car.", **between)["id"]
    for document in behind:
        stage.refuse_both(person, document, "behind a wall")
    same(set(stage.listed(person.key)), seen - behind, "what she sees past the wall")
    path = f"/walls/{wall}"
    with refused(StepUpNeededError, "lifting a wall with a token alone") as refusal:
        stage.change("owner", "DELETE", path, path)
    stage.step_up("owner")
    stage.change("owner", "DELETE", path, path)
    same(set(stage.listed(person.key)), seen, "what she sees when the wall is lifted")
    return (
        f"A wall takes {len(behind)} papers from the intake specialist. Lifting it with a token alone is refused: "
        f"“{refusal.words.partition(':')[0]}”; with a code of the owner's authenticator it is lifted."
    )
