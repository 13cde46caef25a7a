"""The log leaves the house: bundles, the offline verifier, and one changed byte."""

from __future__ import annotations

import zipfile
from pathlib import Path

from service.cli.demo.machine import verify
from service.cli.demo.proof import refused, same, true
from service.cli.demo.stage import API, Stage
from service.errors import ForbiddenError

SOUND, BROKEN, NOT_ESTABLISHED = 0, 1, 2


def export(stage: Stage) -> str:
    """Export the whole log and one engagement, and verify both offline."""
    with refused(ForbiddenError, "a paralegal exports the log"):
        stage.make("sofia", "/audit/exports")
    log, engagement = stage.out("log.zip"), stage.out("engagement.zip")
    fetch(stage, "grace@house", log)
    fetch(stage, "grace", engagement, engagement_id=stage.engagement)
    whole = verify(log, "--key", stage.verifier_key)
    part = verify(engagement, "--key", stage.verifier_key)
    same((whole.exit_code, part.exit_code), (SOUND, SOUND), f"the verdicts on {log.name} and {engagement.name}")
    same(verify(log).exit_code, NOT_ESTABLISHED, "the verdict without a key")
    same(whole.report["open_intents"], [], "readings without an outcome")
    stage.checkpoint = stage.out("checkpoint")
    stage.checkpoint.write_text(stage.as_("grace@house").ask("GET", f"{API}/audit/checkpoint").text, encoding="utf-8")
    return (
        f"The reviewer's bundles verify offline with the firm's key alone: log ({whole.report['entries']} entries), "
        f"this engagement ({part.report['entries']} entries)."
    )


def tamper(stage: Stage) -> str:
    """Change one byte of one entry."""
    bundle, changed = stage.out("log.zip"), stage.out("changed.zip")
    index, at = _a_refusal(bundle)
    content = bytearray(bundle.read_bytes())
    content[at] ^= 1
    changed.write_bytes(content)
    verdict = verify(changed, "--key", stage.verifier_key)
    same(verdict.exit_code, BROKEN, "the verdict on a changed bundle")
    same(verdict.report["first_bad_index"], index, "the entry that was changed")
    return f"With one byte changed in a recorded refusal the verifier fails and names it: entry {index}."


def fetch(stage: Stage, who: str, path: Path, **body: str) -> None:
    """Export a bundle as somebody."""
    with path.open("wb") as file:
        stage.as_(who).fetch("POST", f"{API}/audit/exports", file, lambda pieces, _total: pieces, json=body)


def _a_refusal(bundle: Path) -> tuple[int, int]:
    """Find the first recorded refusal; returns its index and where in the file a letter of its outcome stands."""
    with zipfile.ZipFile(bundle) as archive:
        lines = archive.read("entries.jsonl").split(b"\n")
    index = next(index for index, line in enumerate(lines) if b'"outcome":"refused"' in line)
    start = bundle.read_bytes().find(lines[index])
    true(start > 0, "the entry to stand in the bundle as it was written")
    return index, start + lines[index].index(b'"outcome":"refused"') + len(b'"outcome":"')
