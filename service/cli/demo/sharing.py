"""The middle: papers come in, are shared, read, refused; somebody of the vendor adds one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import cycle
from typing import Final

from service.cli.demo import papers
from service.cli.demo.people import VENDOR_PEOPLE
from service.cli.demo.proof import refused, same, true
from service.cli.demo.stage import API, Stage, hence, person_of, sha256
from service.errors import AboveCeilingError, BadStateError, ForbiddenError, MunimentError, NotFoundError

NEVER_WAS: Final = "doc_" + "0" * 32
MIDDLE: Final = 512  # bytes from here on are looked for on the disk: beginnings are alike in all files of a type
TELLING: Final = 12  # shorter titles, and pieces with fewer different bytes, may stand there by chance
LEFT_OUT: Final = 4  # each fourth paper is shared with nobody: else a list would prove nothing


def take_in(stage: Stage) -> str:
    """Upload every paper with its label and sensitivity."""
    marked: list[str] = []
    for paper, part in zip(stage.papers, cycle(stage.parts), strict=False):
        held, receipt = stage.add("dana", paper, part)
        same(receipt["sha256"], paper.sha256, f"the receipt for {paper.title}")
        same(receipt["size_bytes"], len(paper.content), f"the size of {paper.title}")
        if paper.condition is not None:
            same(held.condition, paper.condition, f"what {paper.title} was found to be")
        if held.condition != papers.READABLE:
            marked.append(f"{paper.title}: {held.condition}")
        stage.documents.append(held)
    for held in stage.documents:
        same(sha256(stage.content("dana", held.id)), held.paper.sha256, f"{held.paper.title}, read back")
    shown = list(stage.as_("dana").items(f"{API}/engagements/{stage.engagement}/documents"))
    same({item["id"] for item in shown}, {held.id for held in stage.documents}, "what the attorney sees")
    same({item["title"] for item in shown}, {held.paper.title for held in stage.documents}, "the titles, opened again")
    types = Counter(item["media_type"].rpartition("/")[2].rpartition(".")[2] for item in shown)
    size = sum(len(held.paper.content) for held in stage.documents)
    stage.figures["papers"] = f"{len(stage.documents)} ({size / 1e6:.1f} MB), all kept byte for byte"
    stage.figures["recognised as"] = ", ".join(f"{count} {name}" for name, count in types.most_common())
    stage.figures["marked, not lost"] = "; ".join(marked) or "none"
    return (
        f"{len(stage.documents)} papers are sealed and come back byte for byte; kept and marked: "
        f"{'; '.join(marked) or 'none'}."
    )


def nothing_in_the_clear(stage: Stage) -> str:
    """Look for the papers' bytes and titles in everything that was stored."""
    pieces = [held.paper.content[MIDDLE : MIDDLE + 64] for held in stage.documents]
    titles = [held.paper.title.encode() for held in stage.documents if len(held.paper.title) >= TELLING]
    needles = titles + [piece for piece in pieces if len(set(piece)) >= TELLING]
    ids, seen, looked_at = {held.id for held in stage.documents}, set[str](), 0
    for content in stage.where.stored():
        true(not any(needle in content for needle in needles), "no title and no content in the clear where it is kept")
        seen |= {each for each in ids - seen if each.encode() in content}
        looked_at += 1
    same(seen, ids, "the papers whose ids, which are no secret, were found by the same search")
    return (
        f"{len(titles)} titles and {len(needles) - len(titles)} pieces of contents are looked for in all that is kept "
        f"({looked_at} files, tables and objects), where the ids do stand; none stands there in the clear."
    )


def share_out(stage: Stage) -> str:
    """Hand each of the vendor's people what the work needs."""
    counts = []
    for person in VENDOR_PEOPLE:
        for number, held in enumerate(stage.documents):
            share, paper = person.share, held.paper
            wanted = share is not None and share.covers(paper.label, paper.sensitivity) and (number + 1) % LEFT_OUT
            if wanted and (person.key, held.id) not in stage.grants:
                stage.share(person, held)
        counts.append(f"{len(stage.granted(person.key))} to {person.name}")
    stage.figures["grants"] = ", ".join(counts)
    return f"Grants with an end and a purpose: {', '.join(counts)}."


def see_only_that(stage: Stage) -> str:
    """Compare what each sees with what he was granted; ask for everything else by its id."""
    tried = 0
    never = {person.key: stage.refuse_both(person, NEVER_WAS, "an id that never was") for person in VENDOR_PEOPLE}
    for person in VENDOR_PEOPLE:
        granted = stage.granted(person.key)
        same(set(stage.listed(person.key)), granted, f"what {person.name} is shown")
        for held in stage.documents:
            if held.id in granted:
                same(stage.read(person.key, f"/documents/{held.id}")["title"], held.paper.title, "a title")
                continue
            same(stage.refuse_both(person, held.id, "not granted"), never[person.key], "the words about a hidden paper")
            tried += 2
    for who in ("owner", "grace", "grace@house"):
        with refused(ForbiddenError, f"{who} and the papers"):
            stage.listed(who)
    stage.figures["asked for by id, not granted"] = f"{tried} times, 404 or nothing that a made-up id is not told"
    return (
        f"Each list is exactly what was granted; {tried} requests by id for the rest are answered in the "
        "same words as for an id that never was; owner and reviewer see none."
    )


