"""The verifier's answers: sound, broken, unusable, and what it says it did not check."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from audit.archive import Archive, pack
from audit.bundle import OpenedPayload
from audit.checkpoint import verifier_key
from audit.entry import commitment, decode
from audit.errors import (
    AuditError,
    BundleError,
    CheckpointError,
    CountError,
    LeafError,
    OriginError,
    PayloadError,
    PolicyError,
    ProofError,
    SequenceError,
    SignatureError,
    UnusableError,
    VerifierKeyError,
)
from audit.policy import epoch_under
from audit.report import BY_CHECKPOINT, BY_KEY, CANNOT_SHOW_WITHOUT_OLDER, lines
from audit.verify import verify_bundle
from tests.audit.logs import (
    ENGAGEMENTS,
    EPOCH,
    LOG,
    ORIGIN,
    OTHER_KEY,
    POLICY,
    START_MS,
    VERIFIER_KEY,
    LogMaker,
    Rows,
    change_json,
    edited,
    members,
    repack,
    saved,
)

OTHER_POLICY = POLICY | {"policy.csv": b"other"}


@pytest.fixture(scope="module")
def made() -> LogMaker:
    return LogMaker(7).grow(300)


# Sound ----------------------------------------------------------------------------------------------------------------


def log_of(size: int, _: LogMaker) -> bytes:
    return LogMaker(size).grow(size).log_bundle()


GOOD: dict[str, Callable[[LogMaker], bytes]] = {
    "everything": lambda made: made.log_bundle(),
    "no payloads": lambda made: made.log_bundle(payloads=()),
    "no policies": lambda made: made.log_bundle(policies=()),
    "two policies": lambda made: made.log_bundle(policies=[POLICY, OTHER_POLICY]),
    "an engagement": lambda made: made.engagement_bundle(ENGAGEMENTS[0]),
    "an engagement without payloads": lambda made: made.engagement_bundle(ENGAGEMENTS[1], payloads=()),
    "an engagement up to an entry": lambda made: made.engagement_bundle(ENGAGEMENTS[2], upto=100),
    "an engagement without entries": lambda made: made.engagement_bundle("eng_unknown"),
    **{f"a log of {size}": partial(log_of, size) for size in (0, 1, 2, 255, 256, 257, 511, 512, 513)},
    "below the newest entry": lambda made: made.log_bundle(checkpoint=made.checkpoint(5), payloads=()),
    "before the first entry": lambda made: made.log_bundle(checkpoint=made.checkpoint(0), payloads=()),
    "signed by a witness too": lambda made: made.log_bundle(checkpoint=made.checkpoint() + witness_line(made)),
}


def witness_line(made: LogMaker) -> bytes:
    return made.checkpoint(origin="witness.example", key=OTHER_KEY).rpartition(b"\n\n")[2]


@pytest.mark.parametrize("name", GOOD)
def test_a_good_bundle_is_sound_with_the_key_and_unestablished_without(
    name: str, made: LogMaker, tmp_path: Path
) -> None:
    path = saved(tmp_path, GOOD[name](made))
    assert verify_bundle(path, key=VERIFIER_KEY).exit_code == 0
    assert verify_bundle(path).exit_code == 2


def test_there_are_twenty_good_bundles() -> None:
    assert len(GOOD) >= 19


def test_the_report_says_what_was_found(made: LogMaker, tmp_path: Path) -> None:
    report = verify_bundle(saved(tmp_path, made.log_bundle()), key=VERIFIER_KEY)
    bodies = made.bodies()
    assert (report.kind, report.origin, report.log, report.engagement) == ("log", ORIGIN, LOG, None)
    assert (report.size, report.entries, report.engagements) == (300, 300, len(ENGAGEMENTS))
    assert (report.first_time, report.last_time) == (decode(bodies[0]).time, decode(bodies[-1]).time)
    assert report.last_entry == bodies[-1].decode()
    assert (report.payloads_shown, report.payloads_withheld) == (len(made.payloads), 0)
    assert {epoch: use.entries for epoch, use in report.policies.items()} == {EPOCH: 300}
    assert list(report.policies_shown) == [EPOCH]
    assert (report.made_at, report.established_by) == (START_MS, [BY_KEY])


def test_an_engagements_report_shows_its_last_entry(made: LogMaker, tmp_path: Path) -> None:
    report = verify_bundle(saved(tmp_path, made.engagement_bundle(ENGAGEMENTS[0])), key=VERIFIER_KEY)
    last = [body for body in made.bodies() if (decode(body).subjects or {}).get("engagement") == ENGAGEMENTS[0]][-1]
    assert (report.engagement, report.last_entry, report.engagements) == (ENGAGEMENTS[0], last.decode(), 1)
    assert any(ENGAGEMENTS[0] in sentence for sentence in lines(report))


# Kept checkpoints -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 299])
def test_an_older_checkpoint_establishes_the_origin_of_what_it_covers(
    made: LogMaker, tmp_path: Path, size: int
) -> None:
    path = saved(tmp_path, made.log_bundle())
    report = verify_bundle(path, checkpoint=made.checkpoint(size))
    assert (report.exit_code, report.established_by) == (0, [BY_CHECKPOINT])
    assert any(f"entries from {size} on" in sentence for sentence in report.not_checked)
    both = verify_bundle(path, key=VERIFIER_KEY, checkpoint=made.checkpoint(size))
    assert both.established_by == [BY_KEY, BY_CHECKPOINT]
    assert CANNOT_SHOW_WITHOUT_OLDER not in both.cannot_show


def test_a_checkpoint_of_the_same_size_establishes_the_origin(made: LogMaker, tmp_path: Path) -> None:
    for bundle in (made.log_bundle(), made.engagement_bundle(ENGAGEMENTS[0])):
        report = verify_bundle(saved(tmp_path, bundle), checkpoint=made.checkpoint())
        assert report.established_by == [BY_CHECKPOINT]
        assert "the checkpoint has the size and root of the one that was kept" in report.checked


def test_a_checkpoint_of_the_empty_log_establishes_nothing(made: LogMaker, tmp_path: Path) -> None:
    assert verify_bundle(saved(tmp_path, made.log_bundle()), checkpoint=made.checkpoint(0)).exit_code == 2


@pytest.mark.parametrize("kept", [100, 300])
def test_a_kept_checkpoint_of_another_size_says_nothing_about_an_engagement(
    made: LogMaker, tmp_path: Path, kept: int
) -> None:
    bundle = made.engagement_bundle(ENGAGEMENTS[0], upto=200, checkpoint=made.checkpoint(200))
    report = verify_bundle(saved(tmp_path, bundle), checkpoint=made.checkpoint(kept))
    assert (report.exit_code, report.established_by) == (2, [])
    assert any(f"size {kept}" in sentence for sentence in report.not_checked)


def test_a_kept_checkpoint_is_checked_with_the_key(made: LogMaker, tmp_path: Path) -> None:
    path = saved(tmp_path, made.log_bundle())
    with pytest.raises(SignatureError):
        verify_bundle(path, key=VERIFIER_KEY, checkpoint=made.checkpoint(9, key=OTHER_KEY))
    with pytest.raises(OriginError):
        verify_bundle(path, key=verifier_key("firm.example/other", OTHER_KEY.public_key()))
    with pytest.raises(CheckpointError):
        verify_bundle(path, checkpoint=b"not a checkpoint")
    with pytest.raises(VerifierKeyError):
        verify_bundle(path, key="not a key")


# Policies, payloads, intents ------------------------------------------------------------------------------------------


def test_a_policy_that_was_given_is_shown_as_known(made: LogMaker, tmp_path: Path) -> None:
    path = saved(tmp_path, made.log_bundle(policies=()))
    assert any(EPOCH in sentence for sentence in verify_bundle(path, key=VERIFIER_KEY).not_checked)
    report = verify_bundle(path, key=VERIFIER_KEY, policy=[OTHER_POLICY, POLICY])
    assert list(report.policies_shown) == [EPOCH]
    assert not any(EPOCH in sentence for sentence in report.not_checked)


def test_decisions_under_an_overlay_are_known_by_the_entry_that_set_it(tmp_path: Path) -> None:
    made = LogMaker(7).grow(30)
    rows, engagement = ["paralegal,document:download,*,*,never", "receptionist,document:view,*,*,never"], ENGAGEMENTS[0]
    under = epoch_under(EPOCH, rows)
    subjects = {"engagement": engagement}
    made.add(type="overlay.changed", subjects=subjects, data={"rows": rows}, policy=EPOCH)
    made.add(subjects=subjects, policy=under)
    for kind in (made.log_bundle(policies=()), made.engagement_bundle(engagement, policies=())):
        report = verify_bundle(saved(tmp_path, kind), key=VERIFIER_KEY, policy=[POLICY])
        assert set(report.policies_shown) == {EPOCH, under}
    assert not verify_bundle(saved(tmp_path, made.log_bundle(policies=())), key=VERIFIER_KEY).policies_shown


def test_an_overlay_that_no_entry_set_is_not_known(tmp_path: Path) -> None:
    made = LogMaker(7).grow(30)
    other = epoch_under(EPOCH, ["paralegal,document:view,*,*,never"])
    made.add(type="overlay.changed", subjects={"engagement": ENGAGEMENTS[0]}, data={"rows": []}, policy=EPOCH)
    made.add(type="overlay.changed", subjects={"engagement": ENGAGEMENTS[0]}, data={"rows": "none"}, policy=EPOCH)
    made.add(policy=other)
    report = verify_bundle(saved(tmp_path, made.log_bundle(policies=())), key=VERIFIER_KEY, policy=[POLICY])
    assert list(report.policies_shown) == [EPOCH]
    assert any(other in line for line in report.not_checked)


def test_a_policy_is_given_rightly_where_all_was_decided_under_its_overlay(tmp_path: Path) -> None:
    made, rows = LogMaker(), ["paralegal,document:view,*,*,never"]
    made.add(type="overlay.changed", subjects={"engagement": ENGAGEMENTS[0]}, data={"rows": rows}, policy=None)
    made.add(subjects={"engagement": ENGAGEMENTS[0]}, policy=epoch_under(EPOCH, rows))
    path = saved(tmp_path, made.log_bundle(policies=()))
    assert verify_bundle(path, key=VERIFIER_KEY, policy=[POLICY]).exit_code == 0
    with pytest.raises(PolicyError):
        verify_bundle(path, key=VERIFIER_KEY, policy=[OTHER_POLICY])


def test_a_policy_under_which_nothing_was_decided_is_a_fault(made: LogMaker, tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as refusal:
        verify_bundle(saved(tmp_path, made.log_bundle()), key=VERIFIER_KEY, policy=[OTHER_POLICY])
    assert (refusal.value.index, refusal.value.evidence["cited"]) == (0, EPOCH)


def test_a_policy_is_no_fault_where_nothing_was_decided(tmp_path: Path) -> None:
    made = LogMaker(1)
    made.add(policy=None)
    assert verify_bundle(saved(tmp_path, made.log_bundle()), key=VERIFIER_KEY, policy=[OTHER_POLICY]).exit_code == 0


def test_a_policy_that_is_none_is_unusable(made: LogMaker, tmp_path: Path) -> None:
    with pytest.raises(UnusableError):
        verify_bundle(saved(tmp_path, made.log_bundle()), key=VERIFIER_KEY, policy=[{}])


def test_intents_without_outcomes_are_reported_and_no_fault(tmp_path: Path) -> None:
    made = LogMaker(1)
    first = made.add(type="document.opening", data=None)
    second = made.add(type="document.opening", data=None)
    made.add(type="document.opened", data={"of": first, "bytes": 5})
    made.add(type="document.opened", data={"of": first})
    made.add(type="document.opened", data={"of": 999})
    report = verify_bundle(saved(tmp_path, made.log_bundle()), key=VERIFIER_KEY)
    assert (report.exit_code, report.open_intents, report.stray_outcomes) == (0, (second,), 2)
    assert any(sentence.endswith(f"no outcome is here for {second}") for sentence in report.not_checked)
    assert any(sentence.startswith("2 outcomes") for sentence in report.not_checked)


def test_a_payload_of_an_entry_between_those_of_an_engagement_is_refused(made: LogMaker, tmp_path: Path) -> None:
    outside = next(
        at
        for at in sorted(made.payloads)
        if (decode(made.bodies()[at]).subjects or {}).get("engagement") != ENGAGEMENTS[0]
    )
    bundle = made.engagement_bundle(ENGAGEMENTS[0], payloads=[made.payloads[outside]])
    with pytest.raises(PayloadError) as refusal:
        verify_bundle(saved(tmp_path, bundle), key=VERIFIER_KEY)
    assert refusal.value.index == outside


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"not JSON",
        b"[]",
        b'{"index":0}',
        b'{"index":-1,"payload":"","salt":""}',
        b'{"index":0,"payload":"\\ud800","salt":"%b"}' % (b"0" * 64),
        b'{"index":0,"payload":"","salt":"zz"}',
        b'{"index":0,"payload":7,"salt":"%b"}' % (b"0" * 64),
        b'{"index":0,"payload":"","salt":"%b"}' % (b"A" * 64),
        b'{"index":0,"payload":"","salt":"%b"}' % (b"0" * 62),
        b'{"index":0, "payload":"","salt":"%b"}' % (b"0" * 64),
        b'{"index":true,"payload":"","salt":"%b"}' % (b"0" * 64),
    ],
)
def test_lines_that_are_no_payloads_are_refused(made: LogMaker, tmp_path: Path, text: bytes) -> None:
    with pytest.raises(PayloadError):
        verify_bundle(saved(tmp_path, repack(made.log_bundle(), {"payloads.jsonl": text + b"\n"})), key=VERIFIER_KEY)


def test_payloads_out_of_order_are_refused(tmp_path: Path) -> None:
    made = LogMaker(1)
    opened = [OpenedPayload(at, bytes(32), b"{}") for at in (0, 1)]
    for _ in opened:
        made.add(payload=commitment(bytes(32), b"{}").hex())
    text = members(made.log_bundle(payloads=opened))["payloads.jsonl"].splitlines(keepends=True)
    bundle = made.log_bundle(payloads=())
    for wrong in (text[::-1], [text[0], text[0]]):
        with pytest.raises(PayloadError):
            verify_bundle(saved(tmp_path, repack(bundle, {"payloads.jsonl": b"".join(wrong)})), key=VERIFIER_KEY)


# Broken and unusable --------------------------------------------------------------------------------------------------


def test_one_changed_byte_of_the_file_names_the_entry_though_the_checksum_is_wrong_too(
    made: LogMaker, tmp_path: Path
) -> None:
    bundle = made.log_bundle()
    for index in (0, 100, 256, 299):
        request = (decode(made.bodies()[index]).request or "").encode()
        changed = bundle.replace(request, request[:-1] + (b"0" if request[-1:] != b"0" else b"1"))
        with pytest.raises(LeafError) as refusal:
            verify_bundle(saved(tmp_path, changed), key=VERIFIER_KEY)
        assert refusal.value.index == index
        assert "the entry was changed" in str(refusal.value.evidence["which"])


def test_the_evidence_says_whether_the_entry_or_the_stored_hash_was_changed(made: LogMaker, tmp_path: Path) -> None:
    rows = Rows.of(made)
    rows.leaves[5] = bytes(32)
    with pytest.raises(LeafError) as refusal:
        verify_bundle(saved(tmp_path, rows.bundle(made)), key=VERIFIER_KEY)
    assert "the stored leaf hash was changed" in str(refusal.value.evidence["which"])
    rows.bodies[9] = edited(rows.bodies[9], request="req_forged")
    with pytest.raises(LeafError) as refusal:
        verify_bundle(saved(tmp_path, rows.bundle(made)), key=VERIFIER_KEY)
    assert "neither" in str(refusal.value.evidence["which"])


def test_an_earlier_changed_entry_is_named_before_a_later_broken_rule(made: LogMaker, tmp_path: Path) -> None:
    rows = Rows.of(made)
    rows.bodies[5] = edited(rows.bodies[5], request="req_forged")
    rows.bodies[9] = b"{}"
    with pytest.raises(LeafError) as refusal:
        verify_bundle(saved(tmp_path, rows.bundle(made, payloads=())), key=VERIFIER_KEY)
    assert refusal.value.index == 5


@pytest.mark.parametrize(
    ("leaves", "index"),
    [
        pytest.param(lambda leaves: [*leaves, bytes(32)], 300, id="one too many"),
        pytest.param(lambda leaves: leaves[:-1], 299, id="one too few"),
        pytest.param(lambda _: [], 0, id="none"),
    ],
)
def test_leaf_hashes_too_few_or_too_many_are_refused(
    made: LogMaker, tmp_path: Path, leaves: Callable[[list[bytes]], list[bytes]], index: int
) -> None:
    rows = Rows.of(made)
    rows.leaves = leaves(rows.leaves)
    with pytest.raises((CountError, LeafError)) as refusal:
        verify_bundle(saved(tmp_path, rows.bundle(made)), key=VERIFIER_KEY)
    assert refusal.value.index == index


def test_damaged_small_members_make_a_bundle_unusable(made: LogMaker, tmp_path: Path) -> None:
    bundle = made.log_bundle()
    for word in (b"hashlib.sha256(data)", b'"made_at":'):
        with pytest.raises(BundleError):
            verify_bundle(saved(tmp_path, bundle.replace(word, word.replace(b"a", b"o"))), key=VERIFIER_KEY)


def test_a_wrong_checksum_beside_right_hashes_is_damage(made: LogMaker, tmp_path: Path) -> None:
    # Only a forger makes this: the content is right and the checksum, in both places, is not.
    bundle = made.log_bundle()
    for name in ("entries.jsonl", "leaves"):
        member = next(each for each in Archive(io.BytesIO(bundle)).members if each.name == name)
        crc = member.crc.to_bytes(4, "little")
        assert bundle.count(crc) == 2
        with pytest.raises(BundleError, match="CRC"):
            verify_bundle(saved(tmp_path, bundle.replace(crc, b"\1\2\3\4")), key=VERIFIER_KEY)


def test_a_last_line_without_its_end_is_refused(made: LogMaker, tmp_path: Path) -> None:
    text = members(made.log_bundle())["entries.jsonl"]
    with pytest.raises(BundleError, match="does not end"):
        verify_bundle(saved(tmp_path, repack(made.log_bundle(), {"entries.jsonl": text[:-1]})), key=VERIFIER_KEY)
    with pytest.raises(AuditError) as refusal:
        verify_bundle(saved(tmp_path, repack(made.log_bundle(), {"entries.jsonl": text[:-2] + b"x"})), key=VERIFIER_KEY)
    assert refusal.value.index == 299


MANIFESTS: dict[str, Callable[[dict[str, object]], object]] = {
    "another version": lambda value: value.update(v=2),
    "another kind": lambda value: value.update(kind="both"),
    "a kind without its engagement": lambda value: value.update(kind="engagement"),
    "an engagement without its kind": lambda value: value.update(engagement="eng_1"),
    "an engagement that is a number": lambda value: value.update(kind="engagement", engagement=7),
    "a missing word": lambda value: value.pop("log"),
    "a word more": lambda value: value.update(more=1),
    "a log that is a number": lambda value: value.update(log=1),
    "a size below zero": lambda value: value.update(size=-1),
    "a size that is a bool": lambda value: value.update(size=True),
    "a time of 2**53": lambda value: value.update(made_at=2**53),
    "counts that are a number": lambda value: value.update(counts=1),
    "other counts": lambda value: value.update(counts={}),
    "more policies than there are": lambda value: value.update(counts={"entries": 300, "payloads": 0, "policies": 2}),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_malformed_manifest_makes_a_bundle_unusable(made: LogMaker, tmp_path: Path, name: str) -> None:
    with pytest.raises(BundleError):
        verify_bundle(
            saved(tmp_path, change_json(made.log_bundle(), "manifest.json", MANIFESTS[name])), key=VERIFIER_KEY
        )


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", b"[" * 5000, b'{"a":"\\ud800"}'])
def test_a_manifest_that_is_no_object_makes_a_bundle_unusable(made: LogMaker, tmp_path: Path, text: bytes) -> None:
    with pytest.raises(BundleError):
        verify_bundle(saved(tmp_path, repack(made.log_bundle(), {"manifest.json": text})), key=VERIFIER_KEY)


@pytest.mark.parametrize(
    "changes",
    [
        {"manifest.json": None},
        {"checkpoint": None},
        {"leaves": None, "proofs.jsonl": b""},
        {"proofs.jsonl": b""},
        {f"policy/{EPOCH}.json": None},
        {"policy/../../x.json": b"{}"},
        {f"policy/{EPOCH.upper()}.json": b"{}"},
        {"extra": b""},
        {"checkpoint": b"x" * 200_000},
        {"VERIFY.txt": b"x" * 70_000},
        {"manifest.json": b"x" * 70_000},
    ],
)
def test_other_members_than_those_of_the_kind_are_refused(
    made: LogMaker, tmp_path: Path, changes: dict[str, bytes | None]
) -> None:
    contents = {**members(made.log_bundle()), **changes}
    manifest = contents.pop("manifest.json")
    bundle = repack(
        made.log_bundle(), {**dict.fromkeys(members(made.log_bundle())), **contents, "manifest.json": manifest}
    )
    with pytest.raises(BundleError):
        verify_bundle(saved(tmp_path, bundle), key=VERIFIER_KEY)


def test_members_in_another_order_are_refused(made: LogMaker, tmp_path: Path) -> None:
    contents = members(made.log_bundle())
    names = [*list(contents)[1::-1], *list(contents)[2:]]
    bundle = b"".join(pack((name, [contents[name]]) for name in names))
    with pytest.raises(BundleError):
        verify_bundle(saved(tmp_path, bundle), key=VERIFIER_KEY)


@pytest.mark.parametrize("text", [b"{}", b"no", b'{"model.conf":"x"}'])
def test_a_policy_member_that_is_no_policy_is_unusable(made: LogMaker, tmp_path: Path, text: bytes) -> None:
    with pytest.raises(UnusableError):
        verify_bundle(saved(tmp_path, repack(made.log_bundle(), {f"policy/{EPOCH}.json": text})), key=VERIFIER_KEY)


def test_a_file_that_is_not_there_is_unusable(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="No such file"):
        verify_bundle(tmp_path / "absent.zip")


@pytest.mark.parametrize(
    "text",
    [
        b"{}",
        b"no",
        b'{"index":0,"proof":"x"}',
        b'{"index":0,"proof":[7]}',
        b'{"index":0,"proof":["x"]}',
        b'{"index":0,"proof":["AB=="]}',
        b'{"index":-1,"proof":[]}',
        b'{"index":0, "proof":[]}',
    ],
)
def test_lines_that_are_no_proofs_are_refused(made: LogMaker, tmp_path: Path, text: bytes) -> None:
    bundle = repack(made.engagement_bundle(ENGAGEMENTS[0]), {"proofs.jsonl": text + b"\n"})
    with pytest.raises(ProofError):
        verify_bundle(saved(tmp_path, bundle), key=VERIFIER_KEY)


def test_an_engagement_whose_entries_are_out_of_order_is_refused(made: LogMaker, tmp_path: Path) -> None:
    bundle = made.engagement_bundle(ENGAGEMENTS[0], payloads=())
    entries = members(bundle)["entries.jsonl"].splitlines(keepends=True)
    entries[3], entries[4] = entries[4], entries[3]
    with pytest.raises(AuditError) as refusal:
        verify_bundle(saved(tmp_path, repack(bundle, {"entries.jsonl": b"".join(entries)})), key=VERIFIER_KEY)
    assert refusal.value.index == decode(entries[3][:-1]).index


def test_time_may_not_go_back_within_an_engagement(tmp_path: Path) -> None:
    made = LogMaker(1)
    made.add(subjects={"engagement": ENGAGEMENTS[0]}, payload=None)
    made._time -= 10**9
    made.add(subjects={"engagement": ENGAGEMENTS[0]}, payload=None)
    bundle = made.engagement_bundle(ENGAGEMENTS[0], payloads=())
    with pytest.raises(SequenceError, match="time"):
        verify_bundle(saved(tmp_path, bundle), key=VERIFIER_KEY)


# Size -----------------------------------------------------------------------------------------------------------------

MEASURE = """
import resource, sys
from audit.verify import verify_bundle
verify_bundle(sys.argv[1], key=sys.argv[2])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
verify_bundle(sys.argv[3], key=sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    small, large = LogMaker(1).grow(300), LogMaker(1).grow(20_000)
    paths = [saved(tmp_path, made.log_bundle(), name) for made, name in ((small, "small.zip"), (large, "large.zip"))]
    assert paths[1].stat().st_size > 8 << 20
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(paths[0]), VERIFIER_KEY, str(paths[1])],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) < 6 << 10  # KiB, less than the bundle itself
