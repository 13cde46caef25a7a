"""What the verifier says about a bundle that holds together: what was checked, what was not, what no bundle can show.

A verifier that only says "sound" is believed for more than it did. So each sentence here stands for something verify.py
compared, or says plainly that it did not. What is broken is never a report: it is an error.

Source: FORMAT.md, section 9.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from audit.bundle import ENGAGEMENT, LOG, Manifest
from audit.checkpoint import Checkpoint
from audit.errors import EXIT_SOUND, EXIT_UNUSABLE
from audit.following import Follower, PolicyUse

BY_KEY: Final = "the verifier key"
BY_CHECKPOINT: Final = "the checkpoint that was kept"
LISTED: Final = 20  # open intents named one by one
LAST_YEAR_MS: Final = 253_402_300_800_000  # 10000-01-01; later times are printed as numbers

CANNOT_SHOW: Final = (
    "entries added after the checkpoint, or dropped after it and never signed",
    "acts that the software never recorded",
    "whether somebody else was shown another history: compare checkpoints with other holders",
)
CANNOT_SHOW_WITHOUT_OLDER: Final = "history rewritten and signed again by the holder of the log's key"
CANNOT_SHOW_ENGAGEMENT: Final = "whether the engagement has later entries than the last one here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found in a bundle that holds together.

    Args:
        kind: ``log`` or ``engagement``.
        origin: name of the log.
        log: log id.
        engagement: id, for that kind.
        size: entries under the checkpoint.
        root: tree head, hex.
        entries: entries in the bundle.
        first_time: of the first entry, UTC milliseconds.
        last_time: of the last entry, UTC milliseconds.
        last_entry: the last entry, as written.
        made_at: when the bundle says it was made, UTC milliseconds; signed by nobody.
        engagements: chains that were followed.
        payloads_shown: payloads that are the ones their entries commit to.
        payloads_withheld: entries whose payload was erased or is not shown.
        policies: policy epoch to its use.
        policies_shown: epochs whose rules are in the bundle or were given.
        open_intents: indexes of intents without an outcome.
        stray_outcomes: outcomes whose intent is not here or was closed before.
        established_by: what establishes the origin; empty if nothing does.
        checked: sentences.
        not_checked: sentences.
        cannot_show: sentences.
    """

    kind: str
    origin: str
    log: str
    engagement: str | None
    size: int
    root: str
    entries: int
    first_time: int | None
    last_time: int | None
    last_entry: str
    made_at: int
    engagements: int
    payloads_shown: int
    payloads_withheld: int
    policies: Mapping[str, PolicyUse]
    policies_shown: Sequence[str]
    open_intents: Sequence[int]
    stray_outcomes: int
    established_by: Sequence[str]
    checked: Sequence[str]
    not_checked: Sequence[str]
    cannot_show: Sequence[str]

    @property
    def exit_code(self) -> int:
        """0 sound; 2 consistent in itself, origin not established."""
        return EXIT_SOUND if self.established_by else EXIT_UNUSABLE

    @property
    def verdict(self) -> str:
        """The answer in words."""
        return "sound" if self.established_by else "consistent in itself, origin not established"


def report(
    manifest: Manifest,
    head: Checkpoint,
    kept: Checkpoint | None,
    follower: Follower,
    policies_shown: Sequence[str],
    *,
    has_key: bool,
) -> Report:
    """Say what was verified, from what the verifier holds at the end."""
    comparable = kept is not None and kept.size > 0 and (manifest.kind == LOG or kept.size == head.size)
    return Report(
        kind=manifest.kind,
        origin=head.origin,
        log=manifest.log,
        engagement=manifest.engagement,
        size=head.size,
        root=head.root.hex(),
        entries=follower.entries,
        first_time=follower.first_time,
        last_time=follower.last_time if follower.entries else None,
        last_entry=follower.last_entry.decode(),
        made_at=manifest.made_at,
        engagements=follower.engagements,
        payloads_shown=follower.payloads_shown,
        payloads_withheld=follower.payloads_withheld,
        policies=follower.policies,
        policies_shown=policies_shown,
        open_intents=tuple(follower.open_intents),
        stray_outcomes=follower.stray_outcomes,
        established_by=[*([BY_KEY] if has_key else []), *([BY_CHECKPOINT] if comparable else [])],
        checked=list(_checked(manifest, head, kept if comparable else None, follower, has_key=has_key)),
        not_checked=list(_not_checked(manifest, head, kept, follower, policies_shown, has_key=has_key)),
        cannot_show=list(_cannot_show(manifest, older=comparable)),
    )