def refuse_above_ceiling(stage: Stage) -> str:
    """Try to share more than a role may ever hold."""
    secret = next(held for held in stage.documents if held.paper.sensitivity == "attorney_only")
    sheet = stage.documents[0]
    reasons = []
    for key, held, abilities in (("sofia", secret, ["view"]), ("tomas", sheet, ["view", "download"])):
        with refused(AboveCeilingError, f"sharing {held.paper.title} with {key}") as refusal:
            stage.make(
                "dana",
                f"/documents/{held.id}/grants",
                membership_id=stage.seats[key],
                abilities=abilities,
                not_after=hence(days=1),
                purpose="Too much.",
            )
        reasons.append(refusal.words.partition(". ")[0])
    return f"Two grants above a role's ceiling are refused with the reason: “{reasons[0]}”, “{reasons[1]}”."


def read_granted(stage: Stage) -> str:
    """Read as the paralegal, and look whether each reading is in the log with the agreement it happened under."""
    before, total = stage.log_size(), 0
    granted = [held for held in stage.documents if held.id in stage.granted("sofia")]
    for held in granted:
        content = stage.content("sofia", held.id)
        same(sha256(content), held.paper.sha256, f"{held.paper.title} as the paralegal reads it")
        total += len(content)
    with refused(ForbiddenError, "the receptionist carries a paper away"):
        stage.content("tomas", stage.documents[0].id)
    entries = [entry for entry in stage.entries(before) if entry["actor"].get("membership") == stage.seats["sofia"]]
    intents = [entry for entry in entries if entry["type"] == "document.opening"]
    same({entry["nda"] for entry in intents}, {stage.nda_sha256}, "the agreement that readings happened under")
    closed = {entry["data"]["of"]: entry for entry in entries if entry["type"] == "document.opened"}
    same(set(closed), {entry["index"] for entry in intents}, "each announced reading to have its outcome")
    same(sum(entry["data"]["bytes"] for entry in closed.values()), total, "the bytes that the log says were sent")
    return (
        f"The paralegal reads {len(granted)} papers, bytes identical; each in the log before its first byte and after "
        f"its last ({total:,} bytes); the receptionist may look but not download."
    )


def bring_in(stage: Stage) -> str:
    """Let the intake specialist add what she was asked for, and confirm it."""
    paper, part = papers.brought_in(), stage.parts[0]
    with refused(MunimentError, "adding without being asked"):
        stage.add("ines", paper, part)
    stage.make(
        "dana",
        f"/engagements/{stage.engagement}/asks",
        membership_id=stage.seats["ines"],
        part_id=part,
        labels=[paper.label],
        instructions="Please send the client's identification when she brings it.",
        not_after=hence(days=7),
    )
    same([ask["label"] for ask in stage.read("ines", "/me")["due"]], [paper.label], "what she is asked for")
    first = replace(paper, content=paper.content[: len(paper.content) // 2])
    held, receipt = stage.add("ines", first, part)
    same(receipt["state"], "to_look_at", "the state of what she added")
    same(set(stage.listed("ines")), stage.granted("ines") | {held.id}, "what she sees until it is confirmed")
    same(stage.content("ines", held.id), first.content, "her own paper, read back")
    receipt = stage.replace("ines", held, paper.content)
    held = replace(held, paper=paper, condition=receipt["condition"], log_index=receipt["log_index"])
    same(stage.content("ines", held.id), paper.content, "her own paper, after she replaced what was cut off")
    for who in ("sofia", "tomas"):
        stage.refuse_both(person_of(who), held.id, "what a colleague added")
    with refused(BadStateError, "sharing what nobody has looked at"):
        stage.share(person_of("sofia"), held)
    document = f"/documents/{held.id}"
    stage.change("dana", "POST", f"{document}/confirmation", document, label=paper.label, sensitivity=paper.sensitivity)
    stage.refuse_both(person_of("ines"), held.id, "what she added, after it was confirmed")
    with refused(NotFoundError, "replacing what was confirmed"):
        stage.replace("ines", held, first.content)
    receipts = {each["revision_id"]: each for each in stage.as_("ines").items(f"{API}/me/receipts")}
    same(len(receipts), 2, "her receipts: for what she sent first, and for what she replaced it by")
    same(receipts[receipt["revision_id"]]["sha256"], paper.sha256, "her receipt")
    same(receipts[receipt["revision_id"]]["log_index"], receipt["log_index"], "the entry that her receipt names")
    stage.brought.append(held)
    return (
        "The intake specialist, once asked, adds a client's paper, sees it and replaces a bad scan until the attorney "
        f"confirms it; then only her receipts (entry {receipt['log_index']})."
    )
