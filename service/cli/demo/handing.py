"""Handing out beyond one paper to one person: papers to come, many at once, and papers sealed for the night."""

from __future__ import annotations

from typing import Any, Final

from service.cli.demo import papers
from service.cli.demo.proof import refused, same, true
from service.cli.demo.stage import API, Held, Stage, hence, person_of
from service.errors import BadStateError, NotFoundError, SetChangedError

HOUR_S: Final = 3600
INSURANCE: Final = "insurance"
OPINION: Final = "Opinion on coverage"


def share_what_comes(stage: Stage) -> str:
    """Share the insurer's papers to come with the paralegal; confirm one that the intake specialist brings."""
    part = stage.parts[0]
    share = stage.make(
        "dana",
        f"/engagements/{stage.engagement}/standing-shares",
        part_id=part,
        membership_id=stage.seats["sofia"],
        labels=[INSURANCE],
        abilities=["view", "download"],
        not_after=hence(days=30),
        purpose="Keep the correspondence with the insurer complete.",
    )["id"]
    before = set(stage.listed("sofia"))
    stage.make(
        "dana",
        f"/engagements/{stage.engagement}/asks",
        membership_id=stage.seats["ines"],
        part_id=part,
        labels=[INSURANCE],
        instructions="Please send what the insurer writes to the client.",
        not_after=hence(days=7),
    )
    held, _ = stage.add("ines", papers.of_insurer("Offer of the insurer"), part)
    stage.refuse_both(person_of("sofia"), held.id, "a paper that nobody confirmed")
    path = f"/documents/{held.id}"
    stage.change("dana", "POST", f"{path}/confirmation", path, label=INSURANCE, sensitivity=held.paper.sensitivity)
    stage.brought.append(held)
    same(
        stage.content("sofia", held.id), held.paper.content, "the paper, as the paralegal has it without a further act"
    )
    [grant] = [each for each in stage.as_("dana").items(f"{API}{path}/grants") if each["revoked_at"] is None]
    same((grant["standing_id"], grant["person_id"]), (share, stage.people["sofia"]), "what gave it, and to whom")
    stage.change("dana", "DELETE", f"/standing-shares/{share}", f"/standing-shares/{share}")
    stage.refuse_both(person_of("sofia"), held.id, "when the standing share has ended")
    same(set(stage.listed("sofia")), before, "what she sees after that")
    return (
        "A standing share gives the paralegal the insurer's papers to come: one that the intake specialist brings "
        "opens to her as it is confirmed, not before; when the share ends, so does what it gave."
    )


def share_many(stage: Stage) -> str:
    """Share all of the insurer's papers in one act, after a dry run; then undo it."""
    offer = stage.brought[-1]
    for title, sensitivity in (("Policy of the driver", "confidential"), (OPINION, "privileged")):
        _take_in(stage, papers.of_insurer(title, sensitivity))
    before = set(stage.listed("ines"))
    looked = _many(stage, dry_run=True)
    left_out = {each["reason"]: each["count"] for each in looked["left_out"]}
    same((looked["count"], left_out), (2, {"too_sensitive": 1}), "what would be shared, and what is left out and why")
    same(set(stage.listed("ines")), before, "what the intake specialist sees after a dry run")
    late = _take_in(stage, papers.of_insurer("Report of the assessor"))
    with refused(SetChangedError, "sharing another set than was looked at") as refusal:
        _many(stage, digest=looked["digest"])
    looked = _many(stage, dry_run=True)
    given = _many(stage, digest=looked["digest"])
    same(set(stage.listed("ines")), before | {paper["document_id"] for paper in given["items"]}, "what she was given")
    true({offer.id, late.id} <= set(stage.listed("ines")), "the newest paper and the oldest among them")
    stage.content("ines", late.id)
    undone = stage.make("dana", f"/bulk-grants/{given['bulk_id']}/undo")
    opened = [each["grant"]["document_id"] for each in undone["items"] if each["opened"]]
    same(
        (undone["count"], undone["opened"], opened), (3, 1, [late.id]), "what was undone, and what was opened meanwhile"
    )
    same(undone["bytes"], len(late.paper.content), "the bytes that left")
    same(set(stage.listed("ines")), before, "what she sees when it is undone")
    stage.figures["shared at once"] = f"3 papers, undone: {undone['opened']} was opened, {undone['bytes']:,} bytes left"
    return (
        "Many at once: the dry run says 2 papers, 1 left out (privileged: never shared by its label); when another "
        f"paper comes, what was looked at is refused ({refusal.code}); undoing the 3 says that 1 was opened meanwhile "
        f"({undone['bytes']:,} bytes)."
    )


def open_at_night(stage: Stage) -> str:
    """Seal a paper for the paralegal, who opens it herself when nobody can be asked."""
    paper = next(held for held in reversed(stage.documents) if held.paper.title == papers.of_insurer(OPINION).title)
    sealed = stage.make(
        "dana",
        f"/engagements/{stage.engagement}/standbys",
        membership_id=stage.seats["sofia"],
        part_id=paper.part_id,
        documents=[paper.id],
        abilities=["view", "download"],
        lasts_s=HOUR_S,
        valid_until=hence(days=3),
        note="For the mediation, if they call before I am up.",
    )
    path = f"/standbys/{sealed['id']}"
    told = stage.read("sofia", path)["papers"]
    same([sorted(each) for each in told], [["id", "label", "number"]], "what she is told of it: no title")
    stage.refuse_both(person_of("sofia"), paper.id, "a paper that is sealed")
    before, reason = stage.log_size(), "The mediator asks at two in the morning what the policy covers."
    opened = stage.change("sofia", "POST", f"{path}/opening", path, reason=reason)
    same(stage.content("sofia", paper.id), paper.paper.content, "the paper, now that she opened it")
    seen = stage.read("dana", path)
    same((seen["state"], seen["reason"], seen["closes_at"]), ("open", reason, opened["closes_at"]), "what dana is told")
    alert = next(entry for entry in stage.entries(before) if entry["type"] == "standby.opened")
    same(alert["actor"]["membership"], stage.seats["sofia"], "whose act the alert names")
    with refused(BadStateError, "opening it a second time"):
        stage.change("sofia", "POST", f"{path}/opening", path, reason=reason)
    stage.change("sofia", "DELETE", f"{path}/opening", path)
    with refused(NotFoundError, "the paper, when she closed it"):
        stage.content("sofia", paper.id)
    return (
        "At night the paralegal opens what was sealed for her, once, with a reason, for an hour at most; the attorney "
        f"reads the reason, entry {alert['index']} is the alert; closed, it is gone again."
    )


def _many(stage: Stage, **more: Any) -> Any:
    """Share the insurer's papers with the intake specialist, or look what that would be."""
    return stage.make(
        "dana",
        f"/engagements/{stage.engagement}/grants",
        membership_id=stage.seats["ines"],
        part_id=stage.parts[0],
        labels=[INSURANCE],
        abilities=["view", "download"],
        not_after=_many_until(stage),
        purpose="Compare the offers.",
        **more,
    )


def _many_until(stage: Stage) -> str:
    """The same end in the dry run and in the act: the digest covers it."""
    end: str = stage.read("dana", f"/engagements/{stage.engagement}")["ends_at"]
    return end


def _take_in(stage: Stage, paper: papers.Paper) -> Held:
    held, _ = stage.add("dana", paper, stage.parts[0])
    stage.documents.append(held)
    return held