def lines(found: Report) -> Iterator[str]:
    """Write a report for a person."""
    yield f"{found.verdict.upper()}: {found.kind} bundle of {found.origin!a}, checkpoint of {found.size} entries"
    if found.established_by:
        yield f"origin established by {' and '.join(found.established_by)}"
    yield f"entries {found.entries}, from {moment(found.first_time)} to {moment(found.last_time)}"
    if found.engagement is not None:
        yield f"last entry of {found.engagement}: {found.last_entry!a}"
    for title, sentences in (
        ("checked", found.checked),
        ("not checked", found.not_checked),
        ("no bundle can show", found.cannot_show),
    ):
        yield f"{title}:"
        yield from (f"  - {sentence}" for sentence in sentences)


def moment(time_ms: int | None) -> str:
    """Write a time for a person, in UTC."""
    if time_ms is None:
        return "never"
    if time_ms >= LAST_YEAR_MS:
        return f"{time_ms} ms"
    seconds, milliseconds = divmod(time_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"


def _checked(
    manifest: Manifest, head: Checkpoint, kept: Checkpoint | None, follower: Follower, *, has_key: bool
) -> Iterator[str]:
    yield "the container: its members are those of its kind, every byte of structure is as it must be"
    yield f"{follower.entries} entries: one encoding, each at its place in {manifest.log}, times never going back"
    if manifest.kind == LOG:
        yield f"the root over all entries is that of the checkpoint, size {head.size}"
        yield f"{follower.engagements} engagements: running numbers and previous leaf hashes follow one another"
    else:
        yield f"an inclusion proof for each entry under the checkpoint of size {head.size}"
        yield f"the engagement's chain: no entry is left out up to number {follower.entries - 1}"
    if has_key:
        yield f"the checkpoint's signature by the key of {head.origin!a}"
    if kept is not None and kept.size == head.size:
        yield "the checkpoint has the size and root of the one that was kept"
    elif kept is not None:
        yield f"the first {kept.size} entries are those of the checkpoint that was kept"
    if follower.payloads_shown:
        yield f"{follower.payloads_shown} payloads are those that their entries commit to"


def _not_checked(
    manifest: Manifest,
    head: Checkpoint,
    kept: Checkpoint | None,
    follower: Follower,
    policies_shown: Sequence[str],
    *,
    has_key: bool,
) -> Iterator[str]:
    if not has_key:
        yield "the checkpoint's signature: no verifier key was given"
    if not has_key and kept is not None and manifest.kind == LOG and 0 < kept.size < head.size:
        yield f"who signed for the entries from {kept.size} on: the kept checkpoint ends before them"
    if kept is not None and manifest.kind == ENGAGEMENT and kept.size != head.size:
        yield f"the kept checkpoint of size {kept.size}: it can be compared with a whole log only"
    if manifest.kind == ENGAGEMENT:
        yield "that the log has one chain for this engagement: whoever reads a whole log checks that"
    if follower.payloads_withheld:
        yield f"{follower.payloads_withheld} payloads: erased or not shown, commitment only"
    for epoch, use in follower.policies.items():
        if epoch not in policies_shown:
            yield f"policy {epoch}: cited by {use.entries} entries from {use.first_index} on, its rules are not here"
    if follower.open_intents:
        named = ", ".join(str(index) for index in list(follower.open_intents)[:LISTED])
        yield f"how {len(follower.open_intents)} announced acts ended; no outcome is here for {named}"
    if follower.stray_outcomes:
        yield f"{follower.stray_outcomes} outcomes of acts whose announcement is not here"
    yield f"when the bundle was made: it says {moment(manifest.made_at)}, and nobody signed that"


def _cannot_show(manifest: Manifest, *, older: bool) -> Iterator[str]:
    yield from CANNOT_SHOW
    if not older:
        yield CANNOT_SHOW_WITHOUT_OLDER
    if manifest.kind == ENGAGEMENT:
        yield CANNOT_SHOW_ENGAGEMENT
