"""What is in a paper beyond what one sees, and a paper that went to the wrong matter, put right."""

from __future__ import annotations

from dataclasses import replace

from service.cli.demo import papers
from service.cli.demo.proof import refused, same, true
from service.cli.demo.stage import API, Stage, hence, person_of
from service.errors import AbilityMissingError, MovedError, NotFoundError


def read_text(stage: Stage) -> str:
    """Look what lies hidden in a Word file that came in, and hand out its text alone."""
    held, _ = stage.add("ines", papers.marked_up(), stage.parts[0])
    path = f"/documents/{held.id}"
    found = {each["word"]: each["count"] for each in stage.read("dana", path)["hidden"]}
    same((found.get("deletions"), found.get("insertions")), (1, 1), "what lies hidden in it")
    true("hidden" not in stage.read("ines", path), "who passed it on to be told nothing of that")
    stage.change("dana", "POST", f"{path}/confirmation", path, label=held.paper.label, sensitivity="confidential")
    stage.brought.append(held)
    stage.grants["sofia", held.id] = stage.make(
        "dana",
        f"{path}/grants",
        membership_id=stage.seats["sofia"],
        abilities=["view", "text"],
        not_after=hence(days=14),
        purpose="To quote from it.",
    )["id"]
    text = stage.as_("sofia").ask("GET", f"{API}{path}/text").text
    same(text.strip(), papers.SAID + papers.PUT_IN, "the text, as somebody reads it who opens the file")
    with refused(AbilityMissingError, "the file itself, where only its text was shared"):
        stage.content("sofia", held.id)
    with refused(NotFoundError, "the text, for somebody who has no grant"):
        stage.as_("ines").ask("GET", f"{API}{path}/text")
    return (
        "A client's Word file arrives: the attorney is told of 1 deletion and 1 insertion that lie hidden in it, who "
        f"passed it on is not; the paralegal may have its text alone ({len(text.strip())} letters, without what was "
        "deleted)."
    )


def put_right(stage: Stage) -> str:
    """Let the paralegal say that a paper was not meant for her, and move it to where it belongs."""
    wrong, right = stage.parts[:2]
    held, _ = stage.add("dana", papers.of_other_client(), wrong)
    stage.share(person_of("sofia"), held)
    same(stage.read("sofia", f"/documents/{held.id}")["title"], held.paper.title, "the title, as she sees it")
    stage.content("sofia", held.id)
    said = stage.make("sofia", f"/documents/{held.id}/misdirection", note="This is about another client.")
    del stage.grants["sofia", held.id]
    stage.refuse_both(person_of("sofia"), held.id, "what she said was not meant for her")
    same((said["number"], said["openings"]), (None, None), "what she keeps of it: her word alone")
    same(stage.read("dana", "/me")["misdirections"], 1, "what waits for the attorney")
    path = f"/misdirections/{said['id']}"
    sent = sum(each["bytes_sent"] or 0 for each in stage.read("dana", path)["openings"])
    same(sent, len(held.paper.content), "the bytes that had reached her, as the attorney is told")
    answer = "Thank you. Delete what you downloaded."
    stage.change("dana", "POST", f"{path}/acknowledgment", path, answer=answer)
    same(stage.read("sofia", path)["answer"], answer, "what she is answered")
    document = f"/documents/{held.id}"
    moved = stage.change("dana", "POST", f"{document}/move", document, part_id=right)
    stage.documents.append(replace(held, id=moved["id"], part_id=right))
    with refused(MovedError, "its old id, for the attorney"):
        stage.read("dana", document)
    for each in (held.id, moved["id"]):
        stage.refuse_both(person_of("sofia"), each, "what was moved")
    same(stage.content("dana", moved["id"]), held.paper.content, "the paper where it belongs")
    stays = stage.read("dana", f"/documents/{moved['id']}/lineage")["stays"]
    same([stay["part_id"] for stay in stays], [wrong, right], "where it was, and is")
    [opener] = [each for each in stays[0]["openers"] if each["person_id"] == stage.people["sofia"]]
    same((opener["views"], opener["downloads"], opener["bytes_sent"]), (1, 1, sent), "what she had done with it there")
    return (
        "A paper in the wrong matter: “not meant for me” closes it to the paralegal at once; the attorney moves it, "
        f"sealed anew; its old id is {MovedError.status} to the attorney and 404 to the paralegal; its lineage says "
        f"that she had opened it ({sent:,} bytes)."
    )
