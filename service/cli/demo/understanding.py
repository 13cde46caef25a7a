"""Understanding: who can see a paper and why, what somebody would see later, what another policy would take."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from service.cli.demo.people import CAST
from service.cli.demo.proof import same, true
from service.cli.demo.stage import API, Stage, hence
from service.config import Settings
from service.scoping.actions import Role, Sensitivity

LATER_DAYS: Final = 15  # each grant of the demo has ended by then
DIFFERENT: Final = 1  # exit code of `policy diff` when an answer differs


def who_can_see(stage: Stage) -> str:
    """Ask who can see each paper, and compare it with what everybody is shown."""
    shown = {person.key: set(stage.listed(person.key)) for person in CAST if person.role is not Role.REVIEWER}
    names = {stage.seats[person.key]: person.key for person in CAST}
    rules = set[str]()
    for held in stage.documents:
        told = stage.read("dana", f"/documents/{held.id}/access")["items"]
        seeing = {names[each["membership_id"]] for each in told if each["sees"] and each["membership_id"] in names}
        same(seeing, {key for key, ids in shown.items() if held.id in ids}, f"who can see {held.paper.title}")
        for each in told:
            given = {grant["id"] for grant in each["grants"]}
            expected = stage.grants.get((names.get(each["membership_id"], ""), held.id))
            same(given, {expected} if expected else set(), "the grants that it rests on")
            rules |= {reason["rule"] for reason in each["reasons"] if reason["allowed"]}
    return (
        f"Who can see each of {len(stage.documents)} papers, why, by which grant, is told by {len(rules)} rules of the "
        "policy, and is what everybody is shown."
    )


def simulate(stage: Stage) -> str:
    """Ask what the paralegal would see after her grants have ended."""
    path = f"{API}/people/{stage.people['sofia']}/access"
    now = list(stage.as_("dana").items(path, engagement_id=stage.engagement))
    same({each["document_id"] for each in now}, stage.granted("sofia"), "what she is said to see now")
    later = list(stage.as_("dana").items(path, engagement_id=stage.engagement, at=hence(days=LATER_DAYS)))
    same(later, [], "what she would see when her grants have ended")
    return (
        f"The paralegal sees {len(now)} papers now, and would see none in {LATER_DAYS} days, when her grants are over."
    )


def compare_policies(stage: Stage) -> str:
    """Count what a stricter policy would take, before anybody puts it in force."""
    shipped, stricter = Settings().policies, stage.out("policies")
    shutil.rmtree(stricter, ignore_errors=True)
    shutil.copytree(shipped, stricter)
    _lower(stricter / "policy.csv")
    found = stage.machine.run("policy", "diff", str(shipped), str(stricter), "--people", code=DIFFERENT)
    lost = {
        row["person_id"]: row["lost"]
        for row in found["people"]
        if row["action"] == "document:view" and row["membership_id"] in stage.seats.values()
    }
    ids = stage.granted("sofia")
    privileged = [
        held for held in stage.documents if held.id in ids and held.paper.sensitivity == Sensitivity.PRIVILEGED
    ]
    same(lost, {stage.people["sofia"]: len(privileged)} if privileged else {}, "what the stricter policy would take")
    true(found["answers"], "answers that differ")
    return (
        f"A policy without privileged papers for paralegals is compared before it is in force: {len(found['answers'])} "
        f"answers differ, one person would lose {len(privileged)} papers."
    )


def _lower(policy: Path) -> None:
    """Paralegals: up to confidential, no higher."""
    lines = policy.read_text(encoding="utf-8").splitlines(keepends=True)
    changed = [
        line.replace(",privileged,", ",confidential,") if line.startswith(f"{Role.PARALEGAL},") else line
        for line in lines
    ]
    policy.write_text("".join(changed), encoding="utf-8")
