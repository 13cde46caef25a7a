"""Disposals over HTTP: what a request shows and refuses. How an engagement ends: tests/disposal/."""

from __future__ import annotations

import pytest

from tests.disposal.ending import Ending, an_ending
from tests.world import Engagement, World


@pytest.fixture
async def ending(world: World, engagement: Engagement) -> Ending:
    """An engagement ready to be ended."""
    assert engagement.world is world
    return await an_ending(world, engagement)


async def test_a_disposal_shows_how_far_it_is_and_what_it_will_destroy(ending: Ending) -> None:
    shown = await ending.request()
    assert shown == await ending.attorney.get(ending.path)
    assert shown == await ending.attorney.get(f"/engagements/{ending.engagement.id}/disposal")
    assert (shown["parts"], shown["revisions"], shown["only_copies"]) == (1, 2, [ending.form["document_id"]])
    assert (shown["approved_at"], shown["returned_at"], shown["evidence"]) == (None, None, {})
    assert len(shown["manifest_sha256"]) == 64


async def test_a_reviewer_sees_how_far_it_is_and_takes_no_step(ending: Ending) -> None:
    world = ending.world
    await ending.request()
    person = await world.owner.post("/people", {"email": "r@firm.example", "name": "Rita"})
    member = await world.owner.post("/members", {"person_id": person["id"], "role": "reviewer"})
    reviewer = await world.sign_in(person["id"], member["id"])
    assert (await reviewer.get(ending.path))["state"] == "requested"
    await ending.approve(by=reviewer, status=403)
    await ending.run(by=reviewer, status=403)
    assert (await reviewer.ask("DELETE", ending.path)).status_code == 403


async def test_bodies_of_another_form_are_refused(ending: Ending) -> None:
    await ending.request()
    for body in ({}, {"manifest_sha256": 1}, {"manifest_sha256": "x" * 64}, {"manifest_sha256": "0" * 64, "by": "me"}):
        await ending.world.owner.post(f"{ending.path}/approval", body, status=422)
    await ending.approve()
    copy = {"document_id": ending.form["document_id"], "sha256": "0" * 64}
    for changes in (
        {"only_copies": "all"},
        {"only_copies": [{**copy, "sha256": "0"}]},
        {"only_copies": [{**copy, "document_id": "x"}]},
        {"only_copies": [{**copy, "title": "x"}]},
        {"waiver": 7},
        {"waiver": "x" * 5000},
    ):
        await ending.give_back(status=422, **changes)
    assert ending.row().state == "approved"


async def test_an_engagement_without_a_disposal_has_none_to_show(ending: Ending) -> None:
    await ending.attorney.get(f"/engagements/{ending.engagement.id}/disposal", status=404)
    for path in ("/disposals/dsp_" + "0" * 32, "/disposals/x", f"/disposals/{ending.engagement.id}"):
        await ending.attorney.get(path, status=404)
        await ending.attorney.post(f"{path}/run", status=404)
        assert (await ending.attorney.ask("DELETE", path)).status_code == 404
