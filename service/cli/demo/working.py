"""Work: a task from assignment over return to acceptance, and access that is asked for and given with less."""

from __future__ import annotations

from typing import Any

from service.cli.demo import papers
from service.cli.demo.proof import refused, same
from service.cli.demo.stage import API, Held, Stage, hence, person_of
from service.errors import AbilityMissingError, BadStateError, StaleError


def give_task(stage: Stage) -> str:
    """Ask the paralegal for a draft, hand over what she needs for it, and return her first one with a note."""
    letter = _letter(stage)
    task = stage.make(
        "dana",
        f"/engagements/{stage.engagement}/tasks",
        membership_id=stage.seats["sofia"],
        part_id=letter.part_id,
        preset="make",
        instructions="Answer the clinic: we want the records of March, complete.",
        documents=[letter.id],
        labels=["correspondence"],
        due_at=hence(days=2),
    )
    stage.task = task["id"]
    path = f"/tasks/{stage.task}"
    same(stage.read("sofia", f"/documents/{letter.id}")["title"], letter.paper.title, "what was handed over with it")
    draft, _ = stage.add("sofia", papers.draft("Please send us the records."), letter.part_id)
    stage.brought.append(draft)
    with refused(BadStateError, "accepting what was not submitted"):
        _accept(stage, draft, "rev_" + "0" * 32)
    _submit(stage, draft)
    with refused(BadStateError, "sharing a draft that nobody accepted"):
        stage.share(person_of("ines"), draft)
    returned = stage.change("dana", "POST", f"{path}/return", path, note="Name the month, and ask for the images too.")
    same(returned["state"], "returned", "the task's state")
    told = stage.read("sofia", path)
    same(told["submissions"][0]["note"], "Name the month, and ask for the images too.", "the note, as she reads it")
    return (
        "A task hands the paralegal a letter until it is done; her draft goes back with a note, and is shared with "
        "nobody meanwhile."
    )


def accept_task(stage: Stage) -> str:
    """Take the second draft: exactly the revision that was looked at, and what the task opened is shut."""
    letter, draft = _letter(stage), stage.brought[-1]
    first = _submitted(stage)["revision_id"]
    stage.replace("sofia", draft, papers.draft("Please send us all records of March, and the images.").content)
    _submit(stage, draft)
    with refused(StaleError, "accepting the draft before"):
        _accept(stage, draft, first)
    accepted = _accept(stage, draft, _submitted(stage)["revision_id"])
    same(accepted["state"], "accepted", "the task's state")
    for held, what in ((letter, "what was handed over"), (draft, "her own draft")):
        stage.refuse_both(person_of("sofia"), held.id, f"{what}, after the task was accepted")
    same(set(stage.listed("sofia")), stage.granted("sofia"), "what the paralegal sees after that")
    figures = stage.read("dana", f"/engagements/{stage.engagement}/figures")["total"]
    same((figures["accepted"], figures["rework"]), (1, 1.0), "tasks accepted, and the share that went back")
    stage.figures["tasks"] = "1 given, 1 accepted, at its second draft"
    return (
        "The second draft is accepted, exactly the revision that was read (the one before is refused); what the task "
        "opened is shut with it."
    )


def ask_for_access(stage: Stage) -> str:
    """Let the intake specialist ask for a paper that she knows of and does not see; give it with less."""
    letter = _letter(stage)
    stage.refuse_both(person_of("ines"), letter.id, "a paper that nobody shared with her")
    engagement = f"/engagements/{stage.engagement}"
    stage.change("dana", "PATCH", engagement, engagement, withheld="may_be_asked_for")
    withheld = {item["id"]: item for item in stage.as_("ines").items(f"{API}{engagement}/withheld")}
    same(sorted(withheld[letter.id]), ["id", "label", "pages"], "what she is told of it: no title")
    asked = stage.make(
        "ines",
        "/access-requests",
        document_id=letter.id,
        abilities=["view", "download"],
        not_after=hence(days=7),
        reason="The clinic is on the telephone and asks what we want.",
    )
    path = f"/access-requests/{asked['id']}"
    said = {"answer": "yes", "abilities": ["view"], "not_after": hence(hours=4), "note": "To look at, today."}
    answered = stage.change("dana", "POST", f"{path}/answer", path, **said)
    same(answered["state"], "with_less", "what was answered")
    same(stage.read("ines", f"/documents/{letter.id}")["title"], letter.paper.title, "the title, now that she may see")
    with refused(AbilityMissingError, "carrying away what she may only look at"):
        stage.content("ines", letter.id)
    stage.grants["ines", letter.id] = answered["grant_id"]
    return (
        "The intake specialist asks for a letter that she knows by its label alone, to download for a week; she may "
        "look at it for four hours."
    )


def _letter(stage: Stage) -> Held:
    """A letter that came in today, with the attorney alone until somebody needs it."""
    paper = papers.clinics_letter()
    held = next((held for held in stage.documents if held.paper.title == paper.title), None)
    if held is None:
        held, _ = stage.add("dana", paper, stage.parts[0])
        stage.documents.append(held)
    return held


def _submit(stage: Stage, draft: Held) -> None:
    path = f"/tasks/{stage.task}"
    stage.change("sofia", "POST", f"{path}/submission", path, documents=[{"document_id": draft.id}])


def _submitted(stage: Stage) -> dict[str, Any]:
    """The draft, as the attorney sees it in the task."""
    task = stage.read("dana", f"/tasks/{stage.task}")
    return next(paper for paper in task["documents"] if paper["direction"] == "out")


def _accept(stage: Stage, draft: Held, revision_id: str) -> Any:
    path = f"/tasks/{stage.task}"
    named = {"document_id": draft.id, "revision_id": revision_id}
    return stage.change("dana", "POST", f"{path}/acceptance", path, documents=[named])
