"""What another policy would change, asked over HTTP before it is saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.api.entries import another_firm, entries
from tests.world import Engagement, World

POLICIES = Path(__file__).parents[2] / "policies"
DEEPER = (
    "paralegal,document:download document:list document:text document:view,*,privileged,"
    "live duties assigned window,allow\n"
)
ASKING = "paralegal,access_request:create,*,privileged,live duties assigned window,allow\n"


def stricter() -> dict[str, str]:
    """A policy in which no paralegal gets privileged papers."""
    text = (POLICIES / "policy.csv").read_text(encoding="utf-8")
    for line in (DEEPER, ASKING):
        assert text.count(line) == 1
        text = text.replace(line, line.replace("privileged", "confidential"))
    return {"policy.csv": text}


async def preview(world: World, files: dict[str, str], status: int = 200) -> Any:
    return await world.owner.post("/policy-previews", {"files": files}, status)


async def test_people_and_documents_are_counted_and_nothing_is_changed(world: World, engagement: Engagement) -> None:
    seat, other = await engagement.member(), await engagement.member()
    secret = (await engagement.document(sensitivity="privileged"))["document_id"]
    await engagement.grant(seat, secret)
    await engagement.grant(seat, (await engagement.document())["document_id"])
    await engagement.grant(other, (await engagement.document())["document_id"])
    found = await preview(world, stricter())
    assert {each["action"] for each in found["shifts"]} == {"document:list", "document:view", "document:download"}
    shifts = {(each["membership_id"], each["person_id"], each["gained"], each["lost"]) for each in found["shifts"]}
    assert shifts == {(seat.membership_id, seat.person_id, 0, 1)}
    assert {each["effect"] for each in found["answers"]} == {"lost"}
    assert {(each["role"], each["sensitivity"]) for each in found["answers"]} == {("paralegal", "privileged")}
    assert [each["effect"] for each in found["rules"]] == ["removed", "removed", "added", "added"]
    assert not found["more"]
    in_force = await world.owner.get("/policy")
    assert found["epoch"] != in_force["epoch"]
    assert (await seat.get(f"/documents/{secret}"))["id"] == secret  # it was only asked


async def test_the_policy_in_force_differs_in_nothing(world: World) -> None:
    in_force = await world.owner.get("/policy")
    found = await preview(world, in_force["files"])
    assert (found["epoch"], found["rules"], found["answers"], found["shifts"]) == (in_force["epoch"], [], [], [])


async def test_asking_is_a_list_in_the_log_with_the_numbers_it_told(world: World) -> None:
    await preview(world, stricter())
    (entry,) = (each for each in entries(world, "list.read") if each["action"] == "policy:preview")
    assert entry["data"]["count"] == 0


async def test_files_that_would_not_load_are_refused_with_the_line(world: World) -> None:
    text = stricter()["policy.csv"].replace(",allow", ",ALLOW", 1)
    refused = await preview(world, {"policy.csv": text}, 422)
    assert "policy.csv" in refused["detail"]
    refused = await preview(world, {"decisions.csv": "role\n"}, 422)
    assert "answers.csv" in refused["detail"]


async def test_another_model_is_refused(world: World) -> None:
    model = (POLICIES / "model.conf").read_text(encoding="utf-8").replace("some(where", "some( where")
    refused = await preview(world, {"model.conf": model}, 422)
    assert "model.conf" in refused["detail"]


async def test_nobody_but_who_runs_the_house_may_ask(world: World, engagement: Engagement) -> None:
    seat = await engagement.member()
    for person in (engagement.attorney, seat):
        await person.post("/policy-previews", {"files": stricter()}, 403)
        # Whether the files would load is no matter to somebody who may not ask.
        await person.post("/policy-previews", {"files": {"policy.csv": "nothing\n"}}, 403)


async def test_a_firm_is_told_of_its_own_people_alone(world: World, engagement: Engagement) -> None:
    seat = await engagement.member()
    await engagement.grant(seat, (await engagement.document(sensitivity="privileged"))["document_id"])
    other = await another_firm(world)
    found = await preview(other, stricter())
    assert found["shifts"] == []
    assert found["answers"]
