"""What lies hidden in a paper: told to the attorney, and to the author of a draft; not to who passed it on."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from service.db.models import revisions
from tests.api.entries import entries
from tests.api.places import settle
from tests.render import samples
from tests.world import DAY_S, Engagement, Person, World

HIDDEN = samples.word("", {"word/comments.xml": f"<w:c {samples.WORD}><w:comment/><w:comment/></w:c>".encode()})
PLAIN = samples.word(samples.paragraph("Dear client"))
FOUND = [{"word": "comments", "count": 2}]


async def _card(person: Person, document_id: str) -> Any:
    return await person.get(f"/documents/{document_id}")


async def _added(engagement: Engagement, seat: Person, body: bytes = HIDDEN, label: str = "correspondence") -> str:
    return str((await seat.upload(engagement.id, engagement.part_id, body, label=label))["document_id"])


async def _from_outside(engagement: Engagement) -> tuple[Person, str]:
    """A member who was asked for a client's papers, and one that he passed on."""
    seat = await engagement.member()
    await engagement.ask(seat, ("intake_form",))
    return seat, await _added(engagement, seat, label="intake_form")


async def _draft(engagement: Engagement, preset: str = "make", body: bytes = HIDDEN) -> tuple[Person, str, Any]:
    """A member with a task, his draft, and the task."""
    seat = await engagement.member()
    papers = () if preset == "make" else (str((await engagement.document())["document_id"]),)
    task = await engagement.task(seat, papers, preset=preset)
    return seat, await _added(engagement, seat, body), task


async def test_the_attorney_is_told_and_who_passed_it_on_is_not(engagement: Engagement) -> None:
    seat, paper = await _from_outside(engagement)
    assert (await _card(engagement.attorney, paper))["hidden"] == FOUND
    assert "hidden" not in await _card(seat, paper)


@pytest.mark.parametrize("preset", ["make", "work"])
async def test_the_author_of_a_draft_is_told_until_its_task_ends(engagement: Engagement, preset: str) -> None:
    seat, paper, task = await _draft(engagement, preset)
    assert (await _card(seat, paper))["hidden"] == FOUND
    path = f"/tasks/{task['id']}"
    said = {"documents": [{"document_id": paper}]}
    await seat.change("POST", f"{path}/submission", said, match=path)
    assert (await _card(seat, paper))["hidden"] == FOUND
    await engagement.attorney.change("POST", f"{path}/return", {"note": "Shorter, please."}, match=path)
    assert (await _card(seat, paper))["hidden"] == FOUND
    await engagement.attorney.change("POST", f"{path}/cancellation", match=path)
    assert "hidden" not in await _card(seat, paper)  # still his own to see, and no draft of a task any more
    assert (await _card(engagement.attorney, paper))["hidden"] == FOUND


async def test_what_may_be_a_clients_is_no_draft(engagement: Engagement) -> None:
    """Where the same label was asked for by itself too, nobody can tell what he made and what he passed on."""
    seat = await engagement.member()
    await engagement.ask(seat, ("correspondence",))
    before = await _added(engagement, seat)
    await engagement.task(seat)
    assert "hidden" not in await _card(seat, before)
    assert "hidden" not in await _card(seat, await _added(engagement, seat))


async def test_a_paper_of_before_the_task_is_no_draft(world: World, engagement: Engagement) -> None:
    seat = await engagement.member()
    await engagement.ask(seat, ("intake_form",))
    before = await _added(engagement, seat, label="intake_form")
    world.sleep(5)
    await engagement.task(seat, labels=["correspondence"])
    assert "hidden" not in await _card(seat, before)


async def test_a_draft_is_told_to_nobody_elses_member(engagement: Engagement) -> None:
    seat, paper, task = await _draft(engagement)
    other = await engagement.member()
    await other.get(f"/documents/{paper}", 404)
    assert task["id"]
    assert seat.person_id != other.person_id


async def test_who_was_handed_a_paper_is_not_told(engagement: Engagement) -> None:
    seat, paper = await engagement.member(), (await engagement.document(HIDDEN))["document_id"]
    await engagement.grant(seat, paper, ("view", "text", "download"))
    assert "hidden" not in await _card(seat, paper)


async def test_a_members_draft_is_told_no_more_after_its_72_hours(world: World, engagement: Engagement) -> None:
    seat, paper, _ = await _draft(engagement)
    world.sleep(3 * DAY_S)
    await seat.get(f"/documents/{paper}", 404)
    assert (await _card(engagement.attorney, paper))["hidden"] == FOUND


async def test_a_coordinator_of_the_matter_is_told_of_what_he_may_see(world: World, engagement: Engagement) -> None:
    paper = (await engagement.document(HIDDEN))["document_id"]
    person = await world.owner.post("/people", {"email": "cora@firm.example", "name": "Cora"})
    member = await world.owner.post("/members", {"person_id": person["id"], "role": "coordinator"})
    cora = await world.sign_in(person["id"], member["id"])
    await cora.get(f"/documents/{paper}", 404)
    path = f"/matters/{engagement.matter_id}/team/{person['id']}"
    assert (await engagement.attorney.ask("PUT", path)).status_code == 204
    assert (await _card(cora, paper))["hidden"] == FOUND


async def test_null_means_nobody_looked_and_empty_means_nothing_found(engagement: Engagement) -> None:
    attorney = engagement.attorney
    assert (await _card(attorney, (await engagement.document(b"plain text"))["document_id"]))["hidden"] is None
    assert (await _card(attorney, (await engagement.document(PLAIN))["document_id"]))["hidden"] == []


async def test_a_replaced_paper_is_looked_into_anew(engagement: Engagement) -> None:
    seat, paper, _ = await _draft(engagement)
    path = f"/documents/{paper}"
    read = await seat.ask("GET", path)
    headers = {"if-match": read.headers["etag"], "content-type": "text/plain"}
    assert (await seat.ask("PUT", f"{path}/content", content=PLAIN, headers=headers)).status_code == 200
    assert (await _card(seat, paper))["hidden"] == []


async def test_an_overlay_can_keep_it_from_authors_too(engagement: Engagement) -> None:
    seat, paper, _ = await _draft(engagement)
    rows = {"rows": ["*,document:inspect,*,*,never"]}
    await engagement.attorney.change("PUT", f"/engagements/{engagement.id}/overlay", rows)
    assert "hidden" not in await _card(seat, paper)
    assert (await _card(engagement.attorney, paper))["hidden"] == FOUND


async def test_it_stands_in_no_receipt_no_list_and_no_entry(world: World, engagement: Engagement) -> None:
    """A receipt names its entry's hash: what stood in the entry could be tried out against it."""
    seat, paper = await _from_outside(engagement)
    receipts = await seat.get("/me/receipts")
    listed = await engagement.attorney.get(f"/engagements/{engagement.id}/documents")
    await settle(world)
    for told in (receipts, listed, entries(world)):
        assert "hidden" not in str(told)
        assert "comments" not in str(told)
    with world.services.database.read(world.firm_id) as tx:
        assert tx.value(select(revisions.c.hidden).where(revisions.c.document_id == paper)) == "comments=2"


async def test_the_paper_itself_is_not_changed(engagement: Engagement) -> None:
    paper = (await engagement.document(HIDDEN))["document_id"]
    assert (await engagement.attorney.ask("GET", f"/documents/{paper}/content")).content == HIDDEN
